"""The command group ``attar``.

Verbs are named here and their modules loaded only when they are called, so that ``--help`` is instant and
a base install has every verb: one that needs more says what to install. Does not know what verbs do.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.metadata import version
from typing import Any

import click

from .errors import AttarError, MissingExtra
from .processor import require_instructions

__all__ = ["main"]

_VERBS = {
    "ask": ("attar.runtime.verbs.ask", "Answer one question with a bundle."),
    "bench": ("attar.pipeline.verbs.bench", "Measure what a bundle costs, alone or against its teacher."),
    "chat": ("attar.runtime.verbs.chat", "Talk with a bundle, or answer one question a line."),
    "config": ("attar.pipeline.verbs.config", "Check, show or start a config; print its schema."),
    "data": ("attar.pipeline.verbs.data", "Check tables; make, verify and show their samples."),
    "doctor": ("attar.runtime.verbs.doctor", "What is wrong here, and how to mend it."),
    "export": ("attar.pipeline.verbs.export", "Export a causal LM folder to a bundle."),
    "init": ("attar.pipeline.verbs.init", "Write a recipe for your own tables."),
    "plan": ("attar.pipeline.verbs.plan", "What a run would do and need, before it runs."),
    "run": ("attar.pipeline.verbs.run", "From tables to a measured bundle, as a config says."),
    "verify": ("attar.runtime.verbs.verify", "Compare a bundle on this machine with what torch said."),
}
_INTERRUPTED = 130


class _LazyGroup(click.Group):
    """Loads a verb's module when the verb is called, and shows attar's errors as people read them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        if cmd_name != "doctor":  # which says the same, and what else is wrong
            require_instructions()
        module = importlib.import_module(_VERBS[cmd_name][0])
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, _VERBS[name][1]) for name in sorted(_VERBS)])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AttarError as error:
            if ctx.params.get("debug"):
                raise
            _show(error)
            ctx.exit(error.exit_code)
        except ModuleNotFoundError as error:
            if ctx.params.get("debug") or (error.name or "").startswith("attar."):
                raise
            missing = MissingExtra(
                "This verb needs packages that are not installed.",
                why=f"There is no module {error.name!r}.",
                next_step="Run: pip install 'attar[pipeline]'",
            )
            _show(missing)
            ctx.exit(missing.exit_code)
        except KeyboardInterrupt:
            click.echo("Interrupted; what was finished is kept.", err=True)
            ctx.exit(_INTERRUPTED)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("attar"), prog_name="attar")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Distil a language model on your tables, and run it without a GPU.

    \b
    Examples:
      attar init my-table.csv
      attar run configs/quickstart.json
      attar export path/to/model --out bundle --quantize int8
      attar ask runs/quickstart/bundle "What is the capital of Denmark?"

    \b
    Exit codes: 0 ok, 1 a check failed, 2 wrong call, 3 refused, 4 bad data,
    5 bad model or bundle, 130 interrupted.
    """


def _show(error: AttarError) -> None:
    """For people on standard error; with --json, for programs on standard output."""
    if "--json" in sys.argv[1:]:
        click.echo(json.dumps(error.to_dict()))
    click.echo(f"Error: {error}", err=True)
