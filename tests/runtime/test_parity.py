"""What is measured of a graph: by a small recurrent model in numpy, which is driven as a graph is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attar.runtime.parity import greedy, measure, read_answers
from attar.runtime.references import Answer, Exchange, References, log_normalizers

VOCABULARY = 40


@dataclass(frozen=True)
class State:
    """What was read, as a vector; ``length`` tokens of it."""

    vector: NDArray[np.float64]
    length: int


class Recurrent:
    """Its logits depend on every token read and on their order."""

    def __init__(self, noise: float = 0.0) -> None:
        rng = np.random.default_rng(0)
        self._read, self._mix = rng.normal(size=(VOCABULARY, 8)), rng.normal(size=(8, 8)) / 3
        self._said = rng.normal(size=(8, VOCABULARY)) * 2 + noise * np.random.default_rng(1).normal(
            size=(8, VOCABULARY)
        )
        self.tokens = 0

    def empty_cache(self, capacity: int | None = None) -> State:
        return State(np.zeros(8), 0)

    def forward(self, ids: Sequence[int], cache: State, *, logits_from: int = -1) -> tuple[NDArray[np.float32], State]:
        assert len(ids) > 0
        self.tokens += len(ids)
        vector, states = cache.vector, []
        for token in ids:
            vector = np.tanh(self._mix @ vector + self._read[token])
            states.append(vector)
        logits = (np.array(states) @ self._said).astype(np.float32)
        return logits[logits_from:], State(vector, cache.length + len(ids))

    def release(self, cache: State) -> None:
        pass


IDS = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=6)
EXCHANGES = st.lists(st.tuples(IDS, IDS), min_size=1, max_size=12).map(
    lambda pairs: [Exchange(prompt, ids) for prompt, ids in pairs]
)


def references(exchanges: Sequence[Exchange], model: Recurrent, *, expected: bool = True) -> References:
    answers = [Answer(one.prompt, one.ids, logits) for one, logits in read_answers(model, exchanges)]
    continuations = [Exchange(one.prompt, greedy(model, one.prompt, 5)) for one in exchanges]
    return References(answers, continuations, expected)


def drawn(count: int = 200) -> list[Exchange]:
    rng = np.random.default_rng(2)
    return [
        Exchange(rng.integers(0, VOCABULARY, 9).tolist(), rng.integers(0, VOCABULARY, 1 + place % 4).tolist())
        for place in range(count)
    ]


@given(EXCHANGES)
def test_what_prompts_share_is_read_once_and_changes_nothing(exchanges: list[Exchange]) -> None:
    model = Recurrent()
    for shared in (True, False):
        found = list(read_answers(model, exchanges, shared=shared))
        assert sorted(id(one) for one, _ in found) == sorted(map(id, exchanges))
        for one, logits in found:
            whole, _ = model.forward([*one.prompt, *one.ids[:-1]], model.empty_cache(), logits_from=len(one.prompt) - 1)
            np.testing.assert_allclose(logits, whole, atol=1e-6)


def test_a_record_that_many_ask_about_is_read_once() -> None:
    record, model = list(range(30)), Recurrent()
    exchanges = [Exchange([*record, 5 + place, 39], [1, 2]) for place in range(8)]
    list(read_answers(model, exchanges))
    assert model.tokens == 30 + 8 * 3


def test_a_model_agrees_with_itself() -> None:
    found = measure(Recurrent(), references(drawn(), Recurrent()))
    assert found.largest_logit_difference < 1e-6
    assert (found.agreement, found.agreement_high, found.greedy_equal) == (1, 1, 1)
    assert found.score == found.reference_score
    assert found.score_loss_low == 0
    assert found.tokens == 500
    assert 0.98 < found.agreement_low < 1


def test_figures_are_those_of_plain_arithmetic() -> None:
    known, other = references(drawn(), Recurrent()), Recurrent(noise=0.3)
    found = measure(other, known)
    pairs = [(answer, logits) for answer, logits in read_answers(other, known.answers)]
    wanted, got = np.concatenate([a.logits for a, _ in pairs]), np.concatenate([logits for _, logits in pairs])
    far = np.abs(wanted - got).max(-1)
    p = np.exp(wanted - log_normalizers(wanted)[:, None])
    q = np.exp(got - log_normalizers(got)[:, None])
    assert found.largest_logit_difference == pytest.approx(far.max())
    assert found.p99_logit_difference == pytest.approx(np.percentile(far, 99))
    assert found.divergence == pytest.approx((p * np.log(p / q)).sum(-1).mean(), rel=1e-4)
    assert found.agreement == pytest.approx((wanted.argmax(-1) == got.argmax(-1)).mean())
    assert found.agreement_low < found.agreement < found.agreement_high < 1


def test_right_answers_are_those_that_greedy_decoding_gives() -> None:
    model, other = Recurrent(), Recurrent(noise=0.5)
    exchanges = [Exchange(one.prompt, greedy(model, one.prompt, 1 + place % 4)) for place, one in enumerate(drawn())]
    found = measure(other, references(exchanges, model))
    same = [greedy(other, one.prompt, len(one.ids)) == one.ids for one in exchanges]
    assert found.reference_score == 1
    assert found.score == pytest.approx(np.mean(same))
    assert 0 < (found.score_loss_low or 0) < 1 - found.score
    assert measure(other, replace(references(exchanges, model), expected=False)).score is None


def test_the_kept_logits_tell_nearly_the_same() -> None:
    known, other = references(drawn(), Recurrent()), Recurrent(noise=0.3)
    kept = replace(known, answers=[answer.kept() for answer in known.answers])
    full, less = measure(other, known), measure(other, kept)
    assert (less.agreement, less.score, less.tokens) == (full.agreement, full.score, full.tokens)
    assert 0.9 * full.divergence < less.divergence <= full.divergence
    assert less.largest_logit_difference <= full.largest_logit_difference


def test_a_part_is_spread_evenly() -> None:
    known = references(drawn(), Recurrent())
    part = known.part(100)
    assert 60 <= part.tokens <= 140
    assert {answer.prompt[0] for answer in part.answers} <= {answer.prompt[0] for answer in known.answers}
    assert known.part(10_000).tokens == known.tokens
