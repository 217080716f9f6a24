"""A capture keeps what it has done, whatever ends it, and asks the teacher about nothing twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from attar.pipeline.teacher import LoadedModel
from attar.pipeline.teacher.signals import OnlineSignals, Signal, SignalSettings, SignalStore, capture
from attar.pipeline.teacher.signals.identity import key_of
from attar.pipeline.training.batches import Batch, Packed
from attar.runtime.errors import CheckFailed
from tests.conftest import ROOT
from tests.pipeline.teacher.signals.scenes import TOP_4, loaded, online, packed, store_at

RECORDS, SHARD = 150, 24
SCRIPT = f"""
import sys
from pathlib import Path
from tests.pipeline.teacher.signals.scenes import TOP_4, capture, loaded, online, packed, store_at
teacher = loaded(Path(sys.argv[1]))
signals = online(teacher)
store = store_at(Path(sys.argv[2]), teacher, signals)
capture(signals, packed({RECORDS}), store, TOP_4, batch_tokens=128, shard_tokens={SHARD})
"""


class Counted(OnlineSignals):
    """A teacher that remembers whom it was asked about."""

    def of(self, batch: Batch) -> Signal:
        self.__dict__.setdefault("asked", []).extend(sample.id for sample in batch.samples)
        return super().of(batch)

    @property
    def asked(self) -> list[str]:
        return list(self.__dict__.get("asked", []))


@pytest.fixture(scope="module")
def teacher(teacher_folder: Path) -> LoadedModel:
    return loaded(teacher_folder)


def counted(teacher: LoadedModel) -> Counted:
    return Counted(teacher.model, teacher.tokenizer.vocabulary_size)


def ids_of(sequences: list[Packed]) -> set[str]:
    return {sample.id for sequence in sequences for sample in sequence.samples}


def shards_of(folder: Path) -> dict[str, dict[str, int]]:
    manifest = folder / "signals.json"
    return dict(json.loads(manifest.read_text())["shards"]) if manifest.is_file() else {}


def read_all(store: SignalStore, sequences: list[Packed]) -> dict[str, bytes]:
    keys = [key_of(sample) for sequence in sequences for sample in sequence.samples]
    return {name: values.tobytes() for name, values in store.read(keys).items()}


def test_a_killed_capture_goes_on_and_redoes_no_finished_shard(
    teacher: LoadedModel, teacher_folder: Path, tmp_path: Path
) -> None:
    folder, sequences = tmp_path / "killed", packed(RECORDS)
    command = [sys.executable, "-c", SCRIPT, str(teacher_folder), str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    while len(shards_of(folder)) < 3 and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    finished = shards_of(folder)
    kept = {name: (folder / name).stat().st_mtime_ns for name in finished}
    again, signals = store_at(folder, teacher, online(teacher)), counted(teacher)
    there = again.samples
    assert 0 < there < 3 * RECORDS
    added = capture(signals, sequences, again, TOP_4, batch_tokens=128, shard_tokens=SHARD)
    assert added == 3 * RECORDS - there
    assert sorted(signals.asked) == sorted(set(signals.asked))
    assert len(signals.asked) == added  # of no finished shard's samples
    assert {name: (folder / name).stat().st_mtime_ns for name in finished} == kept
    whole = store_at(tmp_path / "whole", teacher, online(teacher))
    capture(online(teacher), sequences, whole, TOP_4, batch_tokens=128, shard_tokens=SHARD)
    assert read_all(again, sequences) == read_all(whole, sequences)
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []


def test_an_error_midway_loses_no_finished_shard(teacher: LoadedModel, tmp_path: Path) -> None:
    class Failing(Counted):
        def of(self, batch: Batch) -> Signal:
            if len(self.asked) > 30:
                raise CheckFailed("The power went.")
            return super().of(batch)

    sequences, store = packed(30), store_at(tmp_path, teacher, online(teacher))
    with pytest.raises(CheckFailed):
        capture(
            Failing(teacher.model, teacher.tokenizer.vocabulary_size),
            sequences,
            store,
            TOP_4,
            batch_tokens=128,
            shard_tokens=SHARD,
        )
    there = store_at(tmp_path, teacher, online(teacher)).samples
    assert 0 < there < 90
    assert capture(online(teacher), sequences, store, TOP_4, batch_tokens=128) == 90 - there


def test_the_teacher_is_asked_about_new_samples_alone(teacher: LoadedModel, tmp_path: Path) -> None:
    few, more = packed(5), packed(8)
    store = store_at(tmp_path, teacher, online(teacher))
    assert capture(online(teacher), few, store, TOP_4, batch_tokens=256) == 15
    signals = counted(teacher)
    assert capture(signals, few, store, TOP_4, batch_tokens=256) == 0
    assert signals.asked == []
    assert capture(signals, more, store, TOP_4, batch_tokens=256) == 9
    assert ids_of(more) - ids_of(few) <= set(signals.asked)
    assert store.has([key_of(sample) for sequence in more for sample in sequence.samples]).all()


def test_a_sample_that_comes_twice_is_kept_once(teacher: LoadedModel, tmp_path: Path) -> None:
    sequences, store = packed(4), store_at(tmp_path, teacher, online(teacher))
    assert capture(online(teacher), [*sequences, *sequences], store, TOP_4, batch_tokens=64, shard_tokens=1) == 12
    assert store.tokens == sum(len(sequence.labels) for sequence in sequences)


def test_sixteen_tokens_take_at_most_70_bytes(teacher: LoadedModel, tmp_path: Path) -> None:
    settings = SignalSettings("top_k", 16, 2.0)
    store = store_at(tmp_path, teacher, online(teacher), settings)
    sequences = packed(400, answer=8)
    capture(online(teacher), sequences, store, settings, batch_tokens=1024)
    assert store.tokens / store.samples == pytest.approx(5, abs=0.1)  # short answers: the index weighs most
    assert 66 < store.bytes_per_token <= 70


def test_it_is_kept_what_the_teacher_computes_in_its_precision(teacher: LoadedModel, tmp_path: Path) -> None:
    found = {}
    for precision in ("float32", "bfloat16"):
        signals = OnlineSignals(teacher.model, teacher.tokenizer.vocabulary_size, precision=precision)
        store = store_at(tmp_path / precision, teacher, signals)
        capture(signals, packed(3), store, TOP_4, batch_tokens=256)
        found[precision] = read_all(store, packed(3))
    assert found["float32"] != found["bfloat16"]
    assert all(parameter.dtype == torch.float32 for parameter in teacher.model.parameters())


def test_progress_is_shown(teacher: LoadedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sequences = packed(3)
    capture(online(teacher), sequences, store_at(tmp_path, teacher, online(teacher)), TOP_4, batch_tokens=256)
    total = sum(len(sequence.labels) for sequence in sequences)
    assert f"capture signals: {total}/{total}" in capsys.readouterr().err
