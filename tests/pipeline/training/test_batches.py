"""Packing: questions that share a record's tokens see exactly what they would see alone."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedModel

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.questions import KINDS
from attar.pipeline.data.render import RenderedSample, render
from attar.pipeline.teacher import load_model
from attar.pipeline.training.batches import PART_TOKENS, collate, endless_batches, endless_parts, pack, pack_all
from attar.pipeline.training.forward import answer_logits, run_body
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2

RECORD = (1, 90, 91, 92, 93, 94)
SAMPLES = [
    RenderedSample("a", "r", (*RECORD, 100, 101, 2), (50, 51, 2)),
    RenderedSample("b", "r", (*RECORD, 100, 111, 112, 2), (60, 2)),
    RenderedSample("c", "r", (*RECORD, 120, 2), (70, 71, 72, 2)),
]
OTHER = RenderedSample("d", "s", (1, 80, 81, 2), (40, 2))


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def model(
    request: pytest.FixtureRequest, teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> PreTrainedModel:
    folder = teacher_folder if request.param == "llama" else tiny_gpt2(tmp_path_factory.mktemp("gpt2"), CITIES)
    return load_model(str(folder)).model.eval()


def alone(model: PreTrainedModel, sample: RenderedSample) -> torch.Tensor:
    ids = torch.tensor([[*sample.prompt, *sample.answer[:-1]]])
    return model(input_ids=ids).logits[0, len(sample.prompt) - 1 :]


def test_packed_questions_have_the_logits_they_have_alone(model: PreTrainedModel) -> None:
    batch = collate([pack(SAMPLES), pack([OTHER])])
    logits = answer_logits(model, run_body(model, batch).last_hidden_state, batch)
    expected = torch.cat([alone(model, sample) for sample in [*SAMPLES, OTHER]])
    assert (logits - expected).abs().max() < 1e-4
    assert batch.labels.tolist() == [token for sample in [*SAMPLES, OTHER] for token in sample.answer]


def test_samples_of_every_kind_have_in_a_pack_the_logits_they_have_alone(teacher_folder: Path, cities: Path) -> None:
    loaded = load_model(str(teacher_folder))
    loader = StructuredDataLoader(kinds=dict.fromkeys(KINDS, 1.0), records_per_table=40, test_questions=40)
    loader.load_from_csv(cities, label="city")
    grouped = defaultdict(list)
    for sample in loader.prepare_distillation_dataset():
        grouped[sample.kind, sample.group].append(sample)
    seen = {}
    for (kind, _), members in grouped.items():
        if len(members) > len(seen.get(kind, [])):
            seen[kind] = members[:3]
    assert set(seen) == set(KINDS)
    for members in seen.values():
        rendered = render(members, loaded.tokenizer)
        packed = pack_all(rendered, 8)
        batch = collate(packed)
        with torch.inference_mode():
            logits = answer_logits(loaded.model, run_body(loaded.model, batch).last_hidden_state, batch)
            expected = torch.cat([alone(loaded.model, one) for sequence in packed for one in sequence.samples])
        assert (logits - expected).abs().max() < 1e-4


def test_groups_begin_alike_and_turns_stay_with_their_own(cities: Path) -> None:
    loader = StructuredDataLoader(kinds=dict.fromkeys(KINDS, 1.0), records_per_table=60)
    loader.load_from_csv(cities, label="city")
    groups = defaultdict(list)
    for sample in loader.prepare_distillation_dataset():
        groups[sample.group].append(sample)
    for members in groups.values():
        assert len({(bool(one.turns), json.dumps(one.tools), one.record) for one in members}) == 1
        assert not members[0].turns or len(members) <= 2
    assert groups["router"]


def test_the_shared_record_stands_once() -> None:
    packed = pack(SAMPLES)
    assert packed.ids[: len(RECORD)] == list(RECORD)
    assert len(packed.ids) == len(RECORD) + sum(len(s.prompt) - len(RECORD) + len(s.answer) - 1 for s in SAMPLES)
    assert packed.branches == sorted(packed.branches)


def test_equal_prompts_keep_a_last_token_of_their_own() -> None:
    packed = pack([SAMPLES[0], SAMPLES[0]])
    assert len(set(packed.predicting)) == 2 * len(SAMPLES[0].answer)


def test_groups_are_cut_into_sequences_and_every_sample_is_there() -> None:
    packed = pack_all([OTHER, *SAMPLES], 2)
    assert [[sample.id for sample in sequence.samples] for sequence in packed] == [["d"], ["a", "b"], ["c"]]


def test_padding_sees_and_is_seen_by_nothing_real() -> None:
    batch = collate([pack(SAMPLES), pack([OTHER])])
    assert batch.input_ids.shape[1] % 32 == 0
    real = batch.real
    crossing = batch.mask[:, 0] & (real[:, :, None] != real[:, None, :])
    assert not crossing[real[:, :, None].expand_as(crossing)].any()
    assert batch.tokens == sum(len(pack(group).ids) for group in (SAMPLES, [OTHER]))


def test_batches_keep_to_the_budget_and_epochs_to_their_samples() -> None:
    sequences = [pack([RenderedSample(str(n), str(n), tuple(range(5, 8 + n)), (9, 2))]) for n in range(40)]
    batches = list(itertools.islice(endless_batches(sequences, 128, seed=0), 60))
    assert all(batch.input_ids.numel() <= 128 for batch in batches)
    again = list(itertools.islice(endless_batches(sequences, 128, seed=0), 60))
    assert all(torch.equal(one.input_ids, two.input_ids) for one, two in zip(batches, again, strict=True))
    epoch, seen = [], 0
    for batch in batches:
        if seen == len(sequences):
            break
        epoch.append(batch)
        seen += len(batch.input_ids)
    assert sorted(batch_tokens for b in epoch for batch_tokens in b.real.sum(1).tolist()) == [n + 4 for n in range(40)]


@given(st.lists(st.integers(2, 1500), min_size=1, max_size=12), st.integers(1, 6000))
def test_a_batchs_parts_are_its_sequences_and_their_shares_are_of_it(lengths: list[int], batch_tokens: int) -> None:
    samples = [RenderedSample(str(n), str(n), tuple(range(n, n + size)), (9, 2)) for n, size in enumerate(lengths)]
    sequences = [pack([sample]) for sample in samples]
    steps = zip(endless_batches(sequences, batch_tokens, 0), endless_parts(sequences, batch_tokens, 0), strict=False)
    for batch, parts in itertools.islice(steps, 3):
        assert [sample for part in parts for sample in part.samples] == batch.samples
        assert all(part.input_ids.numel() <= PART_TOKENS or len(part.input_ids) == 1 for part in parts)
        for part in parts:
            assert part.answer_share == pytest.approx(len(part.labels) / len(batch.labels))
            assert part.token_share == pytest.approx(part.tokens / batch.tokens)
        if batch.input_ids.numel() <= PART_TOKENS:
            (only,) = parts
            assert torch.equal(only.input_ids, batch.input_ids) and only.answer_share == only.token_share == 1
