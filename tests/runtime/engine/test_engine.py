"""The decode loop against torch, with and without the cache, from one thread and from many."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from attar.runtime.bundle import Bundle
from attar.runtime.engine import Engine, SamplingSettings
from attar.runtime.errors import BundleError, UsageError

PROMPT = [1, 90, 100, 110, 2, 50, 60]


@pytest.fixture(scope="module", params=["bundle_folder", "optimum_bundle_folder"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(Bundle.open(request.getfixturevalue(request.param)), threads=2)


def test_greedy_tokens_are_torchs(engine: Engine, teacher_folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(teacher_folder)
    expected = model.generate(torch.tensor([PROMPT]), max_new_tokens=24, do_sample=False, eos_token_id=-1)
    assert list(engine.generate(PROMPT, max_new_tokens=24, stop_ids=())) == expected[0, len(PROMPT) :].tolist()


def test_the_cache_changes_no_logit(engine: Engine) -> None:
    session = engine.session
    whole, _ = session.forward(PROMPT, session.empty_cache(), logits_from=0)
    _, cache = session.forward(PROMPT[:3], session.empty_cache())
    rest, cache = session.forward(PROMPT[3:], cache, logits_from=0)
    assert cache.length == len(PROMPT)
    assert rest.shape == (4, whole.shape[1])
    assert np.abs(whole[3:] - rest).max() < 1e-4


def test_only_the_logits_that_are_wanted_are_made(engine: Engine) -> None:
    session = engine.session
    whole = session.forward(PROMPT, session.empty_cache(), logits_from=0)[0]
    for start in (-1, -3, 4):
        found, _ = session.forward(PROMPT, session.empty_cache(), logits_from=start)
        assert found.shape == whole[start:].shape
        assert np.abs(found - whole[start:]).max() < 1e-4


def test_what_was_read_after_a_place_can_be_read_anew(engine: Engine) -> None:
    session = engine.session
    _, start = session.forward(PROMPT[:4], session.empty_cache())
    session.forward([300, 301, 302, 303, 304], start)
    found = session.forward(PROMPT[4:], start)[0].copy()
    assert np.abs(found - session.forward(PROMPT, session.empty_cache())[0]).max() < 1e-4


def test_a_generation_that_is_given_up_changes_no_other(engine: Engine) -> None:
    expected = list(engine.generate(PROMPT, max_new_tokens=12, stop_ids=()))
    first, second = (engine.generate(PROMPT, max_new_tokens=12, stop_ids=()) for _ in range(2))
    taken = [next(first) for _ in range(5)]
    other = engine.generate([9] * 40, max_new_tokens=12, stop_ids=())
    next(other)
    other.close()  # type: ignore[attr-defined]
    assert [*taken, *first] == expected == list(second)


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


def test_a_graph_of_another_shape_is_refused(engine: Engine) -> None:
    bundle = engine.bundle
    wrong = replace(bundle.manifest, architecture=replace(bundle.manifest.architecture, layers=3))
    with pytest.raises(BundleError, match="not the decoder"):
        Engine(replace(bundle, manifest=wrong), threads=1)


@pytest.mark.parametrize(("contract", "message"), [("optimum", "not the decoder"), ("slow", "does not know: 'slow'")])
def test_a_graph_of_another_contract_is_refused(bundle_folder: Path, contract: str, message: str) -> None:
    bundle = Bundle.open(bundle_folder)
    with pytest.raises(BundleError, match=message):
        Engine(replace(bundle, manifest=replace(bundle.manifest, graph=contract)), threads=1)


def test_the_graphs_of_both_contracts_say_the_same(bundle_folder: Path, optimum_bundle_folder: Path) -> None:
    fast, optimum = (Engine(Bundle.open(folder), threads=1) for folder in (bundle_folder, optimum_bundle_folder))
    for prompt in ([7], PROMPT, [1, *range(40, 140)]):
        expected = list(optimum.generate(prompt, max_new_tokens=32, stop_ids=()))
        assert list(fast.generate(prompt, max_new_tokens=32, stop_ids=())) == expected
