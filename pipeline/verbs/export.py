"""``attar export``. Does not know how a model is exported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from attar.runtime.bundle import Bundle

__all__ = ["command"]


@click.command("export")
@click.argument("model")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bundle's folder.")
@click.option(
    "--quantize",
    type=click.Choice(["none", "int8", "int4", "int8-dynamic", "mixed", "mixed-dynamic", "int4-all", "auto"]),
    default="none",
    show_default=True,
    help="Numeric form of the weights; auto tries all here and keeps the best.",
)
@click.option(
    "--for",
    "wanted",
    type=click.Choice(["latency", "throughput", "size"]),
    default="latency",
    show_default=True,
    help="What auto chooses by.",
)
@click.option(
    "--graph",
    type=click.Choice(["fast", "optimum"]),
    default="fast",
    show_default=True,
    help="Fused operators, or the portable graph that Optimum makes.",
)
@click.option(
    "--task",
    type=click.Choice(["text-generation", "feature-extraction"]),
    default="text-generation",
    show_default=True,
    help="What the model is for: to answer, or to embed texts.",
)
@click.option("--min-agreement", type=click.FloatRange(0, 1), help="Least share of tokens that equal torch's.")
@click.option(
    "--min-cosine",
    type=click.FloatRange(0, 1),
    default=0.99,
    show_default=True,
    help="Least mean cosine with torch's embeddings.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    model: str,
    out: Path,
    quantize: str,
    wanted: str,
    graph: str,
    task: str,
    min_agreement: float | None,
    min_cosine: float,
    as_json: bool,
) -> None:
    r"""Export MODEL, a causal LM folder or an encoder's, to a bundle.

    Each graph on the way is compared with torch: Optimum's, the fast one, the quantized one. Beyond the
    tolerance the command fails and leaves no bundle. A family without a fast graph gets Optimum's.

    \b
    Examples:
      attar export path/to/model --out bundle
      attar export path/to/model --out bundle --quantize int8
      attar export path/to/model --out bundle --quantize auto --for size
      attar export path/to/model --out bundle --quantize none --graph optimum
      attar export path/to/encoder --out encoder --task feature-extraction --quantize int8-dynamic
    """
    bundle = (
        _embedding(model, out, quantize, graph, min_cosine)
        if task == "feature-extraction"
        else _answering(model, out, quantize, wanted, graph, min_agreement)
    )
    manifest = bundle.manifest
    if as_json:
        facts = {"bundle": str(bundle.path), "size": bundle.size, "parity": manifest.parity, "choice": manifest.choice}
        click.echo(json.dumps(facts | {"quantization": manifest.quantization, "graph": manifest.graph}))
        return
    click.echo(f"bundle: {bundle.path}, {bundle.size / 1e6:.1f} MB, {manifest.quantization}, {manifest.graph} graph")
    for name, found in manifest.parity.items():
        click.echo(f"{name}: {_described(found)}")


def _described(found: Mapping[str, Any]) -> str:
    """One rung's parity, of answers or of embeddings."""
    if "mean_cosine" in found:
        return (
            f"cosine with torch {found['mean_cosine']:.4f}, least {found['least_cosine']:.4f}, "
            f"difference {found['largest_difference']:.2g}, over {found['texts']} texts"
        )
    return (
        f"logit difference {found['largest_logit_difference']:.2g}, "
        f"p99 {found['p99_logit_difference']:.2g}, KL {found['divergence']:.2g}, "
        f"same most likely token {found['agreement']:.2%} of {found['tokens']}, "
        f"same greedy answer {found['greedy_equal']:.1%}"
    )


def _answering(model: str, out: Path, quantize: str, wanted: str, graph: str, min_agreement: float | None) -> Bundle:
    from ..config import ExportConfig
    from ..export import export_model

    limits = {} if min_agreement is None else {"min_agreement": min_agreement}
    config = ExportConfig.model_validate({"quantize": quantize, "graph": graph, "wanted": wanted, **limits})
    return export_model(model, out, config)


def _embedding(model: str, out: Path, quantize: str, graph: str, min_cosine: float) -> Bundle:
    from ..export import export_encoder

    return export_encoder(model, out, form=quantize, graph=graph, min_cosine=min_cosine)
