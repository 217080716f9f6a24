"""Greedy answers of many packed questions are those of ``transformers`` one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from attar.pipeline import StructuredDataLoader
from attar.pipeline.evaluation import greedy_answers
from attar.pipeline.teacher import load_model
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_packed_answers_are_those_of_generate(family: str, teacher_folder: Path, tmp_path: Path, cities: Path) -> None:
    loaded = load_model(str(teacher_folder if family == "llama" else tiny_gpt2(tmp_path / "m", CITIES)))
    model = loaded.model.eval()
    loader = StructuredDataLoader()
    loader.load_from_csv(cities, label="city")
    samples = loader.prepare_distillation_dataset()
    answers = greedy_answers(loaded, samples, max_new_tokens=12)
    assert len(set(answers)) > 3
    for sample, answer in zip(samples, answers, strict=True):
        prompt = torch.tensor([loaded.tokenizer.encode_chat(sample.messages)])
        ids = model.generate(prompt, max_new_tokens=12, do_sample=False, eos_token_id=loaded.tokenizer.end_id)
        expected = [token for token in ids[0, prompt.shape[1] :].tolist() if token != loaded.tokenizer.end_id]
        assert answer == loaded.tokenizer.decode(expected)
