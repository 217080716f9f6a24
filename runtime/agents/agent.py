"""``DistilledModelAgent``: the student as an agent that answers questions from records.

Finds the record that a question names and answers from it. Does not know workflows.
"""

from os import PathLike
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from ..chat import ChatOnnx
from ..chat.messages import to_turns
from ..prompts import NOT_FOUND, answer_prompt
from .log import logged
from .record_agent import RecordAgent
from .state import AgentState

__all__ = ["DistilledModelAgent"]


class DistilledModelAgent(RecordAgent):
    """Answers questions with a bundle's student; usable as a LangGraph node.

    Args:
        bundle: A bundle's folder, or a chat model on one.
        name: Name of the agent in messages.
    """

    def __init__(self, bundle: str | PathLike[str] | ChatOnnx, name: str = "qa") -> None:
        super().__init__(bundle, name)

    def __call__(self, state: AgentState, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Answer the last message; the record is ``context["record"]``, or found by the question."""
        with logged(self.name):
            *earlier, last = to_turns(state["messages"])
            context, _ = self.with_record(last["content"], state.get("context") or {})
            record = context["record"]
            if record is None and self.records is not None and not self.learned_answers:
                message = AIMessage(NOT_FOUND, name=self.name)
            else:
                # The student was trained on one record and one question: with a record, earlier turns only distract.
                turns = answer_prompt(last["content"], record)
                message = self.reply(turns if record else [*earlier, *turns], config)
        results = {**(state.get("results") or {}), "answer": message.text}
        return {"messages": [message], "context": context, "results": results}
