"""The fast graph's cache: its room, its reuse, and its memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attar.runtime.bundle import Bundle
from attar.runtime.engine import Engine
from attar.runtime.engine.fast import FastDecoder
from attar.runtime.errors import UsageError


@pytest.fixture
def decoder(bundle_folder: Path) -> FastDecoder:
    session = Engine(Bundle.open(bundle_folder), threads=1).session
    assert isinstance(session, FastDecoder)
    return session


def test_a_cache_takes_what_it_has_room_for_and_no_more(decoder: FastDecoder) -> None:
    cache = decoder.empty_cache(1000)
    assert cache.slab.capacity == 512  # the model's context
    _, cache = decoder.forward([5] * 510, cache)
    _, cache = decoder.forward([6, 7], cache)
    for ids in ([8], []):
        with pytest.raises(UsageError, match="do not fit"):
            decoder.forward(ids, cache)
    assert cache.length == 512


def test_a_released_buffer_serves_again_and_shows_nothing_of_before(decoder: FastDecoder) -> None:
    fresh = decoder.forward([1, 2, 3], decoder.empty_cache())[0].copy()
    _, used = decoder.forward([50] * 60, decoder.empty_cache(64))
    decoder.release(used)
    again = decoder.empty_cache(40)
    assert again.slab is used.slab
    assert again.length == 0
    assert np.array_equal(decoder.forward([1, 2, 3], again)[0], fresh)
    assert decoder.empty_cache(40).slab is not used.slab


def test_few_released_buffers_are_kept(decoder: FastDecoder) -> None:
    caches = [decoder.empty_cache(16) for _ in range(5)]
    for cache in caches:
        decoder.release(cache)
    again = [decoder.empty_cache(16) for _ in range(5)]
    assert sum(any(cache.slab is old.slab for old in caches) for cache in again) == 2


@pytest.mark.parametrize(
    ("count", "logits_from"), [(256, -1), (257, -1), (500, -1), (500, 0), (500, 250), (500, 249), (512, -300)]
)
def test_a_long_prompt_gives_the_logits_of_one_that_is_read_bit_by_bit(
    count: int, logits_from: int, decoder: FastDecoder
) -> None:
    ids = [(7 * place) % 90 + 3 for place in range(count)]
    found, end = decoder.forward(ids, decoder.empty_cache(), logits_from=logits_from)
    assert end.length == count
    parts, cache = [], decoder.empty_cache()
    for start in range(0, count, 50):
        logits, cache = decoder.forward(ids[start : start + 50], cache, logits_from=0)
        parts.append(logits.copy())
    assert np.allclose(found, np.concatenate(parts)[logits_from:], atol=1e-4)
