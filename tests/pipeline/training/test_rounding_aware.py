"""The finish: the rounding that training sees is the export's, and a student that lost by it answers again."""

from __future__ import annotations

import copy
import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.data.render import RenderedSample
from attar.pipeline.export.fast import build_fast
from attar.pipeline.export.layouts import LAYOUTS, is_rounded
from attar.pipeline.export.rounding import Blocked
from attar.pipeline.losses import DistillationLoss
from attar.pipeline.teacher import load_model
from attar.pipeline.training.batches import Batch, Packed, collate, pack
from attar.pipeline.training.distillation import Pair
from attar.pipeline.training.forward import answer_logits, run_body
from attar.pipeline.training.loop import Schedule, train
from attar.pipeline.training.precision import computing_in
from attar.pipeline.training.rounding_aware import as_it_was, finish, roundings_of, settle
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama

FORMS = [name for name in LAYOUTS if name != "none"]
SETTINGS = {"alignment": 2.0, "batch_tokens": 256, "precision": "float32", "compiled": False, "seed": 0}


def made(name: str, folder: Path) -> PreTrainedModel:
    """A small model; "odd" has rows that are no whole blocks."""
    if name == "gpt2":
        return load_model(str(tiny_gpt2(folder / name, CITIES, layers=1))).model
    width = 48 if name == "odd" else 64
    path = tiny_llama(folder / name, CITIES, layers=1, width=width, tied=name != "untied")
    return load_model(str(path)).model


def as_exported(model: PreTrainedModel, form: str) -> list[np.ndarray]:
    """What the export's own functions give each weight of a form, in the parameters' shapes."""
    weights = LAYOUTS[form].weights(model)
    return [
        rounded.T if weight.is_turned else rounded
        for weight in weights
        for rounded in [weight.rounding.rounded(weight.rows.contiguous().numpy())]
    ]


