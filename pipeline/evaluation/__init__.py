"""What a model's answers are worth: metrics, the verdict, and the answers themselves. Does not know training."""

from .answers import greedy_answers
from .metrics import Scores, exact_match, normalize, score, value_match
from .summaries import SUMMARY_KINDS, FactScores, score_facts
from .tokens import TokenScores, score_tokens
from .verdict import Verdict, judge

__all__ = [
    "SUMMARY_KINDS",
    "FactScores",
    "Scores",
    "TokenScores",
    "Verdict",
    "exact_match",
    "greedy_answers",
    "judge",
    "normalize",
    "score",
    "score_facts",
    "score_tokens",
    "value_match",
]
