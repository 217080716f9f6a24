"""The arguments that the verbs of ``attar data`` share."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["AS_JSON", "CONFIG", "RUNS", "SET"]

CONFIG = click.argument("config", type=click.Path(path_type=Path))
SET = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the config.")
RUNS = click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where runs go."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
