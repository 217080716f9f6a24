"""The decode loop against torch, with and without the cache, from one thread and from many."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from attar.runtime.bundle import Bundle
from attar.runtime.engine import Engine, SamplingSettings
from attar.runtime.errors import BundleError, UsageError

PROMPT = [1, 90, 100, 110, 2, 50, 60]


@pytest.fixture(scope="module")
def engine(bundle_folder: Path) -> Engine:
    return Engine(Bundle.open(bundle_folder), threads=2)


def test_greedy_tokens_are_torchs(engine: Engine, teacher_folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(teacher_folder)
    expected = model.generate(torch.tensor([PROMPT]), max_new_tokens=24, do_sample=False, eos_token_id=-1)
    assert list(engine.generate(PROMPT, max_new_tokens=24, stop_ids=())) == expected[0, len(PROMPT) :].tolist()


def test_the_cache_changes_no_logit(engine: Engine) -> None:
    session = engine.session
    whole, _ = session.forward(PROMPT, session.empty_cache())
    _, cache = session.forward(PROMPT[:3], session.empty_cache())
    rest, cache = session.forward(PROMPT[3:], cache)
    assert cache.length == len(PROMPT)
    assert np.abs(whole[3:] - rest).max() < 1e-4


def test_generation_ends_before_a_stop_token(engine: Engine) -> None:
    free = list(engine.generate(PROMPT, max_new_tokens=8, stop_ids=()))
    stopped = list(engine.generate(PROMPT, max_new_tokens=8, stop_ids=(free[3],)))
    assert stopped == free[: free.index(free[3])]


def test_the_same_seed_gives_the_same_tokens_and_another_seed_others(engine: Engine) -> None:
    def sample(seed: int) -> list[int]:
        settings = SamplingSettings(temperature=2.0, seed=seed)
        return list(engine.generate(PROMPT, max_new_tokens=16, sampling=settings, stop_ids=()))

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)


def test_many_threads_get_what_one_gets(engine: Engine) -> None:
    prompts = [[1, *range(70 + n, 80 + n), 2] for n in range(12)]
    alone = [list(engine.generate(prompt, max_new_tokens=8)) for prompt in prompts]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda prompt: list(engine.generate(prompt, max_new_tokens=8)), prompts))
    assert together == alone


def test_the_context_is_a_limit_that_is_kept(engine: Engine) -> None:
    context = engine.bundle.manifest.architecture.context_length
    assert len(list(engine.generate([5] * (context - 3), max_new_tokens=50, stop_ids=()))) == 3
    for prompt in ([], [5] * context):
        with pytest.raises(UsageError, match="can't be answered"):
            engine.generate(prompt)


def test_a_graph_of_another_shape_is_refused(bundle_folder: Path) -> None:
    from dataclasses import replace

    bundle = Bundle.open(bundle_folder)
    wrong = replace(bundle.manifest, architecture=replace(bundle.manifest.architecture, layers=3))
    with pytest.raises(BundleError, match="not the decoder"):
        Engine(replace(bundle, manifest=wrong), threads=1)
