"""A cut student's layers fitted to its teacher by least squares: most of the cut is healed before any step of training.

From the first layer to the last, a layer's last projection is solved for, so that what the layer makes of the student's
own hidden states comes nearest to the teacher's behind the layers it stands for. So each makes up for what those below
left of the error. ("ReplaceMe", arXiv 2505.02819, section 3, solves for one linear map behind the layers that went;
ridge and damping by each feature's own size as in Marquardt, "An algorithm for least-squares estimation of nonlinear
parameters", 1963.) Changes the student in place. Does not know losses on answers, or optimizers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from ..checkpoints import Checkpoints
from ..losses import relative_error
from ..progress import say, track
from ..student import layers_of
from .batches import Batch, Packed, endless_parts
from .distillation import Pair
from .forward import run_body
from .hidden import LayerArguments, called_with, captured, removed
from .precision import computing_in

__all__ = ["fit"]

_RIDGES = (0.1, 0.3, 1.0)
"""Shares of a feature's own sum of squares that hold its weights where they are; the best is found on held-out
batches. Of one share for all features, chosen by their mean, a student went astray (benchmarks/LOG.md)."""
_HELD_OUT = 8
"""Of so many batches one is held out."""
_EXACT = 1e-9
"""Relative error of a layer that gives what its teacher gives."""


@dataclass
class _Reading:
    """A batch on its way through the student.

    Attributes:
        states: ``[B, T, H]`` what the student's next layer gets.
        targets: What each of its layers should give.
        arguments: What each is called with besides the hidden states.
        real: ``[B, T]`` false on padding.
    """

    states: Tensor
    targets: Sequence[Tensor]
    arguments: Sequence[LayerArguments]
    real: Tensor

    def through(self, number: int, layer: nn.Module) -> Tensor:
        """What a layer, the student's of this number, makes of the states."""
        return self.arguments[number].call(layer, self.states)

    def error(self, number: int, output: Tensor) -> float:
        """The output's relative error."""
        return relative_error([output], [self.targets[number]], self.real).item()


def fit(
    pair: Pair,
    sequences: Sequence[Packed],
    tokens: int,
    *,
    batch_tokens: int,
    precision: str,
    seed: int,
    title: str = "fit layers",
    checkpoints: Checkpoints | None = None,
) -> list[float]:
    """Fit every layer of a cut student in turn; returns the relative errors of what they give, on held-out batches.

    A layer that can't be bettered so stays as it is: one that gives what its teacher gives, or whose last projection
    is not added to the hidden states.

    Args:
        pair: The models; their layers must correspond.
        sequences: Training samples, of which so many tokens are read.
        tokens: How many, padding included, in two batches at least; far more than a projection has inputs.
        batch_tokens: Tokens of one batch.
        precision: What the models compute in; what is solved is fp32.
        seed: Which batches are read.
        title: Names progress and checkpoint.
        checkpoints: Where the fitted weights are kept, and taken from again.

    Raises:
        Refused: A checkpoint is of another teacher or student.
    """
    student = pair.student.eval()
    if found := checkpoints.load(title) if checkpoints else None:
        student.load_state_dict(found.tensors, strict=False)
        return list(found.facts["errors"])
    layers = layers_of(student)[1]
    errors: list[float] = []
    with torch.no_grad(), track(title, len(layers) + 1) as progress:
        readings = _read(pair, sequences, tokens, batch_tokens, precision, seed)
        progress()
        for number, layer in enumerate(layers):
            errors.append(_fit_layer(number, layer, readings, precision))
            with computing_in(layer, precision):
                for reading in readings:
                    reading.states = reading.through(number, layer)
            progress(1, error=errors[-1])
    if checkpoints:
        names = {id(weight): name for name, weight in student.named_parameters()}
        weights = {names[id(weight)]: weight.detach() for weight in layers.parameters()}
        checkpoints.save(title, weights, {"errors": errors})
    say(f"{title}: the last layer's relative error is {errors[-1]:.3f}")
    return errors


