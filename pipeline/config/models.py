"""The config's models: every parameter of a run, its limits, its default, what it is for, an example.

Frozen pydantic models that refuse a key they do not know and a value of another type. Everything else that
is said of a key (the JSON Schema, the messages, ``attar config init``) is made from here. Does not know
files, ``--set``, or how a run works.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .distillation import DistillationConfig
from .export import ExportConfig
from .section import Section
from .tables import DataConfig

__all__ = ["FinishConfig", "MeasurementConfig", "RunConfig"]


class FinishConfig(Section):
    """The student's last steps, with its weights rounded as ``export.quantize`` will round them."""

    steps: int = Field(
        0,
        ge=0,
        description="Optimizer steps with the weights rounded as the export will; 0 leaves them out.",
        examples=[100],
    )
    teacher: Literal["student", "teacher"] = Field(
        "student",
        description="Who teaches the rounded student: the student as it was, or the corrected teacher, whose steps "
        "take longer, and towards whose answers it goes: where the student is ahead, that is a loss.",
        examples=["student", "teacher"],
    )
    learning_rate: float = Field(2e-4, gt=0, description="Peak learning rate of the finish.", examples=[2e-4])
    alpha: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Weight of what its teacher says, against the right answers, whatever taught the student before.",
        examples=[0.5, 1.0],
    )
    alignment: float = Field(
        2.0, ge=0, description="Weight of its hidden states' cosine distance in the loss of the finish.", examples=[2.0]
    )
    rehearsal: float = Field(
        0.0,
        ge=0,
        description="Weight of that distance on requests that the corrected teacher makes up, as in "
        "distillation.rehearsal.",
        examples=[0.0, 2.0],
    )

    def applied_to(self, distillation: DistillationConfig) -> DistillationConfig:
        """The settings of the finish as a distillation."""
        own = {"alpha": self.alpha, "alignment": self.alignment, "rehearsal": self.rehearsal}
        return distillation.model_copy(update=own)


class MeasurementConfig(Section):
    """What is measured at the end of a run."""

    baseline: bool = Field(
        True,
        description="Whether to make a student of the same body and budget by plain fine-tuning too, and judge the "
        "distilled one against it; takes somewhat more than half the distillation's time.",
        examples=[False],
    )
    baseline_learning_rate: float = Field(
        4e-4,
        gt=0,
        description="Peak learning rate of that fine-tuning; at 1.5e-3 it is worse (benchmarks/LOG.md).",
        examples=[4e-4],
    )
    threads: int = Field(2, ge=1, description="Threads of every variant.", examples=[2])
    max_new_tokens: int = Field(32, ge=1, description="Limit of an answer when scoring.", examples=[32])
    uncorrected_questions: int | None = Field(
        None,
        ge=1,
        description="Test questions that the teacher answers before its correction, by default all; one that never "
        "ends its answers takes long.",
        examples=[128],
    )
    decode_tokens: int = Field(32, ge=8, description="Tokens decoded in one speed measurement.", examples=[32])
    repetitions: int = Field(3, ge=1, description="How often each variant is started in a fresh process.", examples=[3])
    pairs: int = Field(8, ge=2, description="Timed answers of each variant, taken in turn.", examples=[8])


class RunConfig(Section):
    """One run, from tables to a measured bundle."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Names the folder runs/NAME; letters, digits, '.', '_' and '-'.",
        examples=["my-run", "quickstart"],
    )
    data: DataConfig = Field(
        description="Which tables, and how samples are made from them.",
        examples=[{"tables": [{"path": "tables/countries.json"}], "records_per_table": 1000}],
    )
    distillation: DistillationConfig = Field(
        description="The teacher, the student, and how one teaches the other.",
        examples=[{"teacher_model_name": "gpt2", "steps": 200}],
    )
    finish: FinishConfig = Field(
        default_factory=FinishConfig,
        description="The student's last steps, with its weights rounded as they will be exported.",
        examples=[{"steps": 100}],
    )
    export: ExportConfig = Field(
        default_factory=ExportConfig,
        description="The form the student is shipped in.",
        examples=[{"quantize": "int8"}],
    )
    measurement: MeasurementConfig = Field(
        default_factory=MeasurementConfig,
        description="What is measured at the end of a run.",
        examples=[{"threads": 2, "repetitions": 3}],
    )

    @model_validator(mode="after")
    def _layers_need_a_cut(self) -> RunConfig:
        if self.distillation.student_model_name and self.distillation.student_layers:
            raise ValueError("student_model_name and student_layers can't both be given")
        return self

    @model_validator(mode="after")
    def _a_finish_needs_a_form(self) -> RunConfig:
        if self.finish.steps and self.export.quantize in ("none", "auto"):
            raise ValueError(
                f"finish rounds weights as the export will, and export.quantize is {self.export.quantize}: name one "
                "form there, or set finish.steps to 0"
            )
        return self
