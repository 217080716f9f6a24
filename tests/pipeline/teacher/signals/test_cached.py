"""Cached signals are the teacher's own, whichever sample comes when, and depend on it where answers are predicted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

from attar.pipeline import DistillationLoss
from attar.pipeline.losses import SampledTargets, SparseTargets, chosen_divergence, sampled_targets, sparse_targets
from attar.pipeline.student import cut, kept_tokens, trim_model
from attar.pipeline.teacher import LoadedModel
from attar.pipeline.teacher.signals import CachedSignals, OnlineSignals, Signals, SignalSettings
from attar.pipeline.teacher.signals.capture import _offsets
from attar.pipeline.training.batches import Batch, Packed, by_length, collate, endless_batches, pack, pack_all, visits
from attar.pipeline.training.distillation import Pair, answer_loss, distill
from attar.pipeline.training.forward import answer_states, run_body
from attar.pipeline.training.loop import Schedule
from attar.runtime.errors import SignalError, UsageError
from tests.pipeline.teacher.signals.scenes import cached, loaded, online, packed, paired, samples

TOKENS = 256


@pytest.fixture(scope="module")
def teacher(teacher_folder: Path) -> LoadedModel:
    return loaded(teacher_folder)


def everything(signals: OnlineSignals, temperature: float = 2.0) -> SignalSettings:
    return SignalSettings("top_k", signals.vocabulary_size, temperature, numbers="float32")


def two_epochs(sequences: list[Packed]) -> list[Batch]:
    steps = next(n for n in range(1, 1000) if min(visits(sequences, TOKENS, 1, n)) == 2)
    assert max(visits(sequences, TOKENS, 1, steps)) == 2
    return list(islice(endless_batches(sequences, TOKENS, seed=1), steps))


def loss_and_gradients(pair: Pair, loss: DistillationLoss, signals: Signals, batch: Batch) -> list[Tensor]:
    pair.student.zero_grad()
    states = answer_states(run_body(pair.student, batch).last_hidden_state, batch)
    with signals.at_hand():
        value = answer_loss(pair, loss, states, signals.of(batch).targets, batch.labels)
        value.backward()  # type: ignore[no-untyped-call]
    return [value.detach(), *(p.grad for p in pair.student.parameters() if p.grad is not None)]


@pytest.mark.parametrize("name", ["forward_kl", "reverse_kl", "jensen_shannon"])
def test_with_all_tokens_they_equal_the_teacher_over_two_shuffled_epochs(
    teacher: LoadedModel, tmp_path: Path, name: str
) -> None:
    sequences, signals, pair = packed(12), online(teacher), paired(teacher)
    kept = cached(tmp_path / "signals", teacher, signals, sequences, everything(signals))
    loss = DistillationLoss(2.0, 0.7, chosen_divergence(name, {}))
    batches = two_epochs(sequences)
    orders = [[sample.id for sample in batch.samples] for batch in batches]
    assert orders[: len(orders) // 2] != orders[len(orders) // 2 :]
    for batch in batches:
        ours, theirs = (loss_and_gradients(pair, loss, each, batch) for each in (kept, signals))
        assert len(ours) == len(theirs) > 2
        assert all((one - other).abs().max() < 1e-5 for one, other in zip(ours, theirs, strict=True))


def test_training_on_them_is_training_on_the_teacher(teacher: LoadedModel, tmp_path: Path) -> None:
    sequences, signals = packed(10), online(teacher)
    steps = len(two_epochs(sequences))
    kept = cached(tmp_path / "signals", teacher, signals, sequences, everything(signals))
    losses = []
    for source in (signals, kept):
        torch.manual_seed(0)
        schedule = Schedule(steps, 1e-3)
        losses.append(
            distill(
                paired(teacher),
                DistillationLoss(),
                sequences,
                schedule,
                alignment=0.0,
                batch_tokens=TOKENS,
                precision="float32",
                seed=1,
                signals=source,
            )
        )
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert losses[0][-1] < losses[0][0]


@pytest.mark.parametrize("place", ["first", "last"])
def test_only_the_teacher_at_answer_positions_counts(teacher: LoadedModel, tmp_path: Path, place: str) -> None:
    signals, pair, loss = online(teacher), paired(teacher), DistillationLoss()
    (sequences,) = by_length(packed(4), 10_000)  # as the capture reads them: one batch, in this order
    batch = collate(sequences)

    def loss_with(name: str, where: Tensor) -> Tensor:
        """The loss on signals of a teacher whose last hidden states are others where this says."""

        def change(_: object, __: object, states: Tensor) -> Tensor:
            return torch.where(where[..., None], torch.full_like(states, 3.0), states)

        hook = teacher.model.base_model.norm.register_forward_hook(change)  # type: ignore[operator]
        kept = cached(tmp_path / name, teacher, signals, sequences, batch_tokens=10_000)
        hook.remove()
        return loss_and_gradients(pair, loss, kept, batch)[0]

    predicting = torch.zeros_like(batch.real)
    predicting[batch.rows, batch.columns] = True
    unchanged = loss_with("unchanged", torch.zeros_like(batch.real))
    assert torch.equal(loss_with("prompt", ~predicting), unchanged)
    answer, first = batch.samples[0].answer, 0 if place == "first" else len(batch.samples[0].answer) - 1
    assert len(answer) > 1
    one = torch.zeros_like(batch.real)
    one[batch.rows[first], batch.columns[first]] = True
    assert abs(loss_with("answer", one) - unchanged) > 1e-5


def test_what_is_kept_are_the_likely_tokens_rounded_but_whole(teacher: LoadedModel, tmp_path: Path) -> None:
    sequences, signals = packed(5), online(teacher)
    kept, batch = cached(tmp_path / "signals", teacher, signals, sequences), collate(packed(5)[::-1])
    found = kept.of(batch).targets(slice(None))
    dense = signals.of(batch).targets(slice(None))
    assert isinstance(found, SparseTargets) and isinstance(dense, Tensor)
    exact = sparse_targets(dense, 4, 2.0)
    assert torch.equal(found.ids, exact.ids)
    assert (found.log_probs - exact.log_probs).abs().max() < 4e-3
    assert (found.log_sum_exp - exact.log_sum_exp).abs().max() < 2e-2
    assert ((found.log_probs.exp().sum(-1) + found.log_tail.exp()) - 1).abs().max() < 1e-6


def test_drawn_tokens_are_the_same_for_a_sample_whenever_it_comes(teacher: LoadedModel, tmp_path: Path) -> None:
    sequences, signals, settings = packed(6), online(teacher), SignalSettings("sampled", 8, 1.0, seed=5)
    kept = cached(tmp_path / "signals", teacher, signals, sequences, settings)
    batch = collate(sequences[::-1])
    found, dense = kept.of(batch).targets(slice(3, 20)), signals.of(batch).targets(slice(3, 20))
    assert isinstance(found, SampledTargets) and isinstance(dense, Tensor)
    offsets = _offsets(batch.samples, 5)
    assert torch.equal(found.ids, sampled_targets(dense, 8, 1.0, offsets[3:20]).ids)
    assert len(offsets.unique()) == len(offsets)
    assert not torch.equal(offsets, _offsets(batch.samples, 6))
    values = loss_and_gradients(paired(teacher), DistillationLoss(1.0), kept, batch)
    assert all(torch.isfinite(value).all() for value in values)


@pytest.mark.parametrize("kind", ["top_k", "sampled"])
def test_a_student_of_fewer_tokens_gets_the_teachers_distribution_over_those(
    teacher: LoadedModel, tmp_path: Path, kind: str
) -> None:
    made = samples(6)
    used = Counter(token for sample in made for token in (*sample.prompt, *sample.answer))
    tokens = kept_tokens(teacher.tokenizer, used)
    tokens = sorted({*tokens[::2], *used})  # fewer, whatever the tokenizer needs
    new = {old: number for number, old in enumerate(tokens)}
    made = [replace(s, prompt=tuple(new[i] for i in s.prompt), answer=tuple(new[i] for i in s.answer)) for s in made]
    sequences = pack_all(made, 2)
    student = cut(teacher.model, [0, 3])
    trim_model(student, tokens)
    pair = Pair.of(teacher.model, student, len(tokens), is_cut=True, layers=[0, 3], tokens=tokens)
    signals = pair.online_signals("float32", with_states=False)
    settings = everything(signals) if kind == "top_k" else SignalSettings("sampled", 3, 2.0)
    kept = cached(tmp_path / "signals", teacher, signals, sequences, settings)
    batch, loss = collate(sequences), DistillationLoss()
    found = kept.of(batch).targets(slice(None))
    assert isinstance(found, SparseTargets | SampledTargets)
    assert found.ids.max() < len(tokens) < teacher.tokenizer.vocabulary_size
    ours, theirs = (loss_and_gradients(pair, loss, each, batch) for each in (kept, signals))
    if kind == "top_k":
        assert all((one - other).abs().max() < 1e-5 for one, other in zip(ours, theirs, strict=True))


def test_a_sample_that_was_not_captured_is_refused(teacher: LoadedModel, tmp_path: Path) -> None:
    sequences = packed(3)
    kept = cached(tmp_path / "signals", teacher, online(teacher), sequences)
    other = replace(sequences[0].samples[0], answer=(9, 9, 2))
    with pytest.raises(SignalError, match="no signals of a sample") as caught:
        kept.of(collate([pack([other])]))
    assert caught.value.exit_code == 5
    assert caught.value.next_step


def test_hidden_states_can_not_be_aligned_with_files(teacher: LoadedModel, tmp_path: Path) -> None:
    sequences = packed(3)
    kept: CachedSignals = cached(tmp_path / "signals", teacher, online(teacher), sequences)
    with pytest.raises(UsageError, match="not enough") as caught:
        distill(
            paired(teacher),
            DistillationLoss(),
            sequences,
            Schedule(1, 1e-3),
            alignment=2.0,
            batch_tokens=TOKENS,
            precision="float32",
            seed=0,
            signals=kept,
        )
    assert "hidden states" in str(caught.value)
