"""Greedy answers of many packed questions are those of ``transformers`` one by one, whatever the references say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import Sample
from attar.pipeline.evaluation import greedy_answers
from attar.pipeline.evaluation.branches import Branch, BranchReader
from attar.pipeline.teacher import LoadedModel, load_model
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama

LIMIT = 12


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    table = tmp_path_factory.mktemp("tables") / "cities.csv"
    table.write_text(CITIES, encoding="utf-8")
    loader = StructuredDataLoader()
    loader.load_from_csv(table, label="city")
    return loader.prepare_distillation_dataset()


@pytest.fixture(scope="module", params=["llama", "gpt2", "one that ends"])
def loaded(
    request: pytest.FixtureRequest, samples: list[Sample], tmp_path_factory: pytest.TempPathFactory
) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models") / "model"
    if request.param == "gpt2":
        return load_model(str(tiny_gpt2(folder, CITIES)))
    loaded = load_model(str(tiny_llama(folder, CITIES, tied=request.param == "llama")))
    if request.param == "one that ends":  # by chance it never would: let it end where it would say a certain token
        said = Counter(token for sample in samples for token in generate(loaded, sample)[2:])
        head = loaded.model.get_output_embeddings().weight.data
        head[loaded.tokenizer.end_id] = 1.1 * head[said.most_common(1)[0][0]]
    return loaded


@pytest.fixture(scope="module")
def plain(loaded: LoadedModel, samples: list[Sample]) -> list[str]:
    return [loaded.tokenizer.decode(generate(loaded, sample)) for sample in samples]


def generate(loaded: LoadedModel, sample: Sample) -> list[int]:
    end = loaded.tokenizer.end_id
    prompt = torch.tensor([loaded.tokenizer.encode_chat(sample.messages)])
    ids = loaded.model.eval().generate(prompt, max_new_tokens=LIMIT, do_sample=False, eos_token_id=end)
    return [token for token in ids[0, prompt.shape[1] :].tolist() if token != end]


def with_references(samples: Sequence[Sample], references: Sequence[str]) -> list[Sample]:
    return [replace(sample, answer=text) for sample, text in zip(samples, references, strict=True)]


def test_packed_answers_are_those_of_generate(loaded: LoadedModel, samples: list[Sample], plain: list[str]) -> None:
    assert len(set(plain)) > 3
    assert greedy_answers(loaded, samples, max_new_tokens=LIMIT) == plain


def test_no_reference_changes_an_answer(loaded: LoadedModel, samples: list[Sample], plain: list[str]) -> None:
    """References that hold, break off, go on too long, turn wrong, or never were right."""
    changes = st.tuples(st.integers(0, 40), st.sampled_from(["", "", " of", "é", "Denmark 7"]))

    @settings(max_examples=12, deadline=None)
    @given(st.lists(changes, min_size=len(samples), max_size=len(samples)), st.sampled_from([1, 3, LIMIT]))
    def check(changes: list[tuple[int, str]], limit: int) -> None:
        references = [answer[:cut] + tail for answer, (cut, tail) in zip(plain, changes, strict=True)]
        nothing = with_references(samples, [""] * len(samples))
        expected = plain if limit == LIMIT else greedy_answers(loaded, nothing, max_new_tokens=limit)
        assert greedy_answers(loaded, with_references(samples, references), max_new_tokens=limit) == expected

    check()


def test_right_references_cost_one_pass(
    loaded: LoadedModel, samples: list[Sample], plain: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []
    read = BranchReader.read

    def counted(self: BranchReader, runs: Sequence[tuple[Branch, Sequence[int]]]) -> list[list[int]]:
        passes.append(len(runs))
        return read(self, runs)

    monkeypatch.setattr(BranchReader, "read", counted)
    # Random tokens may spell a text whose own tokens are others; such a reference breaks off early.
    right = [
        sample
        for sample in with_references(samples, plain)
        if loaded.tokenizer.encode(sample.answer) == generate(loaded, sample)
    ]
    assert len(right) >= 3
    answers = greedy_answers(loaded, right, max_new_tokens=LIMIT)
    assert answers == [sample.answer for sample in right]
    assert len(passes) <= 1
