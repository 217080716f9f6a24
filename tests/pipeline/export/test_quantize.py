"""Quantized graphs: close to fp32, the tied embedding once, every family's products found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from attar.pipeline.export.quantize import quantize
from attar.pipeline.export.reference import architecture_of, export_reference
from attar.pipeline.teacher import load_model
from attar.runtime.engine.session import open_decoder
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama

IDS = [1, 90, 91, 92, 93, 100, 2]


def logits(graph: Path, shape: Any) -> np.ndarray:
    decoder = open_decoder(graph, shape, "optimum", threads=1)
    return decoder.forward(IDS, decoder.empty_cache(), logits_from=0)[0]


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, object]]:
    folder = tmp_path_factory.mktemp("graphs")
    models = {
        "tied": tiny_llama(folder / "tied", CITIES),
        "untied": tiny_llama(folder / "untied", CITIES, tied=False),
        "gpt2": tiny_gpt2(folder / "gpt2", CITIES),
    }
    made = {}
    for name, path in models.items():
        model = load_model(str(path)).model.eval()
        made[name] = (export_reference(model, folder / f"{name}-onnx"), architecture_of(model))
    return made


@pytest.mark.parametrize("family", ["tied", "untied", "gpt2"])
@pytest.mark.parametrize("form", ["int8", "int4"])
def test_a_quantized_graph_is_close_and_holds_no_large_float(
    graphs: dict[str, tuple[Path, object]], tmp_path: Path, family: str, form: str
) -> None:
    source, shape = graphs[family]
    target = tmp_path / "model.onnx"
    quantize(source, target, form, shape.vocabulary_size)  # type: ignore[attr-defined]
    model = onnx.load(target)
    kinds = {node.op_type for node in model.graph.node}
    assert {"MatMulNBits", "GatherBlockQuantized"} <= kinds
    embedding = shape.vocabulary_size * 64  # type: ignore[attr-defined]
    floats = [
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= embedding
    ]
    assert [name for name in floats if "wpe" not in name] == []
    expected, found = (logits(graph, shape) for graph in (source, target))
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error < {"int8": 0.05, "int4": 0.5}[form]


def test_a_tied_embedding_is_stored_once(graphs: dict[str, tuple[Path, object]], tmp_path: Path) -> None:
    sizes = {}
    for family in ("tied", "untied"):
        source, shape = graphs[family]
        quantize(source, tmp_path / f"{family}.onnx", "int8", shape.vocabulary_size)  # type: ignore[attr-defined]
        sizes[family] = (tmp_path / f"{family}.onnx.data").stat().st_size
        once = shape.vocabulary_size * 64 * (1 + 4 / 32)  # type: ignore[attr-defined]
    assert sizes["untied"] - sizes["tied"] == pytest.approx(once, rel=0.05)
