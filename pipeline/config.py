"""Every parameter of a run, in one JSON file.

pydantic models that refuse what they do not know and name the nearest right key. Paths in a file are
relative to that file. ``--set section.key=value`` changes one value. Does not know how a run works.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from attar.runtime.errors import ConfigError

__all__ = [
    "CorrectionConfig",
    "DataConfig",
    "DistillationConfig",
    "ExportConfig",
    "MeasurementConfig",
    "RunConfig",
    "TableConfig",
    "load_config",
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class TableConfig(_Section):
    """One table and how to read it."""

    path: Path = Field(description="CSV, JSON, JSONL or Parquet file, relative to the config.")
    label: str | None = Field(None, description="What one row is; by default the file's name.")
    entity: list[str] | None = Field(
        None, description="Columns that name a row: its name first, then what tells equal names apart."
    )
    columns: dict[str, str] | None = Field(
        None, description="Column name to readable name, for the columns to use; by default all."
    )
    license: str = Field("unknown", description="License of the data, for the bundle and the card.")


class DataConfig(_Section):
    """Which tables, and how samples are made from them."""

    tables: list[TableConfig] = Field(min_length=1, description="The tables.")
    questions_per_record: int = Field(4, ge=1, description="Questions asked of each training record.")
    records_per_table: int | None = Field(
        None, ge=1, description="Training records from each table; small tables come again, asked otherwise."
    )
    counterfactual: bool = Field(
        True, description="Records that come again get values of other rows, so that the student learns to read."
    )
    test_share: float = Field(0.15, gt=0, lt=1, description="Fraction of entities that are held out.")
    test_questions: int = Field(512, ge=1, description="Size of the test split.")
    salt: str = Field("attar", description="Another salt gives another split.")


class CorrectionConfig(_Section):
    """Fine-tuning the teacher on the training split before it teaches."""

    steps: int = Field(40, ge=0, description="Optimizer steps; 0 leaves the teacher as it came.")
    learning_rate: float = Field(3e-4, gt=0, description="Peak learning rate.")


class DistillationConfig(_Section):
    """The teacher, the student, and how one teaches the other.

    A model is a hub name, a folder, a GGUF file, or ``pkg:PACKAGE/FILE`` for a file inside an
    installed package.
    """

    teacher_model_name: str = Field(description="The teacher.")
    teacher_license: str = Field("unknown", description="License of the teacher, for the bundle and the card.")
    student_model_name: str | None = Field(
        None, description="The student; by default a body cut from the teacher (student_layers)."
    )
    student_layers: int | None = Field(
        None, ge=1, description="Layers kept of the teacher, evenly spaced; by default half of them."
    )
    temperature: float = Field(2.0, gt=0, description="Softens both distributions in the soft term.")
    alpha: float = Field(0.5, ge=0, le=1, description="Weight of the soft term; 1 - alpha is the hard one's.")
    alignment: float = Field(
        2.0, ge=0, description="Weight of the hidden states' cosine distance, where the widths are equal."
    )
    alignment_steps: int = Field(
        40, ge=0, description="Steps in which each layer of a cut body learns alone, before the distillation."
    )
    alignment_learning_rate: float = Field(2e-3, gt=0, description="Peak learning rate of those steps.")
    steps: int = Field(80, ge=1, description="Optimizer steps of the distillation.")
    learning_rate: float = Field(1.5e-3, gt=0, description="Peak learning rate of the distillation.")
    warmup: float = Field(0.05, ge=0, lt=1, description="Fraction of the steps in which the rate rises.")
    batch_tokens: int = Field(2048, ge=1, description="Tokens of one batch, padding included.")
    questions_per_sequence: int = Field(
        8, ge=1, description="Questions on one record that share its tokens in a sequence."
    )
    correction: CorrectionConfig = Field(default_factory=CorrectionConfig)
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="bfloat16 autocast where the CPU gains by it, or as told."
    )
    seed: int = Field(0, description="Seed of every random choice in training.")
    output: Path = Field(Path("distilled_model"), description="Where save_distilled_model writes.")


class ExportConfig(_Section):
    """The form the student is shipped in."""

    quantize: Literal["none", "int8", "int4"] = Field("int8", description="Numeric form of the weights.")
    max_logit_difference: float = Field(
        1e-3, gt=0, description="Largest difference allowed between torch and the fp32 graph, any logit."
    )
    min_agreement: float = Field(
        0.97, ge=0, le=1, description="Least share of equal most likely tokens, torch against the quantized graph."
    )


class MeasurementConfig(_Section):
    """What is measured at the end of a run."""

    threads: int = Field(2, ge=1, description="Threads of every variant.")
    max_new_tokens: int = Field(32, ge=1, description="Limit of an answer when scoring.")
    decode_tokens: int = Field(32, ge=8, description="Tokens decoded in one speed measurement.")
    repetitions: int = Field(3, ge=1, description="How often each variant is started in a fresh process.")
    pairs: int = Field(8, ge=2, description="Timed answers of each variant, taken in turn.")


class RunConfig(_Section):
    """One run, from tables to a measured bundle."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Names the folder runs/NAME.")
    data: DataConfig
    distillation: DistillationConfig
    export: ExportConfig = Field(default_factory=ExportConfig)
    measurement: MeasurementConfig = Field(default_factory=MeasurementConfig)

    @model_validator(mode="after")
    def _layers_need_a_cut(self) -> RunConfig:
        if self.distillation.student_model_name and self.distillation.student_layers:
            raise ValueError("student_model_name and student_layers can't both be given")
        return self


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a config file and apply ``section.key=value`` overrides.

    Raises:
        ConfigError: The file is missing or not JSON, a key is unknown, or a value is not allowed.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            "There is no such config.", where=path, next_step="Start from configs/quickstart.json."
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError("The config can't be read.", where=path, why=error) from error
    if not isinstance(raw, dict):
        raise ConfigError("The config is not a JSON object.", where=path)
    for override in overrides:
        _apply(raw, override)
    try:
        config = RunConfig.model_validate(raw)
    except ValidationError as error:
        raise _readable(error, path) from error
    return _with_absolute_paths(config, path.resolve().parent)


