"""What the data layer hands on: question-answer pairs and samples, as text.

A sample knows where it comes from down to the rows and columns. Does not know tokens.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from attar.runtime.errors import DataError
from attar.runtime.files import replaced_file, sha256_text
from attar.runtime.prompts import Message, answer_prompt, check_prompt, route_prompt, summary_prompt, tool_call_text

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

__all__ = [
    "QAPair",
    "Sample",
    "iterate_samples",
    "read_samples",
    "require_both_splits",
    "sample_id",
    "sample_writer",
    "write_samples",
]


@dataclass(frozen=True, slots=True)
class QAPair:
    """A question with its answer and the row that both come from; the first one where there are several."""

    question: str
    answer: str
    row: Mapping[str, object]
    table: str
    entity: str
    column: str
    form: str
    split: str
    kind: str = "lookup"


@dataclass(frozen=True, slots=True)
class Sample:
    """One prompt with its checked answer and its lineage; all fields are JSON values.

    Attributes:
        id: 16 hex digits of the hash of everything that the sample says.
        record: The records as the prompt shows them; empty where it shows none.
        question: The question, claim or query; empty where the prompt is the record alone.
        answer: The answer that the rows give.
        kind: Question kind, such as "lookup".
        form: Name of the surface form; training and test share none.
        split: "train" or "test".
        source: The table's file, or its database and query; never a password.
        source_sha256: Hash of that file, or of the query's rows.
        table: What one row is.
        rows: Row numbers in the source, from 0: those shown, in order, or the one that is named.
        columns: The columns that are asked for.
        shown: The columns that the prompt shows, in order.
        seed: What every choice in it was drawn with.
        role: Whose prompt it is: "qa", "summarizer", "validator" or "router"; "chat" where the turns are all of it.
        mode: "grounded": the answer follows from the prompt; "closed_book": the student has to know it; "given":
            it is taken from a table as it stands there.
        given: What the form was filled with besides rows and columns.
        tools: The tools that can be called.
        turns: What was said between the question and the answer.
        donors: Where values were swapped: of each row, the rows that the values come from, in the order of the
            schema's columns; never in the test split.
        invented: Where values were drawn from their column's pattern: of each row, column name to written value.
        paraphrased: Name of the model that wrote the question in other words; never in the test split.
        original: The question before that, as its form gives it.
        keys: What each of the rows is called, so that it is found where rows have moved; none where it is "given".
    """

    id: str
    record: str
    question: str
    answer: str
    kind: str
    form: str
    split: str
    source: str
    source_sha256: str
    table: str
    rows: list[int]
    columns: list[str]
    shown: list[str]
    seed: str
    role: str = "qa"
    mode: str = "grounded"
    given: dict[str, Any] = field(default_factory=dict)
    tools: list[dict[str, Any]] = field(default_factory=list)
    turns: list[Message] = field(default_factory=list)
    donors: list[list[int]] = field(default_factory=list)
    invented: list[dict[str, str]] = field(default_factory=list)
    paraphrased: str = ""
    original: str = ""
    keys: list[str] = field(default_factory=list)

    @property
    def messages(self) -> list[Message]:
        """The prompt as the agent of that role sends it."""
        return [*_PROMPTS[self.role](self.question, self.record), *self.turns]

    @property
    def group(self) -> str:
        """What samples share whose prompts begin alike: tools and records, or the role where there is neither.

        With turns behind the question little is alike, so only what was asked together is kept together.
        """
        tools = json.dumps(self.tools, ensure_ascii=False) if self.tools else ""
        return f"{tools}{self.record}{self.seed if self.turns else ''}" or self.role

    @property
    def counterfactual(self) -> bool:
        """Whether values are not those of the row."""
        return bool(self.donors)


_PROMPTS: Mapping[str, Callable[[str, str], list[Message]]] = {
    "qa": lambda question, record: answer_prompt(question, record or None),
    "summarizer": lambda question, record: summary_prompt(record),
    "validator": check_prompt,
    "router": lambda question, record: route_prompt(question),
    "chat": lambda question, record: [],
}
"""Role to its prompt, from question and record."""


def sample_id(
    record: str, question: str, answer: str, split: str, role: str, tools: list[dict[str, Any]], turns: list[Message]
) -> str:
    """The id of a sample that says this."""
    said = [record, question, answer, split]
    if role != "qa" or tools or turns:
        said.append(json.dumps([role, tools, turns], ensure_ascii=False))
    return sha256_text("\x00".join(said))[:16]


def require_both_splits(counts: Mapping[str, int]) -> None:
    """Check that there is something to train on and something to test with.

    Args:
        counts: Split to how many samples it has.

    Raises:
        DataError: A split is empty.
    """
    for split in ("train", "test"):
        if not counts.get(split):
            raise DataError(
                f"There is no sample to {split} with.",
                why=f"Of {sum(counts.values())} samples, all fell to the other split.",
                next_step="Give more rows, or change data.test_share.",
            )


def write_samples(path: Path, samples: Iterable[Sample]) -> None:
    """Write samples as they come, atomically: as Parquet, a row group at a time, or as JSON Lines (``.jsonl``)."""
    with sample_writer(path) as write:
        for sample in samples:
            write(sample)


@contextmanager
def sample_writer(path: Path) -> Iterator[Callable[[Sample], None]]:
    """What writes one sample after the other to a file, which is there when all are written; of the same two forms."""
    with replaced_file(path) as part:
        if path.suffix == ".jsonl":
            with part.open("w", encoding="utf-8") as stream:
                yield lambda sample: _write_line(stream, sample)
        else:
            import pyarrow.parquet

            with pyarrow.parquet.ParquetWriter(part, _arrow_schema(), compression="zstd") as writer:
                rows = _RowGroups(writer)
                yield rows.add
                rows.write()


def _write_line(stream: TextIO, sample: Sample) -> None:
    stream.write(json.dumps(asdict(sample), ensure_ascii=False) + "\n")


class _RowGroups:
    """Rows on their way into a Parquet file, of which one group is held."""

    def __init__(self, writer: ParquetWriter) -> None:
        self._writer = writer
        self._rows: list[dict[str, Any]] = []

    def add(self, sample: Sample) -> None:
        self._rows.append(_to_row(sample))
        if len(self._rows) == _GROUP:
            self.write()

    def write(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._writer.schema))
            self._rows = []


def iterate_samples(path: Path) -> Iterator[Sample]:
    """What :func:`write_samples` wrote, one by one.

    Raises:
        DataError: The file is missing or holds something else.
    """
    import pyarrow as pa
    import pyarrow.parquet

    try:
        if path.suffix == ".jsonl":
            with path.open(encoding="utf-8") as lines:
                yield from (Sample(**json.loads(line)) for line in lines)
            return
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_GROUP, columns=[item.name for item in fields(Sample)]):
                yield from (_from_row(row) for row in batch.to_pylist())
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        raise DataError("The samples can't be read.", where=path, why=error) from error


def read_samples(path: Path) -> list[Sample]:
    """The same at once; of a folder, both splits.

    Raises:
        DataError: See :func:`iterate_samples`.
    """
    files = [path / f"{split}.parquet" for split in ("train", "test")] if path.is_dir() else [path]
    return [sample for file in files for sample in iterate_samples(file)]


_GROUP = 2_000
"""Samples in one row group."""
_AS_JSON = ("given", "tools", "turns", "invented")
"""Fields that have no fixed form; a column of JSON text each."""


def _arrow_schema() -> pa.Schema:
    import pyarrow as pa

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    lists = {"rows": pa.list_(pa.int64()), "columns": pa.list_(pa.string()), "shown": pa.list_(pa.string())}
    types = lists | {"donors": pa.list_(pa.list_(pa.int64())), "keys": pa.list_(pa.string())}
    names = [item.name for item in fields(Sample)]
    return pa.schema([("messages", pa.list_(message)), *((name, types.get(name, pa.string())) for name in names)])


def _to_row(sample: Sample) -> dict[str, Any]:
    said = [*sample.messages, Message(role="assistant", content=sample.answer)]
    row = asdict(sample)
    row |= {name: json.dumps(row[name], ensure_ascii=False) for name in _AS_JSON}
    return row | {"messages": [{"role": one["role"], "content": _spoken(one)} for one in said]}


def _from_row(row: dict[str, Any]) -> Sample:
    values = {name: json.loads(value) if name in _AS_JSON else _once(value) for name, value in row.items()}
    return Sample(**values)


def _once(value: Any) -> Any:
    """The same, its texts held once in memory: records, columns and names come again in sample after sample."""
    if isinstance(value, list):
        return [_once(item) for item in value]
    return sys.intern(value) if isinstance(value, str) else value


def _spoken(message: Message) -> str:
    """What a turn says, its calls as text."""
    functions = [call["function"] for call in message.get("tool_calls", [])]
    calls = [
        tool_call_text(one["name"], one["arguments"]) for one in functions if isinstance(one["arguments"], Mapping)
    ]
    return "\n".join(text for text in (message["content"], *calls) if text)
