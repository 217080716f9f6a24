"""What a model's answers are worth: metrics, and the answers themselves. Does not know training."""

from .answers import greedy_answers
from .metrics import Scores, exact_match, normalize, score, value_match

__all__ = ["Scores", "exact_match", "greedy_answers", "normalize", "score", "value_match"]
