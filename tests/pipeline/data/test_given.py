"""Tables that hold samples: recognized or named, taken as they are, each question in one split."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import Sample, Source, verify
from attar.pipeline.data.formats import recognized, told
from attar.runtime.errors import DataError

QUESTIONS = [{"Question": f"What is {n} and {n}?", "Answer": f"It is  {2 * n}.\n"} for n in range(40)]


def loaded(*tables: list[dict[str, Any]], given: Any = None, **settings: Any) -> StructuredDataLoader:
    loader = StructuredDataLoader(**{"test_share": 0.3, "test_questions": 1000, **settings})
    for number, rows in enumerate(tables):
        source = Source.of_rows(f"t{number}", pa.Table.from_pylist(rows), f"t{number}")
        loader.load_source(source, given=given)
    return loader


def taken(*tables: list[dict[str, Any]], **settings: Any) -> list[Sample]:
    loader = loaded(*tables, **settings)
    samples = loader.prepare_distillation_dataset()
    found = verify(samples, loader.tables)
    assert found.right, found.faults[:3]
    assert {sample.mode for sample in samples} == {sample.kind for sample in samples} == {"given"}
    assert len({sample.id for sample in samples}) == len(samples)
    assert len(loader.create_qa_pairs()) == len(samples)
    return samples


def test_questions_and_answers_are_taken_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    samples = taken(QUESTIONS)
    assert {(s.question, s.answer) for s in samples} == {(row["Question"], row["Answer"]) for row in QUESTIONS}
    assert {sample.split for sample in samples} == {"train", "test"}
    assert all(sample.messages == [{"role": "user", "content": sample.question}] for sample in samples)
    assert "t0: taken as it is, by its columns 'Question' and 'Answer'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "prompt", "answer"),
    [
        ({"question": "q?", "context": "c", "answer": "a"}, "c\n\nq?", "a"),
        ({"instruction": "Add.", "input": "1 2", "output": "3"}, "Add.\n\n1 2", "3"),
        ({"instruction": "Add.", "input": "", "output": "3"}, "Add.", "3"),
        ({"prompt": "Once", "completion": " upon", "id": 7}, "Once", " upon"),
        ({"label": 4, "text": "good"}, "good", "4"),
    ],
)
def test_every_format_has_its_prompt_and_answer(row: dict[str, Any], prompt: str, answer: str) -> None:
    (sample,) = taken([row])
    assert [turn["content"] for turn in sample.messages] == [prompt]
    assert sample.answer == answer


def test_chats_are_taken_whole_as_lists_or_as_json() -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "How are you?"},
        {"role": "assistant", "content": "Well."},
    ]
    for value in (turns, json.dumps(turns)):
        (sample,) = taken([{"messages": value}])
        assert sample.messages == turns[:-1]
        assert (sample.question, sample.answer, sample.role) == ("Hello", "Well.", "chat")


def test_chats_without_an_answer_in_words_are_left_out_and_counted() -> None:
    right = '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]'
    wrong = ["", "no json", "[]", "{}", "[1]", right.replace("assistant", "tool"), right.replace('"b"', "null")]
    wrong += [right.replace('"user"', '"assistant"'), right[:32] + "]"]
    loader = loaded([{"messages": text} for text in (right, *wrong)])
    assert len(loader.prepare_distillation_dataset()) == 1
    assert loader.dropped == {"a given row without a question or an answer": len(wrong)}


def test_a_question_is_in_one_split_however_it_is_written_and_wherever_it_stands() -> None:
    again = [{"prompt": f"what is {n} and {n}", "completion": "something else"} for n in range(40)]
    samples = taken(QUESTIONS, again)
    splits = {sample.question.casefold().rstrip("?"): sample.split for sample in samples if sample.table == "t0"}
    assert {sample.table for sample in samples} == {"t0", "t1"}
    assert all(splits[sample.question] == sample.split for sample in samples if sample.table == "t1")


def test_repetitions_contradictions_and_gaps_are_left_out_and_counted() -> None:
    rows = [
        {"question": "One?", "answer": "1"},
        {"question": " one?", "answer": "1 "},
        {"question": "Two?", "answer": "2"},
        {"question": "TWO?", "answer": "3"},
        {"question": "Three?", "answer": " "},
        {"question": None, "answer": "4"},
        {"question": "2 + 2", "answer": "4"},
        {"question": "2 - 2", "answer": "0"},
    ]
    loader = loaded(rows)
    assert [sample.question for sample in loader.prepare_distillation_dataset()] == ["One?", "2 + 2", "2 - 2"]
    assert loader.dropped == {
        "a question that was there before": 1,
        "a question with several answers": 2,
        "a given row without a question or an answer": 2,
    }


@pytest.mark.parametrize(
    "names",
    [
        ["name", "answer"],
        ["question", "reply"],
        ["question", "answer", "age", "sex", "city"],
        ["text", "label", "user", "created", "likes"],
        ["output", "input"],
    ],
)
def test_a_table_with_part_of_a_pair_or_much_beside_it_is_asked_about(names: list[str]) -> None:
    assert recognized(names) is None


def test_what_the_columns_are_can_be_told_and_refused() -> None:
    rows = [{"frage": f"F{n}", "antwort": f"A{n}", "name": f"n{n}"} for n in range(5)]
    parts = {"question": "frage", "answer": "antwort"}
    assert {sample.answer for sample in taken(rows, given=parts)} == {f"A{n}" for n in range(5)}
    asked = loaded(QUESTIONS, given=False).prepare_distillation_dataset()
    assert {sample.kind for sample in asked} == {"lookup"}
    named = StructuredDataLoader()
    named.load_source(Source.of_rows("t", pa.Table.from_pylist(QUESTIONS)), entity="Question")
    assert named.tables[0].given is None
    with pytest.raises(DataError, match="no column 'reply'"):
        told({"question": "frage", "answer": "reply"}, ["frage", "antwort"])
    with pytest.raises(DataError, match="not taken as it is by question") as caught:
        told({"question": "frage"}, ["frage", "antwort"])
    assert "question and answer" in str(caught.value.next_step)


def test_both_splits_have_no_more_than_they_are_to_have() -> None:
    loader = loaded(QUESTIONS, records_per_table=5, test_questions=3)
    splits = Counter(sample.split for sample in loader.prepare_distillation_dataset())
    assert splits == {"train": 5, "test": 3}
    assert loader.dropped.total() == 32


def test_beside_tables_of_rows_each_has_its_part_of_the_test_split(cities: Path) -> None:
    loader = loaded(QUESTIONS, test_share=0.5, test_questions=8)
    loader.load_from_csv(cities, label="city")
    samples = loader.prepare_distillation_dataset()
    tested = Counter(sample.table for sample in samples if sample.split == "test")
    assert tested == {"t0": 4, "city": 4}
    assert {sample.mode for sample in samples} == {"given", "grounded"}
    assert {table.schema.label for table, *_ in loader.records()} == {"city"}
    assert verify(samples, loader.tables).right


def test_what_is_changed_is_found_out() -> None:
    loader = loaded(QUESTIONS)
    samples = loader.prepare_distillation_dataset()
    one = samples[0]
    for wrong in (
        replace(one, question="What?"),
        replace(one, answer="other"),
        replace(one, rows=[39 - one.rows[0]]),
        replace(one, rows=[-1]),
        replace(one, rows=[]),
        replace(one, record="r"),
        replace(one, role="chat"),
        replace(one, mode="grounded"),
        replace(one, id="0" * 16),
        replace(one, donors=[[0]]),
        replace(one, given={}),
        replace(one, split="test" if one.split == "train" else "train"),
    ):
        assert not verify([wrong], loader.tables).right, wrong
    other = "test" if one.split == "train" else "train"
    moved = loaded(QUESTIONS, test_share=0.999 if other == "test" else 0.001).prepare_distillation_dataset()
    (fault,) = verify([one, next(s for s in moved if s.question == one.question)], loader.tables).faults
    assert "both splits" in fault.why
