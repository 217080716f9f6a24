"""The dial: a share of the teacher becomes layers and tokens, and is never exceeded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.student import Parameters, fitting
from attar.runtime.errors import UsageError

SMOLLM2 = Parameters(total=134_515_008, layers=30, layer=3_540_096, tokens=49_152, token=576)


def parameters(teacher: Parameters, layers: int, tokens: int) -> int:
    return teacher.others + layers * teacher.layer + tokens * teacher.token


def test_the_packaged_teachers_shape() -> None:
    assert SMOLLM2.others == 576  # the last norm
    layers, tokens = fitting(0.45, SMOLLM2, 5_500)
    assert layers == 16
    assert 5_500 <= tokens < 5_500 + SMOLLM2.layer / SMOLLM2.token


def test_a_share_of_one_is_the_whole_teacher() -> None:
    assert fitting(1.0, SMOLLM2, 5_500) == (30, 49_152)


@given(st.floats(0.05, 1.0), st.integers(300, 49_152))
def test_the_share_is_filled_and_not_exceeded(share: float, needed: int) -> None:
    try:
        layers, tokens = fitting(share, SMOLLM2, needed)
    except UsageError:
        assert parameters(SMOLLM2, 1, needed) > share * SMOLLM2.total - 1
        return
    assert needed <= tokens <= SMOLLM2.tokens
    found = parameters(SMOLLM2, layers, tokens)
    assert found <= share * SMOLLM2.total
    if layers < 30 and tokens < SMOLLM2.tokens:
        assert found > share * SMOLLM2.total - SMOLLM2.token - 1


def test_too_small_a_share_names_the_least_that_works() -> None:
    with pytest.raises(UsageError, match="no room for a layer") as caught:
        fitting(0.03, SMOLLM2, 5_500)
    least = float(str(caught.value.next_step).rstrip(".").rpartition(" ")[2])
    assert fitting(least, SMOLLM2, 5_500)[0] == 1
