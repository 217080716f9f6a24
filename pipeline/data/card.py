"""The dataset card: ``README.md`` beside the Parquet files, as Hugging Face reads it, made of the set's manifest.

Its front matter tells ``datasets.load_dataset`` which file is which split
(https://huggingface.co/docs/hub/datasets-manual-configuration). Does not know how samples are made.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .manifest import left_out
from .splits import SPLITS

__all__ = ["CARD", "dataset_card"]

CARD = "README.md"

_MODES = {
    "grounded": "the records that a question is about stand in its prompt; the splits share no entity",
    "closed_book": "no record stands in the prompt, so the student has to know the rows; held out are forms of "
    "question about rows that training knows, and rows that it does not know, where abstaining is right",
    "given": "questions and answers as a table holds them; no question is in both splits",
}
_SIZES = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_SIZE_NAMES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B")
_LICENSES = {"odbl-1.0": "odbl", "odc-by-1.0": "odc-by", "pddl-1.0": "pddl"} | {
    name: name
    for name in (
        *("afl-3.0", "agpl-3.0", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc0-1.0", "cc-by-2.0"),
        *("cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0"),
        *("cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
        *("cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1"),
        *("eupl-1.2", "gfdl", "gpl-2.0", "gpl-3.0", "isc", "lgpl-2.1", "lgpl-3.0", "mit", "mpl-2.0", "ms-pl"),
        *("ncsa", "ofl-1.1", "osl-3.0", "postgresql", "unlicense", "wtfpl", "zlib", "unknown"),
    )
}
"""SPDX's name of a license, in small letters, to the hub's; any other is "other" there."""


def dataset_card(name: str, manifest: Mapping[str, Any], licenses: Sequence[str]) -> str:
    """The card of a set.

    Args:
        name: What the set is called.
        manifest: See :func:`~.manifest.manifest_of`; every figure comes from there.
        licenses: Of each of its tables, in their order.
    """
    parts = (
        _front_matter(name, manifest, licenses),
        f"# {name}",
        "Questions with answers, calls of tools, claims and summaries for a small language model, made by attar from "
        "the rows of the tables below. Every answer is recomputed from the rows that it comes from.",
        *_modes(manifest),
        "## Samples",
        *_samples(manifest),
        "## Splits",
        _proof(manifest["split_proof"]),
        "## What was left out",
        "\n".join(_left_out(manifest)),
        "## Tables and licenses",
        *_tables(manifest, licenses),
        "## How to load it",
        _LOADING,
    )
    return "\n\n".join(parts) + "\n"


def _front_matter(name: str, manifest: Mapping[str, Any], licenses: Sequence[str]) -> str:
    known = dict.fromkeys(_hub_license(terms) for terms in licenses)
    files = "".join(f"\n  - split: {split}\n    path: {split}.parquet" for split in SPLITS)
    lines = (
        f"license: {next(iter(known)) if len(known) == 1 else json.dumps(list(known))}",
        f"pretty_name: {json.dumps(name, ensure_ascii=False)}",
        f"size_categories: [{_size(sum(group['count'] for group in manifest['samples']))}]",
        f"configs:\n- config_name: default\n  data_files:{files}",
    )
    return "\n".join(("---", *lines, "---"))


def _hub_license(terms: str) -> str:
    """What the hub calls a license, by the first word of what a config says of it."""
    return _LICENSES.get(terms.split()[0].casefold() if terms.split() else "", "other")


def _size(count: int) -> str:
    below = next((place for place, limit in enumerate(_SIZES) if count < limit), len(_SIZES))
    if below == len(_SIZES):
        return "n>1B"
    return f"{_SIZE_NAMES[below - 1]}<n<{_SIZE_NAMES[below]}" if below else "n<1K"


def _modes(manifest: Mapping[str, Any]) -> Iterable[str]:
    modes = dict.fromkeys(group["mode"] for group in manifest["samples"])
    return (f"Mode `{mode}`: {_MODES[mode]}." for mode in modes)


def _samples(manifest: Mapping[str, Any]) -> Iterable[str]:
    counts: Counter[tuple[str, str]] = Counter()
    for group in manifest["samples"]:
        counts[group["kind"], group["split"]] += group["count"]
    kinds = sorted({kind for kind, _ in counts})
    yield _table(("kind", *SPLITS), ((kind, *(counts[kind, split] for split in SPLITS)) for kind in kinds))
    yield (
        "`messages` is the whole chat, the answer its last turn; `tools` are the tools that can be called, as JSON. "
        "The other columns say where a sample comes from: `source` and its `source_sha256`, `table`, `rows` (numbers "
        "in the source, from 0) and their `keys`, `columns`, `kind`, `form`, `seed`, `mode`, `split`; `donors` and "
        "`invented` name values that are not those of the row, which is so in training alone."
    )


def _proof(proof: Mapping[str, Any]) -> str:
    groups, pairs = proof["groups"], proof["near_duplicate_pairs_across"]
    if not any(groups.values()):
        return "No record stands in a prompt, so the splits are parted by form and by question, not by entity."
    counts = f"{groups['train']:,} groups of entities are trained on, {groups['test']:,} are held out"
    near = "near-duplicates were not looked for" if pairs is None else f"pairs of near-duplicate rows across: {pairs}"
    return f"{counts}; shared: {proof['shared_groups']}; {near}. Recounted from the files as they were written."


def _left_out(manifest: Mapping[str, Any]) -> Iterable[str]:
    lines = [f"- {reason}: {count:,}" for reason, count in left_out(manifest)]
    return lines or ["Nothing."]


def _tables(manifest: Mapping[str, Any], licenses: Sequence[str]) -> Iterable[str]:
    head = ("table", "rows", "source", "license")
    tables = list(zip(manifest["tables"], licenses, strict=True))
    yield _table(head, ((one["label"], one["rows"], one["source"], terms) for one, terms in tables))
    yield from (f"{one['label']}: {one['note']}" for one, _ in tables if "note" in one)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [[_cell(value) for value in row] for row in (head, *rows)]
    lines.insert(1, ["---"] * len(head))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.replace("|", "\\|").split())


_LOADING = """```python
from datasets import load_dataset

samples = load_dataset("FOLDER")  # this folder, or the hub's name of it: samples["train"], samples["test"]
```

`dataset.json` holds all counts, the proof of the splits and the tables' schemas; `attar data verify` recomputes every
answer from the tables, and `attar data show ID` shows a sample beside its rows."""
