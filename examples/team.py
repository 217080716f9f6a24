"""A team on one student: questions, summaries and claims go to the agent they are for, and answers are checked.

    python examples/team.py runs/quickstart/bundle Denmark

needs no more than the base install.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from attar.runtime import AgentState, MultiAgentWorkflow


def main(bundle: Path, entity: str, column: str = "capital") -> list[str | None]:
    """Ask the team in four ways; the checks of what it said."""
    team = MultiAgentWorkflow(bundle)

    # An agent of one's own: a node, and the words that call it.
    def greet(state: AgentState) -> dict[str, object]:
        return {"messages": [("ai", "Hello!")], "results": {**state["results"], "answer": "Hello!"}}

    team.add_agent("greeter", greet, pattern=r"(?i)^hello\b")
    print(team.draw_mermaid())

    checks = []
    for query in (
        f"What is the {column} of {entity}?",
        f"Summarize {entity}.",
        f"Is it true that the {column} of {entity} is Atlantis?",
        "Hello!",
    ):
        result = team.run(query)
        found = result["results"]
        print(f"{query} -> {found['route']}: {result['messages'][-1].text} [{found.get('check')}]")
        checks.append(found.get("check"))

    # The same, as it comes.
    for chunk, _ in team.stream(f"What is the {column} of {entity}?", stream_mode="messages"):
        print(chunk.text, end="", flush=True)
    print()
    return checks


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("attar.agents").setLevel(logging.INFO)  # decisions and times, never what was said
    main(Path(sys.argv[1]), sys.argv[2])
