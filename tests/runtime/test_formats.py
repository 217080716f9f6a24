"""Bundles that earlier versions wrote open and answer as they did; one of a later version is refused.

Each bundle was written by the last version of its format: a LLaMA of one tiny layer, fp32 but for format 3's, which is
int8-dynamic, by then with one scale for all rows.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attar.runtime.bundle import FORMAT, Bundle
from attar.runtime.engine import Engine
from attar.runtime.errors import BundleError
from attar.runtime.parity import Parity
from attar.runtime.records import Records
from attar.runtime.text import ChatTokenizer
from attar.runtime.verification import require_within, verify

BUNDLES = Path(__file__).parent.parent / "fixtures" / "bundles"
EARLIER = range(1, FORMAT)
PROMPT = [1, 90, 91, 92, 40, 41]
ANSWER = [332, 95, 168, 99, 70, 70, 313, 313, 313, 198, 198, 198]
"""What each version said to the prompt; of format 3's form only the first five are as sure."""


def bundle_of(version: int) -> Bundle:
    return Bundle.open(BUNDLES / f"format{version}")


@pytest.mark.parametrize("version", EARLIER)
def test_a_bundle_of_each_earlier_format_opens_and_answers_as_it_did(version: int) -> None:
    bundle = bundle_of(version)
    manifest = bundle.manifest
    assert manifest.format == version
    assert manifest.graph == ("optimum" if version == 1 else "fast")
    assert manifest.task == "text-generation"
    sure = 5 if version == 3 else len(ANSWER)
    answer = list(Engine(bundle, threads=1).generate(PROMPT, max_new_tokens=len(ANSWER), stop_ids=()))
    assert len(answer) == len(ANSWER)
    assert answer[:sure] == ANSWER[:sure]


@pytest.mark.parametrize("version", EARLIER)
def test_its_records_and_its_tokenizer_are_read_too(version: int) -> None:
    bundle = bundle_of(version)
    assert bundle.records is not None
    assert len(Records(bundle.records)) == 1
    tokenizer = ChatTokenizer.load(bundle.path)
    assert tokenizer.decode(tokenizer.encode("Aarhus")) == "Aarhus"


@pytest.mark.parametrize("version", EARLIER)
def test_it_is_verified_by_what_it_keeps_or_says_that_it_keeps_nothing(version: int) -> None:
    if version < 3:
        with pytest.raises(BundleError, match="nothing to verify it by") as caught:
            verify(BUNDLES / f"format{version}", threads=1)
        assert "since format 3" in (caught.value.why or "")
        return
    found = verify(BUNDLES / f"format{version}", threads=1)
    require_within(found)
    assert isinstance(found.parity, Parity)
    assert found.parity.tokens > 100
    if found.form == "none":
        assert found.parity.agreement == found.parity.greedy_equal == 1
        assert abs(found.parity.divergence) < 1e-6


def test_a_bundle_of_a_later_version_is_refused_with_the_next_step(bundle_copy: Path) -> None:
    manifest = json.loads((bundle_copy / "attar.json").read_text())
    later = {**manifest, "format": FORMAT + 1, "something": "new"}
    (bundle_copy / "attar.json").write_text(json.dumps(later))
    with pytest.raises(BundleError, match=f"format is {FORMAT + 1}; this attar reads up to {FORMAT}") as caught:
        Bundle.open(bundle_copy)
    assert "pip install --upgrade attar" in (caught.value.next_step or "")
    assert caught.value.exit_code == 5