def _with_absolute_paths(config: RunConfig, base: Path) -> RunConfig:
    tables = [t.model_copy(update={"path": base / t.path}) for t in config.data.tables]
    distillation = config.distillation.model_copy(
        update={
            key: _model_path(value, base)
            for key in ("teacher_model_name", "student_model_name")
            if (value := getattr(config.distillation, key)) is not None
        }
    )
    data = config.data.model_copy(update={"tables": tables})
    return config.model_copy(update={"data": data, "distillation": distillation})


def _model_path(name: str, base: Path) -> str:
    """An absolute path for a model that is a path or is there as a folder; any other name as it is."""
    if name.startswith("pkg:"):
        return name
    is_path = name.startswith((".", "/")) or name.endswith(".gguf") or (base / name).is_dir()
    return str((base / name).resolve()) if is_path else name


def _apply(raw: dict[str, Any], override: str) -> None:
    dotted, separator, text = override.partition("=")
    if not separator:
        raise ConfigError(f"{override!r} does not set anything.", next_step="Write --set section.key=value.")
    *sections, key = dotted.strip().split(".")
    target = raw
    for section in sections:
        target = target.setdefault(section, {})
        if not isinstance(target, dict):
            raise ConfigError(f"{section!r} in {dotted!r} is not a section.", next_step="Set one of its own keys.")
    try:
        target[key] = json.loads(text)
    except ValueError:
        target[key] = text


def _readable(error: ValidationError, path: Path) -> ConfigError:
    """The first problem, in words; an unknown key comes with the nearest right one."""
    problem = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    location = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return ConfigError(
            f"{location or 'The config'}: {problem['msg']}.", where=path, next_step="Correct the value and run again."
        )
    key = str(problem["loc"][-1])
    known = _keys_at(RunConfig, problem["loc"][:-1])
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known keys here: {', '.join(sorted(known))}."
    return ConfigError(f"Unknown key {location!r}.", where=path, next_step=hint)


def _keys_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Keys of the section that a location leads to."""
    for part in location:
        if isinstance(part, int):
            continue
        model = _section_of(model.model_fields[part].annotation)
    return list(model.model_fields)


def _section_of(annotation: Any) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_section_of(part) for part in annotation.__args__)
