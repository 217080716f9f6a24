"""Encoders as sentence-transformers leaves them: what stands beside the weights is heeded or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from attar.pipeline.teacher.encoders import load_encoder
from attar.runtime.errors import ModelError

MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
MEAN = {"word_embedding_dimension": 64, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


@pytest.fixture
def folder(encoder_folder: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(encoder_folder, tmp_path / "m"))
    write(copy / "modules.json", MODULES)
    write(copy / "1_Pooling" / "config.json", MEAN)
    return copy


def write(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


def test_a_text_is_cut_at_what_the_model_was_trained_with_and_not_filled_up(folder: Path) -> None:
    write(folder / "sentence_bert_config.json", {"max_seq_length": 24, "do_lower_case": False})
    loaded = load_encoder(str(folder))
    assert loaded.most_tokens == 24
    short, long = loaded.tokenizer.encode_batch(["Aarhus", "Bergen " * 100])
    assert len(long.ids) == 24
    assert short.ids[0] == long.ids[0] == 2
    assert short.ids[-1] == long.ids[-1] == 3
    assert len(short.ids) < 10


def test_without_a_limit_of_its_own_positions_are_the_limit(encoder_folder: Path) -> None:
    assert load_encoder(str(encoder_folder)).most_tokens == 128


@pytest.mark.parametrize(
    ("pooling", "modules"),
    [
        ({**MEAN, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, MODULES),
        ({**MEAN, "pooling_mode_max_tokens": True}, MODULES),
        (MEAN, [*MODULES, {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}]),
    ],
)
def test_other_pooling_than_the_mean_is_refused(folder: Path, pooling: object, modules: object) -> None:
    write(folder / "1_Pooling" / "config.json", pooling)
    write(folder / "modules.json", modules)
    with pytest.raises(ModelError, match="can't be exported") as caught:
        load_encoder(str(folder))
    assert caught.value.next_step


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can't be loaded"):
        load_encoder(str(tmp_path))
