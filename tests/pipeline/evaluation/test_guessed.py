"""A guess saves passes and changes nothing, whatever the model says and whatever was guessed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.evaluation.guessed import GuessedAnswer

END = 9
tokens = st.lists(st.integers(0, END), max_size=12)


def says(seed: int, read: list[int]) -> int:
    """A model: what comes after some tokens."""
    return hash((seed, *read)) % (END + 1)


def decode(seed: int, guess: list[int], limit: int) -> tuple[list[int], int]:
    answer, passes, read = GuessedAnswer(guess, (END,), limit), 0, list[int]()
    answer.take(says(seed, read))
    while not answer.done:
        run = answer.next_run()
        predicted = [says(seed, read + run[: place + 1]) for place in range(len(run))]
        read += run[: answer.follow(run, predicted)]
        passes += 1
        assert answer.done or read == answer.ids[:-1]
    return answer.ids, passes


@given(st.integers(0, 1000), tokens, st.integers(0, 12), st.integers(0, 12))
def test_the_answer_is_that_of_no_guess(seed: int, tail: list[int], held: int, limit: int) -> None:
    plain, _ = decode(seed, [], limit)
    guess = plain[:held] + tail
    assert decode(seed, guess, limit)[0] == plain


@given(st.integers(0, 1000), st.integers(1, 12))
def test_a_right_guess_takes_one_pass(seed: int, limit: int) -> None:
    plain, passes = decode(seed, [], limit)
    assert decode(seed, plain, limit) == (plain, min(passes, 1))


@given(st.integers(0, 1000), st.integers(0, 12))
def test_no_answer_is_longer_than_its_limit_or_holds_an_end(seed: int, limit: int) -> None:
    ids, _ = decode(seed, [1, 2, 3], limit)
    assert len(ids) <= limit
    assert END not in ids
