"""What a model's answers are worth: metrics, the verdict, and the answers themselves. Does not know training."""

from .answers import greedy_answers
from .metrics import Scores, exact_match, normalize, score, value_match
from .summaries import SUMMARY_KINDS, FactScores, score_facts
from .verdict import Verdict, judge

__all__ = [
    "SUMMARY_KINDS",
    "FactScores",
    "Scores",
    "Verdict",
    "exact_match",
    "greedy_answers",
    "judge",
    "normalize",
    "score",
    "score_facts",
    "value_match",
]
