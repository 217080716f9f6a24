"""How long the quickstart's student takes to load, and to answer a question about a record."""

from __future__ import annotations

from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from attar.runtime import AgenticWorkflow, Bundle, Engine

QUESTION = "What is the population of Denmark?"


def test_open_and_load(benchmark: BenchmarkFixture, bundle: Path) -> None:
    """Every byte checked, the graph in memory."""
    engine = benchmark.pedantic(lambda: Engine(Bundle.open(bundle)), rounds=5, warmup_rounds=1)
    benchmark.extra_info["size_bytes"] = engine.bundle.size
    assert engine.bundle.manifest.architecture.layers > 0


def test_question_in_answer_out(benchmark: BenchmarkFixture, bundle: Path) -> None:
    """The whole workflow: find the record, render, prefill, decode."""
    workflow = AgenticWorkflow(bundle)
    result = benchmark.pedantic(lambda: workflow.run(query=QUESTION), rounds=20, warmup_rounds=2)
    usage = result["messages"][-1].usage_metadata
    benchmark.extra_info |= {"prompt_tokens": usage["input_tokens"], "answer_tokens": usage["output_tokens"]}
    assert result["context"]["record"].startswith("country:Denmark")
