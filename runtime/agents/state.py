"""``AgentState``: what the nodes of a workflow pass on. Knows no node."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from langchain_core.messages import BaseMessage
from langgraph.graph.message import add_messages

__all__ = ["AgentState"]


class AgentState(TypedDict, total=False):
    """The state of one conversation.

    Attributes:
        messages: The turns; new ones are appended.
        context: What is known beside the messages; ``context["record"]`` is the text the answer is read from,
            ``context["candidates"]`` who was found where the agent looked it up.
        current_task: What the workflow is doing, such as "answer" or "done".
        results: What the nodes found, such as ``results["answer"]``.
    """

    messages: Annotated[list[BaseMessage], add_messages]
    context: dict[str, Any]
    current_task: str
    results: dict[str, Any]
