"""The bundle: the one folder that crosses from the pipeline to the runtime.

Opening it checks every byte against its manifest. Hands on paths and facts.
Does not know how the graph runs or how a bundle is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from .errors import BundleError
from .files import read_json, sha256_file
from .forms import Form, form_for, uses_of
from .text import TEMPLATE_FILE, TOKENIZER_FILE

__all__ = [
    "EMBEDDING",
    "FORMAT",
    "GENERATION_FILE",
    "GRAPH_FILE",
    "MANIFEST_FILE",
    "ONE_FORM",
    "RECORDS_FILE",
    "TEXT",
    "Architecture",
    "Bundle",
    "Generation",
    "Manifest",
]

FORMAT, ONE_FORM = 6, 5
_READABLE = range(1, FORMAT + 1)
"""The policy: this version reads ``FORMAT`` and every earlier one; a later one is refused, never guessed at. It writes
the earliest that says all there is to say, which is ``ONE_FORM`` for a bundle with one form.

======  ==============================================  =====================================================
format  what is new                                     what an earlier bundle is taken to be
======  ==============================================  =====================================================
1       manifest, graph, tokenizer, template, settings
2       the graph's contract                            Optimum's graph
3       references, limits, how the form was chosen     nothing to verify it by
4       references of right answers, normalizers        its own answers are both; divergence of the kept tokens
5       the task                                        it answers
6       several forms                                   one form, best for what it was chosen for, if it was
======  ==============================================  =====================================================

A field that is added has a default, so that earlier manifests are read as they are, and a new version, so that earlier
versions of attar can say what they can't read. A small bundle of each earlier format stands in the tests.
"""
MANIFEST_FILE = "attar.json"
GRAPH_FILE = "model.onnx"
RECORDS_FILE = "records.sqlite"
GENERATION_FILE = "generation.json"
TEXT, EMBEDDING = "text-generation", "feature-extraction"
"""Tasks, as transformers and Optimum name them: to answer, and to embed texts."""
_NEEDED = {
    TEXT: (GRAPH_FILE, TOKENIZER_FILE, TEMPLATE_FILE, GENERATION_FILE),
    EMBEDDING: (GRAPH_FILE, TOKENIZER_FILE),
}
_OPENED = {TEXT: "ChatOnnx, or attar chat", EMBEDDING: "OnnxEmbeddings"}


@dataclass(frozen=True)
class Architecture:
    """The shape of the model in the graph."""

    model_type: str
    layers: int
    key_value_heads: int
    head_size: int
    vocabulary_size: int
    context_length: int
    parameters: int


@dataclass(frozen=True)
class Generation:
    """How the model answers where the caller does not say: ``generation.json``.

    Attributes:
        stop_ids: Tokens that end an answer.
        max_new_tokens: Limit of an answer.
        temperature: 0 is greedy.
    """

    stop_ids: tuple[int, ...]
    max_new_tokens: int = 128
    temperature: float = 0.0


@dataclass(frozen=True)
class Manifest:
    """``attar.json``: what the bundle is made of and what is known of it.

    Attributes:
        files: Name to ``{"size": bytes, "sha256": hex}`` of every file but the manifest.
        architecture: The model's shape.
        quantization: The graph's numeric form: "none", "int8" and so on.
        graph: The contract by which the engine drives the graph: "optimum" or "fast".
        task: "text-generation" or "feature-extraction".
        lineage: Teacher, data and versions it was made from.
        licenses: Licenses of the teacher and of each table.
        parity: How far the shipped graph is from the student that was trained.
        limits: What parity the shipped graph was held to: "max_logit_difference", "min_agreement", "min_greedy_equal",
            "max_score_loss".
        choice: What was found of each form and why it was not taken, where the form chose itself.
        scores: Exact and value match on held-out questions, per variant.
        forms: All forms, where there are several; then ``quantization`` and ``limits`` are those of the first.
        format: Version of the format.
    """

    files: dict[str, dict[str, Any]]
    architecture: Architecture
    quantization: str
    lineage: dict[str, Any] = field(default_factory=dict)
    licenses: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    choice: dict[str, Any] = field(default_factory=dict)
    graph: str = "optimum"
    task: str = TEXT
    forms: tuple[Form, ...] = ()
    format: int = ONE_FORM

    def to_dict(self) -> dict[str, Any]:
        """The manifest as JSON holds it, the format's version first."""
        value = asdict(self)
        if not self.forms:  # earlier versions do not know the key
            del value["forms"]
        return {"format": value.pop("format"), **value}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Manifest:
        """The inverse of :meth:`to_dict`; raises ``TypeError`` or ``KeyError`` on anything else."""
        forms = tuple(Form.from_dict(form) for form in value.get("forms", ()))
        return cls(**{**value, "architecture": Architecture(**value["architecture"]), "forms": forms})


