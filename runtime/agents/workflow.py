"""``AgenticWorkflow``: process_input -> generate_response -> finalize, on LangGraph.

Nodes of one's own go in before finalize, or where one says. Does not know how an answer is made.
"""

from __future__ import annotations

from itertools import pairwise
from os import PathLike

from langgraph.graph import END, START

from ..chat import ChatOnnx
from .agent import DistilledModelAgent
from .base import Node, Workflow, finalize, process_input

__all__ = ["AgenticWorkflow"]


class AgenticWorkflow(Workflow):
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
        nodes: dict[str, Node] = {"process_input": process_input, "generate_response": self.agent, "finalize": finalize}
        super().__init__(nodes, list(pairwise([START, *nodes, END])))
