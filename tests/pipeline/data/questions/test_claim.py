"""Claims: each fact right, wrong, and not in the record."""

from __future__ import annotations

from collections import Counter

from attar.pipeline.data.questions import KINDS
from attar.runtime.agents.checking import Facts
from attar.runtime.prompts import CHECKS
from tests.pipeline.data.questions.scenes import CORK, DELFT, FARO, HAARLEM, SCHEMA, ask, right

ROWS = [CORK, DELFT, HAARLEM, FARO]
SUPPORTED, CONTRADICTED, NOT_THERE = CHECKS


def test_every_fact_is_claimed_right_and_wrong_and_of_another_row() -> None:
    checks = Counter((question.columns[0], question.answer) for question in ask("claim", *ROWS))
    assert checks == {(column, check): 1 for column in ("land", "people", "born", "opened") for check in CHECKS}


def test_checks_come_in_equal_parts_and_some_columns_are_left_out() -> None:
    asked = [question for seed in range(100) for question in ask("claim", *ROWS, seed=seed, count=3)]
    shares = Counter(question.answer for question in asked)
    assert all(0.25 < shares[check] / len(asked) < 0.42 for check in CHECKS)
    absent = [question for question in asked if question.answer == NOT_THERE]
    assert any(question.given["entity"] == "Cork" for question in absent)
    assert any(question.given["entity"] == "Delft" for question in absent)
    for question in absent:
        assert question.given["entity"] != "Cork" or question.columns[0] not in question.shown


def test_no_other_check_passes() -> None:
    for question in ask("claim", *ROWS):
        for other in set(CHECKS) - {question.answer}:
            assert not right("claim", question, ROWS, answer=other)


def test_the_rules_of_the_served_validator_never_prove_something_else() -> None:
    decided = 0
    for seed in range(20):
        for question in [one for split in ("train", "test") for one in ask("claim", *ROWS, split=split, seed=seed)]:
            record = KINDS["claim"].record(question, SCHEMA, [CORK])
            finding = Facts(record).check_claim(question.text)
            if finding and question.given["entity"] == "Cork":
                decided += 1
                assert finding.check == question.answer
    assert decided
