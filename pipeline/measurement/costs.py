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


def measure_costs(
    variants: Mapping[str, Variant], prompt: Sequence[int], *, tokens: int, threads: int, rounds: int, pairs: int
) -> Costs:
    """Measure one variant, or two in turn.

    Args:
        variants: One or two, by name; the one that knows fewer tokens first, since both read on with what it says.
        prompt: Ids of the prompt that all answer. To a teacher of more tokens they are other words, but as many.
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
    names, blocks = list(variants), -(-pairs // 2)
    found = _Found(list(prompt), tokens, {name: [] for name in names})
    with track("measure", rounds * len(names) + 2 * blocks) as progress:
        for turn in range(rounds):
            with ExitStack() as stack:
                workers = {}
                for name in names if turn % 2 == 0 else names[::-1]:
                    workers[name] = stack.enter_context(WorkerProcess(name, variants[name], threads))
                    found.start(workers[name])
                    progress(1)
                for _ in range(turn, blocks, rounds):
                    found.take_blocks(workers[names[0]], workers[names[-1]])
                    progress(2)
    return _summary(found, names)


@dataclass
class _Found:
    """What has been measured: starts by variant, and blocks of answers by how they were read on."""

    prompt: list[int]
    tokens: int
    starts: dict[str, list[dict[str, float]]]
    decode: _Blocks = field(default_factory=list)
    forced: _Blocks = field(default_factory=list)
    given: list[int] = field(default_factory=list)  # what all read on with: the very first answer

    def start(self, worker: WorkerProcess) -> None:
        """The first answer shows what memory it takes, and warms up: it is never timed."""
        took = worker.ask(self.prompt, self.tokens, memory=True)
        self.given = self.given or took["ids"]
        self.starts[worker.name].append({**worker.loaded, **took["memory"]})

    def take_blocks(self, first: WorkerProcess, second: WorkerProcess) -> None:
        """One block with tokens of their own, and one with given ones."""
        for blocks, given in ((self.decode, None), (self.forced, self.given)):
            asks = [partial(worker.ask, self.prompt, self.tokens, given=given) for worker in (first, second)]
            for block in take_blocks(asks[0], asks[1], 2):
                _check_same(*block, names=(first.name, second.name))
                blocks.append(block)


def _check_same(*sides: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    (mine, *_), (theirs, *_) = sides
    for what, count in mine["did"].items():
        if theirs["did"][what] != count:
            raise CheckFailed(
                f"{names[0]!r} and {names[-1]!r} did not do the same, so their speeds can't be compared.",
                why=f"{what}: {count} and {theirs['did'][what]}.",
            )


def _summary(found: _Found, names: Sequence[str]) -> Costs:
    # One variant alone stands on both sides of its blocks.
    sides = [[0], [1]] if len(names) == 2 else [[0, 1]]
    variants = {name: _cost(found, name, own) for name, own in zip(names, sides, strict=True)}
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
            "first_token": compare_blocks(_of([*found.decode, *found.forced], "first_token_seconds")),
            "decode": compare_blocks(_of(found.decode, "seconds_per_token")),
            "forced": compare_blocks(_of(found.forced, "seconds_per_token")),
        },
    )


def _of(blocks: _Blocks, figure: str) -> list[Block]:
    return [([took[figure] for took in mine], [took[figure] for took in theirs]) for mine, theirs in blocks]


def _cost(found: _Found, name: str, sides: Sequence[int]) -> Cost:
    starts = found.starts[name]

    def start(figure: str) -> float:
        return statistics.median(took[figure] for took in starts)

    def answers(figure: str, blocks: _Blocks) -> float:
        return statistics.median(took for block in _of(blocks, figure) for side in sides for took in block[side])

    return Cost(
        size_bytes=start("size_bytes"),
        load_seconds=start("load_seconds"),
        first_token_seconds=answers("first_token_seconds", [*found.decode, *found.forced]),
        decode_tokens_per_second=1 / answers("seconds_per_token", found.decode),
        forced_tokens_per_second=1 / answers("seconds_per_token", found.forced),
        peak_memory_bytes=start("process_peak"),
        answer_peak_bytes=start("peak"),
        answer_growth_bytes=statistics.median(took["peak"] - took["before"] for took in starts),
        anonymous_bytes=start("anonymous"),
        file_bytes=start("file"),
        peak_is_exact=all(took["exact"] for took in starts),
    )
