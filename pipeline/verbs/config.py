"""``attar config``: check, show, init and schema. Does not know what a config means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..checking import TableFacts

__all__ = ["command"]

_SCHEMA_FILE = Path("configs/schema.json")
_SET = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the config.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
_CONFIG = click.argument("config", type=click.Path(path_type=Path))


@click.group("config")
def command() -> None:
    """Check, show or start a config; print its JSON Schema.

    \b
    Examples:
      attar config init my.json
      attar config check my.json
      attar config show my.json --set distillation.steps=40
    """


@command.command("check")
@_CONFIG
@_SET
@_JSON
def check(config: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Check CONFIG, and that the tables and columns it names are there and give questions.

    \b
    Example:
      attar config check configs/quickstart.json
    """
    from ..config import load_config

    settings = load_config(config, overrides)
    from ..checking import check_tables

    tables = check_tables(settings)
    if as_json:
        click.echo(json.dumps({"config": str(config), "ok": True, "tables": [table.to_dict() for table in tables]}))
        return
    for table in tables:
        click.echo(
            f"{table.label}: {table.rows} rows, {_read_as(table)}; "
            f"{table.questions['train']} questions to train on, {table.questions['test']} to test on"
        )
    click.echo(f"{config} is right.")


def _read_as(table: TableFacts) -> str:
    if not table.columns:
        return f"taken as they are, by {' and '.join(table.entity)}"
    return f"named by {' and '.join(table.entity)}, {len(table.columns)} columns"


@command.command("show")
@_CONFIG
@_SET
@_JSON
def show(config: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Show every value in force, and whether CONFIG, --set or a default says so.

    \b
    Example:
      attar config show configs/quickstart.json --set distillation.steps=40
    """
    from ..config import load_config
    from ..config.listing import settings_in_force

    found = settings_in_force(load_config(config, overrides), overrides)
    if as_json:
        settings = {setting.key: {"value": setting.value, "origin": setting.origin} for setting in found}
        click.echo(json.dumps({"config": str(config), "settings": settings}, ensure_ascii=False))
        return
    width = max(len(setting.origin) for setting in found)
    for setting in found:
        click.echo(f"{setting.origin:{width}}  {setting.key} = {json.dumps(setting.value, ensure_ascii=False)}")


@command.command("init")
@click.argument("out", type=click.Path(path_type=Path), default=Path("config.json"))
@_JSON
def init(out: Path, as_json: bool) -> None:
    """Write a config with every key, its default and a comment on it, to OUT (config.json by default).

    A key that begins with // is a comment. For tables that you have, `attar init TABLE` writes a shorter one.

    \b
    Example:
      attar config init my.json
    """
    from attar.runtime.files import write_atomic

    from ..config.listing import starting_config
    from ..recipes import require_absent

    require_absent(out)
    write_atomic(out, starting_config())
    if as_json:
        click.echo(json.dumps({"config": str(out)}))
        return
    click.echo(f"{out} is written. Name your table and your teacher in it; then: attar config check {out}")


@command.command("schema")
@click.option("--write", is_flag=True, help=f"Write {_SCHEMA_FILE} instead.")
@click.option("--json", "as_json", is_flag=True, help="As without it: the schema is a JSON object.")
def schema(write: bool, as_json: bool) -> None:
    """Print the JSON Schema of a config, made from the models.

    \b
    Examples:
      attar config schema > schema.json
      attar config schema --write
    """
    from ..config.schema import schema_text

    if not write:
        click.echo(schema_text(), nl=False)
        return
    from attar.runtime.errors import UsageError
    from attar.runtime.files import write_atomic

    if not _SCHEMA_FILE.parent.is_dir():
        raise UsageError(
            f"There is no folder {_SCHEMA_FILE.parent} here.",
            where=Path.cwd(),
            next_step="Call it in the root of attar's repository, or without --write.",
        )
    write_atomic(_SCHEMA_FILE, schema_text())
    click.echo(json.dumps({"schema": str(_SCHEMA_FILE)}) if as_json else f"{_SCHEMA_FILE} is written.")
