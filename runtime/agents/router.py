"""Which agent a query is for: rules that can be read.

The first rule whose words the query has decides, and without one it is a question. A router is any callable
from query to agent's name: a student that was trained to route can take its place
(:func:`attar.runtime.prompts.route_prompt`). Does not know agents beyond the words that call them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .summarizer import SUMMARY_WANTED
from .validator import CHECK_WANTED

__all__ = ["RULES", "Router", "RuleRouter"]

Router = Callable[[str], str]

RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (CHECK_WANTED, "validator"),
    (SUMMARY_WANTED, "summarizer"),
)
"""Pattern and agent, in order; an agent of one's own is one more line, or ``MultiAgentWorkflow.add_agent``."""


class RuleRouter:
    """Routes by the first pattern that is found in the query.

    Args:
        rules: Pattern and agent, in order.
        otherwise: The agent, or the router, for all other queries.

    Example:
        >>> RuleRouter()("Summarize Denmark.")
        'summarizer'
    """

    def __init__(
        self, rules: Sequence[tuple[re.Pattern[str] | str, str]] = RULES, otherwise: str | Router = "qa"
    ) -> None:
        self.rules = [(re.compile(pattern), agent) for pattern, agent in rules]
        self.otherwise = otherwise

    def __call__(self, query: str) -> str:
        """The name of the agent."""
        for pattern, agent in self.rules:
            if pattern.search(query):
                return agent
        return self.otherwise if isinstance(self.otherwise, str) else self.otherwise(query)
