"""``MultiAgentWorkflow``: a router, a QA agent, a Summarizer and a Validator on one student.

process_input -> route -> qa | summarizer | validator -> validate -> finalize. Does not know how an agent works.
"""

from __future__ import annotations

import re
from os import PathLike
from typing import Any

from langgraph.graph import END, START

from ..chat import ChatOnnx
from ..errors import UsageError
from ..prompts import NOT_FOUND
from .agent import DistilledModelAgent
from .base import Branch, Node, Workflow, finalize, process_input
from .log import logged
from .router import Router, RuleRouter
from .state import AgentState
from .summarizer import SummarizerAgent
from .validator import ValidatorAgent

__all__ = ["MultiAgentWorkflow"]


class MultiAgentWorkflow(Workflow):
    """A query goes to the agent that it is for; what was read from a record is then checked against it.

    ``results["route"]`` says who answered. A check is in ``results["check"]``, see :class:`ValidatorAgent`; it
    never changes the answer.

    Args:
        bundle: A bundle's folder, or a chat model on one; all agents share it.
        validate: Whether answers and summaries are checked. Claims always are: that is their answer.
        router: From query to agent's name; by default the rules in :mod:`attar.runtime.agents.router`.

    Example:
        >>> team = MultiAgentWorkflow("runs/quickstart/bundle")
        >>> team.run(query="Is it true that the capital of Denmark is Paris?")["results"]["check"]
        'contradicted'
    """

    def __init__(
        self, bundle: str | PathLike[str] | ChatOnnx, validate: bool = True, router: Router | None = None
    ) -> None:
        self.model = bundle if isinstance(bundle, ChatOnnx) else ChatOnnx(bundle=bundle)
        self.router: Router = router or RuleRouter()
        self._route_branch = Branch(lambda state: str(state["results"]["route"]))
        self._validates = validate
        validator = ValidatorAgent(self.model)
        nodes: dict[str, Node] = {"process_input": process_input, "route": self._route}
        edges = [(START, "process_input"), ("process_input", "route"), ("finalize", END)]
        if validate:
            nodes["validate"] = validator
            edges.append(("validate", "finalize"))
        nodes["finalize"] = finalize
        super().__init__(nodes, edges, {"route": self._route_branch})
        self.add_agent("qa", DistilledModelAgent(self.model), check=True)
        self.add_agent("summarizer", SummarizerAgent(self.model), check=True)
        self.add_agent("validator", validator)

    def add_agent(
        self, name: str, agent: Node, pattern: str | re.Pattern[str] | None = None, check: bool = False
    ) -> None:
        """Add an agent that the router can choose.

        Args:
            name: A name that no other node has; what the router returns for it.
            agent: A node that answers: it adds a message and leaves ``results["answer"]``.
            pattern: Queries in which this is found go to it, before all other rules. Without one the router
                must know the name.
            check: Whether its answer is checked against ``context["record"]``, where checks are on.

        Raises:
            UsageError: The name is taken.
        """
        self._place(name, agent, "validate" if self._validates else "finalize")
        self._route_branch.targets[name] = name
        if check and self._validates:
            self._branches[name] = Branch(_next_step, {"validate": "validate", "finalize": "finalize"})
        else:
            self._edges.append((name, "finalize"))
        if pattern is not None:
            self.router = RuleRouter([(pattern, name)], otherwise=self.router)

    def _route(self, state: AgentState) -> dict[str, Any]:
        with logged("route") as decided:
            agent = self.router(state["messages"][-1].text)
            agents = list(self._route_branch.targets)
            if agent not in agents:
                raise UsageError(
                    "The router names an agent that is not in the team.",
                    why=f"It said {agent!r}; the team is: {', '.join(agents)}.",
                    next_step="Add the agent with add_agent, or mend the router.",
                )
            decided["agent"] = agent
        return {"current_task": agent, "results": {**state["results"], "route": agent}}


def _next_step(state: AgentState) -> str:
    """To validate with what was read from a record; an answer from the model's head has nothing to stand against."""
    read = (state.get("context") or {}).get("record") is not None
    return "validate" if read or state["results"].get("answer") == NOT_FOUND else "finalize"
