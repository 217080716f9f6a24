"""Summaries by facts kept and facts invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.evaluation import SUMMARY_KINDS, score_facts
from attar.pipeline.evaluation.summaries import facts_in

GHENT = (
    "The city Ghent has the country Belgium, the population 265086 and the founded 0650-01-01. "
    "Its river is Lys and mayor is X."
)
SEVERAL = (
    "3 records of the kind city: Ghent; Faro; Cork. The country is Belgium for Ghent, Portugal for Faro and "
    "Ireland for Cork; the population goes from 67650 (Faro) to 265086 (Ghent)."
)


def test_facts_are_the_clauses_and_the_subject() -> None:
    assert set(facts_in(GHENT)) == {
        "city ghent has", "country belgium", "population 265086", "founded 0650-01-01", "river is lys", "mayor is x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "kept", "invented"),
    [
        (GHENT, 1, 0),
        (GHENT.lower(), 1, 0),
        ("", 0, 0),
        (GHENT.replace("265086", "265087"), 5 / 6, 1 / 6),
        (GHENT.split(" Its ")[0], 4 / 6, 0),
        (GHENT.replace("Lys and mayor is X", "Lys, river is Lys and mayor is Y"), 5 / 6, 2 / 7),
    ],
)  # fmt: skip
def test_each_fact_that_is_missing_or_wrong_counts(answer: str, kept: float, invented: float) -> None:
    found = score_facts([answer], [GHENT])
    assert (found.kept, found.invented, found.n) == (pytest.approx(kept), pytest.approx(invented), 1)


def test_records_of_several_are_named_and_compared() -> None:
    wrong = SEVERAL.replace("67650 (Faro)", "67650 (Cork)")
    assert score_facts([SEVERAL], [SEVERAL]).kept == 1
    assert 0 < score_facts([wrong], [SEVERAL]).invented < 0.3


def test_the_answers_that_the_kinds_give_have_several_facts_each(cities: Path) -> None:
    loader = StructuredDataLoader(kinds=dict.fromkeys(SUMMARY_KINDS, 1.0), records_per_table=20)
    loader.load_from_csv(cities, label="city")
    samples = loader.prepare_distillation_dataset()
    assert {sample.kind for sample in samples} == SUMMARY_KINDS
    assert all(facts_in(sample.answer).total() >= 2 for sample in samples)
    answers = [sample.answer for sample in samples]
    assert score_facts(answers, answers).to_dict() == {"kept": 1, "invented": 0, "n": len(answers)}
