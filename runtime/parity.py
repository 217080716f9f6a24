"""Parity: how far a graph is from the model it was made from, by what that model said to some prompts.

Both see the same prompts and the same answers, the model's own; the graph also decodes by itself through its
cache. What the model said can be kept in a bundle, so that parity can be measured again on another machine.
Does not know torch, or how the graph was made.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .engine.session import Decoder
from .errors import BundleError
from .files import read_json

__all__ = [
    "LOGITS_FILE",
    "PROMPTS_FILE",
    "Parity",
    "Reference",
    "greedy",
    "measure",
    "read_references",
    "write_references",
]

PROMPTS_FILE = "references.json"
LOGITS_FILE = "references.npy"
_KEPT = 64  # most likely tokens whose logits are kept for each token of an answer

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Parity:
    """How far a graph is from the model.

    Attributes:
        largest_logit_difference: Over every logit that is known.
        p99_logit_difference: What 99 % of the tokens stay within, each by its largest difference.
        divergence: Mean KL divergence of the graph from the model at the answers' tokens, in nats.
        agreement: Share of answer tokens whose most likely token is the same.
        greedy_equal: Share of prompts whose greedy answer is the same, token for token.
        tokens: Answer tokens compared.
    """

    largest_logit_difference: float
    p99_logit_difference: float
    divergence: float
    agreement: float
    greedy_equal: float
    tokens: int

    def to_dict(self) -> dict[str, float]:
        """The same, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Reference:
    """A prompt, the model's greedy answer to it, and what it said.

    Attributes:
        prompt: Its ids.
        answer: The answer's ids.
        logits: ``[T, V]`` along prompt and answer, or ``[A, K]`` of the tokens below along the answer alone.
        tokens: ``[A, K]``, whose logits they are; None where they are all.
    """

    prompt: list[int]
    answer: list[int]
    logits: Logits
    tokens: NDArray[np.int32] | None = None

    def kept(self) -> Reference:
        """The most likely tokens of the answer only, which is small enough for a bundle."""
        logits = self.logits[len(self.prompt) - 1 :]
        best = np.argsort(-logits, axis=-1, kind="stable")[:, :_KEPT].astype(np.int32)
        return Reference(self.prompt, self.answer, np.take_along_axis(logits, best, -1), best)


def measure(decoder: Decoder, references: Sequence[Reference]) -> Parity:
    """Compare a loaded graph with what the model said."""
    differences, divergences, same, equal = [], [], 0, 0
    for reference in references:
        ids, start = [*reference.prompt, *reference.answer[:-1]], len(reference.prompt) - 1
        logits, cache = decoder.forward(ids, decoder.empty_cache(len(ids)), logits_from=0)
        same += int((logits[start:].argmax(-1) == np.array(reference.answer)).sum())
        if reference.tokens is None:
            found, wanted = logits, reference.logits
            divergences.append(_divergence(wanted[start:], found[start:]))
        else:
            found, wanted = np.take_along_axis(logits[start:], reference.tokens, -1), reference.logits
            divergences.append(_divergence(wanted, found))
        differences.append(np.abs(found - wanted).max(-1))
        decoder.release(cache)
        equal += greedy(decoder, reference.prompt, len(reference.answer)) == reference.answer
    far, tokens = np.concatenate(differences), sum(len(reference.answer) for reference in references)
    return Parity(
        largest_logit_difference=float(far.max()),
        p99_logit_difference=float(np.percentile(far, 99)),
        divergence=float(np.concatenate(divergences).mean()),
        agreement=same / tokens,
        greedy_equal=equal / len(references),
        tokens=tokens,
    )


def greedy(decoder: Decoder, prompt: Sequence[int], count: int, stops: Collection[int] = ()) -> list[int]:
    """The most likely tokens after a prompt: ``count`` of them, or those before a stop token."""
    ids, answer, cache = list(prompt), list[int](), decoder.empty_cache(len(prompt) + count)
    for _ in range(count):
        logits, cache = decoder.forward(ids, cache)
        token = int(logits[-1].argmax())
        if token in stops:
            break
        answer.append(token)
        ids = [token]
    decoder.release(cache)
    return answer


def write_references(folder: Path, references: Sequence[Reference]) -> None:
    """Write what the model said into a bundle's folder."""
    kept = [reference.kept() for reference in references]
    prompts = [{"prompt": reference.prompt, "answer": reference.answer} for reference in kept]
    (folder / PROMPTS_FILE).write_text(json.dumps({"references": prompts}) + "\n", encoding="utf-8")
    rows = np.empty(sum(len(reference.answer) for reference in kept), _rows(kept[0].logits.shape[-1]))
    rows["tokens"] = np.concatenate([reference.tokens for reference in kept if reference.tokens is not None])
    rows["logits"] = np.concatenate([reference.logits for reference in kept])
    np.save(folder / LOGITS_FILE, rows, allow_pickle=False)


def read_references(folder: Path) -> list[Reference]:
    """Read what :func:`write_references` wrote.

    Raises:
        BundleError: The files are missing, or not of this kind.
    """
    try:
        prompts = read_json(folder / PROMPTS_FILE)["references"]
        rows = np.load(folder / LOGITS_FILE, allow_pickle=False)
        if not isinstance(prompts, list) or rows.ndim != 1 or rows.dtype != _rows(rows["logits"].shape[-1]):
            raise ValueError("Its logits are not of the answers' tokens.")
        references, start = [], 0
        for known in prompts:
            part = rows[start : start + len(known["answer"])]
            start += len(known["answer"])
            references.append(Reference(known["prompt"], known["answer"], part["logits"], part["tokens"]))
        if start != len(rows) or not references:
            raise ValueError(f"There are logits of {len(rows)} tokens for answers of {start}.")
        return references
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise BundleError(
            "The bundle's references can't be read.",
            where=folder / LOGITS_FILE,
            why=error,
            next_step="Copy the bundle again, or export it anew.",
        ) from error


def _rows(count: int) -> np.dtype[np.void]:
    return np.dtype([("tokens", "<i4", (count,)), ("logits", "<f4", (count,))])


def _divergence(wanted: Logits, found: Logits) -> NDArray[np.float64]:
    """KL divergence of each row, ``[T, V]`` logits to ``[T]``."""
    wanted_log, found_log = _log_softmax(wanted), _log_softmax(found)
    divergence: NDArray[np.float64] = (np.exp(wanted_log) * (wanted_log - found_log)).sum(-1)
    return divergence


def _log_softmax(logits: Logits) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    log: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return log
