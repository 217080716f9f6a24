"""``AgentState``: what the nodes of a workflow pass on, and what of it a program wants. Knows no node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from langchain_core.messages import BaseMessage
from langgraph.graph.message import add_messages

__all__ = ["AgentState", "outcome"]

_TOLD = ("route", "check", "checked_by", "evidence")


class AgentState(TypedDict, total=False):
    """The state of one conversation.

    Attributes:
        messages: The turns; new ones are appended.
        context: What is known beside the messages; ``context["record"]`` is the text the answer is read from,
            ``context["candidates"]`` who was found where the agent looked it up.
        current_task: What the workflow is doing, such as "answer", an agent's name, or "done".
        results: What the nodes found for this question, such as ``results["answer"]``, in a team also
            ``results["route"]`` and ``results["check"]``.
    """

    messages: Annotated[list[BaseMessage], add_messages]
    context: dict[str, Any]
    current_task: str
    results: dict[str, Any]


def outcome(question: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """A finished state as one JSON object: the question, its answer, what it was read from, what was found."""
    context = state["context"]
    found = {"record": context.get("record"), "candidates": context.get("candidates", [])}
    told = {name: state["results"][name] for name in _TOLD if name in state["results"]}
    return {"question": question, "answer": state["messages"][-1].text, **found, **told}
