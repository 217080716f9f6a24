"""``SummarizerAgent``: says in a sentence or two what the records, or a text of one's own, hold.

Does not know workflows, nor whether the summary is right.
"""

import re
from os import PathLike
from typing import Any

from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig

from ..chat import ChatOnnx
from ..prompts import NOT_FOUND, summary_prompt
from .log import logged
from .record_agent import RecordAgent
from .state import AgentState

__all__ = ["SUMMARY_WANTED", "SummarizerAgent"]

SUMMARY_WANTED = re.compile(
    r"""^\W*(?:please\s+|can\ you\s+|could\ you\s+)*(?:
        (?:summari[sz]e|sum\ up|describe)\b
      | (?:give|write|show|make)\s+(?:me\s+)?an?\s+(?:(?:short|brief|quick)\s+)?(?:summary|overview)\b
      | (?:an?\s+)?(?:(?:short|brief|quick)\s+)?(?:summary|overview)\s+of\b
      | tell\s+me\s+(?:all|everything|something|more)\s+about\b
      | what\s+(?:do\ you\ know|is\ known)\s+about\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""The queries that ask for a summary; "give the summary for ..." asks for a column of that name."""


class SummarizerAgent(RecordAgent):
    """Summarizes with a bundle's student; usable as a LangGraph node.

    What it reads is ``context["text"]``, else ``context["record"]``, else all records that the query names, as
    many as fit into the student's context. It leaves what it read in ``context["record"]``, and the summary in
    ``results["summary"]`` and ``results["answer"]``.

    Args:
        bundle: A bundle's folder, or a chat model on one.
        name: Name of the agent in messages.
    """

    def __init__(self, bundle: str | PathLike[str] | ChatOnnx, name: str = "summarizer") -> None:
        super().__init__(bundle, name)

    def __call__(self, state: AgentState, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Summarize what the last message asks for.

        Raises:
            UsageError: Even the first text is longer than the student can read.
        """
        with logged(self.name):
            context = dict(state.get("context") or {})
            texts = [context["text"]] if context.get("text") else []
            if not texts:
                context, texts = self.with_record(state["messages"][-1].text, context)
            results = dict(state.get("results") or {})
            if texts:
                context["record"] = self._fitting(texts)
                message = self.reply(summary_prompt(context["record"]), config)
                results["summary"] = message.text
            else:
                message = AIMessage(NOT_FOUND, name=self.name)
        return {"messages": [message], "context": context, "results": {**results, "answer": message.text}}

    def _fitting(self, texts: list[str]) -> str:
        """The first text and as many of the others as leave room for the answer."""
        loaded = self.model.loaded
        room = loaded.bundle.manifest.architecture.context_length
        room -= self.model.max_tokens or loaded.bundle.generation.max_new_tokens
        joined = texts[0]
        for text in texts[1:]:
            longer = f"{joined}\n\n{text}"
            turns = convert_to_messages([dict(turn) for turn in summary_prompt(longer)])
            if self.model.get_num_tokens_from_messages(turns) > room:
                break
            joined = longer
        return joined
