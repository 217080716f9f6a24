"""A smaller vocabulary put in place: the tokenizer rewritten, the model's rows gathered, ids numbered anew.

Hands on a tokenizer, a model, where its parameters are, and which of the teacher's tokens each of the student's is.
Does not know how tokens are chosen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel

from attar.runtime.errors import ModelError, TokenizerMismatch
from attar.runtime.text import ChatTokenizer

from .depth import layers_of
from .size import Parameters
from .vocabulary import spellings

__all__ = ["named_tokens", "parameters_of", "teacher_tokens", "trim_model", "trim_tokenizer"]

_NAMES_A_TOKEN = ("_token_id", "_token_ids")


def trim_tokenizer(tokenizer: ChatTokenizer, kept: Sequence[int]) -> ChatTokenizer:
    """The same tokenizer with only these tokens, numbered from 0 in their order.

    Args:
        tokenizer: The whole one.
        kept: Ids, ascending; as :func:`~attar.pipeline.student.vocabulary.kept_tokens` chooses them.

    Raises:
        ModelError: The tokenizers library numbers them otherwise.
    """
    numbers = {old: new for new, old in enumerate(kept)}
    value: dict[str, Any] = json.loads(tokenizer.to_json())
    before = spellings(value)
    model = value["model"]
    vocabulary = {text: numbers[old] for text, old in model["vocab"].items() if old in numbers}
    model["vocab"] = vocabulary
    model["merges"] = [
        [left, right]
        for left, right in model["merges"]
        if left in vocabulary and right in vocabulary and left + right in vocabulary
    ]
    for token in value["added_tokens"]:
        token["id"] = numbers[token["id"]]
    value["post_processor"] = _renumbered(value.get("post_processor"), numbers)
    trimmed = ChatTokenizer(Tokenizer.from_str(json.dumps(value)), tokenizer.template)
    if spellings(json.loads(trimmed.to_json())) != {t: numbers[old] for t, old in before.items() if old in numbers}:
        raise ModelError(
            "The vocabulary can't be trimmed: the tokens would not have the numbers that they should.",
            next_step="Set distillation.student_vocabulary to null, which keeps all tokens.",
        )
    return trimmed


def trim_model(model: PreTrainedModel, kept: Sequence[int]) -> None:
    """Keep only these rows of a model's embedding and head, in place; a tied head stays tied.

    Token ids in its configs are those of the new vocabulary; one that is not kept becomes None.
    """
    rows, count = torch.tensor(kept), len(kept)
    table: Any = model.get_input_embeddings()
    head: Any = model.get_output_embeddings()
    tied = head.weight is table.weight
    table.weight = nn.Parameter(table.weight.data[rows])
    table.num_embeddings = count
    head.weight = table.weight if tied else nn.Parameter(head.weight.data[rows])
    head.out_features = count
    if getattr(head, "bias", None) is not None:
        head.bias = nn.Parameter(head.bias.data[rows])
    numbers = {old: new for new, old in enumerate(kept)}
    if getattr(table, "padding_idx", None) is not None:
        table.padding_idx = numbers.get(table.padding_idx)
    for part in model.modules():
        if isinstance(getattr(part, "vocab_size", None), int):
            part.vocab_size = count  # type: ignore[assignment]  # torch types every attribute as a module
    model.config.vocab_size = count
    for config in filter(None, (model.config, model.generation_config)):
        for name, value in _token_settings(config).items():
            new = [numbers[old] for old in _listed(value) if old in numbers]
            setattr(config, name, new if isinstance(value, list) and new else next(iter(new), None))


def parameters_of(model: PreTrainedModel) -> Parameters:
    """Where a model's parameters are."""
    embedding: Any = model.get_input_embeddings()
    head = model.get_output_embeddings()
    tables = [embedding.weight, *(each for each in head.parameters() if each is not embedding.weight)]
    stack = layers_of(model)[1]
    return Parameters(
        total=sum(parameter.numel() for parameter in model.parameters()),
        layers=len(stack),
        layer=sum(parameter.numel() for parameter in stack[0].parameters()),
        tokens=len(embedding.weight),
        token=sum(table[0].numel() for table in tables),
    )


def named_tokens(model: PreTrainedModel) -> list[int]:
    """Ids that a model's configs name, such as those that begin and end a text."""
    count = parameters_of(model).tokens
    configs = filter(None, (model.config, model.generation_config))
    named = {index for config in configs for value in _token_settings(config).values() for index in _listed(value)}
    return sorted(index for index in named if 0 <= index < count)


def teacher_tokens(teacher: ChatTokenizer, student: ChatTokenizer) -> list[int] | None:
    """The teacher's id of each of the student's tokens; None where both have the same.

    A student may know fewer tokens and merges than its teacher, but none that the teacher does not know.

    Raises:
        TokenizerMismatch: They read text differently.
    """
    ours, theirs = json.loads(student.to_json()), json.loads(teacher.to_json())
    if ours["model"] == theirs["model"] and ours["added_tokens"] == theirs["added_tokens"]:
        return None
    if _is_trimmed(ours, theirs):
        known = spellings(theirs)
        return [known[text] for text, _ in sorted(spellings(ours).items(), key=lambda token: token[1])]
    raise TokenizerMismatch(
        "Teacher and student read text differently, so their logits can't be compared.",
        why=f"Their vocabularies have {teacher.vocabulary_size} and {student.vocabulary_size} tokens and are "
        "not equal, and the student's is no part of the teacher's.",
        next_step="Choose a student of the teacher's family, or leave student_model_name out to cut one.",
    )


def _is_trimmed(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether all that one tokenizer knows is a part of what the other knows, in the same order."""
    if ours["model"]["type"] != "BPE" or theirs["model"]["type"] != "BPE":
        return False
    if any(ours.get(name) != theirs.get(name) for name in ("normalizer", "pre_tokenizer")):
        return False
    known, merges = spellings(theirs), iter(theirs["model"]["merges"])
    contents = [[(token["content"], token["special"]) for token in value["added_tokens"]] for value in (ours, theirs)]
    return (
        contents[0] == contents[1]
        and spellings(ours).keys() <= known.keys()
        and all(merge in merges for merge in ours["model"]["merges"])  # one iterator: so the order is the same too
    )


def _renumbered(processor: Any, numbers: Mapping[int, int]) -> Any:
    """A post-processor that puts special tokens around a text, with their new ids."""
    if isinstance(processor, dict):
        renumbered = {key: _renumbered(item, numbers) for key, item in processor.items()}
        if "ids" in processor:
            renumbered["ids"] = [numbers[old] for old in processor["ids"]]
        for name in ("sep", "cls"):
            if name in processor:
                text, old = processor[name]
                renumbered[name] = [text, numbers[old]]
        return renumbered
    return [_renumbered(item, numbers) for item in processor] if isinstance(processor, list) else processor


def _token_settings(config: Any) -> dict[str, Any]:
    """Those settings of a config that name tokens by id."""
    return {name: value for name, value in vars(config).items() if name.endswith(_NAMES_A_TOKEN) and _listed(value)}


def _listed(value: Any) -> list[int]:
    listed = value if isinstance(value, list) else [value]
    return [index for index in listed if isinstance(index, int)]
