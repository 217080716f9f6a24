"""``attar chat``: one conversation, at a terminal or over a pipe. Does not know how an answer is made."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..agents.base import Workflow

__all__ = ["command"]

_TURNS_KEPT = 8
"""Earlier turns that a bundle without records answers with; more would fill the student's context."""
_HELP = """Ask about a record by name; a question that names none is about the last one.
  /record   the record that was answered from
  /help     this text
  /quit     leave, as Ctrl-D does"""


@click.command("chat")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--team/--no-team",
    default=True,
    show_default=True,
    help="QA agent, Summarizer and Validator, answers checked; or the QA agent alone.",
)
@click.option("--use", help="What for, such as throughput, of a bundle with several forms; by default its first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each line of standard input.")
def command(bundle: Path, team: bool, use: str | None, as_json: bool) -> None:
    """Talk with the student in BUNDLE; without a terminal, answer each line of standard input by one line.

    A question that names no record is about the one before it. Ctrl-D leaves with exit code 0, Ctrl-C with 130.

    \b
    Examples:
      attar chat runs/quickstart/bundle
      attar chat runs/quickstart/bundle --json < questions.txt
    """
    from ..agents import AgenticWorkflow, MultiAgentWorkflow
    from ..chat import ChatOnnx

    model = ChatOnnx(bundle=bundle, use=use)
    model.loaded  # noqa: B018  a broken bundle is told before the first question
    conversation = _Conversation(MultiAgentWorkflow(model) if team else AgenticWorkflow(model))
    if sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        _talk(conversation)
    else:
        lines = (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        _answer_lines(conversation, lines, as_json)


class _Conversation:
    """A workflow with the record and the turns so far."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.state: dict[str, Any] = {"messages": [], "context": {}, "results": {}}

    def ask(self, question: str) -> Iterator[str]:
        """The answer, piece by piece; the state is the new one once all of it was taken."""
        earlier, state = self.state["messages"][-_TURNS_KEPT:], self.state
        for mode, data in self.workflow.stream(question, state["context"], earlier, ("messages", "values")):
            if mode == "messages":
                yield data[0].text
            else:
                state = data
        self.state = state


def _answer_lines(conversation: _Conversation, lines: Iterator[str], as_json: bool) -> None:
    from ..agents.state import outcome

    for question in filter(None, map(str.strip, lines)):
        for _ in conversation.ask(question):
            pass
        found = outcome(question, conversation.state)
        click.echo(json.dumps(found, ensure_ascii=False) if as_json else _printable(" ".join(found["answer"].split())))


def _talk(conversation: _Conversation) -> None:
    """Read, answer, repeat, until the user leaves."""
    with suppress(ImportError):
        import readline  # noqa: F401  gives input() its line editing
    click.echo("Ask a question; /help says what else.")
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo()
            raise
        if line == "/quit":
            return
        if line.startswith("/"):
            _COMMANDS.get(line, _unknown)(conversation)
        elif line:
            _show_answer(conversation, line)


def _show_answer(conversation: _Conversation, question: str) -> None:
    from ..errors import AttarError

    try:
        for piece in conversation.ask(question):
            click.echo(_printable(piece), nl=False)
        click.echo()
        for note in _notes(conversation.state):
            click.secho(f"  {_printable(note)}", dim=True)
    except AttarError as error:
        # One question that can't be answered, such as a very long one, does not end the conversation.
        click.echo(f"\nError: {error}", err=True)


def _notes(state: Mapping[str, Any]) -> Iterator[str]:
    """What a reader should know beside the answer: what it was read from, and what the check says."""
    results, names = state["results"], state["context"].get("candidates")
    if names:
        others = f", {len(names) - 1} more of that name, such as {names[1]}" if len(names) > 1 else ""
        yield f"from {names[0]}{others}"
    if results.get("check") and results["route"] != "validator":
        evidence = f": {results['evidence']}" if results["evidence"] else ""
        yield f"{results['check']}, says the {results['checked_by']}{evidence}"


def _printable(text: str) -> str:
    """Text that no table and no student can steer a terminal with."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def _show_record(conversation: _Conversation) -> None:
    click.echo(_printable(conversation.state["context"].get("record") or "No record was read yet."))


def _show_help(conversation: _Conversation) -> None:
    click.echo(_HELP)


def _unknown(conversation: _Conversation) -> None:
    click.echo(f"There is no such command.\n{_HELP}")


_COMMANDS: dict[str, Callable[[_Conversation], None]] = {"/record": _show_record, "/help": _show_help}
