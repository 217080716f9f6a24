"""How large a model is, from its config or GGUF header; no weight is read. Does not know runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from attar.runtime.errors import ModelError

__all__ = ["Shape", "model_config", "shape_of"]


@dataclass(frozen=True)
class Shape:
    """The size of a causal LM.

    Attributes:
        parameters: All; a tied embedding counts once.
        layers: How many layers the body has.
        layer_parameters: Those of one layer.
        width: Size of a hidden state.
        vocabulary: Size of the vocabulary.
        tables: How many tables have a row for each token: the embedding, and a head that is not tied to it.
    """

    parameters: int
    layers: int
    layer_parameters: int
    width: int
    vocabulary: int
    tables: int = 1

    @property
    def body(self) -> int:
        """Parameters of all layers together."""
        return self.layers * self.layer_parameters

    def cut(self, layers: int) -> Shape:
        """The same with only so many layers."""
        dropped = (self.layers - layers) * self.layer_parameters
        return replace(self, layers=layers, parameters=self.parameters - dropped)

    def trimmed(self, tokens: int) -> Shape:
        """The same with at most so many tokens."""
        kept = min(tokens, self.vocabulary)
        dropped = (self.vocabulary - kept) * self.tables * self.width
        return replace(self, vocabulary=kept, parameters=self.parameters - dropped)


@cache
def shape_of(name: str) -> Shape:
    """The shape of a model by its name in a config, built without memory on torch's meta device.

    Raises:
        ModelError: There is no such model, or it is no causal LM.
        Refused: Its only weights are pickled.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from ..student.depth import layers_of

    config = model_config(name)
    try:
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
    except (ValueError, KeyError) as error:
        raise _unreadable(name, error) from error
    stack = layers_of(model)[1]
    return Shape(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        layers=len(stack),
        layer_parameters=sum(parameter.numel() for parameter in stack[0].parameters()),
        width=config.hidden_size,
        vocabulary=config.vocab_size,
        tables=1 if model.get_output_embeddings().weight is model.get_input_embeddings().weight else 2,
    )


@cache
def model_config(name: str) -> Any:
    """The config of a model as transformers reads it; shared, so not to be changed.

    Raises:
        ModelError: There is no such model.
        Refused: Its only weights are pickled.
    """
    from transformers import AutoConfig

    from ..teacher.loading import resolve

    source, options = resolve(name)
    try:
        return AutoConfig.from_pretrained(source, trust_remote_code=False, **options)
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> ModelError:
    text = str(error).strip()
    return ModelError(
        "The model's config can't be read.",
        where=name,
        why=text.splitlines()[0] if text else type(error).__name__,
        next_step="Check the name; a hub name needs the network or a cached model.",
    )
