"""``attar data``: check, build, verify and show. Does not know what a sample is."""

from __future__ import annotations

import click

from .build import build
from .check import check
from .show import show
from .verify import verify

__all__ = ["command"]


@click.group("data")
def command() -> None:
    """Look at a config's tables; make, verify and show the samples that come from them.

    \b
    Examples:
      attar data check configs/quickstart.json
      attar data build configs/quickstart.json
      attar data verify configs/quickstart.json
      attar data show 0123456789abcdef configs/quickstart.json
    """


for _verb in (check, build, verify, show):
    command.add_command(_verb)
