"""The cut: which layers, and that nothing is shared with the teacher."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.student import cut, even_layers, layers_of, lowest_layers, ranked_layers
from attar.pipeline.teacher import load_model
from attar.runtime.errors import UsageError
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2


def test_distilgpt2s_layers() -> None:
    assert even_layers(12, 6) == [0, 2, 4, 7, 9, 11]
    assert even_layers(30, 15) == [0, 2, 4, 6, 8, 10, 12, 15, 17, 19, 21, 23, 25, 27, 29]


@given(st.integers(2, 80), st.data())
def test_first_and_last_are_kept_and_gaps_are_even(total: int, data: st.DataObject) -> None:
    keep = data.draw(st.integers(2, total))
    layers = even_layers(total, keep)
    assert (layers[0], layers[-1], len(set(layers))) == (0, total - 1, keep)
    gaps = [after - before for before, after in pairwise(layers)]
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("keep", [0, 5])
def test_more_layers_than_there_are_is_a_usage_error(keep: int) -> None:
    with pytest.raises(UsageError, match="can't be cut"):
        even_layers(4, keep)


def test_the_lowest_layers_come_with_the_last() -> None:
    assert lowest_layers(12, 4) == [0, 1, 2, 11]
    assert lowest_layers(12, 1) == [0]
    assert lowest_layers(3, 3) == [0, 1, 2]


def test_layers_of_which_none_goes_are_ranked_by_what_each_is_missed() -> None:
    missed = [0.5, 0.1, 3.0, 0.1, 0.9]
    assert ranked_layers(5, 5, lambda gone: sum(missed[layer] for layer in gone)) == [2, 4, 0, 1, 3]
    assert ranked_layers(0, 0, lambda gone: 0.0) == []


def test_of_two_layers_that_do_the_same_work_one_stays() -> None:
    """Each of the first two is missed less than the third, and both together more."""

    def loss_without(gone: Sequence[int]) -> float:
        return [0.0, 0.1, 5.0][len({0, 1} & set(gone))] + 0.2 * (2 in gone) + 9.0 * (3 in gone)

    assert ranked_layers(4, 2, loss_without) == [3, 0, 2, 1]


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=12, unique=True), st.data())
def test_what_goes_is_missed_least_each_time_and_no_more_is_asked_than_all(
    weights: list[int], data: st.DataObject
) -> None:
    """Layers work in groups, of which each next one that goes is missed more: then asking again lazily misses none."""
    total = len(weights)
    keep = data.draw(st.integers(1, total))
    group = data.draw(st.lists(st.integers(0, 2), min_size=total, max_size=total))
    asked: list[int] = []

    def loss(gone: Sequence[int]) -> float:
        return float(sum(sum(weights[layer] for layer in gone if group[layer] == name) ** 2 for name in range(3)))

    def loss_without(gone: Sequence[int]) -> float:
        asked.append(len(gone))
        return loss(gone)

    ranking = ranked_layers(total, keep, loss_without)
    assert sorted(ranking) == list(range(total))
    gone = list(reversed(ranking[keep:]))
    for number, layer in enumerate(gone):
        others = [loss([*gone[:number], other]) for other in range(total) if other not in gone[:number]]
        assert loss([*gone[:number], layer]) == min(others)
    assert asked[:total] == [1] * total
    assert len(asked) <= sum(range(keep + 1, total + 1)) + total * (keep == total)


@pytest.mark.parametrize("layers", [[], [1, 0], [0, 0], [0, 4], [-1, 2]])
def test_layers_that_are_not_there_or_not_in_order_are_refused(layers: list[int], teacher_folder: Path) -> None:
    with pytest.raises(UsageError, match="can't be cut of the layers"):
        cut(load_model(str(teacher_folder)).model, layers)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_cut_of_all_layers_is_the_teacher_and_shares_nothing(
    family: str, teacher_folder: Path, tmp_path: Path
) -> None:
    folder = teacher_folder if family == "llama" else tiny_gpt2(tmp_path, CITIES, layers=4)
    teacher = load_model(str(folder)).model.eval()
    ids = torch.tensor([[1, 90, 91, 92]])
    copy = cut(teacher, [0, 1, 2, 3])
    assert torch.equal(copy(ids).logits, teacher(ids).logits)
    half = cut(teacher, [0, 3])
    assert half.config.num_hidden_layers == len(layers_of(half)[1]) == 2
    assert teacher.config.num_hidden_layers == len(layers_of(teacher)[1]) == 4
    cached = half(ids[:, :3], use_cache=True)
    last = half(ids[:, 3:], past_key_values=cached.past_key_values).logits[0, -1]
    assert (last - half(ids).logits[0, -1]).abs().max() < 1e-5
    before = teacher(ids).logits.clone()
    with torch.no_grad():
        for parameter in half.parameters():
            parameter.zero_()
    assert torch.equal(teacher(ids).logits, before)
