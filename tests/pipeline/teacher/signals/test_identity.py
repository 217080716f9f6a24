"""Whatever changes what a teacher says changes what its signals are of, or the key of a sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from attar.pipeline.data.render import RenderedSample
from attar.pipeline.teacher import LoadedModel, load_model, save_model
from attar.pipeline.teacher.signals import SignalSettings, identity_of
from attar.pipeline.teacher.signals.identity import key_of, weights_sha256
from attar.runtime.text import ChatTokenizer
from tests.conftest import CITIES
from tests.tiny import train_tokenizer

SETTINGS = SignalSettings("top_k", 16, 2.0)
SAMPLE = RenderedSample("a", "r", (1, 2, 3), (4, 5))


@pytest.fixture
def teacher(teacher_folder: Path) -> LoadedModel:
    return load_model(str(teacher_folder))


def test_a_teacher_that_was_saved_is_the_same(teacher: LoadedModel, tmp_path: Path) -> None:
    save_model(teacher, tmp_path / "saved")
    again = load_model(str(tmp_path / "saved"))
    assert weights_sha256(again.model) == weights_sha256(teacher.model)


def test_one_weight_or_setting_makes_another_teacher(teacher: LoadedModel) -> None:
    hashes = {weights_sha256(teacher.model)}
    with torch.no_grad():
        teacher.model.model.layers[3].mlp.up_proj.weight[0, 0] += 1e-3
    hashes.add(weights_sha256(teacher.model))
    teacher.model.config.rms_norm_eps = 1e-3
    hashes.add(weights_sha256(teacher.model))
    assert len(hashes) == 3


def test_everything_that_signals_depend_on_is_in_their_identity(teacher: LoadedModel) -> None:
    whole = identity_of(teacher.model, teacher.tokenizer, None, "float32", SETTINGS)
    other = ChatTokenizer(train_tokenizer(CITIES * 2 + "Other merges."), teacher.tokenizer.template)
    template = ChatTokenizer(train_tokenizer(CITIES), teacher.tokenizer.template + " ")
    changed = [
        identity_of(teacher.model, other, None, "float32", SETTINGS),
        identity_of(teacher.model, template, None, "float32", SETTINGS),
        identity_of(teacher.model, teacher.tokenizer, torch.tensor([1, 2]), "float32", SETTINGS),
        identity_of(teacher.model, teacher.tokenizer, torch.tensor([2, 1]), "float32", SETTINGS),
        identity_of(teacher.model, teacher.tokenizer, None, "bfloat16", SETTINGS),
        *(
            identity_of(teacher.model, teacher.tokenizer, None, "float32", replace(SETTINGS, **{name: value}))
            for name, value in {"kind": "sampled", "tokens": 8, "temperature": 1.0, "numbers": "float32"}.items()
        ),
    ]
    assert all(set(one) == set(whole) for one in changed)
    assert len({str(one) for one in [whole, *changed]}) == len(changed) + 1
    assert whole == identity_of(teacher.model, teacher.tokenizer, None, "float32", SETTINGS)


@pytest.mark.parametrize(
    "other",
    [
        replace(SAMPLE, id="b"),
        replace(SAMPLE, prompt=(1, 2, 9)),
        replace(SAMPLE, answer=(4, 9)),
        replace(SAMPLE, prompt=(1, 2), answer=(3, 4, 5)),
        replace(SAMPLE, prompt=(1, 2, 3, 4), answer=(5,)),
    ],
)
def test_a_sample_with_another_id_or_other_tokens_has_another_key(other: RenderedSample) -> None:
    assert key_of(other) != key_of(SAMPLE)


def test_what_it_is_packed_with_makes_no_difference() -> None:
    assert key_of(replace(SAMPLE, group="s")) == key_of(SAMPLE)
    assert 0 <= key_of(SAMPLE) < 2**64
