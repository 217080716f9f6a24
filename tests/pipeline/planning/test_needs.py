"""More work needs more; what is not done needs nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attar.pipeline import RunConfig
from attar.pipeline.config.reading import parse_config
from attar.pipeline.planning.needs import Need, Sizes, needs_of, sizes_of
from attar.pipeline.planning.shapes import Shape
from attar.pipeline.planning.speed import Speed
from attar.pipeline.training.batches import PART_TOKENS
from attar.pipeline.training.importance import CALIBRATION_BATCHES
from tests.pipeline.config.test_reading import SMALL

TEACHER = Shape(parameters=134_515_008, layers=30, layer_parameters=3_540_096, width=576, vocabulary=49_152)
SIZES = Sizes(TEACHER, TEACHER.cut(15), questions=512, samples=1_000, data_seconds=1.0, data_bytes=500_000)
SPEED = Speed(forward=465e9, training=450e9, activations=40_000, precision="bfloat16", threads=2)


def needs(*overrides: str, sizes: Sizes = SIZES, speed: Speed = SPEED) -> dict[str, Need]:
    config: RunConfig = parse_config(SMALL, Path("config.json"), overrides)
    return needs_of(config, sizes, speed)


def test_the_shape_of_the_quickstarts_student_is_right() -> None:
    assert TEACHER.cut(15).parameters == 81_413_568


@pytest.mark.parametrize(
    ("override", "stage", "figure"),
    [
        ("distillation.correction.steps=400", "teacher", "seconds"),
        ("distillation.steps=800", "student", "seconds"),
        ("distillation.alignment_steps=400", "student", "seconds"),
        ("distillation.batch_tokens=20480", "student", "seconds"),
        ("export.quantize=none", "export", "kept"),
        ("export.parity_tokens=50000", "export", "seconds"),
        ("export.parity_tokens=50000", "export", "passing"),
        ("export.quantize=none", "card", "kept"),
        ("measurement.repetitions=30", "measurement", "seconds"),
    ],
)
def test_more_work_needs_more(override: str, stage: str, figure: str) -> None:
    assert getattr(needs(override)[stage], figure) > 1.5 * getattr(needs()[stage], figure)


def test_a_batch_that_comes_in_parts_takes_no_more_memory_than_a_part() -> None:
    half, part, twice = (
        needs(f"distillation.batch_tokens={tokens}") for tokens in (PART_TOKENS // 2, PART_TOKENS, 2 * PART_TOKENS)
    )
    for stage in ("teacher", "student", "baseline"):
        assert half[stage].memory < part[stage].memory == twice[stage].memory


@pytest.mark.parametrize(("section", "stage"), [("distillation", "student"), ("finish", "finish")])
def test_rehearsing_takes_time_and_no_more_memory(section: str, stage: str) -> None:
    plain, rehearsing = (needs("finish.steps=100", f"{section}.rehearsal={weight}")[stage] for weight in (0, 2))
    assert 1.1 * plain.seconds < rehearsing.seconds < 2 * plain.seconds
    assert rehearsing.memory == plain.memory


def test_fewer_answers_of_the_teacher_as_it_came_take_less_time() -> None:
    all_of_them, fewer = needs(), needs("measurement.uncorrected_questions=128")
    assert fewer["teacher"].seconds < all_of_them["teacher"].seconds
    assert needs("measurement.uncorrected_questions=512") == all_of_them


def test_epochs_on_cached_signals_need_no_teacher() -> None:
    online, cached = (
        needs("distillation.alignment=0", f"distillation.signals={source}") for source in ("online", "auto")
    )
    ratio = online["student"].seconds / cached["student"].seconds
    assert 1.2 < ratio < 1.67  # at most what the teacher's forward pass is beside the student's training
    assert cached["student"].passing > online["student"].passing
    assert needs()["student"] == needs("distillation.signals=online")["student"]  # alignment needs the teacher
    few = replace(SIZES, samples=100_000)
    assert needs("distillation.alignment=0", sizes=few)["student"] == needs(sizes=few)["student"]  # none comes twice


def test_a_cut_in_steps_is_planned_student_by_student() -> None:
    deep = replace(SIZES, student=TEACHER.cut(6))
    at_once, in_steps, mostly_last = (
        needs("distillation.cuts=" + cuts, f"distillation.last_cut_share={share}", sizes=deep)["student"]
        for cuts, share in (("[]", 0.5), ('"auto"', 0.5), ('"auto"', 0.9))
    )
    assert in_steps.seconds > mostly_last.seconds  # the first students are the largest, and so is their teacher
    assert in_steps.memory > at_once.memory
    ended_with = 4 * 2 * (15 + 8) * TEACHER.layer_parameters
    assert in_steps.passing - at_once.passing == pytest.approx(ended_with, rel=1e-3)
    assert needs('distillation.cuts="auto"')["student"] == needs("distillation.cuts=[]")["student"]  # half at once


def test_layers_that_are_weighed_cost_what_stands_above_them_and_four_half_passes_for_each_that_goes() -> None:
    even, named = 'distillation.layer_choice="even"', "distillation.student_layers=[0, 29]"
    head = 0.25 * TEACHER.vocabulary * TEACHER.width
    met = sum(layers * TEACHER.layer_parameters + head for layers in (30, *range(1, 31), *[15] * 4 * 15))
    passes = CALIBRATION_BATCHES * 2048 * 2 * met
    batch = "distillation.batch_tokens=2048"
    weighed, spread, given = (needs(batch, *more)["student"].seconds for more in ((), (even,), (named,)))
    assert weighed - spread == pytest.approx(passes / SPEED.forward)
    assert given == spread


def test_what_is_set_aside_costs_answers_and_the_best_weights_so_far() -> None:
    alone = needs("distillation.held_out=0")
    for stage in ("student", "baseline"):
        assert alone[stage].seconds < needs()[stage].seconds < 1.3 * alone[stage].seconds
        assert alone[stage].passing < needs()[stage].passing
    best = 4 * 30 * TEACHER.layer_parameters
    assert needs()["teacher"].passing - alone["teacher"].passing == pytest.approx(2 * best, rel=1e-3)
    assert needs()["teacher"].memory == alone["teacher"].memory, "they are in a file"


def test_a_machine_that_is_twice_as_fast_needs_about_half_the_training_time() -> None:
    twice = Speed(2 * SPEED.forward, 2 * SPEED.training, SPEED.activations, SPEED.precision, SPEED.threads)
    assert 0.5 <= needs(speed=twice)["student"].seconds / needs()["student"].seconds < 0.55


def test_a_teacher_that_is_not_corrected_needs_no_room_for_training() -> None:
    plain = needs("distillation.correction.steps=0")["teacher"]
    assert plain.passing == 0
    assert plain.memory < needs()["teacher"].memory / 2


def test_kept_files_have_the_sizes_that_the_quickstart_has() -> None:
    found = needs()
    assert found["teacher"].kept == pytest.approx(538e6, rel=0.01)
    assert found["export"].kept == pytest.approx(95e6, rel=0.05)


@pytest.mark.parametrize(
    ("override", "layers", "tokens"),
    [
        ("student_layers=10", 10, 49_152),
        ("student_layers=[0,7,29]", 3, 49_152),
        ('student_vocabulary="data"', 15, 6_000),
        ("student_vocabulary=8192", 15, 8_192),
        ("student_vocabulary=99999", 15, 49_152),
    ],
)
def test_the_students_shape_is_what_the_config_asks_for(
    override: str, layers: int, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attar.pipeline.planning.needs.shape_of", lambda name: TEACHER)
    config = parse_config(SMALL, Path("config.json"), [f"distillation.{override}"])
    student = sizes_of(config, 512, 1_000, 1.0, 1).student
    assert (student.layers, student.vocabulary) == (layers, tokens)
    dropped = (30 - layers) * TEACHER.layer_parameters + (49_152 - tokens) * TEACHER.width
    assert student.parameters == TEACHER.parameters - dropped


def test_a_size_is_planned_as_that_share_of_the_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attar.pipeline.planning.needs.shape_of", lambda name: TEACHER)
    config = parse_config(SMALL, Path("config.json"), ["distillation.student_size=0.3"])
    assert sizes_of(config, 512, 1_000, 1.0, 1).student.parameters / TEACHER.parameters == pytest.approx(0.3, abs=1e-4)