def _read(
    pair: Pair, sequences: Sequence[Packed], tokens: int, batch_tokens: int, precision: str, seed: int
) -> list[_Reading]:
    """Batches until they have so many tokens, and what the teacher's layers say of them."""
    readings: list[_Reading] = []
    with computing_in(pair.teacher, precision):
        for parts in endless_parts(sequences, batch_tokens, seed):
            for batch in parts:
                readings.append(_reading(pair, batch))
                tokens -= batch.real.numel()
            if tokens <= 0 and len(readings) > 1:
                return readings
    raise AssertionError("endless batches ended")


def _reading(pair: Pair, batch: Batch) -> _Reading:
    with captured(pair.teacher) as states, called_with(pair.teacher) as arguments:
        run_body(pair.teacher, batch.for_model_with(pair.tokens))
    targets = [states[end] for end in pair.ends]
    return _Reading(states[0], targets, [arguments[number] for number in pair.layers], batch.real)


def _fit_layer(number: int, layer: nn.Module, readings: Sequence[_Reading], precision: str) -> float:
    """Change a layer's last projection if that betters it on held-out batches; returns its error there."""
    held_out, fitted = readings[::_HELD_OUT], [each for place, each in enumerate(readings) if place % _HELD_OUT]

    def error() -> float:
        with computing_in(layer, precision):
            return sum(each.error(number, each.through(number, layer)) for each in held_out) / len(held_out)

    least = error()
    if least < _EXACT or not (problem := _problem(number, layer, fitted, precision)):
        return least
    weight, squares, products = problem
    before = best = weight.detach().clone()
    for ridge in _RIDGES:
        change = _solved(squares, products, ridge)
        weight.copy_(before + change)
        if (found := error()) < least:
            least, best = found, weight.detach().clone()
    weight.copy_(best)
    return least


def _problem(
    number: int, layer: nn.Module, readings: Sequence[_Reading], precision: str
) -> tuple[Tensor, Tensor, Tensor] | None:
    """``[in, out]`` the last projection's weights, and the normal equations of what they lack; None if they have none.

    Every token counts alike, however long its hidden states are, as in the relative error.
    """
    squares = products = torch.zeros(())
    weight: Tensor | None = None
    for reading in readings:
        with computing_in(layer, precision), _last_projection(layer) as seen:
            output = reading.through(number, layer)
        projection, inputs = seen[-1] if seen else (None, output)
        if projection is None or inputs.shape[:-1] != output.shape[:-1]:
            return None
        weight = projection.weight if isinstance(projection, Conv1D) else projection.weight.T
        if weight.shape[1] != output.shape[-1]:
            return None
        target = reading.targets[number][reading.real].float()
        size = target.norm(dim=-1, keepdim=True)
        features = inputs[reading.real].float() / size
        lacking = (target - output[reading.real].float()) / size
        squares = squares + features.T @ features
        products = products + features.T @ lacking
    return None if weight is None else (weight, squares, products)


def _solved(squares: Tensor, products: Tensor, ridge: float) -> Tensor:
    """``[in, out]`` the change that lacks least, held by a ridge; features that never occur stay as they are."""
    sizes = squares.diagonal()
    held = torch.diag(ridge * sizes + torch.finfo(sizes.dtype).eps * sizes.mean())
    change: Tensor = torch.linalg.solve(squares + held, products)
    return change


@contextmanager
def _last_projection(layer: nn.Module) -> Iterator[list[tuple[nn.Linear | Conv1D, Tensor]]]:
    """A list whose last item, after a forward pass, is the projection that was computed last, and what it read."""
    seen: list[tuple[nn.Linear | Conv1D, Tensor]] = []

    def note(module: nn.Linear | Conv1D, args: tuple[Tensor, ...], _: Tensor) -> None:
        seen[:] = [(module, args[0])]

    with ExitStack() as hooks:
        for module in layer.modules():
            if isinstance(module, nn.Linear | Conv1D):
                hooks.enter_context(removed(module.register_forward_hook(note)))
        yield seen
