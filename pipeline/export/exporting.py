"""``export_model``: a model folder in, a bundle out, or an error and nothing.

Optimum's graph is compared with torch before anything is built on it, and the quantized graph after.
Does not know runs or training.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attar.runtime.bundle import GRAPH_FILE, MANIFEST_FILE, Architecture, Bundle, Generation
from attar.runtime.errors import ParityError
from attar.runtime.files import require_replaceable

from ..config import ExportConfig
from ..progress import say
from ..teacher import LoadedModel, load_model
from .parity import Parity, measure_parity, reference_answers
from .quantize import quantize
from .reference import architecture_of, export_reference
from .writing import Provenance, write_bundle

__all__ = ["Exported", "export_model"]

_PROMPTS = (
    "What is the capital of France?",
    "Country: Denmark\ncapital: Copenhagen\npopulation: 5655750\n\nWhat is the population of Denmark?",
    "Write one sentence about the sea.",
    "List three colors.",
)


@dataclass(frozen=True)
class Exported:
    """What an export knows beside the files."""

    architecture: Architecture
    parity: dict[str, Any]


def export_model(
    model: str | Path,
    out: Path,
    config: ExportConfig,
    *,
    prompts: Sequence[Sequence[int]] | None = None,
    provenance: Provenance | None = None,
    add_records: Callable[[Path], None] | None = None,
) -> Bundle:
    """Export a causal LM to a bundle.

    Args:
        model: A model folder, or any name that :func:`attar.pipeline.teacher.load_model` takes.
        out: The bundle's folder; an older bundle there is replaced when the new one is whole.
        config: The form, and the limits of parity.
        prompts: Token ids that parity is measured on; by default a few general prompts.
        provenance: Lineage and licenses for the manifest.
        add_records: Writes the records file at the path it is given.

    Raises:
        ModelError: The model can't be loaded or exported.
        ParityError: A graph is further from torch than the config allows; no bundle is written.
        Refused: Something that is no bundle stands at ``out``.
    """
    require_replaceable(out, MANIFEST_FILE)
    say(f"export: loading {model}")
    loaded = load_model(str(model), template=None)
    loaded.model.eval()
    stops = stop_ids_of(loaded)
    prompts = prompts or [loaded.tokenizer.encode_chat([{"role": "user", "content": text}]) for text in _PROMPTS]
    with tempfile.TemporaryDirectory(dir=_existing_parent(out), prefix=".attar-export-") as scratch:
        graph, exported = _graphs(loaded, Path(scratch), config, prompts, stops)
        return write_bundle(
            out,
            graph=graph,
            tokenizer=loaded.tokenizer,
            generation=Generation(stop_ids=stops),
            architecture=exported.architecture,
            quantization=config.quantize,
            parity=exported.parity,
            provenance=provenance or Provenance(lineage={"model": str(model)}),
            add_records=add_records,
        )


def stop_ids_of(loaded: LoadedModel) -> tuple[int, ...]:
    """Tokens that end an answer: the model's own, and the one that ends a turn."""
    settings = loaded.model.generation_config
    own = getattr(settings, "eos_token_id", None) if settings is not None else None
    own = own if isinstance(own, list) else [own]
    return tuple(sorted({token for token in (*own, loaded.tokenizer.end_id) if token is not None}))


def _graphs(
    loaded: LoadedModel,
    scratch: Path,
    config: ExportConfig,
    prompts: Sequence[Sequence[int]],
    stops: Sequence[int],
) -> tuple[Path, Exported]:
    """The graph to ship, and how far each form is from torch."""
    architecture = architecture_of(loaded.model)
    references = reference_answers(loaded.model, prompts, stops)
    say("export: Optimum's graph")
    graph = export_reference(loaded.model, scratch / "reference")
    fp32 = measure_parity(graph, architecture, references)
    _require(
        fp32.largest_logit_difference <= config.max_logit_difference and fp32.greedy_equal == 1.0,
        fp32,
        "Optimum's graph and torch disagree.",
        f"at most {config.max_logit_difference} in any logit and the same greedy tokens",
    )
    parity: dict[str, Any] = {"fp32": fp32.to_dict()}
    if config.quantize != "none":
        say(f"export: {config.quantize}")
        (scratch / config.quantize).mkdir()
        quantized = scratch / config.quantize / GRAPH_FILE
        quantize(graph, quantized, config.quantize, architecture.vocabulary_size)
        graph = quantized
        found = measure_parity(graph, architecture, references)
        _require(
            found.agreement >= config.min_agreement,
            found,
            f"The {config.quantize} graph and torch disagree.",
            f"the same most likely token at {config.min_agreement:.1%} of the answers' tokens",
        )
        parity[config.quantize] = found.to_dict()
    return graph, Exported(architecture, parity)


def _require(holds: bool, found: Parity, what: str, limit: str) -> None:
    if not holds:
        raise ParityError(
            what,
            why=f"Wanted {limit}; found a logit difference of {found.largest_logit_difference:.2g}, agreement "
            f"{found.agreement:.1%}, equal greedy answers {found.greedy_equal:.1%}, over {found.tokens} tokens.",
            next_step="Quantize less (--quantize int8 or none), or change the limit in the config's export section.",
        )


def _existing_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.parent
