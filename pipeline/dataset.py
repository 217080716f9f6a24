"""The samples of a config by themselves: made, checked against their sources, found again by id.

What is made is the run's ``data`` stage, under the same key, so that a run finds it there. Does not know how
samples are made or stored, nor what other stages do.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attar.runtime.errors import DataError, UsageError
from attar.runtime.files import locked, staged_folder, sweep
from attar.runtime.spelling import nearest

from .config import RunConfig
from .data import LoadedTable, Sample, Verification, verify
from .data.lineage import prove_splits
from .data.manifest import samples_of
from .data.schema import written
from .inspection.places import places_of
from .stages import Product, Stages, data

__all__ = ["Proof", "build_samples", "copy_set", "sample_with_rows", "verify_samples"]

_STAGE = "data"
_MARKER = "stage.json"


@dataclass(frozen=True)
class Proof:
    """What was found when everything was recomputed.

    Attributes:
        verification: Of the answers and prompts.
        shared: What training and test share; nothing where the splits are right.
    """

    verification: Verification
    shared: list[str]

    @property
    def checked(self) -> Counter[str]:
        """How many samples of each kind were recomputed."""
        return self.verification.checked

    @property
    def faults(self) -> list[Any]:
        """Samples that are wrong."""
        return self.verification.faults

    @property
    def right(self) -> bool:
        """Whether every sample follows from its source and the splits share nothing."""
        return self.verification.right and not self.shared

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return {**self.verification.to_dict(), "shared": self.shared}


def build_samples(config: RunConfig, runs: Path) -> tuple[Product, dict[str, dict[str, int]]]:
    """Make the data stage of a run, where it is not there already.

    Returns:
        The product, and how many samples it holds of each kind by split.

    Raises:
        Refused: Another process works on this run.
        DataError: A table can't be used, or gives no samples.
    """
    folder = runs / config.name
    with locked(folder):
        stages = _stages(config, runs)
        sweep(stages.root)
        product = stages.make(_STAGE)
        data.write_card(config, product)
    tally: dict[str, dict[str, int]] = {}
    for (kind, split), count in Counter((sample.kind, sample.split) for sample in _samples(product)).items():
        tally.setdefault(kind, {})[split] = count
    return product, tally


def copy_set(product: Product, out: Path) -> Path:
    """Copy a product's files to a folder of one's own.

    Raises:
        Refused: Something else stands there.
    """
    with staged_folder(out, marker=_MARKER) as staged:
        shutil.copytree(product.path, staged, dirs_exist_ok=True)
    return out


def verify_samples(config: RunConfig, runs: Path, folder: Path | None = None) -> Proof:
    """Recompute all samples from the tables, read again.

    Args:
        config: The run.
        runs: Folder of all runs.
        folder: The set, where it is not the run's.

    Raises:
        UsageError: There are no samples.
        DataError: A table can't be read any more.
    """
    product = _product(config, runs, folder)
    tables = _tables(config)
    return Proof(verify(_samples(product), tables), _shared(_samples(product), tables, config))


def sample_with_rows(
    config: RunConfig, runs: Path, beginning: str, folder: Path | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A sample by the beginning of its id, with its prompt as messages, and the rows that it comes from.

    Raises:
        UsageError: There are no samples, or none or several have such an id.
        DataError: A table can't be read any more.
    """
    sample = _found(_samples(_product(config, runs, folder)), beginning)
    sources = data.sources_of(config)
    tables = data.configured_loader(config, sources).tables
    for table, source in zip(tables, sources, strict=True):
        if table.schema.label == sample.table:
            places = places_of(source, table, sample.rows)
            rows = [_row(table, sample, number, places[number]) for number in sample.rows]
            return {**asdict(sample), "messages": sample.messages}, rows
    raise UsageError(
        f"The config has no table {sample.table!r}.", where=config.name, next_step="Give the config of the set."
    )


def _stages(config: RunConfig, runs: Path) -> Stages:
    return Stages(runs / config.name / "stages", [data.stage(config)])


def _product(config: RunConfig, runs: Path, folder: Path | None) -> Product:
    if folder is not None:
        if not folder.is_dir():
            raise UsageError("There is no such folder.", where=folder, next_step="Give the folder of a built set.")
        return Product(folder, "", {}, {}, 0.0, cached=True)
    stages = _stages(config, runs)
    product = stages.found(_STAGE)
    if product is None:
        raise UsageError(
            "The samples of this config are not there.",
            where=stages.root / _STAGE,
            why=stages.missing(_STAGE),
            next_step="Make them with: attar data build CONFIG",
        )
    return product


def _samples(product: Product) -> Iterator[Sample]:
    return samples_of(product.path)


def _tables(config: RunConfig) -> list[LoadedTable]:
    return data.configured_loader(config, data.sources_of(config)).tables


def _shared(samples: Iterable[Sample], tables: Sequence[LoadedTable], config: RunConfig) -> list[str]:
    """What the splits share; nothing where they are proved to be apart."""
    try:
        prove_splits(samples, tables, near_duplicates=config.data.near_duplicates == "group")
    except DataError as error:
        return [str(error.why)]
    return []


def _found(samples: Iterable[Sample], beginning: str) -> Sample:
    known = {sample.id: sample for sample in samples}
    matching = [name for name in known if name.startswith(beginning.lower())]
    if len(matching) == 1:
        return known[matching[0]]
    if matching:
        what, near = f"{len(matching):,} samples have ids that begin with {beginning!r}.", matching[:5]
    else:
        what, near = f"There is no sample {beginning!r}.", _near(beginning, known)
    next_step = f"Give one of: {', '.join(near)}." if near else "List them with: attar data build CONFIG --json"
    raise UsageError(what, next_step=next_step)


def _near(beginning: str, known: Iterable[str]) -> list[str]:
    """Ids that were perhaps meant: with the longest beginning in common, or a letter apart."""
    names = sorted(known)
    alike = nearest(beginning, names) if len(names) <= 20_000 else None
    for length in range(min(len(beginning), 16) - 1, 1, -1):
        same = [name for name in names if name.startswith(beginning[:length].lower())]
        if same:
            return list(dict.fromkeys([*([alike] if alike else []), *same]))[:5]
    return [alike] if alike else names[:3]


def _row(table: LoadedTable, sample: Sample, number: int, place: str) -> dict[str, Any]:
    row = table.rows[number]
    names = list(dict.fromkeys((*table.schema.entity, *(column.name for column in table.schema.columns))))
    values = {name: text for name in names if (text := written(row[name])) is not None}
    return {"where": place, "row": number, "swapped": bool(sample.donors), "values": values}
