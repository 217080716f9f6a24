"""``AgenticWorkflow``: process_input -> generate_response -> finalize, on LangGraph.

Nodes of one's own go in before finalize. Does not know how an answer is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from os import PathLike
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from ..chat import ChatOnnx
from ..errors import UsageError
from .agent import DistilledModelAgent
from .state import AgentState

__all__ = ["AgenticWorkflow", "Node"]

Node = Callable[[AgentState], Mapping[str, Any]]
_FIRST = ("process_input", "generate_response")
_LAST = "finalize"


class AgenticWorkflow:
    """A question in, a finished state out.

    Args:
        bundle: A bundle's folder, or a chat model on one.

    Example:
        >>> workflow = AgenticWorkflow("runs/quickstart/bundle")
        >>> workflow.run(query="What is the capital of Denmark?")["messages"][-1].content
        'Copenhagen'
    """

    def __init__(self, bundle: str | PathLike[str] | ChatOnnx) -> None:
        self.agent = DistilledModelAgent(bundle)
        self._added: dict[str, Node] = {}
        self._compiled: CompiledStateGraph[Any, Any, Any, Any] | None = None

    def add_node(self, name: str, node: Node) -> None:
        """Add a step that runs after generate_response and before finalize, in the order of adding.

        Args:
            name: A name that no other node has.
            node: Takes the state, returns what changes in it.

        Raises:
            UsageError: The name is taken.
        """
        if name in (*_FIRST, *self._added, _LAST):
            raise UsageError(f"There is a node {name!r} already.", next_step="Choose another name.")
        self._added[name] = node
        self._compiled = None

    @property
    def graph(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled LangGraph, to stream from or to put into a larger one."""
        if self._compiled is None:
            self._compiled = self.builder().compile()
        return self._compiled

    def builder(self) -> StateGraph[Any, Any, Any, Any]:
        """The graph before compiling, to give it a checkpointer of one's own."""
        builder: StateGraph[Any, Any, Any, Any] = StateGraph(AgentState)
        nodes: dict[str, Any] = {
            "process_input": _process_input,
            "generate_response": self.agent,
            **self._added,
            _LAST: _finalize,
        }
        for name, node in nodes.items():
            builder.add_node(name, node)
        path = [START, *nodes, END]
        for before, after in pairwise(path):
            builder.add_edge(before, after)
        return builder

    def run(self, query: str, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Answer a question.

        Args:
            query: The question.
            context: What is known beside it; ``{"record": text}`` answers from that text.

        Returns:
            The final state; its answer is ``result["messages"][-1]``.

        Raises:
            UsageError: The query is empty.
            BundleError: The bundle is broken.
        """
        state = {"messages": [HumanMessage(query)], "context": dict(context or {}), "results": {}}
        return dict(self.graph.invoke(state))


def _process_input(state: AgentState) -> dict[str, Any]:
    question = state["messages"][-1].text.strip()
    if not question:
        raise UsageError("The query is empty.", next_step='Ask something, such as "What is the capital of Denmark?"')
    return {"current_task": "answer"}


def _finalize(state: AgentState) -> dict[str, Any]:
    return {"current_task": "done"}
