"""``export_model``: a model folder in, a bundle out, or an error and nothing.

Checks what can be checked first, then lets the ladder make and measure the graph. Does not know runs or training.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from attar.runtime.bundle import MANIFEST_FILE, Bundle, Generation
from attar.runtime.files import require_replaceable
from attar.runtime.references import Exchange

from ..config import ExportConfig
from ..progress import say
from ..teacher import LoadedModel, load_model
from .answer_gate import AnswerGate, Trial
from .automatic import climb_to_best
from .calibration import input_moments
from .checks import existing_parent, require_finite, require_room
from .fast import refusal
from .ladder import Ladder, plan_of
from .layouts import LAYOUTS, is_rounded
from .parity import CONTINUED, reference_answers
from .writing import Provenance, write_bundle

__all__ = ["CALIBRATED", "export_model"]

_COPIES, _COPIES_OF_ALL = 2, 3
"""Graphs in fp32 that stand on disk at once at most; with every other form beside them they weigh as three."""

CALIBRATED = frozenset({"auto", "int4", "int4-all"})
"""Forms that round by what the layers meet."""

_CONTINUATIONS = 8
_PROMPTS = (
    "What is the capital of France?",
    "Country: Denmark\ncapital: Copenhagen\npopulation: 5655750\n\nWhat is the population of Denmark?",
    "Write one sentence about the sea.",
    "List three colors.",
)


def export_model(
    model: str | Path,
    out: Path,
    config: ExportConfig,
    *,
    expected: Sequence[Exchange] = (),
    trial: Trial | None = None,
    texts: Sequence[Sequence[int]] = (),
    provenance: Provenance | None = None,
    add_records: Callable[[Path], None] | None = None,
) -> Bundle:
    """Export a causal LM to a bundle.

    Args:
        model: A model folder, or any name that :func:`attar.pipeline.teacher.load_model` takes.
        out: The bundle's folder; an older bundle there is replaced when the new one is whole.
        config: The graph, its form, and the limits of parity.
        expected: Held-out prompts with their right answers, each up to the token that ends its turn; parity is measured
            on them. By default the model's own answers to a few general prompts are taken.
        trial: Held-out questions; a form that chooses itself is scored with them.
        texts: Token ids of texts such as the model will read; 4 bits are rounded by what its layers meet there.
        provenance: Lineage and licenses for the manifest.
        add_records: Writes the records file at the path it is given.

    Raises:
        ModelError: The model can't be loaded or exported, or a weight is NaN or infinite.
        OutOfSpace: There is no room for the graphs.
        ParityError: A graph is further from torch than the config allows; no bundle is written.
        Refused: Something that is no bundle stands at ``out``.
        UsageError: The graph has no such form.
    """
    require_replaceable(out, MANIFEST_FILE)
    say(f"export: loading {model}")
    loaded = load_model(str(model), template=None)
    loaded.model.eval()
    require_finite(loaded.model, loaded.name)
    _require_room(loaded, out, config, expected)
    contract, form = plan_of(loaded.model, config.graph, config.quantize, refusal(loaded.model.config))
    stops = stop_ids_of(loaded)
    prompts = _prompts(loaded, expected)
    with tempfile.TemporaryDirectory(dir=existing_parent(out), prefix=".attar-export-") as scratch:
        references = reference_answers(loaded.model, prompts, stops, Path(scratch), expected)
        moments = _moments(loaded, form, texts)
        ladder = Ladder(loaded.model, config, references, Path(scratch), moments)
        if form == "auto":
            gate = AnswerGate(contract, ladder.architecture, config, references, trial, stops)
            made = climb_to_best(ladder, contract, gate, config.wanted)
        else:
            made = [ladder.climb(contract, form)]
        return write_bundle(
            out,
            made=made,
            tokenizer=loaded.tokenizer,
            generation=Generation(stop_ids=stops),
            references=references,
            provenance=provenance or Provenance(lineage={"model": str(model)}),
            add_records=add_records,
        )


def _moments(loaded: LoadedModel, form: str, texts: Sequence[Sequence[int]]) -> Mapping[Any, NDArray[Any]] | None:
    """What the layers' inputs are like, where texts are given and a form has layers of 4 bits yet to be rounded."""
    if not texts or form not in CALIBRATED or (form in LAYOUTS and is_rounded(loaded.model, form)):
        return None
    say(f"export: reading {len(texts)} texts to round by")
    return input_moments(loaded.model, texts)


def stop_ids_of(loaded: LoadedModel) -> tuple[int, ...]:
    """Tokens that end an answer: the model's own, and the one that ends a turn."""
    settings = loaded.model.generation_config
    own = getattr(settings, "eos_token_id", None) if settings is not None else None
    own = own if isinstance(own, list) else [own]
    return tuple(sorted({token for token in (*own, loaded.tokenizer.end_id) if token is not None}))


def _prompts(loaded: LoadedModel, expected: Sequence[Exchange]) -> list[list[int]]:
    """What the model continues by itself."""
    if expected:
        step = -(-len(expected) // _CONTINUATIONS)
        return [list(one.prompt) for one in expected[::step]]
    return [loaded.tokenizer.encode_chat([{"role": "user", "content": text}]) for text in _PROMPTS]


def _require_room(loaded: LoadedModel, out: Path, config: ExportConfig, expected: Sequence[Exchange]) -> None:
    copies = _COPIES_OF_ALL if config.quantize == "auto" else _COPIES
    tokens = sum(len(one.ids) for one in expected) or CONTINUED * len(_PROMPTS)
    logits = 4 * tokens * loaded.model.config.vocab_size
    require_room(
        out,
        copies * 4 * loaded.parameters + logits,
        "They and torch's logits need",
        "Make room, choose another place with --out, or lower the config's export.parity_tokens.",
    )
