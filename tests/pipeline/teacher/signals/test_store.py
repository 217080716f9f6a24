"""The store gives back what was put in, and refuses what it can't vouch for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline.teacher.signals import SignalStore
from attar.runtime.errors import Refused, SignalError
from attar.runtime.files import locked

OF = {"teacher": "abc", "kind": "top_k", "tokens": 3}

Kept = dict[int, dict[str, npt.NDArray[Any]]]


def kept_of(lengths: dict[int, int], width: int = 3, ids: str = "uint16", numbers: str = "float16") -> Kept:
    chance = np.random.default_rng(0)
    return {
        key: {
            "ids": chance.integers(0, 60_000, (length, width)).astype(ids),
            "log_probs": chance.normal(size=(length, width)).astype(numbers),
            "log_tail": chance.normal(size=length).astype(numbers),
        }
        for key, length in lengths.items()
    }


def append(store: SignalStore, kept: Kept) -> None:
    columns = {name: np.concatenate([one[name] for one in kept.values()]) for name in next(iter(kept.values()))}
    with store.writing():
        store.append(list(kept), [len(one["ids"]) for one in kept.values()], columns)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.dictionaries(st.integers(0, 2**64 - 1), st.integers(1, 9), min_size=2, max_size=12),
    width=st.integers(1, 5),
    ids=st.sampled_from(["uint16", "uint32"]),
    numbers=st.sampled_from(["float16", "float32"]),
    data=st.data(),
)
def test_every_sample_comes_back_bit_for_bit_in_any_order(
    lengths: dict[int, int],
    width: int,
    ids: str,
    numbers: str,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, kept = tmp_path_factory.mktemp("store"), kept_of(lengths, width, ids, numbers)
    first, *rest = kept
    store = SignalStore(folder, OF)
    append(store, {first: kept[first]})
    append(store, {key: kept[key] for key in rest})
    asked = data.draw(st.lists(st.sampled_from(sorted(kept)), min_size=1, max_size=8))
    for each in (store, SignalStore(folder, OF)):
        assert (each.samples, each.tokens) == (len(kept), sum(lengths.values()))
        assert each.has(list(kept)).all()
        found = each.read(asked)
        for name, values in found.items():
            assert values.dtype == kept[first][name].dtype
            assert np.array_equal(values, np.concatenate([kept[key][name] for key in asked]))


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    store = SignalStore(tmp_path / "signals", OF)
    assert not store.has([1, 2]).any()
    append(store, kept_of({1: 2}))
    assert store.has([1, 2]).tolist() == [True, False]
    with pytest.raises(SignalError, match="no signals of a sample"):
        store.read([1, 2])


@pytest.mark.parametrize("name", OF)
def test_signals_of_something_else_are_refused_by_name(tmp_path: Path, name: str) -> None:
    append(SignalStore(tmp_path / "signals", OF), kept_of({1: 2}))
    with pytest.raises(SignalError, match="not of this teacher") as caught:
        SignalStore(tmp_path / "signals", {**OF, name: "other"})
    assert caught.value.why == f"Another {name}."
    assert "signal_folder" in (caught.value.next_step or "")


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_a_flipped_byte_is_refused(tmp_path: Path, at: float) -> None:
    append(SignalStore(tmp_path, OF), kept_of({1: 2, 2: 40}))
    (shard,) = tmp_path.glob("*.arrow")
    content = bytearray(shard.read_bytes())
    content[int(at * len(content))] ^= 1
    shard.write_bytes(content)
    with pytest.raises(SignalError, match="damaged") as caught:
        SignalStore(tmp_path, OF)
    assert caught.value.where == str(shard)


def test_a_lost_file_and_a_broken_manifest_are_refused(tmp_path: Path) -> None:
    append(SignalStore(tmp_path, OF), kept_of({1: 2}))
    (shard,) = tmp_path.glob("*.arrow")
    shard.unlink()
    with pytest.raises(SignalError, match="damaged"):
        SignalStore(tmp_path, OF)
    (tmp_path / "signals.json").write_text("{}")
    with pytest.raises(SignalError, match="damaged"):
        SignalStore(tmp_path, OF)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(Refused, match="Something else") as caught:
        SignalStore(tmp_path, OF)
    assert "thesis.tex" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_only_one_process_writes(tmp_path: Path) -> None:
    store = SignalStore(tmp_path, OF)
    with locked(tmp_path), pytest.raises(Refused), store.writing():
        pass


def test_what_another_process_added_is_seen_before_writing(tmp_path: Path) -> None:
    ours, theirs = SignalStore(tmp_path, OF), SignalStore(tmp_path, OF)
    append(theirs, kept_of({7: 3}))
    with ours.writing():
        assert ours.has([7]).all()


def test_a_file_that_the_manifest_does_not_name_does_not_count(tmp_path: Path) -> None:
    store = SignalStore(tmp_path, OF)
    append(store, kept_of({1: 2}))
    (tmp_path / "00001.arrow").write_bytes(b"killed between file and manifest")
    again = SignalStore(tmp_path, OF)
    assert again.samples == 1
    append(again, kept_of({2: 5}))
    assert SignalStore(tmp_path, OF).has([1, 2]).all()
    assert list(json.loads((tmp_path / "signals.json").read_text())["shards"]) == ["00000.arrow", "00001.arrow"]


def test_the_index_and_all_headers_count_in_the_bytes(tmp_path: Path) -> None:
    store = SignalStore(tmp_path, OF)
    append(store, kept_of(dict.fromkeys(range(50), 20), width=16))
    assert store.bytes_per_token == sum(path.stat().st_size for path in tmp_path.glob("*.arrow")) / 1000
    assert store.bytes_per_token > 16 * 4 + 2
