"""The config's section on the export: the graph, its forms, and how far each may be from torch.

Does not know how a form is made or chosen.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from .section import Section

__all__ = ["ExportConfig", "Use"]

Use = Literal["latency", "throughput", "size"]
"""What a form of the graph can be best for."""


class ExportConfig(Section):
    """The form the student is shipped in."""

    graph: Literal["fast", "optimum"] = Field(
        "fast",
        description="The graph: assembled from onnxruntime's fused operators where the model's family is known, "
        "or what Optimum exports.",
        examples=["fast"],
    )
    quantize: Literal["none", "int8", "int4", "int8-dynamic", "mixed", "mixed-dynamic", "int4-all", "auto"] = Field(
        "int8",
        description="Numeric form of the weights; auto tries all and keeps the best. Beyond int8 and int4 on the fast "
        "graph only.",
        examples=["int8", "auto"],
    )
    wanted: Use | Annotated[list[Use], Field(min_length=1, json_schema_extra={"uniqueItems": True})] = Field(
        "latency",
        description="What auto chooses by: time of one question, tokens of many at once, or bytes. Of several, such as "
        '["latency", "throughput"], each gets its best form in one bundle, and the first is opened by default.',
        examples=["latency", "size"],
    )
    max_score_loss: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Right answers on held-out samples that a form may lose, as a share; auto's score is exact match.",
        examples=[0.02],
    )
    scored_samples: int = Field(
        256, ge=1, description="Held-out samples that auto scores each form with.", examples=[256]
    )
    calibration_samples: int = Field(
        64,
        ge=0,
        description="Training samples by whose inputs the 4-bit layers are rounded; 0 rounds by the weights alone.",
        examples=[64, 0],
    )
    parity_tokens: int = Field(
        5000,
        ge=1,
        description="Tokens of right answers at which each graph is compared with torch: held-out samples, and where "
        "they have fewer, training samples too.",
        examples=[5000, 20000],
    )
    max_logit_difference: float = Field(
        1e-3,
        gt=0,
        description="Largest difference allowed between torch and the fp32 graphs, any logit.",
        examples=[1e-3],
    )
    min_agreement: float = Field(
        0.97,
        ge=0,
        le=1,
        description="Least share of equal most likely tokens, torch against the quantized graph; a form is refused "
        "where the whole 95 % interval of its share is below.",
        examples=[0.97],
    )

    @property
    def uses(self) -> tuple[Use, ...]:
        """What is wanted, the first first."""
        return tuple(self.wanted) if isinstance(self.wanted, list) else (self.wanted,)

    @field_validator("wanted")
    @classmethod
    def _different_words(cls, wanted: Use | list[Use]) -> Use | list[Use]:
        """One word in a list is that word, which keeps its key."""
        if isinstance(wanted, list) and len(set(wanted)) < len(wanted):
            raise ValueError("a use stands in it twice")
        return wanted[0] if len(wanted) == 1 and isinstance(wanted, list) else wanted

    @model_validator(mode="after")
    def _several_are_chosen_among(self) -> ExportConfig:
        if len(self.uses) > 1 and self.quantize != "auto":
            raise ValueError(f"wanted has several uses, and quantize is {self.quantize}: set that to auto")
        return self
