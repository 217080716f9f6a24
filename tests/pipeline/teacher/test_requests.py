"""Requests that a teacher makes up."""

from __future__ import annotations

import torch

from attar.pipeline.teacher import LoadedModel
from attar.pipeline.teacher.requests import made_up_requests, request_turn


def test_each_request_is_a_text_that_comes_once(teacher: LoadedModel) -> None:
    requests = made_up_requests(teacher, 130, precision="float32", seed=0)  # more than are drawn at a time
    assert 100 < len(requests) <= 130
    assert len(set(requests)) == len(requests)
    assert all(request == request.strip() != "" for request in requests)


def test_the_seed_decides_and_other_random_numbers_stay_as_they_were(teacher: LoadedModel) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, same, other = (made_up_requests(teacher, 8, precision="float32", seed=seed) for seed in (0, 0, 1))
    assert first == same != other
    assert torch.equal(torch.rand(3), expected)


def test_the_teachers_weights_stay(teacher: LoadedModel) -> None:
    before = {name: value.clone() for name, value in teacher.model.state_dict().items()}
    made_up_requests(teacher, 4, precision="bfloat16", seed=0)
    assert all(torch.equal(value, before[name]) for name, value in teacher.model.state_dict().items())


def test_a_turn_in_two_parts_is_the_prompt_of_the_request(teacher: LoadedModel) -> None:
    before, turn = request_turn(teacher, "Where is Oslo?")
    prompt = teacher.tokenizer.encode_chat([{"role": "user", "content": "Where is Oslo?"}])
    assert before + turn == prompt
    assert teacher.tokenizer.decode(turn).startswith("Where is Oslo?")
    assert turn[: len(teacher.tokenizer.encode("Where is Oslo?"))] == teacher.tokenizer.encode("Where is Oslo?")
