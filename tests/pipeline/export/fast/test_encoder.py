"""An encoder's fast graph against torch: every form, texts of every length, and none of them minds the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, PreTrainedModel

from attar.pipeline.export.fast import FORMS, build_encoder, encoder_refusal
from attar.runtime.engine.encoder import Encoder

LENGTHS = (1, 2, 3, 17, 64, 128)
TEXTS = [torch.randint(0, 256, (n,), generator=torch.Generator().manual_seed(n)).tolist() for n in LENGTHS]


@pytest.fixture(scope="module")
def model(encoder_folder: Path) -> PreTrainedModel:
    return AutoModel.from_pretrained(encoder_folder).eval()


def torchs(model: PreTrainedModel) -> np.ndarray:
    found = []
    for text in TEXTS:
        with torch.inference_mode():
            mean = model(input_ids=torch.tensor([text])).last_hidden_state[0].mean(0)
        found.append((mean / mean.norm()).numpy())
    return np.stack(found)


def test_every_number_is_torchs(model: PreTrainedModel, tmp_path: Path) -> None:
    encoder = Encoder(build_encoder(model, tmp_path / "model.onnx", "none"), threads=1)
    assert encoder.size == 64
    assert np.abs(encoder.embed(TEXTS) - torchs(model)).max() < 1e-5


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_near_torch_and_smaller(model: PreTrainedModel, form: str, tmp_path: Path) -> None:
    encoder = Encoder(build_encoder(model, tmp_path / "model.onnx", form), threads=1)
    cosines = (encoder.embed(TEXTS) * torchs(model)).sum(-1)
    assert cosines.mean() > (0.9 if "int4" in form or "mixed" in form else 0.99)
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    whole = 4 * sum(weight.numel() for weight in model.parameters())
    assert form == "none" or size < 0.7 * whole


@pytest.mark.parametrize("form", ["none", "int8", "int8-dynamic"])
def test_a_text_is_embedded_as_it_is_alone(model: PreTrainedModel, form: str, tmp_path: Path) -> None:
    encoder = Encoder(build_encoder(model, tmp_path / "model.onnx", form), threads=1)
    alone = np.concatenate([encoder.embed([text]) for text in TEXTS])
    assert np.abs(encoder.embed(TEXTS) - alone).max() < 1e-5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hidden_act": "relu"}, "its activation is relu"),
        ({"position_embedding_type": "relative_key"}, "its positions are relative_key"),
        ({"is_decoder": True}, "it is a decoder"),
        ({"model_type": "roberta"}, "no family"),
    ],
)
def test_what_the_graph_cant_express_is_named(model: PreTrainedModel, changes: dict[str, object], reason: str) -> None:
    config = type(model.config).from_dict(model.config.to_dict())
    assert encoder_refusal(config) is None
    for name, value in changes.items():
        setattr(config, name, value)
    assert reason in (encoder_refusal(config) or "")