@dataclass(frozen=True)
class Bundle:
    """A bundle whose every file was checked.

    Use :meth:`open`; the constructor checks nothing.

    Attributes:
        path: Its folder.
        manifest: What is known of it.
        generation: How it answers; of one that embeds texts it says nothing.
        use: What it is wanted for, which says in which form; None is the first.
    """

    path: Path
    manifest: Manifest
    generation: Generation
    use: str | None = None

    @classmethod
    def open(cls, path: str | Path, *, task: str | None = TEXT, use: str | None = None) -> Bundle:
        """Open a bundle and check all of it.

        Args:
            path: Its folder.
            task: What it is to be used for; None is whatever it can do.
            use: "latency", "throughput" or "size", of a bundle that holds the best form for each; by default its first.

        Raises:
            BundleError: No bundle is there, its format is unknown, a byte was changed, a file is
                missing or extra, something in it is a link or a folder, or it is made for another task.
            UsageError: It has no form for this use.
        """
        folder = Path(path)
        manifest = _read_manifest(folder)
        _check_task(folder, manifest, task)
        _check_names(folder, manifest)
        for name, expected in manifest.files.items():
            _check_file(folder / name, expected)
        generation = _read_generation(folder) if manifest.task == TEXT else Generation(())
        return cls(folder, manifest, generation).for_use(use)

    def for_use(self, use: str | None) -> Bundle:
        """The same bundle in its form for a use.

        Raises:
            UsageError: It has no form for this use.
        """
        form_for(self.forms, use, self.path)
        return replace(self, use=use)

    def in_each_form(self) -> list[Bundle]:
        """The same bundle in each of its forms, the one that is opened by default first."""
        return [self.for_use(form.uses[0] if form.uses else None) for form in self.forms]

    @property
    def forms(self) -> tuple[Form, ...]:
        """All forms that it holds, the one that is opened by default first."""
        manifest = self.manifest
        if manifest.forms:
            return manifest.forms
        files = tuple(name for name in (GRAPH_FILE, f"{GRAPH_FILE}.data") if name in manifest.files)
        size = sum(manifest.files[name]["size"] for name in files)
        uses, rejected = uses_of(manifest.choice.get("wanted")), manifest.choice.get("rejected", {})
        known = manifest.parity, manifest.limits, rejected
        return (Form(uses, manifest.quantization, GRAPH_FILE, files, size, *known),)

    @property
    def form(self) -> Form:
        """The form that it is opened in."""
        return form_for(self.forms, self.use, self.path)

    @property
    def graph(self) -> Path:
        """The ONNX graph of its form."""
        return self.path / self.form.graph_file

    @property
    def records(self) -> Path | None:
        """The table's records, where the bundle carries them."""
        return self.path / RECORDS_FILE if RECORDS_FILE in self.manifest.files else None

    @property
    def size(self) -> int:
        """Bytes of all files, manifest included."""
        return sum(entry.stat().st_size for entry in self.path.iterdir())


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    if not path.is_file() or path.is_symlink():
        raise BundleError(
            "There is no bundle here.",
            where=folder,
            why=f"It has no {MANIFEST_FILE}.",
            next_step="Give the folder that `attar run` or `attar export` wrote, such as runs/quickstart/bundle.",
        )
    try:
        value = read_json(path)
        if value.get("format") not in _READABLE:
            raise BundleError(
                f"The bundle's format is {value.get('format')!r}; this attar reads up to {FORMAT}.",
                where=path,
                next_step="Run: pip install --upgrade attar. Or export the model again with this version.",
            )
        manifest = Manifest.from_dict(value)
        if not isinstance(manifest.files, dict) or not all(isinstance(file, dict) for file in manifest.files.values()):
            raise ValueError("Its files are not listed by name, each with size and sha256.")
        return manifest
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _broken(path, "The manifest can't be read.", error) from error


def _check_task(folder: Path, manifest: Manifest, wanted: str | None) -> None:
    if manifest.task not in _NEEDED:
        raise _broken(folder / MANIFEST_FILE, f"The bundle is made for a task that is unknown: {manifest.task!r}.")
    if wanted not in (None, manifest.task):
        raise BundleError(
            f"The bundle is made for {manifest.task}, not for {wanted}.",
            where=folder,
            next_step=f"Open it with {_OPENED[manifest.task]}.",
        )


def _read_generation(folder: Path) -> Generation:
    try:
        settings = read_json(folder / GENERATION_FILE)
        return Generation(**{**settings, "stop_ids": tuple(settings["stop_ids"])})  # type: ignore[arg-type]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _broken(folder / GENERATION_FILE, "The generation settings can't be read.", error) from error


def _check_names(folder: Path, manifest: Manifest) -> None:
    listed = {*manifest.files, MANIFEST_FILE}
    found = {entry.name for entry in folder.iterdir()}
    for name in sorted(listed | found):
        entry = folder / name
        if name not in found:
            raise _broken(entry, "A file of the bundle is missing.")
        if name not in listed:
            raise _broken(entry, "The bundle holds a file that its manifest does not list.")
        if entry.is_symlink() or not entry.is_file() or entry.stat().st_nlink > 1:
            raise _broken(entry, "Something in the bundle is a link or a folder, not a file of its own.")
    read = [name for form in manifest.forms for name in (form.graph_file, *form.files)]
    for name in [*_NEEDED[manifest.task], *read]:
        if name not in listed:
            raise _broken(folder / name, "The manifest does not list a file that every bundle needs.")


def _check_file(path: Path, expected: Mapping[str, Any]) -> None:
    size = path.stat().st_size
    if size != expected.get("size"):
        raise _broken(path, f"A file has {size} bytes where the manifest says {expected.get('size')}.")
    if sha256_file(path) != expected.get("sha256"):
        raise _broken(path, "A file's bytes are not those that the manifest lists.")


def _broken(path: Path, what: str, why: object = None) -> BundleError:
    return BundleError(what, where=path, why=why, next_step="Copy the bundle again, or export it anew.")
