"""The config's JSON Schema, made from the models, and a way to walk it.

Hands on the schema that is committed as ``configs/schema.json``, the keys of a section, and the schema of one
value. Does not know files or messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from .models import RunConfig

__all__ = ["COMMENT", "SCHEMA_KEY", "Location", "config_schema", "key_paths", "keys_at", "node_at", "schema_text"]

COMMENT = "//"
"""A key that begins so is a comment; JSON has no other."""
SCHEMA_KEY = "$schema"
"""Editors find the schema by this key of the config; the reader ignores it."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

Location = Sequence[int | str]
Node = dict[str, Any]


@cache
def config_schema() -> Node:
    """The schema of a whole config; shared, so not to be changed."""
    made = RunConfig.model_json_schema(schema_generator=_WithoutTitles)
    for section in (made, *made["$defs"].values()):
        section["patternProperties"] = {f"^{COMMENT}": {"description": "A comment."}}
    reference = {"type": "string", "description": "This schema, for editors.", "examples": ["schema.json"]}
    made["properties"] = {SCHEMA_KEY: reference} | made["properties"]
    return {SCHEMA_KEY: _DIALECT} | made


def schema_text() -> str:
    """The schema as ``configs/schema.json`` holds it."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def node_at(location: Location) -> Node | None:
    """The schema of the value at a location such as ``("data", "tables", 0, "path")``; None where none is known."""
    node: Node | None = _followed(config_schema())
    for part in location:
        if node is None:
            return None
        child = node.get("items") if isinstance(part, int) else _child(node, part)
        node = _followed(child) if isinstance(child, dict) else None
    return node


def keys_at(location: Location) -> list[str]:
    """Keys of the section at a location; none where there is no section or any key is allowed."""
    return list((node_at(location) or {}).get("properties", {}))


def key_paths(location: tuple[int | str, ...] = ()) -> Iterator[tuple[int | str, ...]]:
    """Locations of all keys from ``location`` on, a section before its own.

    An item of a list stands as 0, and of sections by name those stand that are there by default.
    """
    for key in keys_at(location):
        path = (*location, key)
        yield path
        node = node_at(path) or {}
        named = node.get("default")
        parts: list[int | str] = [0] if node.get("items") else list(named) if isinstance(named, dict) else []
        for inner in [(*path, part) for part in parts] or [path]:
            yield from key_paths(inner)


def _child(node: Node, key: str) -> Any:
    return node.get("properties", {}).get(key, node.get("additionalProperties"))


def _followed(node: Node) -> Node:
    """A node with its reference put in, and with the first choice besides null taken; ``others`` are those after it."""
    choices = [choice for choice in node.get("anyOf", ()) if choice.get("type") != "null"]
    if choices:
        nullable = len(choices) < len(node["anyOf"])
        node = choices[0] | {key: value for key, value in node.items() if key != "anyOf"}
        node |= {"nullable": nullable, "others": choices[1:]}
    name = node.get("$ref", "").rpartition("/")[2]
    return config_schema()["$defs"][name] | {k: v for k, v in node.items() if k != "$ref"} if name else node


class _WithoutTitles(GenerateJsonSchema):
    """A title that repeats the key says nothing."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
