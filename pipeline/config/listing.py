"""Every value in force, and a config to start from: what ``attar config show`` and ``init`` write.

Does not know how a file is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .models import RunConfig
from .schema import COMMENT, SCHEMA_KEY, keys_at, node_at
from .section import Section
from .wording import allowed, dotted, shown

__all__ = ["Setting", "settings_in_force", "starting_config"]


@dataclass(frozen=True)
class Setting:
    """One value in force.

    Attributes:
        key: Where it is, as ``--set`` writes it.
        value: The value, as JSON has it.
        origin: "config" where the file says it, "--set" where the call does, else "default".
    """

    key: str
    value: Any
    origin: str

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


def settings_in_force(config: RunConfig, overrides: Sequence[str] = ()) -> list[Setting]:
    """All values of a config that was read with these overrides, in the models' order."""
    called = [override.partition("=")[0].strip() for override in overrides]
    return list(_settings(config, (), called))


def starting_config() -> str:
    """A config with every key, its default or an example, and a comment on it, as JSON."""
    made = _section(())
    for table in made["data"]["tables"]:  # a table has a path or a database, so neither default will do
        table["path"] = (node_at(("data", "tables", 0, "path")) or {})["examples"][0]
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _settings(section: Section, location: tuple[int | str, ...], called: Sequence[str]) -> Iterator[Setting]:
    values = section.model_dump(mode="json")
    for name in type(section).model_fields:
        value, path = getattr(section, name), (*location, name)
        if isinstance(value, Section):
            yield from _settings(value, path, called)
        elif isinstance(value, list) and value and isinstance(value[0], Section):
            for number, item in enumerate(value):
                yield from _settings(item, (*path, number), called)
        elif isinstance(value, dict) and any(isinstance(item, Section) for item in value.values()):
            for part, item in value.items():
                yield from _settings(item, (*path, part), called)
        else:
            key = dotted(path)
            by_call = any(f"{key}.".startswith(f"{prefix}.") for prefix in called)
            by_file = name in section.model_fields_set
            yield Setting(key, values[name], "--set" if by_call else "config" if by_file else "default")


def _section(location: tuple[int | str, ...]) -> dict[str, Any]:
    node = node_at(location) or {}
    made: dict[str, Any] = {COMMENT: node["description"]}
    required = node.get("required", ())
    for key in keys_at(location):
        if key == SCHEMA_KEY:
            continue
        path = (*location, key)
        inner = node_at(path) or {}
        if keys_at(path):
            made[key] = _section(path)
        elif keys_at((*path, 0)):
            made[key] = [_section((*path, 0))]
        else:
            default = "required" if key in required else f"default {shown(inner['default'])}"
            made[f"{COMMENT} {key}"] = f"{inner['description']} Allowed: {allowed(inner)}; {default}."
            made[key] = inner.get("default", inner["examples"][0])
    return made
