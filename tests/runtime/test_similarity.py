"""What a bundle keeps of torch's embeddings, and when its graph has drifted from them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attar.runtime.engine.encoder import Encoder
from attar.runtime.errors import BundleError, ParityError
from attar.runtime.similarity import Embedded, Similarity, measure_similarity, read_embedded, write_embedded
from attar.runtime.verification import require_within, verify


def test_what_is_written_is_read(tmp_path: Path) -> None:
    known = Embedded([[1, 2], [3]], np.eye(2, 4, dtype=np.float32))
    write_embedded(tmp_path, known)
    found = read_embedded(tmp_path, 4)
    assert found.texts == [[1, 2], [3]]
    assert (found.embeddings == known.embeddings).all()


@pytest.mark.parametrize("texts", [[], [[1]], None])
def test_files_that_are_not_of_this_kind_are_refused(tmp_path: Path, texts: object) -> None:
    write_embedded(tmp_path, Embedded([[1, 2], [3]], np.eye(2, 4, dtype=np.float32)))
    (tmp_path / "references.json").write_text(json.dumps({"texts": texts} if texts is not None else {}))
    with pytest.raises(BundleError, match="references can't be read"):
        read_embedded(tmp_path, 4)


def test_other_embeddings_than_the_graphs_are_far(encoder_bundle: Path) -> None:
    encoder = Encoder(encoder_bundle / "model.onnx", threads=1)
    known = read_embedded(encoder_bundle, encoder.size)
    assert measure_similarity(encoder, known).least_cosine > 0.9999
    turned = measure_similarity(encoder, replace(known, embeddings=-known.embeddings))
    assert turned.mean_cosine < -0.9999
    assert turned.largest_similarity_change < 1e-5
    assert turned.texts == len(known.texts)


def test_a_bundle_is_verified_and_refused_beyond_its_limits(encoder_bundle: Path, tmp_path: Path) -> None:
    found = verify(Path(shutil.copytree(encoder_bundle, tmp_path / "b")), threads=1)
    assert isinstance(found.parity, Similarity)
    require_within(found)
    for limits in ({"min_cosine": 1.1}, {"max_difference": 0.0}):
        with pytest.raises(ParityError, match="bundle and torch disagree") as caught:
            require_within(replace(found, limits=limits))
        assert "32 texts" in (caught.value.why or "")
