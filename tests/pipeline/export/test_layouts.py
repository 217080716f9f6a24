"""Which weights a form rounds, and that it is seen of a model whether they are rounded."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from attar.pipeline.export.layouts import BLOCKS4, BLOCKS8, LAYOUTS, is_rounded
from attar.pipeline.teacher import load_model
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama

ROUNDED = [name for name in LAYOUTS if name != "none"]


def loaded(name: str, folder: Path) -> PreTrainedModel:
    if name == "gpt2":
        return load_model(str(tiny_gpt2(folder / name, CITIES))).model
    return load_model(str(tiny_llama(folder / name, CITIES, layers=2, tied=name == "tied"))).model


def settle(model: PreTrainedModel, form: str) -> None:
    """Give every weight of a form the value that it is read back as."""
    for weight in LAYOUTS[form].weights(model):
        rounded = torch.from_numpy(weight.rounding.rounded(weight.rows.contiguous().numpy()))
        weight.rows.copy_(rounded)


@pytest.mark.parametrize(("name", "products", "tables"), [("tied", 14, 1), ("untied", 14, 2), ("gpt2", 8, 1)])
def test_every_product_and_table_is_rounded_once(name: str, products: int, tables: int, tmp_path: Path) -> None:
    model = loaded(name, tmp_path)
    weights = list(LAYOUTS["int4"].weights(model))
    assert len({id(weight.parameter) for weight in weights}) == len(weights)
    assert [weight.rounding for weight in weights].count(BLOCKS4) == products
    assert [weight.rounding for weight in weights].count(BLOCKS8) == tables
    assert all(weight.is_turned == (name == "gpt2") for weight in weights if weight.rounding == BLOCKS4)
    assert list(LAYOUTS["none"].weights(model)) == []


@pytest.mark.parametrize("name", ["tied", "gpt2"])
@pytest.mark.parametrize("form", ROUNDED)
def test_a_model_is_seen_to_be_rounded_when_it_is(form: str, name: str, tmp_path: Path) -> None:
    model = loaded(name, tmp_path)
    assert not is_rounded(model, form)
    settle(model, form)
    assert is_rounded(model, form)
    assert not is_rounded(model, "none")
    last = list(LAYOUTS[form].weights(model))[-1]
    last.rows[0, 0] += 1e-3
    assert not is_rounded(model, form)
