"""``attar ask``. Does not know how an answer is made."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["command"]


@click.command("ask")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("question")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(bundle: Path, question: str, as_json: bool) -> None:
    r"""Answer QUESTION with the student in BUNDLE, from the record that the question names.

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

    state = AgenticWorkflow(bundle).run(query=question)
    answer = state["messages"][-1].text
    if as_json:
        context = state["context"]
        found = {"record": context["record"], "candidates": context.get("candidates", [])}
        click.echo(json.dumps({"question": question, "answer": answer, **found}, ensure_ascii=False))
    else:
        click.echo(answer)
