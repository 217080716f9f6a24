"""Answers decoded together: each is what it is alone, whenever the others come and go."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.runtime.bundle import Bundle
from attar.runtime.engine import Engine, Request, SamplingSettings
from attar.runtime.errors import ArtifactError, UsageError

PROMPTS = [[1, *range(70 + n, 74 + 3 * n), 2] for n in range(12)]
REQUESTS = st.lists(
    st.builds(
        Request,
        prompt=st.lists(st.integers(0, 300), min_size=1, max_size=60),
        max_new_tokens=st.integers(0, 20),
        sampling=st.builds(SamplingSettings, temperature=st.sampled_from([0.0, 2.0]), seed=st.integers(0, 9)),
        stop_ids=st.lists(st.integers(0, 300), max_size=150),
    ),
    max_size=9,
)


@pytest.fixture(scope="module", params=["bundle_folder", "optimum_bundle_folder"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return Bundle.open(request.getfixturevalue(request.param))


def alone(engine: Engine, request: Request) -> list[int]:
    return list(
        engine.generate(
            request.prompt,
            max_new_tokens=request.max_new_tokens,
            sampling=request.sampling,
            stop_ids=request.stop_ids,
        )
    )


@pytest.fixture(scope="module")
def engines(bundle_folder: Path) -> list[Engine]:
    return [Engine(Bundle.open(bundle_folder), threads=1, concurrency=most) for most in (1, 2, 5)]


@settings(max_examples=40, deadline=None)
@given(requests=REQUESTS, number=st.integers(0, 2))
def test_answers_made_together_are_those_made_alone(engines: list[Engine], requests: Any, number: int) -> None:
    engine = engines[number]
    assert engine.generate_many(requests) == [alone(engine, request) for request in requests]


def test_both_contracts_serve_many_at_once(bundle: Bundle) -> None:
    engine = Engine(bundle, threads=1, concurrency=3)
    requests = [Request(prompt, max_new_tokens=4 + n, stop_ids=()) for n, prompt in enumerate(PROMPTS)]
    assert engine.generate_many(requests) == [alone(engine, request) for request in requests]


def test_memory_grows_over_many_blocks_and_changes_nothing(bundle_folder: Path) -> None:
    engine = Engine(Bundle.open(bundle_folder), threads=1)
    requests = [Request([5 + n] * (250 - 40 * n), max_new_tokens=200, stop_ids=()) for n in range(5)]
    expected = [alone(Engine(engine.bundle, threads=1), request) for request in requests]
    assert engine.generate_many(requests) == expected


def test_a_long_prompt_is_read_in_pieces_while_others_decode(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attar.runtime.engine.scheduler._CHUNK", 16)
    engine = Engine(Bundle.open(bundle_folder), threads=1)
    short, long = Request([9, 8], 30, stop_ids=()), Request([*range(40, 200)], 10, stop_ids=())
    expected = [alone(engine, request) for request in (short, long)]
    first, second = (
        engine.generate(each.prompt, max_new_tokens=each.max_new_tokens, stop_ids=()) for each in (short, long)
    )
    taken = [next(first)]
    begun = threading.Thread(target=lambda: taken.extend(first))
    found = [next(second)]
    begun.start()
    found += second
    begun.join()
    assert [taken, found] == expected


@pytest.mark.parametrize("concurrency", [1, 4])
def test_answers_given_up_on_the_way_leave_the_others_as_they_are(bundle_folder: Path, concurrency: int) -> None:
    engine = Engine(Bundle.open(bundle_folder), threads=1, concurrency=concurrency)
    requests = [Request(prompt, max_new_tokens=16, stop_ids=()) for prompt in PROMPTS]
    expected = [alone(engine, request) for request in requests]

    def ask(number: int) -> list[int]:
        answer = engine.generate(PROMPTS[number], max_new_tokens=16, stop_ids=())
        if number % 3:
            return list(answer)
        taken = [next(answer) for _ in range(number)] if number else []
        answer.close()  # type: ignore[attr-defined]
        return taken

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, range(len(PROMPTS))))
    for number, (answer, whole) in enumerate(zip(found, expected, strict=True)):
        assert answer == (whole if number % 3 else whole[:number])


def test_as_many_as_are_allowed_share_a_step_and_no_more(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(Bundle.open(bundle_folder), threads=1, concurrency=3)
    rows, together = engine._scheduler._rows, []
    step = rows.step

    def counted(tokens: Sequence[int | None]) -> Any:
        together.append(len(tokens))
        return step(tokens)

    monkeypatch.setattr(rows, "step", counted)
    engine.generate_many([Request(prompt, max_new_tokens=5, stop_ids=()) for prompt in PROMPTS])
    assert max(together) == 3
    assert len(together) <= 6 * len(PROMPTS) / 3
    assert len(rows) == 0


def test_a_graph_that_fails_ends_what_it_was_at_and_not_what_comes_after(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(Bundle.open(bundle_folder), threads=1)
    request = Request(PROMPTS[3], max_new_tokens=6, stop_ids=())
    expected = alone(engine, request)
    with monkeypatch.context() as patch:
        patch.setattr(engine._scheduler._rows, "step", fails)
        with pytest.raises(ArtifactError, match="could not be finished") as caught:
            engine.generate_many([request, request])
        assert "no memory left" in (caught.value.why or "")
    assert engine.generate_many([request]) == [expected]


def fails(tokens: Sequence[int | None]) -> np.ndarray:
    raise RuntimeError("no memory left")


def test_an_interrupt_is_the_interrupted_threads_own(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(Bundle.open(bundle_folder), threads=1)
    request = Request(PROMPTS[3], max_new_tokens=6, stop_ids=())
    expected = alone(engine, request)

    def interrupted(tokens: Sequence[int | None]) -> np.ndarray:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine._scheduler._rows, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            alone(engine, request)
    assert alone(engine, request) == expected


def test_one_prompt_that_is_wrong_stops_all_before_they_begin(bundle_folder: Path) -> None:
    engine = Engine(Bundle.open(bundle_folder), threads=1)
    with pytest.raises(UsageError, match="can't be answered"):
        engine.generate_many([Request(PROMPTS[0]), Request([])])
    assert not engine._scheduler._waiting


def test_streams_of_one_batch_may_be_closed_or_left_and_the_others_go_on(bundle_folder: Path) -> None:
    engine = Engine(Bundle.open(bundle_folder), threads=1)
    limits = (16, 16, 16, 8)
    requests = [Request(prompt, limit, stop_ids=()) for prompt, limit in zip(PROMPTS, limits, strict=False)]
    expected = [alone(engine, request) for request in requests]
    with engine.streams(requests) as (first, second, third, fourth):
        assert [next(first), next(second)] == [expected[0][0], expected[1][0]]
        second.close()
        assert [next(third), next(third)] == expected[2][:2]
        assert list(fourth) == expected[3]
        assert len(engine._scheduler._rows) == 2
    assert len(engine._scheduler._rows) == 0
    assert list(second) == []
    assert alone(engine, requests[0]) == expected[0]
