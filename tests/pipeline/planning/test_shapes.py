"""Sizes of models, without their weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from attar.pipeline.planning.shapes import shape_of
from attar.pipeline.student import cut, even_layers, trim_model
from attar.pipeline.teacher import load_model
from attar.runtime.errors import ModelError, Refused
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama


def test_the_parameters_are_those_of_the_loaded_model_and_of_its_cut(teacher_folder: Path) -> None:
    loaded, shape = load_model(str(teacher_folder)), shape_of(str(teacher_folder))
    assert (shape.parameters, shape.layers) == (loaded.parameters, 4)
    student = cut(loaded.model, even_layers(4, 2))
    assert shape.cut(2).parameters == sum(parameter.numel() for parameter in student.parameters())


@pytest.mark.parametrize("tied", [True, False])
def test_the_parameters_of_a_trimmed_model_are_right(tied: bool, tmp_path: Path) -> None:
    folder = str(tiny_llama(tmp_path / "model", CITIES, tied=tied))
    student = load_model(folder)
    trim_model(student.model, list(range(300)))
    assert shape_of(folder).trimmed(300).parameters == student.parameters
    assert shape_of(folder).trimmed(10**6) == shape_of(folder)


def test_another_family_is_read_too_and_no_weight_is(tmp_path: Path) -> None:
    folder = tiny_gpt2(tmp_path / "gpt2", CITIES)
    expected = load_model(str(folder)).parameters
    (folder / "model.safetensors").write_bytes(b"no weights")
    assert shape_of(str(folder)).parameters == expected
    assert shape_of(str(folder)).layers == 2


def test_a_model_that_is_not_there_or_pickled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        shape_of(str(tmp_path / "gone"))
    with pytest.raises(ModelError, match="config can't be read"):
        shape_of("no-such-organization/no-such-model")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(Refused):
        shape_of(str(tmp_path))
