"""Attention that is computed again: the family's own numbers, the same chance, the same answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from attar.pipeline.teacher import load_model
from attar.pipeline.training.attention import PLAIN, plain_attention
from tests.tiny import tiny_gpt2, tiny_llama


def gradients(model: PreTrainedModel, attention: str) -> list[Tensor]:
    model.config._attn_implementation = attention
    model.zero_grad()
    torch.manual_seed(0)
    mask = torch.zeros(2, 1, 6, 6).masked_fill_(~torch.ones(6, 6, dtype=torch.bool).tril(), torch.finfo().min)
    ids = torch.arange(3, 15).reshape(2, 6)
    model.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state.square().sum().backward()
    return [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]


@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt2])
def test_gradients_are_those_of_the_familys_function_dropout_and_all(make: Callable[..., Path], tmp_path: Path) -> None:
    model = load_model(str(make(tmp_path / "model", "a few words", layers=2))).model.train()
    for module in model.modules():  # as its config would have it
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = 0.3
        if hasattr(module, "attn_dropout"):
            module.attn_dropout.p = 0.3
    name = plain_attention(model)
    assert name in PLAIN and name != "eager"
    for ours, theirs in zip(gradients(model, name), gradients(model, "eager"), strict=True):
        assert torch.equal(ours, theirs)
    dropped = gradients(model, name)
    assert any(not torch.equal(*pair) for pair in zip(dropped, gradients(model.eval(), name), strict=True))


def test_what_comes_later_stays_hidden_where_the_model_makes_its_mask_itself(tmp_path: Path) -> None:
    model = load_model(str(tiny_llama(tmp_path / "model", "a few words", layers=2))).model.eval()
    ids = torch.arange(3, 15)[None]
    model.config._attn_implementation = plain_attention(model)
    with torch.no_grad():
        whole, part = (model(input_ids=ids[:, :length]).logits for length in (12, 7))
    torch.testing.assert_close(whole[:, :7], part)


def test_a_family_without_such_a_function_keeps_its_own(tmp_path: Path) -> None:
    model = load_model(str(tiny_llama(tmp_path / "model", "a few words", layers=1))).model
    other = type("Other", (type(model),), {"__module__": __name__})
    model.__class__ = other
    assert plain_attention(model) == "eager"
