"""What variants cost, and how many times better one is than the other.

Each round starts both in fresh processes, which gives what loading and memory cost; then they answer in turn.
Does not know what a variant is made of.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from attar.runtime.errors import CheckFailed, UsageError

from ..progress import track
from .comparison import Block, Comparison, compare_blocks, take_blocks
from .processes import Variant, WorkerProcess

__all__ = ["Cost", "Costs", "measure_costs"]

_Blocks = list[tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]]


@dataclass(frozen=True)
class Cost:
    """Medians of one variant.

    Attributes:
        size_bytes: Of its files, or of its weights as they are used.
        load_seconds: Import and load.
        first_token_seconds: Prompt in, first token out, once loaded.
        decode_tokens_per_second: After the first token, reading on with its own choices.
        forced_tokens_per_second: The same, reading on with the tokens that all variants are given.
        peak_memory_bytes: VmHWM of the whole process: import, load, answer.
        answer_peak_bytes: VmHWM of answering alone.
        answer_growth_bytes: What of that was not there before.
        anonymous_bytes: Proportional share of memory that no file backs, after the answer.
        file_bytes: Proportional share of pages of files.
        peak_is_exact: Whether the peak could be reset; if not, ``answer_peak_bytes`` is that of the process.
    """

    size_bytes: float
    load_seconds: float
    first_token_seconds: float
    decode_tokens_per_second: float
    forced_tokens_per_second: float
    peak_memory_bytes: float
    answer_peak_bytes: float
    answer_growth_bytes: float
    anonymous_bytes: float
    file_bytes: float
    peak_is_exact: bool

    def to_dict(self) -> dict[str, float]:
        """The same, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Costs:
    """What variants cost.

    Attributes:
        variants: Cost of each.
        ratios: How many times better the first variant is than the second, where there are two:
            "size", "load", "memory", "first_token", "decode" and "forced".
    """

    variants: dict[str, Cost]
    ratios: dict[str, Comparison]

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


@dataclass
class _Found:
    """What has been measured: starts by variant, and blocks of answers by how they were read on."""

    starts: dict[str, list[dict[str, float]]]
    answers: dict[str, _Blocks] = field(default_factory=lambda: {"decode": [], "forced": []})


def measure_costs(
    variants: Mapping[str, Variant], prompt: Sequence[int], *, tokens: int, threads: int, rounds: int, pairs: int
) -> Costs:
    """Measure one variant, or two in turn.

    Args:
        variants: One or two, by name.
        prompt: Ids of the prompt that all answer.
        tokens: How many tokens an answer has; no token ends it.
        threads: What each may compute with.
        rounds: How often each is started anew.
        pairs: Answers of each that are timed, with tokens of its own and with given ones; made even.

    Raises:
        CheckFailed: A process fails, computes while it should wait, or does something else than the other.
        UsageError: There are no variants, or more than two.
    """
    if not 1 <= len(variants) <= 2 or tokens < 2 or rounds < 1 or pairs < 1:
        raise UsageError("Costs are measured of one variant or two, of two tokens, one round and one pair or more.")
    found = _Found({name: [] for name in variants})
    blocks = max(-(-pairs // 2), 1)
    given: list[int] = []
    with track("measure", rounds * len(variants) + 2 * blocks) as progress:
        for turn in range(rounds):
            with ExitStack() as stack:
                workers: dict[str, WorkerProcess] = {}
                for name in list(variants)[:: 1 if turn % 2 == 0 else -1]:
                    workers[name] = stack.enter_context(WorkerProcess(name, variants[name], threads))
                    # The first answer warms up too: it is never timed.
                    warm = workers[name].ask(prompt, tokens, memory=True)
                    given = given or warm["ids"]
                    found.starts[name].append({**workers[name].loaded, **warm["memory"]})
                    progress(1)
                ordered = [workers[name] for name in variants]
                for kind, tokens_given in (("decode", None), ("forced", given)):
                    asks = [partial(worker.ask, prompt, tokens, given=tokens_given) for worker in ordered]
                    for block in take_blocks(asks[0], asks[-1], 2 * len(range(turn, blocks, rounds))):
                        _check_same(*block, names=list(variants))
                        found.answers[kind].append(block)
                        progress(1)
    return _summary(found, list(variants))


def _check_same(*sides: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    (mine, *_), (theirs, *_) = sides
    for what, count in mine["did"].items():
        if theirs["did"][what] != count:
            raise CheckFailed(
                f"{names[0]!r} and {names[-1]!r} did not do the same, so their speeds can't be compared.",
                why=f"{what}: {count} and {theirs['did'][what]}.",
            )


def _summary(found: _Found, names: Sequence[str]) -> Costs:
    variants = {name: _cost(found, name, side) for side, name in enumerate(names)}
    if len(names) == 1:
        return Costs(variants, {})
    started: list[list[dict[str, float]]] = [found.starts[name] for name in names]

    def of_starts(figure: str) -> Comparison:
        return compare_blocks([([mine[figure]], [theirs[figure]]) for mine, theirs in zip(*started, strict=True)])

    return Costs(
        variants,
        {
            "size": of_starts("size_bytes"),
            "load": of_starts("load_seconds"),
            "memory": of_starts("process_peak"),
            "first_token": compare_blocks(
                [b for kind in found.answers.values() for b in _of(kind, "first_token_seconds")]
            ),
            "decode": compare_blocks(_of(found.answers["decode"], "seconds_per_token")),
            "forced": compare_blocks(_of(found.answers["forced"], "seconds_per_token")),
        },
    )


def _of(blocks: _Blocks, figure: str) -> list[Block]:
    return [([took[figure] for took in mine], [took[figure] for took in theirs]) for mine, theirs in blocks]


def _cost(found: _Found, name: str, side: int) -> Cost:
    starts = found.starts[name]

    def start(figure: str) -> float:
        return statistics.median(took[figure] for took in starts)

    def answers(figure: str, *kinds: str) -> float:
        return statistics.median(
            took for kind in kinds for block in _of(found.answers[kind], figure) for took in block[side]
        )

    return Cost(
        size_bytes=start("size_bytes"),
        load_seconds=start("load_seconds"),
        first_token_seconds=answers("first_token_seconds", "decode", "forced"),
        decode_tokens_per_second=1 / answers("seconds_per_token", "decode"),
        forced_tokens_per_second=1 / answers("seconds_per_token", "forced"),
        peak_memory_bytes=start("process_peak"),
        answer_peak_bytes=start("peak"),
        answer_growth_bytes=statistics.median(took["peak"] - took["before"] for took in starts),
        anonymous_bytes=start("anonymous"),
        file_bytes=start("file"),
        peak_is_exact=all(took["exact"] for took in starts),
    )
