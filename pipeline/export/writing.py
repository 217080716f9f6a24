"""The bundle writer: every file, then the manifest with their hashes, then the move into place.

Does not know how the graph was made or measured.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from attar.runtime.bundle import (
    EMBEDDING,
    FORMAT,
    GENERATION_FILE,
    GRAPH_FILE,
    MANIFEST_FILE,
    ONE_FORM,
    RECORDS_FILE,
    TEXT,
    Bundle,
    Generation,
    Manifest,
)
from attar.runtime.files import sha256_file, staged_folder, write_json
from attar.runtime.forms import Form
from attar.runtime.references import References, write_references
from attar.runtime.similarity import Embedded, write_embedded
from attar.runtime.text import TEMPLATE_FILE, TOKENIZER_FILE, ChatTokenizer

from .ladder import Made
from .shared_weights import write_sharing

__all__ = ["Provenance", "publish", "write_bundle", "write_encoder_bundle"]

CARD_FILE = "README.md"


@dataclass(frozen=True)
class Provenance:
    """Where a bundle comes from: teacher, data and versions, and the licenses of what it was made of."""

    lineage: dict[str, Any] = field(default_factory=dict)
    licenses: dict[str, Any] = field(default_factory=dict)


def write_bundle(
    out: Path,
    *,
    made: Sequence[Made],
    tokenizer: ChatTokenizer,
    generation: Generation,
    references: References,
    provenance: Provenance,
    add_records: Callable[[Path], None] | None,
) -> Bundle:
    """Write a bundle of one form or several, the default first, beside its place and move it in when whole."""

    def add(staged: Path) -> None:
        (staged / TOKENIZER_FILE).write_text(tokenizer.to_json(), encoding="utf-8")
        (staged / TEMPLATE_FILE).write_text(tokenizer.template, encoding="utf-8")
        (staged / GENERATION_FILE).write_text(json.dumps(asdict(generation), indent=2) + "\n", encoding="utf-8")
        write_references(staged, references)
        if add_records:
            add_records(staged / RECORDS_FILE)

    return _write(out, made, TEXT, provenance, add)


def write_encoder_bundle(
    out: Path, *, made: Sequence[Made], tokenizer: Tokenizer, references: Embedded, provenance: Provenance
) -> Bundle:
    """The same of a model that embeds texts."""

    def add(staged: Path) -> None:
        (staged / TOKENIZER_FILE).write_text(tokenizer.to_str(), encoding="utf-8")
        write_embedded(staged, references)

    return _write(out, made, EMBEDDING, provenance, add)


def _write(out: Path, made: Sequence[Made], task: str, provenance: Provenance, add: Callable[[Path], None]) -> Bundle:
    first = made[0]
    with staged_folder(out, marker=MANIFEST_FILE) as staged:
        forms = _add_graphs(staged, made)
        add(staged)
        _write_manifest(
            staged,
            Manifest(
                files={},
                architecture=first.architecture,
                quantization=first.form,
                graph=first.contract,
                task=task,
                lineage=provenance.lineage,
                licenses=provenance.licenses,
                parity=first.parity,
                limits=first.limits,
                choice=first.choice,
                forms=forms,
                format=FORMAT if forms else ONE_FORM,
            ),
        )
    return Bundle.open(out, task=task)


def _add_graphs(folder: Path, made: Sequence[Made]) -> tuple[Form, ...]:
    """Write the graphs with their weights; returns what the manifest says of the forms, where there are several."""
    first = made[0]
    if len(made) == 1:
        for file in (first.graph, first.graph.with_name(f"{GRAPH_FILE}.data")):
            if file.is_file():
                shutil.copyfile(file, folder / file.name)
        return ()
    names = [GRAPH_FILE if each is first else f"model-{_uses(each)[0]}.onnx" for each in made]
    files = write_sharing({name: each.graph for name, each in zip(names, made, strict=True)}, folder)
    return tuple(_form(each, name, files[name], folder) for name, each in zip(names, made, strict=True))


def _form(made: Made, name: str, files: tuple[str, ...], folder: Path) -> Form:
    rungs = ("optimum", made.contract, made.form)
    return Form(
        uses=_uses(made),
        quantization=made.form,
        graph_file=name,
        files=files,
        size=sum((folder / file).stat().st_size for file in files),
        parity={rung: found for rung, found in made.parity.items() if rung in rungs},
        limits=made.limits,
        rejected=made.chosen.rejected if made.chosen else {},
    )


def _uses(made: Made) -> tuple[str, ...]:
    return made.chosen.uses if made.chosen else ()


def publish(
    bundle: Bundle, out: Path, *, scores: dict[str, Any], card: str, figures: Mapping[str, str] | None = None
) -> Bundle:
    """A copy of a bundle that also tells its scores, in the manifest and in a card with its figures, by file name."""
    with staged_folder(out, marker=MANIFEST_FILE) as staged:
        for name in bundle.manifest.files:
            shutil.copyfile(bundle.path / name, staged / name)
        for name, text in {CARD_FILE: card, **(figures or {})}.items():
            (staged / name).write_text(text, encoding="utf-8")
        known = bundle.manifest.to_dict() | {"scores": scores}
        _write_manifest(staged, Manifest.from_dict(known))
    return Bundle.open(out)


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    files = {
        path.name: {"size": path.stat().st_size, "sha256": sha256_file(path)}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST_FILE
    }
    write_json(folder / MANIFEST_FILE, manifest.to_dict() | {"files": files})
