"""A trial: samples as a build would make them, all of them where they are few, to see what they are like.

Hands on a :class:`~.findings.Trial`. Does not know tables' values, nor how tokens are made.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from attar.runtime.errors import AttarError
from attar.runtime.text import ChatTokenizer

from ..data import Sample, StructuredDataLoader, require_both_splits
from .counting import MOST_PLACES, histogram
from .findings import Example, Problem, Trial
from .view import shown

__all__ = ["leaked", "try_out"]

_MOST_SAMPLES = 20_000
"""A build of no more than about so many is made whole."""
_RENDERED = 1_000
"""Samples whose tokens are counted."""
_COMMON = 12
_MOSTLY = 0.25
"""Share of all training answers from which one answer is far too common."""


def try_out(loader: StructuredDataLoader, teacher: str | None) -> Trial:
    """Make samples of the loader's tables; what stops that becomes a problem that stops a build.

    Args:
        loader: With all tables loaded; its ``records_per_table`` is lowered for the time of the trial.
        teacher: Whose tokenizer counts tokens; None counts none.
    """
    records = _affordable(loader)
    whole = records == loader.records_per_table
    kept, loader.records_per_table = loader.records_per_table, records
    problems: list[Problem] = []
    samples: list[Sample] = []
    try:
        samples = loader.prepare_distillation_dataset()
        require_both_splits(Counter(sample.split for sample in samples))
    except AttarError as error:
        problems.append(Problem("no samples", str(error.what), 1, error.next_step or "", _why(error), stops=True))
    finally:
        loader.records_per_table = kept
    problems += [*leaked(samples), *_one_answer(samples)]
    tokenizer, no_tokens = _tokenizer(teacher)
    drawn = random.Random(0).sample(samples, min(len(samples), _RENDERED)) if tokenizer else []
    prompts, answers = _lengths(drawn, tokenizer)
    return Trial(
        records=records,
        whole=whole,
        kinds=_kinds(samples, list(loader.kinds)),
        answers=Counter(s.answer for s in samples if s.split == "train").most_common(_COMMON),
        refused={kind: count for kind, count in loader.refused.items() if count},
        dropped=dict(loader.filters.dropped + loader.dropped),
        prompt_tokens=histogram(prompts),
        answer_tokens=histogram(answers),
        longest=max(map(sum, zip(prompts, answers, strict=True)), default=None),
        no_tokens=no_tokens,
        problems=problems,
    )


def _affordable(loader: StructuredDataLoader) -> int | None:
    """Training records of each table that make no more than the samples of a trial."""
    wanted = sum(loader.records_per_table or len(table.rows) for table in loader.tables)
    if wanted * loader.questions_per_record <= _MOST_SAMPLES:
        return loader.records_per_table
    return max(1, _MOST_SAMPLES // loader.questions_per_record // len(loader.tables))


def _why(error: AttarError) -> list[Example]:
    return [Example(error.where or "", why=error.why or "")] if error.where or error.why else []


def _kinds(samples: Sequence[Sample], kinds: Sequence[str]) -> dict[str, dict[str, int]]:
    counts = Counter((sample.kind, sample.split) for sample in samples)
    return {kind: {split: counts[kind, split] for split in ("train", "test")} for kind in kinds}


def leaked(samples: Sequence[Sample]) -> list[Problem]:
    """Records of the test split that training shows as well, as a problem where there are any."""
    train = {sample.record for sample in samples if sample.split == "train" and sample.record}
    seen = [sample for sample in samples if sample.split == "test" and sample.record in train]
    if not seen:
        return []
    examples = [Example(sample.source, value=shown(sample.record), why=sample.id) for sample in seen[:MOST_PLACES]]
    return [
        Problem(
            "leakage",
            f"{len(seen):,} test samples show a record that training shows too.",
            len(seen),
            "Remove the repeated rows, or name an entity column that both rows share.",
            examples,
        )
    ]


def _one_answer(samples: Sequence[Sample]) -> list[Problem]:
    """Of questions that have answers of their own: yes and no, and what validators and routers say, repeat."""
    answers = Counter(sample.answer for sample in samples if sample.split == "train" and sample.kind == "lookup")
    total = answers.total()
    return [
        Problem(
            "one answer too often",
            f"{count / total:.0%} of the lookups in training are answered by {shown(answer)!r}.",
            count,
            "Leave that column out.",
        )
        for answer, count in answers.most_common(1)
        if total >= 20 and count > _MOSTLY * total
    ]


def _tokenizer(teacher: str | None) -> tuple[ChatTokenizer | None, str]:
    """The teacher's tokenizer, its weights left alone, or why it is not there."""
    if teacher is None:
        return None, "not asked for"
    try:
        from ..teacher.loading import load_tokenizer

        return load_tokenizer(teacher), ""
    except (AttarError, ImportError) as error:
        what = error.what if isinstance(error, AttarError) else str(error)
        return None, f"the tokenizer of {teacher} can't be loaded: {what}"


def _lengths(samples: Sequence[Sample], tokenizer: ChatTokenizer | None) -> tuple[list[int], list[int]]:
    if tokenizer is None or tokenizer.end_id is None:
        return [], []
    from ..data.render import render

    rendered = render(samples, tokenizer)
    return [len(one.prompt) for one in rendered], [len(one.answer) for one in rendered]
