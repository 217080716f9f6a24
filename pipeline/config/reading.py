"""Reading a config: the file, its comments, ``--set section.key=value``, and paths relative to the file.

Hands on a valid ``RunConfig``. Does not know what the values are for.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from attar.runtime.errors import ConfigError

from .models import RunConfig
from .schema import COMMENT, SCHEMA_KEY
from .tables import TableConfig
from .wording import readable, shown

__all__ = ["load_config", "parse_config"]

_SET = "Write --set section.key=value."


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a config file and apply ``section.key=value`` overrides.

    Raises:
        ConfigError: The file is missing or not JSON, a key is unknown, or a value is not allowed.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_comments)
    except FileNotFoundError as error:
        raise ConfigError(
            "There is no such config.",
            where=path,
            next_step="Make one with `attar init TABLE` or `attar config init`, or start from configs/quickstart.json.",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            "The config can't be read.", where=path, why=error, next_step="Correct the file; it must be JSON."
        ) from error
    if not isinstance(raw, dict):
        raise ConfigError(
            "The config is not a JSON object.", where=path, next_step="See `attar config init` for how one looks."
        )
    return parse_config(raw, path, overrides)


def parse_config(raw: dict[str, Any], path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """A config from the JSON object that ``path`` holds or will hold, which is left as it is.

    Raises:
        ConfigError: A key is unknown, or a value is not allowed.
    """
    raw = copy.deepcopy(raw)
    for override in overrides:
        _apply(raw, override)
    raw.pop(SCHEMA_KEY, None)
    try:
        config = RunConfig.model_validate(raw)
    except ValidationError as error:
        raise readable(error, path) from error
    return _with_absolute_paths(config, path.resolve().parent)


def _without_comments(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a key that comes twice would hide one of its values, so it is refused."""
    kept = [(key, value) for key, value in pairs if not key.startswith(COMMENT)]
    keys = [key for key, _ in kept]
    repeated = next((key for key in keys if keys.count(key) > 1), None)
    if repeated is not None:
        raise ValueError(f"the key {repeated!r} is there twice")
    return dict(kept)


def _with_absolute_paths(config: RunConfig, base: Path) -> RunConfig:
    tables = [_with_absolute_source(table, base) for table in config.data.tables]
    distillation = config.distillation.model_copy(
        update={
            key: _model_path(value, base)
            for key in ("teacher_model_name", "student_model_name")
            if (value := getattr(config.distillation, key)) is not None
        }
    )
    if folder := distillation.signal_folder:
        distillation = distillation.model_copy(update={"signal_folder": base / folder})
    data = config.data.model_copy(update={"tables": tables})
    return config.model_copy(update={"data": data, "distillation": distillation})


def _with_absolute_source(table: TableConfig, base: Path) -> TableConfig:
    if table.schema_file:
        table = table.model_copy(update={"schema_file": base / table.schema_file})
    if table.path:
        return table.model_copy(update={"path": base / table.path})
    if table.database:
        from ..data.connections import relative_to

        connection = relative_to(table.database.get_secret_value(), base)
        return table.model_copy(update={"database": SecretStr(connection)})
    return table


def _model_path(name: str, base: Path) -> str:
    """An absolute path for a model that is a path or is there as a folder; any other name as it is."""
    if name.startswith("pkg:"):
        return name
    is_path = name.startswith((".", "/")) or name.endswith(".gguf") or (base / name).is_dir()
    return str((base / name).resolve()) if is_path else name


def _apply(raw: dict[str, Any], override: str) -> None:
    name, separator, text = override.partition("=")
    *sections, key = name.strip().split(".")
    if not separator or not all((*sections, key)):
        raise ConfigError(f"{shown(override)} does not set anything.", where="--set", next_step=_SET)
    target: Any = raw
    for section in sections:
        target = _inside(target, section, name)
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(target, list):
        _item(target, key, name)
        target[int(key)] = value
    else:
        target[key] = value


def _inside(target: Any, part: str, name: str) -> Any:
    """A section of a section, made where it is not there yet, or an item of a list by its number from 0."""
    if isinstance(target, list):
        inner = _item(target, part, name)
    else:
        if target.get(part) is None:
            target[part] = {}
        inner = target[part]
    if not isinstance(inner, dict | list):
        raise ConfigError(f"{part!r} in {name!r} is not a section.", where="--set", next_step="Set the key itself.")
    return inner


def _item(items: list[Any], part: str, name: str) -> Any:
    if not part.isdecimal() or int(part) >= len(items):
        raise ConfigError(
            f"There is no {part!r} in {name!r}.",
            where="--set",
            why=f"The list has {len(items)} items, counted from 0.",
            next_step=_SET,
        )
    return items[int(part)]
