"""``attar export``. Does not know how a model is exported."""

from __future__ import annotations

import json
from pathlib import Path

import click

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
@click.option("--min-agreement", type=click.FloatRange(0, 1), help="Least share of tokens that equal torch's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    model: str, out: Path, quantize: str, wanted: str, graph: str, min_agreement: float | None, as_json: bool
) -> None:
    r"""Export MODEL, a causal LM folder, to a bundle.

    Each graph on the way is compared with torch: Optimum's, the fast one, the quantized one. Beyond the
    tolerance the command fails and leaves no bundle. A family without a fast graph gets Optimum's.

    \b
    Examples:
      attar export path/to/model --out bundle
      attar export path/to/model --out bundle --quantize int8
      attar export path/to/model --out bundle --quantize auto --for size
      attar export path/to/model --out bundle --quantize none --graph optimum
    """
    from ..config import ExportConfig
    from ..export import export_model

    limits = {} if min_agreement is None else {"min_agreement": min_agreement}
    config = ExportConfig.model_validate({"quantize": quantize, "graph": graph, "wanted": wanted, **limits})
    bundle = export_model(model, out, config)
    manifest = bundle.manifest
    if as_json:
        facts = {"bundle": str(bundle.path), "size": bundle.size, "parity": manifest.parity, "choice": manifest.choice}
        click.echo(json.dumps(facts | {"quantization": manifest.quantization, "graph": manifest.graph}))
        return
    click.echo(f"bundle: {bundle.path}, {bundle.size / 1e6:.1f} MB, {manifest.quantization}, {manifest.graph} graph")
    for name, found in manifest.parity.items():
        click.echo(
            f"{name}: logit difference {found['largest_logit_difference']:.2g}, "
            f"p99 {found['p99_logit_difference']:.2g}, KL {found['divergence']:.2g}, "
            f"same most likely token {found['agreement']:.2%} of {found['tokens']}, "
            f"same greedy answer {found['greedy_equal']:.1%}"
        )
