"""The bundle writer: every file, then the manifest with their hashes, then the move into place.

Does not know how the graph was made or measured.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from attar.runtime.bundle import (
    EMBEDDING,
    GENERATION_FILE,
    GRAPH_FILE,
    MANIFEST_FILE,
    RECORDS_FILE,
    TEXT,
    Bundle,
    Generation,
    Manifest,
)
from attar.runtime.files import sha256_file, staged_folder, write_json
from attar.runtime.references import References, write_references
from attar.runtime.similarity import Embedded, write_embedded
from attar.runtime.text import TEMPLATE_FILE, TOKENIZER_FILE, ChatTokenizer

from .ladder import Made

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
    made: Made,
    tokenizer: ChatTokenizer,
    generation: Generation,
    references: References,
    provenance: Provenance,
    add_records: Callable[[Path], None] | None,
) -> Bundle:
    """Write a bundle beside its place and move it in when whole."""

    def add(staged: Path) -> None:
        (staged / TOKENIZER_FILE).write_text(tokenizer.to_json(), encoding="utf-8")
        (staged / TEMPLATE_FILE).write_text(tokenizer.template, encoding="utf-8")
        (staged / GENERATION_FILE).write_text(json.dumps(asdict(generation), indent=2) + "\n", encoding="utf-8")
        write_references(staged, references)
        if add_records:
            add_records(staged / RECORDS_FILE)

    return _write(out, made, TEXT, provenance, add)


def write_encoder_bundle(
    out: Path, *, made: Made, tokenizer: Tokenizer, references: Embedded, provenance: Provenance
) -> Bundle:
    """The same of a model that embeds texts."""

    def add(staged: Path) -> None:
        (staged / TOKENIZER_FILE).write_text(tokenizer.to_str(), encoding="utf-8")
        write_embedded(staged, references)

    return _write(out, made, EMBEDDING, provenance, add)


def _write(out: Path, made: Made, task: str, provenance: Provenance, add: Callable[[Path], None]) -> Bundle:
    with staged_folder(out, marker=MANIFEST_FILE) as staged:
        for file in (made.graph, made.graph.with_name(f"{GRAPH_FILE}.data")):
            if file.is_file():
                shutil.copyfile(file, staged / file.name)
        add(staged)
        _write_manifest(
            staged,
            Manifest(
                files={},
                architecture=made.architecture,
                quantization=made.form,
                graph=made.contract,
                task=task,
                lineage=provenance.lineage,
                licenses=provenance.licenses,
                parity=made.parity,
                limits=made.limits,
                choice=made.choice,
            ),
        )
    return Bundle.open(out, task=task)


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
