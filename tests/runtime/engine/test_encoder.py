"""The encoder's batches: every text once, in its place, and no graph that is something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attar.runtime.engine import encoder as module
from attar.runtime.engine.encoder import Encoder
from attar.runtime.errors import BundleError


def test_texts_of_many_lengths_come_back_in_their_order(encoder_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder(encoder_bundle / "model.onnx", threads=1)
    texts = [[2, *[5 + n] * (n * 7 % 40), 3] for n in range(30)]
    whole = encoder.embed(texts)
    monkeypatch.setattr(module, "_PLACES", 50)
    assert np.abs(encoder.embed(texts) - whole).max() < 1e-5
    assert np.abs(encoder.embed(texts[::-1]) - whole[::-1]).max() < 1e-5


def test_a_text_without_tokens_is_nothing_and_no_texts_are_none(encoder_bundle: Path) -> None:
    encoder = Encoder(encoder_bundle / "model.onnx", threads=1)
    found = encoder.embed([[], [2, 9, 3]])
    assert not found[0].any()
    assert np.isclose(np.linalg.norm(found[1]), 1)
    assert encoder.embed([]).shape == (0, 64)


def test_a_decoder_is_refused(bundle_folder: Path) -> None:
    with pytest.raises(BundleError, match="not an encoder"):
        Encoder(bundle_folder / "model.onnx", threads=1)
