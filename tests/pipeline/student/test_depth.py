"""The cut: which layers, and that nothing is shared with the teacher."""

from __future__ import annotations

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


def test_the_most_important_layer_comes_first_and_of_equal_ones_the_lower() -> None:
    assert ranked_layers([0.5, 0.1, 3.0, 0.1, 0.9]) == [2, 4, 0, 1, 3]
    assert ranked_layers([]) == []


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
