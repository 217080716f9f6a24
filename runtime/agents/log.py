"""The agents' log: what was decided and how long it took, never what was said.

``logging.getLogger("attar.agents")`` gets one line a step at INFO: names of steps and routes, words of checks,
milliseconds. No question, answer, record or name of an entity goes in. Does not know agents.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LOGGER", "logged"]

LOGGER = logging.getLogger("attar.agents")


@contextmanager
def logged(step: str) -> Iterator[dict[str, str | None]]:
    """Log a step that ends well.

    Args:
        step: Its name.

    Yields:
        A dict for the step's decisions; nothing that a user or a table says may go in.
    """
    decided: dict[str, str | None] = {}
    started = time.perf_counter()
    yield decided
    milliseconds = 1000 * (time.perf_counter() - started)
    words = "".join(f" {name}={value!r}" for name, value in decided.items())
    LOGGER.info("%s%s ms=%.1f", step, words, milliseconds)
