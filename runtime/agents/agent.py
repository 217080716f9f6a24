"""``DistilledModelAgent``: the student as an agent that reads records.

Finds the record that a question names and answers from it. Does not know workflows.
"""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig

from ..chat import ChatOnnx
from ..chat.messages import to_turns
from ..prompts import NOT_FOUND, Message, answer_prompt
from ..records import Record, Records
from .state import AgentState

__all__ = ["DistilledModelAgent"]


class DistilledModelAgent:
    """Answers questions with a bundle's student; usable as a LangGraph node.

    Args:
        bundle: A bundle's folder, or a chat model on one.
        name: Name of the agent in messages.
    """

    def __init__(self, bundle: str | PathLike[str] | ChatOnnx, name: str = "qa") -> None:
        self.model = bundle if isinstance(bundle, ChatOnnx) else ChatOnnx(bundle=bundle)
        self.name = name

    def __call__(self, state: AgentState, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Answer the last message; the record is ``context["record"]``, or found by the question."""
        turns = to_turns(state["messages"])
        question = turns[-1]["content"]
        context = self._with_record(question, state.get("context") or {})
        if context["record"] is None and self._has_records:
            message = AIMessage(NOT_FOUND, name=self.name)
        else:
            message = self._answer(question, context["record"], turns[:-1], config)
        results = {**(state.get("results") or {}), "answer": message.text}
        return {"messages": [message], "context": context, "results": results}

    def find(self, question: str) -> list[Record]:
        """The records that a question names, best first; none where the bundle carries no records."""
        path = self.model.loaded.bundle.records
        return Records(path).find(question) if path else []

    @property
    def _has_records(self) -> bool:
        return self.model.loaded.bundle.records is not None

    def _with_record(self, question: str, context: Mapping[str, Any]) -> dict[str, Any]:
        """The context with the record to read: the caller's own, or the one that the question names.

        A question that names none, such as "And its population?", is about the record before it.
        """
        if "record" in context and "candidates" not in context:
            return dict(context)
        found = self.find(question)
        if not found and "record" in context:
            return dict(context)
        names = [record.entity for record in found]
        return {**context, "record": found[0].text if found else None, "candidates": names}

    def _answer(
        self, question: str, record: str | None, earlier: list[Message], config: RunnableConfig | None
    ) -> AIMessage:
        # The student was trained on one record and one question: with a record, earlier turns only distract.
        turns = answer_prompt(question, record) if record else [*earlier, *answer_prompt(question, None)]
        reply = self.model.invoke(convert_to_messages([dict(turn) for turn in turns]), config)
        return reply.model_copy(update={"name": self.name})
