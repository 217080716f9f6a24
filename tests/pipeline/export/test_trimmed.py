"""A student with a trimmed vocabulary all the way: distilled, exported, answering."""

from __future__ import annotations

from pathlib import Path

import pytest

from attar.pipeline import DistillationConfig, ModelDistiller, StructuredDataLoader
from attar.pipeline.config import ExportConfig
from attar.pipeline.export import export_model
from attar.runtime import ChatOnnx
from attar.runtime.text import ChatTokenizer
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama

MORE = CITIES + "unrelated vocabulary entirely elsewhere wonderful " * 40


@pytest.fixture(scope="module", params=["llama", "untied llama", "gpt2"])
def student(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trimmed")
    (folder / "cities.csv").write_text(CITIES, encoding="utf-8")
    if request.param == "gpt2":
        teacher = tiny_gpt2(folder / "teacher", MORE)
    else:
        teacher = tiny_llama(folder / "teacher", MORE, tied=request.param == "llama")
    loader = StructuredDataLoader(records_per_table=6)
    loader.load_from_csv(folder / "cities.csv")
    settings = {"correction": {"steps": 0}, "alignment_steps": 1, "steps": 2, "batch_tokens": 512}
    distiller = ModelDistiller(
        DistillationConfig.model_validate(
            {"teacher_model_name": str(teacher), "student_vocabulary": "data", "output": folder / "student", **settings}
        )
    )
    distiller.distill(loader.prepare_distillation_dataset())
    return distiller.save_distilled_model()


@pytest.mark.parametrize("graph", ["fast", "optimum"])
@pytest.mark.parametrize("form", ["none", "int8"])
def test_its_bundle_answers(student: Path, graph: str, form: str, tmp_path: Path) -> None:
    config = ExportConfig.model_validate({"graph": graph, "quantize": form, "min_agreement": 0.2})
    bundle = export_model(student, tmp_path / "bundle", config)
    tokenizer = ChatTokenizer.load(bundle.path)
    assert bundle.manifest.graph == graph
    assert bundle.manifest.architecture.vocabulary_size == tokenizer.vocabulary_size < 384
    assert bundle.generation.stop_ids == (tokenizer.end_id,)
    answer = ChatOnnx(bundle=bundle.path, max_new_tokens=8).invoke("What is the country of Évora? 中 😀")
    assert isinstance(answer.text, str)
    assert answer.response_metadata
