"""The rows of tables that hold samples already, taken as they are: nothing in them is asked, written or cut anew.

A question is in one split whatever table it stands in, by the salted hash of its words. Does not know how tables
are read or recognized, nor whether the answer follows from the prompt: what is taken so is of the mode "given".
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from attar.runtime.files import sha256_text
from attar.runtime.prompts import Message

from .asking import Readable
from .formats import FORMATS, Given
from .questions.values import folded
from .samples import QAPair, Sample, sample_id
from .schema import written
from .splits import split_of

__all__ = ["GIVEN", "GivenRow", "GivenTable", "given_fault", "given_rows", "question_key"]

GIVEN = "given"
"""The kind and the mode of such samples."""
_SPEAKERS = ("system", "user", "assistant")


class GivenTable(Readable, Protocol):
    """A table that holds samples."""

    @property
    def given(self) -> Given | None: ...


@dataclass(frozen=True)
class GivenRow:
    """A row as a sample.

    Attributes:
        table: The table.
        number: Its number.
        question: What is asked, as it stands there.
        answer: The answer.
        record: The context, where there is one.
        turns: The whole chat but its answer, where the row holds one.
        split: "train" or "test".
    """

    table: GivenTable
    number: int
    question: str
    answer: str
    record: str = ""
    turns: list[Message] = field(default_factory=list)
    split: str = "train"

    @property
    def sample(self) -> Sample:
        """The sample that it is."""
        table, given = self.table, self.table.given
        assert given is not None
        role = "chat" if self.turns else "qa"
        return Sample(
            id=sample_id(self.record, self.question, self.answer, self.split, role, [], self.turns),
            record=self.record,
            question=self.question,
            answer=self.answer,
            kind=GIVEN,
            form=f"{GIVEN}.{self.split}.{given.format}",
            split=self.split,
            source=table.source,
            source_sha256=table.source_sha256,
            table=table.schema.label,
            rows=[self.number],
            columns=list(given.columns.values()),
            shown=[],
            seed="",
            role=role,
            mode=GIVEN,
            given={"format": given.format, "columns": dict(given.columns)},
            turns=self.turns,
        )

    @property
    def pair(self) -> QAPair:
        """Question and answer, with the row."""
        sample = self.sample
        row, answers = self.table.rows[self.number], sample.columns[-1]
        return QAPair(
            self.question, self.answer, row, sample.table, self.question, answers, sample.form, self.split, GIVEN
        )

    @property
    def prompt_key(self) -> str:
        """What two rows share that ask the same."""
        said = [folded(self.record), folded(self.question), *(folded(turn["content"]) for turn in self.turns)]
        return sha256_text("\x00".join(said))[:32]


def given_rows(
    tables: Iterable[GivenTable],
    *,
    salt: str,
    test_share: float,
    records_per_table: int | None,
    dropped: Counter[str],
) -> Iterator[GivenRow]:
    """The rows of all such tables as samples, each question in one split.

    Left out and counted are rows without a question or an answer, chats that do not end with an answer in words,
    repetitions, all rows of a question that has several answers, and what is over the number of training records.
    """
    tables = list(tables)
    answers: dict[str, set[str]] = defaultdict(set)
    for one in _read(tables, Counter()):
        answers[one.prompt_key].add(folded(one.answer))
    taken, seen = Counter[str](), set[str]()
    for one in _read(tables, dropped):
        if len(answers[one.prompt_key]) > 1:
            dropped["a question with several answers"] += 1
        elif one.prompt_key in seen:
            dropped["a question that was there before"] += 1
        else:
            seen.add(one.prompt_key)
            split = split_of(f"{GIVEN}: {question_key(one.question)}", salt=salt, test_share=test_share)
            label = one.table.schema.label
            if split == "train" and records_per_table is not None and taken[label] == records_per_table:
                dropped["a given row over records_per_table"] += 1
                continue
            taken[label] += split == "train"
            yield GivenRow(one.table, one.number, one.question, one.answer, one.record, one.turns, split)


def given_fault(sample: Sample, rows: Sequence[Mapping[str, object]]) -> str | None:
    """What is wrong with a sample that its row is said to hold; None where it is right."""
    given = Given(sample.given["format"], sample.given["columns"])
    (number,) = sample.rows
    if number < 0:
        return "it has no row"
    said = _parts(rows[number], given)
    if said is None:
        return "its row holds no question with an answer"
    question, answer, record, turns = said
    if (sample.question, sample.record, sample.turns) != (question, record, turns):
        return "its prompt is not what its row holds"
    if sample.answer != answer:
        return "its answer is not what its row holds"
    if sample.role != ("chat" if turns else "qa") or sample.mode != GIVEN or sample.donors or sample.tools:
        return "it is not taken as it is"
    right = sample_id(record, question, answer, sample.split, sample.role, [], turns)
    return None if sample.id == right else "its id is not that of what it says"


def _read(tables: Iterable[GivenTable], dropped: Counter[str]) -> Iterator[GivenRow]:
    for table in tables:
        assert table.given is not None
        for number, row in enumerate(table.rows):
            parts = _parts(row, table.given)
            if parts is None:
                dropped["a given row without a question or an answer"] += 1
            else:
                yield GivenRow(table, number, *parts)


def _parts(row: Mapping[str, object], given: Given) -> tuple[str, str, str, list[Message]] | None:
    """Question, answer, context and chat of a row; None where it has no question or no answer."""
    if given.format == "messages":
        return _chat(row[given.columns["messages"]])
    needed, _ = FORMATS[given.format]
    texts = {part: _text(row[name]) for part, name in given.columns.items()}
    question, answer = texts[needed[0]], texts[needed[1]]
    if not question.strip() or not answer.strip():
        return None
    if texts.get("input", "").strip():
        question = f"{question}\n\n{texts['input']}"
    return question, answer, texts.get("context", ""), []


def _chat(value: object) -> tuple[str, str, str, list[Message]] | None:
    """A chat's first question, its last answer, and all turns but that one; None where it is none of words alone."""
    try:
        turns = json.loads(value) if isinstance(value, str) else value
        said: list[Message] = [{"role": turn["role"], "content": turn["content"]} for turn in turns]  # type: ignore[union-attr]
    except (ValueError, TypeError, KeyError):
        return None
    if not all(turn["role"] in _SPEAKERS and isinstance(turn["content"], str) for turn in said):
        return None
    asked = [turn["content"] for turn in said if turn["role"] == "user" and turn["content"].strip()]
    if not asked or said[-1]["role"] != "assistant" or not said[-1]["content"].strip():
        return None
    return asked[0], said[-1]["content"], "", said[:-1]


def _text(value: object) -> str:
    """A text as it stands; anything else as it is written."""
    return value if isinstance(value, str) else written(value) or ""


def question_key(text: str) -> str:
    """What is in one split: the words of a question, whatever stands between them; all of it where it has none."""
    words = "".join(sign if sign.isalnum() else " " for sign in folded(text)).split()
    return " ".join(words) or folded(text)
