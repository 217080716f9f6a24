"""Guesses at the next tokens: copied from where the text had the last ones, and never more than guesses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.runtime.bundle import Bundle
from attar.runtime.engine import Engine, Request, SamplingSettings
from attar.runtime.engine.drafting import Drafter

TOKENS = st.integers(0, 300)
FEW = st.lists(st.integers(0, 5), max_size=60)


@pytest.fixture(scope="module", params=["bundle_folder", "optimum_bundle_folder"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(Bundle.open(request.getfixturevalue(request.param)), threads=1)


def answer(engine: Engine, request: Request, *, drafting: bool) -> list[int]:
    return engine.generate_many([replace(request, drafting=drafting)])[0]


def steps(engine: Engine, prompt: list[int], monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[int]:
    """How many tokens each call of the graph reads."""
    rows, counts = engine._scheduler._rows, []
    read, step = rows.read, rows.step

    def counted_read(row: int, ids: list[int], *, logits_from: int = -1) -> Any:
        counts.append(len(ids))
        return read(row, ids, logits_from=logits_from)

    def counted_step(tokens: list[int | None]) -> Any:
        before = len(counts)
        logits = step(tokens)
        counts[before:] = [1]  # where a graph knows no batch, a step is made of reads
        return logits

    with monkeypatch.context() as patch:
        patch.setattr(rows, "read", counted_read)
        patch.setattr(rows, "step", counted_step)
        list(engine.generate(prompt, stop_ids=(), **options))
    return counts


@settings(max_examples=40, deadline=None)
@given(
    request=st.builds(
        Request,
        prompt=st.lists(TOKENS, min_size=1, max_size=60),
        max_new_tokens=st.integers(0, 40),
        stop_ids=st.lists(TOKENS, max_size=150),
    )
)
def test_a_drafted_answer_is_the_answer(engine: Engine, request: Request) -> None:
    assert answer(engine, request, drafting=True) == answer(engine, request, drafting=False)


def test_an_answer_that_repeats_takes_fewer_steps_than_it_has_tokens(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = [1, 90, 100, 110, 2, 50, 60]
    longer = [*prompt, *engine.generate(prompt, max_new_tokens=60, stop_ids=()), *prompt]
    plain = steps(engine, longer, monkeypatch, max_new_tokens=60, drafting=False)
    drafted = steps(engine, longer, monkeypatch, max_new_tokens=60)
    assert plain == [len(longer), *[1] * 59]
    assert len(drafted) < 40


def test_drawn_tokens_are_not_guessed_at(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = steps(engine, [7] * 9, monkeypatch, max_new_tokens=9, sampling=SamplingSettings(temperature=1.0, seed=3))
    assert drawn == [9, *[1] * 8]


def test_an_answer_may_fill_the_context_with_drafts(bundle_folder: Path) -> None:
    engine = Engine(Bundle.open(bundle_folder), threads=1)
    context = engine.bundle.manifest.architecture.context_length
    request = Request([5] * (context - 9), 50, stop_ids=())
    assert len(answer(engine, request, drafting=True)) == 9
    assert answer(engine, request, drafting=True) == answer(engine, request, drafting=False)


def test_the_longest_context_and_the_earliest_place_are_copied_from() -> None:
    drafter = Drafter([9, 1, 2, 3, 4, 8, 2, 3, 5, 7, 2, 3])
    assert drafter.draft(7) == [4, 8, 2]
    drafter = Drafter([1, 2, 3, 4, 8, 2, 3, 5, 6, 7, 8, 2, 3])
    assert drafter.draft(7) == [5, 6, 7]
    assert drafter.draft(1) == [5]
    drafter.add(99)
    assert drafter.draft(7) == []


def test_guesses_grow_where_they_hold_and_shrink_where_they_do_not() -> None:
    drafter = Drafter([1, *range(2, 20), 1])
    lengths = []
    for right in (True, True, False, False, False, True):
        draft = drafter.draft(99)
        lengths.append(len(draft))
        drafter.learn(len(draft), len(draft) if right else 0)
    assert lengths == [3, 6, 7, 3, 1, 1]
    assert len(drafter.draft(99)) == 2


@given(text=FEW, later=FEW, most=st.integers(0, 9))
def test_a_guess_is_what_stood_after_the_last_token(text: list[int], later: list[int], most: int) -> None:
    drafter = Drafter(text)
    drafter.draft(most)
    for token in later:
        drafter.add(token)
    whole, draft = [*text, *later], drafter.draft(most)
    assert len(draft) <= most
    if draft:
        tail = [whole[-1], *draft]
        assert any(whole[place : place + len(tail)] == tail for place in range(len(whole) - 1))
    else:
        assert most == 0 or not whole or whole[-1] not in whole[:-1]
