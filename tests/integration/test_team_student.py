"""The committed team student: small, whole, and worth on held-out questions what its manifest says."""

from __future__ import annotations

from functools import cache

from attar.pipeline.config import load_config
from attar.pipeline.data import Sample
from attar.pipeline.data.questions.tool_call import read_call
from attar.pipeline.evaluation import exact_match
from attar.pipeline.evaluation.bundles import bundle_answers
from attar.pipeline.stages.data import configured_loader, sources_of
from attar.runtime import AgenticWorkflow, Bundle, MultiAgentWorkflow
from tests.conftest import ROOT

STUDENT = ROOT / "tests" / "fixtures" / "team"
CALLS = ("tool_call", "tool_choice", "tool_lookup", "tool_without_arguments")
LEARNED = (
    "abstain", "claim", "lookup", "no_tool", "not_recorded", "reverse_lookup", "tool_answer", "tool_lookup", "yes_no",
)  # fmt: skip
QUESTIONS = 220


@cache
def bundle() -> Bundle:
    return Bundle.open(STUDENT)


@cache
def answered() -> list[tuple[Sample, str]]:
    """Held-out questions of every kind, each with the student's answer."""
    settings = [f"data.test_questions={QUESTIONS}", "data.records_per_table=1"]
    config = load_config(ROOT / "configs" / "team.json", settings)
    samples = configured_loader(config, sources_of(config)).prepare_distillation_dataset()
    asked = [sample for sample in samples if sample.split == "test"]
    answers, _ = bundle_answers(bundle(), asked, max_new_tokens=160, threads=2)
    return list(zip(asked, answers, strict=True))


def test_it_is_at_most_forty_megabytes() -> None:
    assert sum(path.stat().st_size for path in STUDENT.iterdir()) <= 40e6


def test_it_answers_held_out_questions_about_as_well_as_its_manifest_says() -> None:
    right = sum(exact_match(answer, sample.answer) for sample, answer in answered())
    said = bundle().manifest.scores["quantized"]["exact_match"]
    assert right / len(answered()) >= said - 0.09, "two and a half standard errors of so few questions"


def test_it_can_do_what_its_card_says_it_can() -> None:
    """Nine of ten held-out questions of these kinds, by its card."""
    right = [exact_match(answer, sample.answer) for sample, answer in answered() if sample.kind in LEARNED]
    assert len(right) >= 30 and sum(right) >= 0.8 * len(right)


def test_what_it_writes_where_a_tool_is_wanted_is_a_call() -> None:
    calls = [read_call(answer) for sample, answer in answered() if sample.kind in CALLS]
    assert len(calls) >= 30 and sum(call is not None for call in calls) >= 0.9 * len(calls)


def test_its_agents_answer_summarize_and_check() -> None:
    answer = AgenticWorkflow(STUDENT).run(query="What is the IATA code of Nantucket Memorial?")
    assert answer["messages"][-1].content == "ACK"
    team = MultiAgentWorkflow(STUDENT)
    summary = team.run(query="Summarize Denmark.")
    assert summary["results"]["route"] == "summarizer"
    assert "Copenhagen" in summary["messages"][-1].content
    assert team.run(query="Is it true that the capital of Denmark is Paris?")["results"]["check"] == "contradicted"


def test_its_manifest_holds_its_config_and_its_card_every_kind() -> None:
    recipe = load_config(ROOT / "configs" / "team.json")
    lineage, card = bundle().manifest.lineage, (STUDENT / "README.md").read_text(encoding="utf-8")
    assert lineage["config"]["data"]["kinds"].keys() == recipe.data.model_dump(mode="json")["kinds"].keys()
    assert all(f"| {kind} |" in card for kind in lineage["config"]["data"]["kinds"])
    assert "Below 80 % of the corrected teacher's exact match: top_k." in card
