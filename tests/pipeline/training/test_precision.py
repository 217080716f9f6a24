"""The number format is what the CPU has instructions for."""

from __future__ import annotations

import pytest
import torch

from attar.pipeline.training.precision import autocast, chosen_precision


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
