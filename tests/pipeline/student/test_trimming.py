"""A model with fewer rows: the same numbers for the tokens that are left."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from attar.pipeline.student import cut, kept_tokens, trim_model, trim_tokenizer
from attar.pipeline.student.trimming import named_tokens, parameters_of
from attar.pipeline.teacher import LoadedModel, load_model, save_model
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama

KINDS = ["tied llama", "untied llama", "gpt2"]


@pytest.fixture(params=KINDS)
def teacher(request: pytest.FixtureRequest, tmp_path: Path) -> LoadedModel:
    if request.param == "gpt2":
        folder = tiny_gpt2(tmp_path / "model", CITIES)
    else:
        folder = tiny_llama(tmp_path / "model", CITIES, tied=request.param == "tied llama")
    return load_model(str(folder))


def trimmed(teacher: LoadedModel) -> tuple[LoadedModel, list[int]]:
    used = Counter(teacher.tokenizer.encode("Bergen,Norway"))
    kept = kept_tokens(teacher.tokenizer, used, needed=named_tokens(teacher.model))
    student = cut(teacher.model, range(teacher.model.config.num_hidden_layers))
    trim_model(student, kept)
    return LoadedModel(student, trim_tokenizer(teacher.tokenizer, kept), "student"), kept


def test_the_logits_of_kept_tokens_are_the_teachers(teacher: LoadedModel) -> None:
    student, kept = trimmed(teacher)
    assert len(kept) < teacher.tokenizer.vocabulary_size
    ids = student.tokenizer.encode("Bergen,Norway and Évora")
    ours = student.model.eval()(torch.tensor([ids])).logits
    theirs = teacher.model.eval()(torch.tensor([[kept[token] for token in ids]])).logits
    assert torch.allclose(ours, theirs[..., kept], atol=1e-5)


def test_parameters_fall_by_the_dropped_rows_and_ties_stay(teacher: LoadedModel) -> None:
    student, kept = trimmed(teacher)
    place = parameters_of(teacher.model)
    assert student.parameters == teacher.parameters - (place.tokens - len(kept)) * place.token
    tied = teacher.model.get_output_embeddings().weight is teacher.model.get_input_embeddings().weight
    assert (student.model.get_output_embeddings().weight is student.model.get_input_embeddings().weight) == tied


def test_the_configs_name_the_new_ids_and_the_saved_model_is_the_same(teacher: LoadedModel, tmp_path: Path) -> None:
    student, kept = trimmed(teacher)
    assert student.model.config.vocab_size == len(kept)
    assert student.model.config.eos_token_id == student.tokenizer.end_id
    assert student.model.generation_config is not None
    assert student.model.generation_config.eos_token_id == student.tokenizer.end_id
    save_model(student, tmp_path / "student")
    again = load_model(str(tmp_path / "student"))
    ids = again.tokenizer.encode("Cork,Ireland")
    assert ids == student.tokenizer.encode("Cork,Ireland")
    logits = again.model.eval()(torch.tensor([ids])).logits
    assert torch.equal(logits, student.model.eval()(torch.tensor([ids])).logits)
