"""``attar ask``. Does not know how an answer is made."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["command"]


@click.command("ask")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("question")
@click.option("--use", help="What for, such as throughput, of a bundle with several forms; by default its first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(bundle: Path, question: str, use: str | None, as_json: bool) -> None:
    """Answer QUESTION with the student in BUNDLE, from the record that the question names.

    \b
    Example:
      attar ask runs/quickstart/bundle "What is the capital of Denmark?"
    """
    from ..errors import UsageError

    if not question.strip():
        raise UsageError(
            "The question is empty.", next_step='Ask one: attar ask BUNDLE "What is the capital of Denmark?"'
        )
    from ..agents import AgenticWorkflow
    from ..agents.state import outcome
    from ..chat import ChatOnnx

    state = AgenticWorkflow(ChatOnnx(bundle=bundle, use=use)).run(query=question)
    if as_json:
        click.echo(json.dumps(outcome(question, state), ensure_ascii=False))
    else:
        click.echo(state["messages"][-1].text)
