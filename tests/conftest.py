"""What tests share: a tiny teacher made on the spot, a tokenizer trained on the spot, a bundle of it."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from attar.pipeline.threads import yield_to_others

yield_to_others()  # before torch is imported: on a busy machine its threads would spin the time away
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
hypothesis.settings.register_profile("attar", deadline=None)  # a busy machine's time says nothing of the code
hypothesis.settings.load_profile("attar")

ROOT = Path(__file__).parent.parent

CITIES = """name,country,population,founded
Aarhus,Denmark,285273,0770-01-01
Bergen,Norway,291940,1070-01-01
Cork,Ireland,222333,0606-01-01
Delft,Netherlands,106086,1075-04-15
Évora,Portugal,53591,
Faro,Portugal,67650,1249-03-27
Ghent,Belgium,265086,0650-01-01
Haarlem,Netherlands,162543,1245-02-23
"""


@pytest.fixture
def cities(tmp_path: Path) -> Path:
    """A small CSV table."""
    path = tmp_path / "cities.csv"
    path.write_text(CITIES, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def teacher_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaMA of four tiny layers, with a byte-level tokenizer trained on the cities."""
    from tests.tiny import tiny_llama

    return tiny_llama(tmp_path_factory.mktemp("models") / "teacher", CITIES)


@pytest.fixture(scope="session")
def bundle_folder(teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny teacher as an fp32 bundle that carries the cities' records."""
    from tests.tiny import export_with_records

    return export_with_records(teacher_folder, tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def optimum_bundle_folder(teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with Optimum's graph."""
    from tests.tiny import export_with_records

    return export_with_records(teacher_folder, tmp_path_factory.mktemp("bundles") / "optimum", "optimum")


@pytest.fixture(scope="session")
def two_forms_folder(teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny teacher as a bundle of two forms: int8 for latency, mixed for throughput."""
    from tests.tiny import export_two_forms

    return export_two_forms(teacher_folder, tmp_path_factory.mktemp("bundles") / "two")


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of three tiny layers, with a tokenizer trained on the cities."""
    from tests.tiny import tiny_bert

    return tiny_bert(tmp_path_factory.mktemp("models") / "encoder", CITIES)


@pytest.fixture(scope="session")
def encoder_bundle(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That encoder as an fp32 bundle."""
    from attar.pipeline.export import export_encoder

    return export_encoder(encoder_folder, tmp_path_factory.mktemp("bundles") / "encoder").path


@pytest.fixture
def bundle_copy(bundle_folder: Path, tmp_path: Path) -> Path:
    """A bundle that a test may break."""
    import shutil

    return Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))
