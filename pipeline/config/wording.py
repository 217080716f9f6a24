"""What is said of a config's mistakes: the key, the value given, what is allowed, and what to write instead.

Turns pydantic's findings into one ``ConfigError``. Does not know files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from attar.runtime.errors import ConfigError
from attar.runtime.spelling import nearest

from .schema import Location, Node, key_paths, keys_at, node_at

__all__ = ["allowed", "dotted", "readable", "shown"]

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a JSON object",
}
_BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "greater than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
)
_LONGEST_SHOWN = 80
_ADDRESS = re.compile(r"(?<=://)[^\s\"]+")


def readable(error: ValidationError, where: object) -> ConfigError:
    """The first mistake in words, an unknown key before a wrong value, and how many more there are."""
    problems = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    first = problems[0]
    kind = first["type"]
    location = first["loc"] if kind == "extra_forbidden" else _known(first["loc"])
    if kind == "extra_forbidden":
        found = _unknown(location)
    elif kind == "missing":
        found = _missing(location)
    elif kind == "value_error":
        section = f"{dotted(location)}: " if location else ""
        found = ConfigError(f"{section}{first['ctx']['error']}.", next_step="Change these keys together.")
    else:
        found = _wrong(location, first["input"])
    others = {dotted(_known(item["loc"])) for item in problems[1:]} - {dotted(location), ""}
    if others:
        found.why = " ".join(filter(None, [found.why, f"Also wrong: {', '.join(sorted(others))}."]))
    found.where = str(where)
    return found


def allowed(node: Node) -> str:
    """What a value may be, such as "a number greater than 0 and less than 1"."""
    choices = [_allowed(node), *(allowed(other) for other in node.get("others", ()))]
    return " or ".join(choices) + (", or null" if node.get("nullable") else "")


def _allowed(node: Node) -> str:
    """The same of a node's first choice."""
    if "enum" in node:
        return f"one of {', '.join(map(repr, node['enum']))}"
    if "const" in node:
        return repr(node["const"])
    text = _TYPES.get(node.get("type", ""), "another value")
    bounds = " and ".join(words.format(node[name]) for name, words in _BOUNDS if name in node)
    parts = [text, bounds]
    if "minItems" in node:
        parts.append(f"of at least {node['minItems']}")
    if "pattern" in node:
        parts.append(f"that matches {node['pattern']}")
    return " ".join(filter(None, parts))


def shown(value: Any) -> str:
    """A value as JSON, shortened; of an address only its kind, because any part of the rest may be a password."""
    text = _ADDRESS.sub("***", json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def dotted(location: Iterable[int | str]) -> str:
    """A location as ``--set`` writes it."""
    return ".".join(map(str, location))


def _known(location: Location) -> Location:
    """A location up to the value it stands for; pydantic goes on with which of several types it tried."""
    while location and node_at(location) is None:
        location = location[:-1]
    return location


def _unknown(location: Location) -> ConfigError:
    key, known = str(location[-1]), keys_at(location[:-1])
    near = [nearest(key, known)]
    if near == [None]:
        paths = [dotted(path) for path in key_paths()]
        elsewhere = [path for path in paths if path.rpartition(".")[2] == key]
        near = [*elsewhere] or [nearest(dotted(location), paths)]
    meant = " or ".join(repr(name) for name in near if name)
    hint = f"Did you mean {meant}?" if meant else f"Known keys here: {', '.join(sorted(known))}."
    return ConfigError(f"Unknown key {dotted(location)!r}.", next_step=hint)


def _missing(location: Location) -> ConfigError:
    node = node_at(location) or {}
    example = json.dumps(node.get("examples", [None])[0], ensure_ascii=False)
    return ConfigError(
        f"{dotted(location)} is missing.",
        why=node.get("description"),
        next_step=f'Add it, such as "{location[-1]}": {example}.',
    )


def _wrong(location: Location, value: Any) -> ConfigError:
    node = node_at(location) or {}
    next_step = "Correct the value."
    if "default" in node:
        next_step = f"Correct the value; the default is {shown(node['default'])}."
    elif node.get("examples"):
        next_step = f"Correct the value; an example is {shown(node['examples'][0])}."
    return ConfigError(
        f"{dotted(location) or 'The config'} can't be {'this' if node.get('writeOnly') else shown(value)}.",
        why=" ".join(filter(None, [f"It must be {allowed(node)}.", node.get("description")])),
        next_step=next_step,
    )
