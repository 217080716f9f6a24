"""References: what the model that a graph was made from said, kept so that the graph can be held to it.

At the tokens of some answers its logits, all of them or the most likely; and how it goes on by itself after some
prompts. Hands on both, and their files in a bundle. Does not know graphs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BundleError
from .files import read_json

__all__ = [
    "LOGITS_FILE",
    "PROMPTS_FILE",
    "Answer",
    "Exchange",
    "Logits",
    "References",
    "log_normalizers",
    "read_references",
    "write_references",
]

PROMPTS_FILE = "references.json"
LOGITS_FILE = "references.npy"
_KEPT = 16  # most likely tokens whose logits are kept for each token of an answer

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Exchange:
    """A prompt and an answer to it, as ids."""

    prompt: list[int]
    ids: list[int]


@dataclass(frozen=True)
class Answer(Exchange):
    """An exchange, and the model's logits at each token of the answer.

    Attributes:
        logits: ``[A, V]``, or ``[A, K]`` of the tokens below, the most likely first.
        tokens: ``[A, K]``, whose logits they are; None where they are all.
        normalizers: ``[A]``, the logarithm of the sum of the exponentials of all logits; None where they are all, or
            where an earlier version did not keep it.
    """

    logits: Logits
    tokens: NDArray[np.int32] | None = None
    normalizers: NDArray[np.float32] | None = None

    @property
    def likeliest(self) -> NDArray[np.int64]:
        """The model's most likely token at each place ``[A]``."""
        best: NDArray[np.int64] = self.logits.argmax(-1)
        return best if self.tokens is None else np.take_along_axis(self.tokens, best[:, None], -1)[:, 0].astype(int)

    def kept(self) -> Answer:
        """The same with the most likely tokens' logits only, which is small enough for a bundle."""
        count = min(_KEPT, self.logits.shape[-1])
        likely = np.argpartition(-self.logits, count - 1, axis=-1)[:, :count]
        order = np.argsort(-np.take_along_axis(self.logits, likely, -1), axis=-1, kind="stable")
        tokens = np.take_along_axis(likely, order, -1).astype(np.int32)
        logits = np.take_along_axis(self.logits, tokens, -1)
        return Answer(self.prompt, self.ids, logits, tokens, log_normalizers(self.logits))


@dataclass(frozen=True)
class References:
    """What a graph is held to.

    Attributes:
        answers: Answers and the model's logits at their tokens.
        continuations: The model's own greedy answers.
        expected: Whether the answers are the right ones, or else the model's own.
    """

    answers: Sequence[Answer]
    continuations: Sequence[Exchange]
    expected: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of all answers."""
        return sum(len(answer.ids) for answer in self.answers)

    def part(self, tokens: int) -> References:
        """The same continuations and so many of the answers, evenly spread, that they have about that many tokens."""
        step = max(1, self.tokens // max(1, tokens))
        return References(self.answers[::step], self.continuations, self.expected)


def log_normalizers(logits: Logits) -> NDArray[np.float32]:
    """The logarithm of the sum of each row's exponentials, ``[T, V]`` to ``[T]``."""
    most = logits.max(-1, keepdims=True)
    found: NDArray[np.float32] = most[:, 0] + np.log(np.exp(logits - most).sum(-1))
    return found


def write_references(folder: Path, references: References) -> None:
    """Write them into a bundle's folder."""
    kept = [answer.kept() for answer in references.answers]
    known = {
        "expected": references.expected,
        "answers": [{"prompt": answer.prompt, "answer": answer.ids} for answer in kept],
        "continuations": [{"prompt": one.prompt, "answer": one.ids} for one in references.continuations],
    }
    (folder / PROMPTS_FILE).write_text(json.dumps(known, separators=(",", ":")) + "\n", encoding="utf-8")
    rows = np.empty(references.tokens, _rows(kept[0].logits.shape[-1]))
    rows["tokens"] = np.concatenate([answer.tokens for answer in kept if answer.tokens is not None])
    rows["logits"] = np.concatenate([answer.logits for answer in kept])
    rows["normalizer"] = np.concatenate([answer.normalizers for answer in kept if answer.normalizers is not None])
    np.save(folder / LOGITS_FILE, rows, allow_pickle=False)


def read_references(folder: Path) -> References:
    """Read what :func:`write_references` wrote, or version 3 of the bundle's format.

    Raises:
        BundleError: The files are missing, or not of this kind.
    """
    try:
        known: dict[str, Any] = read_json(folder / PROMPTS_FILE)
        rows = np.load(folder / LOGITS_FILE, allow_pickle=False)
        if "references" in known:  # version 3: the model's own answers were both
            known = {"answers": known["references"], "continuations": known["references"]}
        if rows.ndim != 1 or rows.dtype not in (expected := _rows(rows["logits"].shape[-1]), _unnormalized(expected)):
            raise ValueError("Its logits are not of the answers' tokens.")
        answers = _answers(known["answers"], rows)
        continuations = [Exchange(one["prompt"], one["answer"]) for one in known["continuations"]]
        if not answers or not continuations:
            raise ValueError("There is no answer.")
        return References(answers, continuations, bool(known.get("expected", False)))
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise BundleError(
            "The bundle's references can't be read.",
            where=folder / LOGITS_FILE,
            why=error,
            next_step="Copy the bundle again, or export it anew.",
        ) from error


def _answers(known: Sequence[Any], rows: NDArray[np.void]) -> list[Answer]:
    answers, start = list[Answer](), 0
    normalizers = rows["normalizer"] if "normalizer" in (rows.dtype.names or ()) else None
    for one in known:
        part = slice(start, start := start + len(one["answer"]))
        own = None if normalizers is None else normalizers[part]
        answers.append(Answer(one["prompt"], one["answer"], rows["logits"][part], rows["tokens"][part], own))
    if start != len(rows):
        raise ValueError(f"There are logits of {len(rows)} tokens for answers of {start}.")
    return answers


def _rows(count: int) -> np.dtype[np.void]:
    return np.dtype([("tokens", "<i4", (count,)), ("logits", "<f4", (count,)), ("normalizer", "<f4")])


def _unnormalized(rows: np.dtype[np.void]) -> np.dtype[np.void]:
    """What version 3 kept."""
    assert rows.fields is not None  # _rows names them
    return np.dtype([("tokens", rows.fields["tokens"][0]), ("logits", rows.fields["logits"][0])])
