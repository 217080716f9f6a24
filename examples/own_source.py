"""Rows from where attar does not look by itself: a file of another kind, and a source of one's own.

    python examples/own_source.py

A reader is a function from a path to an Arrow table; a loader of one's own adds a ``load_from_...`` of its own.
"""

from __future__ import annotations

import mailbox
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Unpack

import pyarrow as pa
import pyarrow.csv

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import LoadedTable, Source, TableOptions, register_reader


def read_tsv(path: Path) -> pa.Table:
    """A table whose cells are separated by tabs; attar checks the file before and the rows after."""
    return pyarrow.csv.read_csv(path, parse_options=pyarrow.csv.ParseOptions(delimiter="\t"))


class MailLoader(StructuredDataLoader):
    """A loader that also reads mail."""

    def load_from_mailbox(self, path: Path, **options: Unpack[TableOptions]) -> LoadedTable:
        """One row for each message of an mbox file."""
        with closing(mailbox.mbox(path, create=False)) as messages:
            rows = [{"subject": m["subject"], "sender": m["from"], "date": m["date"]} for m in messages]
        return self.load_source(Source.of_rows(str(path), pa.Table.from_pylist(rows), "message"), **options)


def main(folder: Path) -> list[str]:
    """Write both kinds of file, load them, and return what was asked."""
    (folder / "rivers.tsv").write_text("river\tlength_km\nElbe\t1094\nOder\t866\n", encoding="utf-8")
    (folder / "mail.mbox").write_text(
        "From ann 2026\nFrom: ann@example.org\nSubject: Lunch\nDate: 3 May 2026\n\nAt noon?\n", encoding="utf-8"
    )
    register_reader(".tsv", read_tsv)  # from here on also in configs that this program runs
    loader = MailLoader()
    loader.load(folder / "rivers.tsv", label="river")
    loader.load_from_mailbox(folder / "mail.mbox")
    asked = [f"{pair.question} -> {pair.answer}" for pair in loader.create_qa_pairs()]
    print("\n".join(asked))
    return asked


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(scratch))
