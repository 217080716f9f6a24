"""Compiled layers: the same losses and gradients, and a model that is afterwards as it was."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from attar.pipeline.data.render import RenderedSample
from attar.pipeline.teacher import load_model
from attar.pipeline.training.batches import Batch, collate, pack
from attar.pipeline.training.compiled import WORTH, compiled_layers, pays
from attar.pipeline.training.forward import answer_logits, run_body
from attar.pipeline.training.hidden import captured
from attar.pipeline.training.precision import computing_in
from tests.tiny import tiny_gpt2, tiny_llama

needs_a_compiler = pytest.mark.skipif(not pays(True, 0, 0), reason="no C++ compiler that torch can use")


def _batch(questions: int) -> Batch:
    rng = random.Random(questions)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(3, 200) for _ in range(count))

    record = tokens(9)
    samples = [RenderedSample(str(n), "", (*record, *tokens(n + 2)), tokens(3)) for n in range(questions)]
    return collate([pack(samples), pack(samples[:1])])


def _step(model: PreTrainedModel, batch: Batch) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Loss and gradients, and what the hooks saw of the layers, summed up."""
    model.zero_grad()
    with captured(model) as states:
        hidden = run_body(model, batch).last_hidden_state
    loss = torch.nn.functional.cross_entropy(answer_logits(model, hidden, batch), batch.labels)
    loss.backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    return loss.detach(), [*gradients, *(state.detach()[batch.real] for state in states)]


@needs_a_compiler
@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt2])
def test_loss_gradients_and_hidden_states_are_those_of_plain_layers(make: Callable[..., Path], tmp_path: Path) -> None:
    model = load_model(str(make(tmp_path / "model", "a few words", layers=2))).model.eval()
    for batch in (_batch(3), _batch(5)):
        loss, tensors = _step(model, batch)
        with compiled_layers(model):
            compiled_loss, compiled_tensors = _step(model, batch)
        torch.testing.assert_close(compiled_loss, loss, atol=1e-5, rtol=1e-5)
        for ours, plain in zip(compiled_tensors, tensors, strict=True):
            torch.testing.assert_close(ours, plain, atol=1e-5, rtol=1e-4)


def _long_batch(length: int) -> Batch:
    record = tuple(3 + place % 190 for place in range(length - 4))
    return collate([pack([RenderedSample("long", "", record, (5, 6, 7))])])


def _remembered(model: PreTrainedModel, batch: Batch) -> int:
    """What the forward pass keeps, in numbers; what is kept twice counts once."""
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().size() // tensor.itemsize
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        hidden = run_body(model, batch).last_hidden_state
    assert hidden.requires_grad
    return sum(kept.values())


def _remembered_of_a_pair(model: PreTrainedModel) -> float:
    """What of that grows with the square of the length, for each pair of tokens."""
    short, middle, long = (_remembered(model, _long_batch(length)) for length in (64, 128, 192))
    return (long - 2 * middle + short) / (2 * 64**2)


@needs_a_compiler
@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt2])
def test_no_weight_for_each_pair_of_tokens_is_kept(make: Callable[..., Path], tmp_path: Path) -> None:
    layers, heads = 2, 4
    model = load_model(str(make(tmp_path / "model", "a few words", layers=layers))).model.eval()
    plain = _step(model, _long_batch(192))
    with compiled_layers(model):
        assert _remembered_of_a_pair(model) <= 1, "the mask"
        ours = _step(model, _long_batch(192))
    torch.testing.assert_close(ours, plain, atol=1e-5, rtol=1e-4)
    model.config._attn_implementation = "eager"
    assert _remembered_of_a_pair(model) >= layers * heads


@needs_a_compiler
def test_the_model_is_as_it_was_once_the_block_ends_even_by_an_error(tmp_path: Path) -> None:
    model = load_model(str(tiny_llama(tmp_path / "model", "a few words", layers=2))).model
    attention = model.config._attn_implementation
    with pytest.raises(KeyError), compiled_layers(model):
        assert "forward" in vars(model.base_model.layers[0])
        raise KeyError
    assert all("forward" not in vars(layer) for layer in model.base_model.layers)
    assert model.config._attn_implementation == attention


def test_short_training_goes_without_and_a_wish_decides() -> None:
    assert not pays(None, int(WORTH / 100e6) - 1, 100_000_000)
    assert not pays(None, 5_000_000, 100_000), "however long a tiny model is trained"
    assert not pays(False, 10_000_000, 100_000_000)


@needs_a_compiler
def test_every_kind_of_call_is_compiled(tmp_path: Path) -> None:
    """By torch's own limit of eight kinds of calls, one of these would not be."""
    model, other = (
        load_model(str(tiny_llama(tmp_path / str(width), "a few words", layers=1, width=width))).model
        for width in (64, 32)
    )
    rows = _batch(3), collate([pack(_batch(3).samples[:2])])
    kinds = [*product([model], ("float32", "bfloat16"), rows), (other, "float32", rows[0])]
    with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True), compiled_layers(model, other):
        for each, precision, batch in kinds:
            with computing_in(each, precision):
                with torch.no_grad():
                    run_body(each, batch)
                run_body(each, batch).last_hidden_state.sum().backward()
