"""Tables that others published, in every kind of file: each answer is verified from the source, read again.

The tables come out of five data packages, whose files are read where they are installed; none of them is imported.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import verify
from attar.pipeline.data.questions import KINDS
from attar.runtime.errors import DataError

EVERY = dict.fromkeys(KINDS, 1.0)
Load = Callable[[StructuredDataLoader, Path], object]


def package(name: str) -> Path:
    """The folder of an installed package; a missing one fails, since nothing is verified without it."""
    spec = find_spec(name)
    assert spec and spec.submodule_search_locations, f"{name} is not installed; `make test` installs it"
    return Path(spec.submodule_search_locations[0])


def weather(loader: StructuredDataLoader, folder: Path) -> None:
    """CSV with dates written with slashes."""
    loader.load_from_csv(package("vega_datasets") / "_data" / "seattle-weather.csv", label="day", entity="date")


def cars(loader: StructuredDataLoader, folder: Path) -> None:
    """JSON, an array; names come again with another year."""
    loader.load_from_json(package("vega_datasets") / "_data" / "cars.json", label="car", entity=["Name", "Year"])


def penguins(loader: StructuredDataLoader, folder: Path) -> None:
    """Parquet, with dates and with columns named for their units."""
    table = pd.read_csv(package("palmerpenguins") / "data" / "penguins-raw.csv", parse_dates=["Date Egg"])
    table["Date Egg"] = table["Date Egg"].dt.date
    table.to_parquet(folder / "penguins.parquet")
    loader.load_from_parquet(
        folder / "penguins.parquet", label="penguin", entity=["Individual ID", "studyName", "Sample Number"]
    )


@cache
def mammals() -> bytes:
    """Sleep of mammals, out of pydataset's archive."""
    with tarfile.open(package("pydataset") / "resources.tar.gz") as archive:
        file = archive.extractfile("resources/rdata/csv/ggplot2/msleep.csv")
        assert file
        return file.read()


def sleep(loader: StructuredDataLoader, folder: Path) -> None:
    """Compressed CSV, the column of row numbers given a name, and NA for what is not known."""
    path = folder / "sleep.csv.gz"
    path.write_bytes(gzip.compress(mammals().replace(b'""', b'"row"', 1), mtime=0))  # the same bytes each time
    loader.load_from_csv(path, label="mammal", entity="name")


def isotopes(loader: StructuredDataLoader, folder: Path) -> None:
    """SQLite: a query over two tables."""
    loader.load_from_database(
        f"sqlite:///{package('mendeleev') / 'elements.db'}",
        "SELECT e.name || '-' || i.mass_number AS name, e.symbol, i.mass, i.abundance, i.is_radioactive, i.spin, "
        "i.discovery_year FROM isotopes i JOIN elements e USING (atomic_number) WHERE i.discovery_year IS NOT NULL "
        "ORDER BY i.id LIMIT 600",
        label="isotope",
    )


def countries(loader: StructuredDataLoader, folder: Path) -> None:
    """JSONL with lists in it, and many scripts."""
    path = folder / "countries.jsonl"
    names = ("name", "nativeName", "capital", "population", "area", "languages", "currencies", "demonym")
    files = sorted((package("countryinfo") / "data").glob("*.json"))
    facts = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    rows = ({name: one.get(name) for name in names} for one in facts)
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    loader.load_from_json(path, label="country", entity="name")


TABLES: tuple[Load, ...] = (weather, cars, penguins, sleep, isotopes, countries)


def loader_of(*loads: Load, folder: Path) -> StructuredDataLoader:
    loader = StructuredDataLoader(kinds=EVERY, records_per_table=120, test_questions=60 * len(loads))
    for load in loads:
        load(loader, folder)
    return loader


@pytest.mark.parametrize("load", TABLES, ids=lambda load: load.__name__)
def test_every_answer_on_a_real_table_is_verified(load: Load, tmp_path: Path) -> None:
    samples = loader_of(load, folder=tmp_path).prepare_distillation_dataset()
    found = verify(samples, loader_of(load, folder=tmp_path).tables)  # read anew
    assert found.right, found.faults[:3]
    assert found.checked.total() == len(samples) > 500
    assert {sample.split for sample in samples} == {"train", "test"}
    assert len(found.checked) >= len(KINDS) - 2, "dates are not in every table"


def test_a_published_table_with_a_column_without_a_name_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "sleep.csv"
    path.write_bytes(mammals())
    with pytest.raises(DataError, match="without a name") as caught:
        StructuredDataLoader().load_from_csv(path)
    assert "Name them" in str(caught.value)


def test_every_kind_is_asked_of_them(tmp_path: Path) -> None:
    loader = loader_of(weather, penguins, folder=tmp_path)
    found = verify(loader.prepare_distillation_dataset(), loader.tables)
    assert found.right, found.faults[:3]
    assert set(found.checked) == set(KINDS)


def test_what_a_cell_holds_is_what_an_independent_reader_finds(tmp_path: Path) -> None:
    """The verification reads by attar's own reader; here Python's sqlite3 says what the answers should be."""
    loader = StructuredDataLoader()
    isotopes(loader, tmp_path)
    samples = loader.prepare_distillation_dataset()
    (table,) = loader.tables
    with closing(sqlite3.connect(f"file:{package('mendeleev') / 'elements.db'}?mode=ro", uri=True)) as database:
        years = dict(
            database.execute(
                "SELECT e.name || '-' || i.mass_number, i.discovery_year FROM isotopes i JOIN elements e "
                "USING (atomic_number)"
            )
        )
    asked = [sample for sample in samples if sample.columns == ["discovery_year"]]
    assert len(asked) > 300
    for sample in asked:
        assert sample.answer == str(years[table.schema.entity_of(table.rows[sample.rows[0]])])
