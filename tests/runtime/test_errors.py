"""The exception tree: every error says what, where, why and what next."""

from __future__ import annotations

import inspect
import re

import pytest

from attar.runtime import errors
from attar.runtime.cli import main

CLASSES = [value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, errors.AttarError)]


def test_every_class_is_exported_and_drawn_in_the_docstring() -> None:
    assert sorted(kind.__name__ for kind in CLASSES) == sorted(errors.__all__)
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in CLASSES)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.CheckFailed, 1),
        (errors.ParityError, 1),
        (errors.ConfigError, 2),
        (errors.MissingExtra, 2),
        (errors.Refused, 3),
        (errors.DataError, 4),
        (errors.BundleError, 5),
        (errors.ModelError, 5),
        (errors.SignalError, 5),
        (errors.TokenizerMismatch, 5),
    ],
)
def test_exit_codes_follow_the_tree(kind: type[errors.AttarError], code: int) -> None:
    assert kind("x").exit_code == code


def test_the_message_lists_what_is_known_and_nothing_else() -> None:
    full = errors.DataError("Broken.", where="a.csv", why="no rows", next_step="Add one.")
    assert str(full) == "Broken.\n  where: a.csv\n  why: no rows\n  next: Add one."
    assert str(errors.DataError("Broken.")) == "Broken."
    assert full.to_dict()["exit_code"] == 4


def test_the_tree_in_the_docstring_is_the_code() -> None:
    lines = re.findall(r"^    ([│├└─ ]*)(\w+) +(?:exit code|(\d))? ", errors.__doc__ or "", re.MULTILINE)
    path: list[str] = []
    for branch, name, code in lines:
        kind = getattr(errors, name)
        path[len(branch) // 4 :] = [name]
        drawn = path[-2] if len(path) > 1 else "Exception"
        assert (kind.__base__.__name__, not code or kind.exit_code == int(code)) == (drawn, True)
        assert code or len(path) != 2, f"{name} has no exit code in the drawing"
    assert sorted(name for _, name, _ in lines) == sorted(errors.__all__)


def test_the_command_groups_help_lists_the_exit_codes() -> None:
    assert {kind.exit_code for kind in CLASSES} <= {int(code) for code in re.findall(r"\b(\d+) [a-z]", main.help or "")}