@pytest.mark.parametrize("name", ["tied", "untied", "gpt2", "odd"])
@pytest.mark.parametrize("form", FORMS)
def test_weights_are_rounded_as_the_export_rounds_them(form: str, name: str, tmp_path: Path) -> None:
    model = made(name, tmp_path)
    masters = copy.deepcopy(model.state_dict())
    expected = as_exported(model, form)
    roundings = roundings_of(model, form)
    with computing_in(model, "float32", roundings):
        seen = [parameter.data.clone() for parameter in roundings]
        untouched = [p for p in model.parameters() if p not in roundings]
        assert untouched
        assert all(p.ndim == 1 or name == "gpt2" for p in untouched)  # norms and biases; GPT-2's places
    assert all(np.array_equal(ours.numpy(), theirs) for ours, theirs in zip(seen, expected, strict=True))
    assert all(torch.equal(value, masters[key]) for key, value in model.state_dict().items())
    with computing_in(model, "bfloat16", roundings):
        halves = [parameter.data.clone() for parameter in roundings]
    assert all(torch.equal(half, whole.bfloat16()) for half, whole in zip(halves, seen, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_weights_that_moved_keep_their_scales_and_are_found_by_the_export(form: str, tmp_path: Path) -> None:
    model = made("tied", tmp_path)
    roundings = roundings_of(model, form)
    torch.manual_seed(0)
    for parameter in roundings:
        parameter.data.add_(0.02 * torch.randn_like(parameter.data))
    with computing_in(model, "float32", roundings):
        seen = [parameter.data.clone() for parameter in roundings]
    settle(roundings)
    assert all(torch.equal(parameter.data, was) for parameter, was in zip(roundings, seen, strict=True))
    assert all(np.array_equal(a.data.numpy(), b) for a, b in zip(roundings, as_exported(model, form), strict=True))
    assert is_rounded(model, form)


BATCH = collate([pack([RenderedSample("a", "r", (1, 2, 3), (4, 2))])])


def test_gradients_go_straight_through_to_the_weights() -> None:
    model = nn.Linear(4, 1, bias=False)
    weights = model.weight.data.clone()

    def to_halves(values: Tensor, target: Tensor) -> None:
        target.copy_((2 * values).round() / 2)

    seen: list[Tensor] = []

    def loss_of(_: Batch) -> Tensor:
        seen.append(model.weight.data.clone())
        return (model.weight * torch.tensor([[3.0, -1.0, 0.5, 2.0]])).sum()

    train("fit", model, itertools.repeat([BATCH]), loss_of, Schedule(2, 0.3, 0.0), roundings={model.weight: to_halves})
    assert torch.equal(seen[0], (2 * weights).round() / 2)
    moved = weights - 0.3 * torch.tensor([[1.0, -1.0, 1.0, 1.0]])  # Adam's first step is the gradient's sign
    assert torch.allclose(seen[1], (2 * moved).round() / 2)
    assert not torch.equal(model.weight.data, (2 * model.weight.data).round() / 2)  # the weights are not rounded


def small(**changes: object) -> PreTrainedModel:
    torch.manual_seed(0)
    shape = {"vocab_size": 100, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 64}
    tied = {"tie_word_embeddings": True, "initializer_range": 0.1}
    return LlamaForCausalLM(LlamaConfig(**{**shape, **heads, **tied, **changes}))


def facts(count: int) -> list[Packed]:
    """Sequences of random tokens, to be learned by heart."""
    rng = random.Random(0)
    drawn = [(tuple(rng.choices(range(100), k=5)), tuple(rng.choices(range(100), k=3))) for _ in range(count)]
    return [pack([RenderedSample(str(n), str(n), *pair)]) for n, pair in enumerate(drawn)]


def right(model: PreTrainedModel, whole: Batch) -> float:
    """Share of answer tokens that are the most likely ones."""
    with torch.no_grad():
        logits = answer_logits(model, run_body(model, whole).last_hidden_state, whole)
    return (logits.argmax(-1) == whole.labels).float().mean().item()


def fitted(sequences: list[Packed]) -> PreTrainedModel:
    """A small model that knows them by heart."""
    model, whole = small(), collate(sequences)

    def loss_of(_: Batch) -> Tensor:
        return functional.cross_entropy(
            answer_logits(model, run_body(model, whole).last_hidden_state, whole), whole.labels
        )

    train("fit", model, itertools.repeat([whole]), loss_of, Schedule(300, 1e-2))
    return model


def test_a_student_that_lost_answers_to_4_bits_regains_them() -> None:
    sequences = facts(96)
    student, whole = fitted(sequences), collate(sequences)
    plain = copy.deepcopy(student)
    settle(roundings_of(plain, "int4-all"))
    assert right(student, whole) == 1.0
    assert right(plain, whole) < 0.97
    settings = SETTINGS | {"batch_tokens": 1024}
    taught = as_it_was(student, 100, is_cut=True)
    finish(taught, DistillationLoss(), sequences, Schedule(60, 1e-3), form="int4-all", **settings)  # type: ignore[arg-type]
    assert right(student, whole) > 0.995
    assert is_rounded(student, "int4-all")


def test_what_a_student_had_lost_before_its_finish_its_teacher_gives_back_and_it_itself_does_not() -> None:
    sequences, only_taught = facts(96), DistillationLoss(alpha=1.0)
    teacher, whole = fitted(sequences), collate(sequences)
    ours = copy.deepcopy(teacher)
    settle(roundings_of(ours, "int4-all"))
    alone = copy.deepcopy(ours)
    settings = SETTINGS | {"batch_tokens": 1024, "alignment": 0.0}
    for pair in (Pair.of(teacher, ours, 100, is_cut=True), as_it_was(alone, 100, is_cut=True)):
        finish(pair, only_taught, sequences, Schedule(60, 1e-3), form="int4-all", **settings)  # type: ignore[arg-type]
    assert right(alone, whole) < 0.97
    assert right(ours, whole) > 0.995


def test_a_cut_student_keeps_its_embedding_up_to_rounding_and_a_named_one_trains_it() -> None:
    for is_cut in (True, False):
        student = small()
        expected = torch.from_numpy(as_exported(student, "int4")[0])
        taught = as_it_was(student, 100, is_cut=is_cut)
        finish(taught, DistillationLoss(), facts(8), Schedule(3, 1e-2), form="int4", **SETTINGS)  # type: ignore[arg-type]
        assert torch.equal(student.get_input_embeddings().weight.data, expected) == is_cut


class Killed(BaseException):
    """What a test stops a training with."""


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("killed_at", [0, 3, 5])
def test_a_finish_that_is_killed_goes_on_to_the_very_same_student(
    tmp_path: Path, killed_at: int, precision: str
) -> None:
    class Stopping(DistillationLoss):
        left = -1

        def per_token(self, *arguments: Any) -> Tensor:
            self.left -= 1
            if self.left == -1:
                raise Killed
            return super().per_token(*arguments)

    def attempt(checkpoints: Checkpoints | None, loss: DistillationLoss) -> tuple[list[float], PreTrainedModel]:
        student, settings = small(), SETTINGS | {"precision": precision}
        losses = finish(
            as_it_was(student, 100, is_cut=True),
            loss,
            facts(8),
            Schedule(6, 1e-2),
            form="int4",
            checkpoints=checkpoints,
            **settings,  # type: ignore[arg-type]
        )
        return losses, student

    losses, student = attempt(None, DistillationLoss())
    stopping = Stopping()
    stopping.left = killed_at
    with pytest.raises(Killed):
        attempt(Checkpoints(tmp_path, every_seconds=0), stopping)
    for _ in range(2):  # the second finds the finish ended
        again_losses, again = attempt(Checkpoints(tmp_path, every_seconds=0), DistillationLoss())
        assert again_losses == losses
        assert all(torch.equal(value, again.state_dict()[name]) for name, value in student.state_dict().items())


@pytest.mark.parametrize("form", ["int4", "int4-all", "int8", "mixed"])
def test_the_exported_weights_are_those_that_training_saw_and_so_are_the_saved_ones(form: str, tmp_path: Path) -> None:
    student = small(hidden_size=64, num_attention_heads=2)
    taught = as_it_was(student, 100, is_cut=True)
    finish(taught, DistillationLoss(), facts(8), Schedule(4, 1e-2), form=form, **SETTINGS)  # type: ignore[arg-type]
    student.save_pretrained(tmp_path / "student", safe_serialization=True)
    saved = LlamaForCausalLM.from_pretrained(tmp_path / "student", dtype=torch.float32)
    with computing_in(saved, "float32", roundings_of(saved, form)):  # what another step would compute with
        last = {name: value.clone() for name, value in saved.state_dict().items()}
    assert all(torch.equal(value, last[name]) for name, value in student.state_dict().items())
    stored = dequantized(build_fast(saved, tmp_path / "model.onnx", form))
    layer = "model.layers.0.self_attn"
    packed = np.concatenate([last[f"{layer}.{part}_proj.weight"] for part in "qkv"])
    assert np.array_equal(stored["layers.0.queries_keys_values"], packed)
    assert np.array_equal(stored["layers.1.down"], last["model.layers.1.mlp.down_proj.weight"])
    assert np.array_equal(stored["embedding"], last["model.embed_tokens.weight"])
    assert len(stored) == 4 * 2 + 1


def dequantized(path: Path) -> dict[str, np.ndarray]:
    """The values of a graph's block-wise weights, by the names that they are stored under."""
    graph = onnx.load(path).graph
    constants = {each.name: numpy_helper.to_array(each, str(path.parent)) for each in graph.initializer}
    found = {}
    for node in graph.node:
        if node.op_type == "MatMulNBits":
            options = {each.name: each.i for each in node.attribute}
            stem = node.input[1].removesuffix(".levels")
            parts = (constants.get(f"{stem}.{part}") for part in ("levels", "scales", "zeros"))
            found[stem] = Blocked(*parts, options["bits"], options["K"]).restored()  # type: ignore[arg-type]
    return found
