"""A first recipe for a user's own tables: what names a row, what is asked for, how much to train.

Hands on a config as JSON and what to look at in it. Reads tables as the loader does. Does not know how a
recipe is run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from attar.runtime.errors import DataError, Refused, UsageError

from .config import CorrectionConfig, DataConfig, DistillationConfig
from .data.inference import infer_schema
from .data.schema import TableSchema, humanize
from .data.sources import label_of, read_table
from .data.splits import split_of

__all__ = ["Recipe", "make_recipe", "require_absent"]

_RECORDS = 3000
"""Training records of all tables together, as in the quickstart: what its steps see, twice over."""
_TURNS = 40
"""How often a row of a small table comes again at most; beyond it the questions are the same ones."""
_TEST_ROWS = 8
"""Entities that the test split should have at least, where the table has as many to give."""
_LARGEST_TEST_SHARE = 0.5
_SALTS = 100
"""Other splits to try, where a tiny table is all on one side."""
_LONG_TEXT = 200
"""Letters from which a column's mean value is no short answer."""
_BY_ANSWERS = {"alpha": 0.0, "alignment": 0.0, "learning_rate": 2e-4, "steps": 180}
"""Right answers alone once the layers are fitted, at a rate that does not undo that, as the quickstart does: more of
them are right in the end, for the same time (benchmarks/LOG.md)."""


@dataclass
class Recipe:
    """A config and what was chosen in it.

    Attributes:
        config: The config as JSON, its paths relative to where it will be.
        chosen: One line on each choice.
        look_at: One line on each thing that a person should look at.
    """

    config: dict[str, Any]
    chosen: list[str] = field(default_factory=list)
    look_at: list[str] = field(default_factory=list)


def make_recipe(paths: Sequence[Path], out: Path) -> Recipe:
    """A recipe for these tables that is right where ``out`` is.

    Raises:
        DataError: A table can't be read, or has nothing to ask for.
        UsageError: Two tables have the same name.
    """
    recipe = Recipe({"name": re.sub(r"[^A-Za-z0-9._-]+", "-", out.stem).strip("-._") or "recipe"})
    schemas, tables = [], []
    for path in paths:
        table = read_table(path)
        tables.append(table)
        schemas.append(_schema(path, table, recipe))
    labels = [schema.label for schema in schemas]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(
                f"Two tables would both be called {label!r}.",
                next_step="Rename one file, or make a recipe of one and add the other by hand with a label.",
            )
    recipe.config["data"] = {
        "tables": [_table(path, schema, out) for path, schema in zip(paths, schemas, strict=True)],
        "records_per_table": _records_per_table(tables, recipe),
    } | _test_share(schemas, tables, recipe)
    recipe.config["distillation"] = _distillation(recipe)
    recipe.config["export"] = {"quantize": "int8"}
    recipe.look_at += [
        "entity: its first column should be what people call a row; what tells equal names apart comes after it.",
        "label: it should be what one row is, such as country, not countries.",
        "columns: the names on the right are what people ask for; take out the columns that no one does.",
        "license: what the bundle and its card say of your data.",
    ]
    return recipe


def require_absent(out: Path) -> None:
    """Check that a file that a person may have changed is not about to be replaced.

    Raises:
        Refused: Something is there.
    """
    if out.exists() or out.is_symlink():
        raise Refused(
            "There is a file already.",
            where=out,
            why="Writing would lose what is in it.",
            next_step="Give another name, or remove it yourself.",
        )


def _schema(path: Path, table: pa.Table, recipe: Recipe) -> TableSchema:
    label = re.sub(r"[\s_-]+", " ", label_of(path)).strip() or "record"
    try:
        entity = _entity(table, infer_schema(table, label).entity[0])
        empty = [name for name in table.column_names if table.column(name).null_count == len(table)]
        columns = {n: humanize(n) for n in table.column_names if n != entity[0] and n not in empty}
        if not columns:
            raise DataError("No column beside the one that names a row has values.", next_step="Add a column.")
        schema = infer_schema(table, label, entity, columns)
    except DataError as error:
        error.where = str(path)
        raise
    recipe.chosen.append(
        f"{path}: {len(table)} rows of {label!r}, named by {' and '.join(entity)}, {len(columns)} columns to ask for."
    )
    if empty:
        recipe.chosen.append(f"{path}: left out because they are empty: {', '.join(empty)}.")
    recipe.look_at += _doubts(path, table, schema)
    return schema


