"""What is dropped of finished samples, and that each drop is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.filters import Filters, gives_away
from attar.pipeline.data.samples import Sample
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def sample() -> Sample:
    loader = StructuredDataLoader(test_questions=10)
    loader.load_from_json(ROOT / "configs" / "tables" / "countries.json", label="country")
    return next(loader.samples())


def test_a_repeated_sample_is_dropped_and_counted(sample: Sample) -> None:
    filters = Filters()
    assert [filters.keep(sample), filters.keep(sample)] == [True, False]
    assert filters.dropped == {"it repeats another sample": 1}


def test_the_later_of_two_answers_to_one_prompt_is_dropped(sample: Sample) -> None:
    filters = Filters()
    assert filters.keep(sample)
    spelled = replace(sample, id="other", question=f" {sample.question.upper()}", answer=f"not {sample.answer}")
    assert not filters.keep(spelled)
    assert filters.dropped == {"the same prompt has another answer": 1}


def test_an_answer_in_its_question_is_wrong_only_where_no_record_is_read(sample: Sample) -> None:
    given = replace(sample, question="What is the city of Aalborg Air Base?", answer="Aalborg")
    filters = Filters()
    assert gives_away(given)
    assert not gives_away(replace(given, answer="Aal"))
    assert not gives_away(replace(given, kind="tool_call"))
    assert filters.keep(given)
    assert filters.gave_away == 1
    assert not Filters().keep(replace(given, mode="closed_book"))


def test_a_cap_bounds_the_share_of_one_answer(sample: Sample) -> None:
    filters = Filters({"answer": 0.25})
    samples = [
        replace(sample, id=str(number), question=f"Question {number}?", answer="yes" if number % 2 else f"a{number}")
        for number in range(400)
    ]
    kept = [one for one in samples if filters.keep(one)]
    assert 0.2 < sum(one.answer == "yes" for one in kept) / len(kept) < 0.27
    assert filters.dropped.total() == 400 - len(kept)


def test_calls_without_arguments_repeat_and_the_test_split_keeps_its_size() -> None:
    loader = StructuredDataLoader(kinds={"tool_without_arguments": 1.0}, test_questions=100, questions_per_record=4)
    loader.load_from_json(ROOT / "configs" / "tables" / "countries.json", label="country")
    samples = loader.prepare_distillation_dataset()
    assert len({one.id for one in samples}) == len(samples)
    assert loader.filters.dropped["it repeats another sample"] > 0
    assert sum(one.split == "test" for one in samples) == 100


def test_what_is_too_long_makes_room_for_other_questions_of_the_test_split() -> None:
    def lookups(too_long: Callable[[Sample], bool] | None) -> tuple[StructuredDataLoader, list[Sample]]:
        loader = StructuredDataLoader(test_questions=40, too_long=too_long)
        loader.load_from_json(ROOT / "configs" / "tables" / "countries.json", label="country")
        return loader, loader.prepare_distillation_dataset()

    def is_long(sample: Sample) -> bool:
        return len(sample.answer) > 8

    loader, short = lookups(is_long)
    assert not any(map(is_long, short))
    assert any(map(is_long, lookups(None)[1]))
    assert sum(one.split == "test" for one in short) == 40
    assert loader.filters.dropped["it has more than max_tokens with its answer"] > 0


@pytest.mark.parametrize("mode", ["closed_book", "given"])
def test_what_is_too_long_is_dropped_in_every_mode(mode: str, tmp_path: Path) -> None:
    rows = [(f"What is item {number}?", "x" * number) for number in range(1, 60)]
    (tmp_path / "t.csv").write_text("".join(f"{q},{a}\n" for q, a in [("question", "answer"), *rows]))
    loader = StructuredDataLoader(
        mode="closed_book" if mode == "closed_book" else "grounded", too_long=lambda sample: len(sample.answer) > 30
    )
    loader.load_from_csv(tmp_path / "t.csv", given=None if mode == "given" else False)
    samples = loader.prepare_distillation_dataset()
    assert {sample.mode for sample in samples} == {mode}
    assert max(len(sample.answer) for sample in samples if sample.kind != "abstain") == 30
    assert loader.filters.dropped["it has more than max_tokens with its answer"] > 0
