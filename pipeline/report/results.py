"""``Report``: what a run found, as the card, the table and ``--json`` show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """What a run found.

    Attributes:
        run: The run's folder.
        bundle: The bundle's folder.
        seconds: Of the whole call, and of each stage when it was made.
        cached: Stages that were there already.
        scores: Exact and value match of each variant on the held-out questions.
        costs: Size, memory and speed of the teacher and the bundle.
        ratios: The bundle against the torch teacher; above 1 is better, but for ``parameters``, the
            student's share of the teacher's.
        intervals: Lower and upper end of the 95 % interval of each measured ratio.
        verdict: The student in its bundle against the corrected teacher, as
            :meth:`~attar.pipeline.evaluation.verdict.Verdict.to_dict` gives it.
        rounding: The student in its bundle against the torch student it was exported from, in the same form.
        baseline: ``verdict``: the torch student against the fine-tuned baseline, in the same form; ``teacher``: the
            corrected teacher against it; ``steps`` of both; its ``learning_rate``; ``seconds`` of each one's stage.
            Empty without a baseline.
        tokens: What each torch model makes of right answers, as
            :class:`~attar.pipeline.evaluation.tokens.TokenScores` has it.
        warnings: What to look at, each with what to do.
        peak_memory: The most bytes that the run's own process held in each stage, when that was made; 0 where the
            kernel did not tell.
    """

    run: Path
    bundle: Path
    seconds: dict[str, float]
    cached: list[str]
    scores: dict[str, dict[str, float]]
    costs: dict[str, dict[str, float]]
    ratios: dict[str, float]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    verdict: dict[str, Any] = field(default_factory=dict)
    rounding: dict[str, Any] = field(default_factory=dict)
    baseline: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, dict[str, float | None]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    peak_memory: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The same, for ``--json``."""
        return {**self.__dict__, "run": str(self.run), "bundle": str(self.bundle)}
