"""Loss, calibration, agreement and divergence are those of a reference that reads one sample at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import Sample
from attar.pipeline.data.render import render
from attar.pipeline.evaluation import TokenScores, score_tokens, tokens
from attar.pipeline.student import cut, kept_tokens, trim_model
from attar.pipeline.student.trimming import teacher_tokens, trim_tokenizer
from attar.pipeline.teacher import LoadedModel, load_model
from tests.conftest import CITIES
from tests.tiny import tiny_llama

BINS = 15


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    table = tmp_path_factory.mktemp("tables") / "cities.csv"
    table.write_text(CITIES, encoding="utf-8")
    loader = StructuredDataLoader(records_per_table=3)
    loader.load_from_csv(table, label="city")
    return loader.prepare_distillation_dataset()[:24]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """One with words that the cities never use, whose answers lean to the right ones."""
    text = CITIES + "unrelated vocabulary entirely elsewhere wonderful " * 40
    loaded = load_model(str(tiny_llama(tmp_path_factory.mktemp("models") / "teacher", text)))
    loaded.model.eval()
    return loaded


@pytest.fixture(scope="module")
def student(teacher: LoadedModel) -> LoadedModel:
    return LoadedModel(cut(teacher.model, [0, 3]).eval(), teacher.tokenizer, "student")


@pytest.fixture(scope="module")
def trimmed(teacher: LoadedModel) -> LoadedModel:
    """A student without some of the tokens that the samples use, so that it reads them in more pieces."""
    used = dict.fromkeys(teacher.tokenizer.encode(CITIES)[:40], 9)
    kept = kept_tokens(teacher.tokenizer, used)
    model = cut(teacher.model, [0, 3]).eval()
    trim_model(model, kept)
    return LoadedModel(model, trim_tokenizer(teacher.tokenizer, kept), "trimmed")


def probabilities(loaded: LoadedModel, ids: Sequence[int], answer: int) -> np.ndarray:
    """``[n, V]`` in fp64, at the positions that predict the last ``answer`` tokens."""
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([ids])).logits[0, -answer - 1 : -1].double().numpy()
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def reference(loaded: LoadedModel, teacher: LoadedModel | None, samples: list[Sample]) -> TokenScores:
    """Token by token, in plain Python."""
    nats, agreed, divergence, unknown, judged = [], [], [], [], []
    known = teacher_tokens(teacher.tokenizer, loaded.tokenizer) if teacher else None
    for sample in render(samples, loaded.tokenizer):
        ids = [*sample.prompt, *sample.answer]
        ours = probabilities(loaded, ids, len(sample.answer))
        names = known or list(range(ours.shape[1]))
        theirs = probabilities(teacher, [names[i] for i in ids], len(sample.answer)) if teacher else None
        for place, token in enumerate(sample.answer):
            nats.append(-math.log(ours[place, token]))
            judged.append((ours[place].max(), ours[place].argmax() == token))
            if theirs is not None:
                agreed.append(names[ours[place].argmax()] == theirs[place].argmax())
                shared = theirs[place, names]
                unknown.append(1 - shared.sum())
                divergence.append(float((shared / shared.sum() * np.log(shared / shared.sum() / ours[place])).sum()))
    error = 0.0
    for number in range(BINS):
        inside = [(p, right) for p, right in judged if number / BINS < p <= (number + 1) / BINS]
        if inside:
            gap = np.mean([p for p, _ in inside]) - np.mean([right for _, right in inside])
            error += abs(gap) * len(inside) / len(judged)
    rest = [float(np.mean(each)) for each in (agreed, divergence, unknown)] if teacher else []
    return TokenScores(float(np.mean(nats)), sum(nats) / len(samples), error, len(nats), *rest)


def assert_equal(found: TokenScores, expected: TokenScores) -> None:
    for name, value in expected.to_dict().items():
        assert getattr(found, name) == (None if value is None else pytest.approx(value, abs=2e-5)), name


def test_teacher_and_students_score_as_one_sample_at_a_time(
    teacher: LoadedModel, student: LoadedModel, samples: list[Sample]
) -> None:
    ours, found = score_tokens(teacher, {"cut": student, "same": teacher}, samples)
    assert_equal(ours, reference(teacher, None, samples))
    assert_equal(found["cut"], reference(student, teacher, samples))
    same = found["same"]
    assert (same.loss, same.calibration_error) == (ours.loss, ours.calibration_error)
    assert (same.agreement, same.divergence) == (1, pytest.approx(0, abs=1e-6))
    assert found["cut"].divergence is not None and found["cut"].divergence > 0.01


def test_a_student_of_fewer_tokens_is_held_against_the_teacher_on_its_own_pieces(
    teacher: LoadedModel, trimmed: LoadedModel, samples: list[Sample]
) -> None:
    ours, found = score_tokens(teacher, {"trimmed": trimmed}, samples)
    assert_equal(ours, reference(teacher, None, samples))
    assert_equal(found["trimmed"], reference(trimmed, teacher, samples))
    assert found["trimmed"].tokens > ours.tokens
    assert found["trimmed"].unknown is not None and found["trimmed"].unknown > 0.001


def test_chunks_change_nothing(
    teacher: LoadedModel, student: LoadedModel, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, found = score_tokens(teacher, {"cut": student}, samples)
    seen = []
    logs = tokens._logs

    def counted(loaded: LoadedModel, states: torch.Tensor) -> torch.Tensor:
        seen.append(len(states))
        return logs(loaded, states)

    monkeypatch.setattr(tokens, "_logs", counted)
    monkeypatch.setattr(tokens, "_CHUNK", 5)
    again, pieces = score_tokens(teacher, {"cut": student}, samples)
    assert max(seen) == 5
    assert_equal(again, whole)
    assert_equal(pieces["cut"], found["cut"])


def test_a_model_that_is_always_sure_and_wrong_is_not_calibrated_at_all() -> None:
    tally = tokens._Tally()
    logs = torch.tensor([[0.0, -1e9], [0.0, -1e9]])
    tally.add(logs, torch.tensor([1, 1]))
    assert tally.scores(2).calibration_error == 1
    tally.add(logs, torch.tensor([0, 0]))
    assert tally.scores(4).calibration_error == 0.5


def test_overconfidence_in_one_bin_is_not_made_up_for_by_modesty_in_another() -> None:
    tally = tokens._Tally()
    tally.add(torch.tensor([[0.9, 0.1], [0.6, 0.4]]).log(), torch.tensor([1, 0]))
    assert tally.scores(2).calibration_error == pytest.approx((0.9 + 0.4) / 2)


def test_nothing_to_read_or_to_compare_is_refused(
    teacher: LoadedModel, student: LoadedModel, trimmed: LoadedModel, samples: list[Sample], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        score_tokens(teacher, {}, [])
    with pytest.raises(ValueError, match="other tokens"):
        score_tokens(teacher, {"cut": student, "trimmed": trimmed}, samples)
    alone, nobody = score_tokens(teacher, {}, samples)
    assert (alone.agreement, nobody) == (None, {})
