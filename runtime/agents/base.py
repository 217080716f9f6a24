"""``Workflow``: what every workflow is: named nodes, edges, and branches between them, on LangGraph.

Hands on a compiled graph, and the ways to run, stream, draw and extend it. Does not know what nodes do.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StreamMode

from ..errors import UsageError
from .log import logged
from .state import AgentState

__all__ = ["Branch", "Node", "Workflow", "finalize", "process_input"]

Node = Callable[..., Mapping[str, Any]]
"""Takes the state, and a ``RunnableConfig`` where it asks for one; returns what changes in the state."""


@dataclass
class Branch:
    """Where a node leads, by what the state says.

    Attributes:
        choose: Gives one of the outcomes.
        targets: Outcome to node.
    """

    choose: Callable[[AgentState], str]
    targets: dict[str, str] = field(default_factory=dict)


class Workflow:
    """A question in, a finished state out.

    Args:
        nodes: Name to node.
        edges: From which node to which; ``langgraph.graph.START`` and ``END`` are the ends.
        branches: Name of the node to the branch after it.
    """

    def __init__(
        self,
        nodes: Mapping[str, Node],
        edges: Sequence[tuple[str, str]],
        branches: Mapping[str, Branch] | None = None,
    ) -> None:
        self._nodes = dict(nodes)
        self._edges = list(edges)
        self._branches = dict(branches or {})
        self._in_front: dict[str, list[str]] = {}
        self._compiled: CompiledStateGraph[Any, Any, Any, Any] | None = None

    def add_node(self, name: str, node: Node, before: str = "finalize") -> None:
        """Put a step in front of another one, on every way that leads there.

        Several in front of the same step run in the order of adding.

        Args:
            name: A name that no other node has.
            node: Takes the state, returns what changes in it.
            before: The step that comes next.

        Raises:
            UsageError: The name is taken, or there is no step ``before``.
        """
        if before not in self._nodes:
            known = ", ".join(self._nodes)
            raise UsageError(f"There is no node {before!r} to go before.", next_step=f"Name one of: {known}.")
        self._place(name, node, before)
        self._in_front.setdefault(before, []).append(name)

    @property
    def graph(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled LangGraph, to stream from or to put into a larger one."""
        if self._compiled is None:
            self._compiled = self.builder().compile()
        return self._compiled

    def builder(self) -> StateGraph[Any, Any, Any, Any]:
        """The graph before compiling, to give it a checkpointer of one's own."""
        builder: StateGraph[Any, Any, Any, Any] = StateGraph(AgentState)
        for name, node in self._nodes.items():
            builder.add_node(name, node)
        for source, target in self._edges:
            builder.add_edge(source, self._entrance(target))
        for source, branch in self._branches.items():
            targets: dict[Hashable, str] = {outcome: self._entrance(to) for outcome, to in branch.targets.items()}
            builder.add_conditional_edges(source, branch.choose, targets)
        for step, added in self._in_front.items():
            for name, following in pairwise(added):
                builder.add_edge(name, self._entrance(following))
            builder.add_edge(added[-1], step)
        return builder

    def draw_mermaid(self) -> str:
        """The graph as Mermaid text; made here, without a web service."""
        return self.graph.get_graph().draw_mermaid()

    def run(
        self, query: str, context: Mapping[str, Any] | None = None, earlier: Sequence[BaseMessage] = ()
    ) -> dict[str, Any]:
        """Answer a question.

        Args:
            query: The question.
            context: What is known beside it; ``{"record": text}`` answers from that text. The context of the
                last result makes this a follow-up, about the same record where it names no other.
            earlier: The turns before it.

        Returns:
            The final state; its answer is ``result["messages"][-1]``.

        Raises:
            UsageError: The query is empty.
            BundleError: The bundle is broken.
        """
        with logged("run"):
            return dict(self.graph.invoke(_asked(query, context, earlier)))

    def stream(
        self,
        query: str,
        context: Mapping[str, Any] | None = None,
        earlier: Sequence[BaseMessage] = (),
        stream_mode: StreamMode | Sequence[StreamMode] = ("updates", "messages"),
    ) -> Iterator[Any]:
        """Answer a question bit by bit, as LangGraph streams.

        Args:
            query: As for :meth:`run`.
            context: As for :meth:`run`.
            earlier: As for :meth:`run`.
            stream_mode: LangGraph's modes. "updates" is what each node changed, "messages" the answer's tokens,
                "values" the whole state after each step.

        Yields:
            ``(mode, data)``, or the data alone where one mode is given as a string. The data of "updates" is
            ``{node: changes}``, that of "messages" ``(message_chunk, metadata)``.
        """
        modes: Any = stream_mode if isinstance(stream_mode, str) else list(stream_mode)
        with logged("run"):
            yield from self.graph.stream(_asked(query, context, earlier), stream_mode=modes)

    def _place(self, name: str, node: Node, before: str) -> None:
        """Name a node, and list it before another one; leads nowhere yet."""
        if name in self._nodes:
            raise UsageError(f"There is a node {name!r} already.", next_step="Choose another name.")
        nodes = list(self._nodes.items())
        nodes.insert(list(self._nodes).index(before), (name, node))
        self._nodes = dict(nodes)
        self._compiled = None

    def _entrance(self, step: str) -> str:
        """Where a way to a step leads: to the first of those that were put in front of it."""
        return self._entrance(self._in_front[step][0]) if step in self._in_front else step


def process_input(state: AgentState) -> dict[str, Any]:
    """The first step: refuses an empty query, and forgets what was found for the one before.

    Raises:
        UsageError: The query is empty.
    """
    question = state["messages"][-1].text.strip()
    if not question:
        raise UsageError("The query is empty.", next_step='Ask something, such as "What is the capital of Denmark?"')
    return {"current_task": "answer", "results": {}}


def finalize(state: AgentState) -> dict[str, Any]:
    """The last step."""
    return {"current_task": "done"}


def _asked(query: str, context: Mapping[str, Any] | None, earlier: Sequence[BaseMessage]) -> dict[str, Any]:
    return {"messages": [*earlier, HumanMessage(query)], "context": dict(context or {}), "results": {}}
