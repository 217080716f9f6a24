"""The number format is what the CPU has instructions for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from attar.pipeline.measurement.memory import shares
from attar.pipeline.training.precision import autocast, chosen_precision, computing_in


def test_what_is_asked_for_is_taken_and_auto_is_one_of_two() -> None:
    assert chosen_precision("float32") == "float32"
    assert chosen_precision("bfloat16") == "bfloat16"
    assert chosen_precision("auto") in {"float32", "bfloat16"}


def test_a_cpu_without_the_instructions_gets_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for has in ({"avx2": True}, {"avx2": True, "avx512_bf16": True}):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: has)
        assert chosen_precision("auto") == ("bfloat16" if "avx512_bf16" in has else "float32")


def test_autocast_computes_products_in_the_format() -> None:
    ones = torch.ones(2, 2)
    with autocast("bfloat16"):
        assert (ones @ ones).dtype == torch.bfloat16
    with autocast("float32"):
        assert (ones @ ones).dtype == torch.float32


@pytest.mark.skipif(sys.platform != "linux", reason="takes no such advice")
@pytest.mark.parametrize("trains", [False, True])
def test_in_the_block_only_what_is_trained_keeps_the_pages_of_its_file(tmp_path: Path, trains: bool) -> None:
    (tmp_path / "weights").write_bytes(torch.arange(8 << 20, dtype=torch.float32).numpy().tobytes())  # 32 MB
    model = nn.ParameterList([torch.from_file(str(tmp_path / "weights"), shared=False, size=8 << 20)])
    model.requires_grad_(trains)
    assert model[0].sum() > 0  # read once, so resident
    before = shares()["file"]
    with computing_in(model, "bfloat16"):
        assert (before - shares()["file"] > 24 << 20) is not trains
    assert torch.equal(model[0].detach(), torch.arange(8 << 20, dtype=torch.float32))
