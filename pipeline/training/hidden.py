"""Hidden states at the layers' ends: read them, put others in their place, or put them in place of computing.

Works on any decoder whose layers take and give hidden states first, through hooks or in place of a layer's forward.
Does not know losses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from ..student import layers_of

__all__ = ["LayerArguments", "called_with", "captured", "given", "recorded", "removed", "replaced_inputs", "skipped"]


@dataclass(frozen=True)
class LayerArguments:
    """What a layer is called with besides the hidden states: masks, positions and the like."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def call(self, layer: nn.Module, states: Tensor) -> Tensor:
        """The hidden states that a layer gives for such ones."""
        return _states_of(layer(states, *self.args, **self.kwargs))


@contextmanager
def captured(model: PreTrainedModel) -> Iterator[list[Tensor]]:
    """A list that a forward pass fills: what goes into the first layer, then what each layer gives."""
    states: list[Tensor] = []

    def before_first(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        states.append(args[0] if args else kwargs["hidden_states"])

    def after(_: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        states.append(_states_of(output))

    layers = layers_of(model)[1]
    with ExitStack() as hooks:
        hooks.enter_context(removed(layers[0].register_forward_pre_hook(before_first, with_kwargs=True)))
        for layer in layers:
            hooks.enter_context(removed(layer.register_forward_hook(after)))
        yield states


@contextmanager
def called_with(model: PreTrainedModel) -> Iterator[list[LayerArguments]]:
    """A list that a forward pass fills with what each layer is called with besides the hidden states."""
    arguments: list[LayerArguments] = []

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        others = {name: value for name, value in kwargs.items() if name != "hidden_states"}
        arguments.append(LayerArguments(args[1:], others))

    with ExitStack() as hooks:
        for layer in layers_of(model)[1]:
            hooks.enter_context(removed(layer.register_forward_pre_hook(before, with_kwargs=True)))
        yield arguments


@contextmanager
def recorded(model: PreTrainedModel) -> Iterator[list[Any]]:
    """A list that a forward pass fills with what each layer gives, as it gives it: a tensor, or a tuple of more."""
    outputs: list[Any] = []
    with ExitStack() as hooks:
        for layer in layers_of(model)[1]:
            hooks.enter_context(removed(layer.register_forward_hook(lambda _, __, output: outputs.append(output))))
        yield outputs


@contextmanager
def given(layers: Iterable[nn.Module], outputs: Sequence[Any]) -> Iterator[None]:
    """In a forward pass these layers, which must not be compiled, compute nothing and give what was recorded."""
    with ExitStack() as changes:
        for layer, output in zip(layers, outputs, strict=False):
            changes.enter_context(_computing(layer, lambda *_, output=output, **__: output))
        yield


@contextmanager
def skipped(layers: Iterable[nn.Module], output: Any) -> Iterator[None]:
    """In a forward pass these layers, which must not be compiled, compute nothing and hand on what they get.

    Args:
        layers: Some of a model's.
        output: What one of them gave, to give the like of: a tensor, or a tuple of more.
    """

    def pass_on(*args: Any, **kwargs: Any) -> Any:
        states = args[0] if args else kwargs["hidden_states"]
        return states if isinstance(output, Tensor) else (states, *output[1:])

    with ExitStack() as changes:
        for layer in layers:
            changes.enter_context(_computing(layer, pass_on))
        yield


@contextmanager
def replaced_inputs(model: PreTrainedModel, inputs: Sequence[Tensor]) -> Iterator[None]:
    """In a forward pass each layer gets the given hidden states instead of its neighbour's."""

    def swap(states: Tensor) -> Any:
        def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            if args:
                return (states, *args[1:]), kwargs
            return args, {**kwargs, "hidden_states": states}

        return hook

    with ExitStack() as hooks:
        for layer, states in zip(layers_of(model)[1], inputs, strict=True):
            hooks.enter_context(removed(layer.register_forward_pre_hook(swap(states), with_kwargs=True)))
        yield


@contextmanager
def _computing(layer: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """The layer computes this and not what it is made for."""
    layer.forward = forward
    try:
        yield
    finally:
        del layer.forward  # what hid the class's own


@contextmanager
def removed(handle: Any) -> Iterator[None]:
    """In the block a hook works; after it, it is gone."""
    try:
        yield
    finally:
        handle.remove()


def _states_of(output: Any) -> Tensor:
    states: Tensor = output if isinstance(output, Tensor) else output[0]
    return states