def _entity(table: pa.Table, guess: str) -> list[str]:
    """The loader's guess, with the first column that tells most rows apart where its values repeat.

    Where the guess is a column of lists or objects, the first column of plain values stands for it.
    """
    plain = [name for name in table.column_names if not pa.types.is_nested(table.column(name).type)]
    first = guess if guess in plain or not plain else plain[0]
    best = max(plain, key=lambda name: _distinct(table, [first, name]), default=first)
    gains = _distinct(table, [first, best]) > _distinct(table, [first])
    return [first, best] if gains else [first]


def _doubts(path: Path, table: pa.Table, schema: TableSchema) -> list[str]:
    found = []
    names = list(schema.entity)
    repeated = len(table) - _distinct(table, names)
    if repeated:
        found.append(f"{path}: rows that are named as another one is: {repeated}; entity should tell them apart.")
    if table.column(names[0]).null_count:
        found.append(f"{path}: rows without {names[0]}, which are left out: {table.column(names[0]).null_count}.")
    for column in schema.columns:
        values = table.column(column.name)
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            length = pa.compute.mean(pa.compute.utf8_length(values)).as_py() or 0
            if length > _LONG_TEXT:
                found.append(f"{path}: {column.name} is long text ({length:.0f} letters on average), a poor answer.")
    return found


def _table(path: Path, schema: TableSchema, out: Path) -> dict[str, Any]:
    return {
        "path": Path(os.path.relpath(path.resolve(), out.resolve().parent)).as_posix(),
        "label": schema.label,
        "entity": list(schema.entity),
        "columns": {column.name: column.label for column in schema.columns},
        "license": "unknown",
    }


def _records_per_table(tables: Sequence[pa.Table], recipe: Recipe) -> int:
    count = max(1, min(_RECORDS // len(tables), _TURNS * max(map(len, tables))))
    recipe.chosen.append(
        f"{count} training records from each table; rows of a smaller one come again with values of other rows."
    )
    return count


def _test_share(schemas: Sequence[TableSchema], tables: Sequence[pa.Table], recipe: Recipe) -> dict[str, Any]:
    """The default share, or for small tables the least that holds out enough; another salt where none does."""
    groups = [
        f"{schema.label}: {entity}"
        for schema, table in zip(schemas, tables, strict=True)
        for row in table.to_pylist()
        if (entity := schema.entity_of(row)) is not None
    ]
    wanted = min(_TEST_ROWS, len(groups) // 2)
    usual, usual_salt = (DataConfig.model_fields[name].default for name in ("test_share", "salt"))
    shares = [usual, *(share / 10 for share in range(2, 6) if usual < share / 10 <= _LARGEST_TEST_SHARE)]
    for salt in (usual_salt, *map(str, range(_SALTS))):
        for share in shares:
            held_out = sum(split_of(group, salt=salt, test_share=share) == "test" for group in groups)
            if max(wanted, 1) <= held_out < len(groups):
                recipe.chosen.append(f"{held_out} of {len(groups)} rows are held out for the test.")
                return {"test_share": share} | ({} if salt == usual_salt else {"salt": salt})
    raise DataError(
        "There are too few rows to train on some and test on others.",
        why=f"{len(groups)} rows have a name.",
        next_step="Give a table of at least two rows, better some hundred.",
    )


def _distillation(recipe: Recipe) -> dict[str, Any]:
    fields = DistillationConfig.model_fields
    teacher, license_ = ((fields[name].examples or [""])[0] for name in ("teacher_model_name", "teacher_license"))
    recipe.chosen.append(f"teacher {teacher}, and as many steps as the quickstart.")
    return {
        "teacher_model_name": teacher,
        "teacher_license": license_,
        "correction": CorrectionConfig().model_dump(mode="json", include={"steps", "learning_rate"}),
        **_BY_ANSWERS,
    }


def _distinct(table: pa.Table, names: Sequence[str]) -> int:
    """How many rows differ in these columns; in one of lists or objects, all rows."""
    if any(pa.types.is_nested(table.column(name).type) for name in names):
        return len(table)
    return len(table.group_by(list(dict.fromkeys(names))).aggregate([]))
