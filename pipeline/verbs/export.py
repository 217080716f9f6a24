"""``attar export``. Does not know how a model is exported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
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
    multiple=True,
    default=["latency"],
    show_default=True,
    help="What auto chooses by; given more than once, the bundle holds the best form for each.",
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
    wanted: Sequence[str],
    graph: str,
    task: str,
    min_agreement: float | None,
    min_cosine: float,
    as_json: bool,
) -> None:
    """Export MODEL, a causal LM folder or an encoder's, to a bundle.

    Each graph on the way is compared with torch: Optimum's, the fast one, the quantized one. Beyond the
    tolerance the command fails and leaves no bundle. A family without a fast graph gets Optimum's.

    \b
    Examples:
      attar export path/to/model --out bundle
      attar export path/to/model --out bundle --quantize int8
      attar export path/to/model --out bundle --quantize auto --for size
      attar export path/to/model --out bundle --quantize auto --for latency --for throughput
      attar export path/to/model --out bundle --quantize none --graph optimum
      attar export path/to/encoder --out encoder --task feature-extraction --quantize auto
    """
    wanted = _different(wanted, quantize)
    bundle = (
        _embedding(model, out, quantize, wanted, graph, min_cosine)
        if task == "feature-extraction"
        else _answering(model, out, quantize, wanted, graph, min_agreement)
    )
    manifest = bundle.manifest
    if as_json:
        facts = {"bundle": str(bundle.path), "size": bundle.size, "parity": manifest.parity, "choice": manifest.choice}
        forms = [asdict(form) for form in bundle.forms]
        click.echo(json.dumps(facts | {"quantization": manifest.quantization, "graph": manifest.graph, "forms": forms}))
        return
    click.echo("\n".join(_lines(bundle)))
    for name, found in manifest.parity.items():
        click.echo(f"{name}: {_described(found)}")


def _different(wanted: Sequence[str], quantize: str) -> list[str]:
    """The uses, each once; raises ``UsageError`` where several are wanted of one form."""
    from attar.runtime.errors import UsageError

    uses = list(dict.fromkeys(wanted))
    if len(uses) > 1 and quantize != "auto":
        raise UsageError(
            f"--for is given {len(uses)} times, and --quantize {quantize} makes one form.",
            next_step="Leave --for out, or choose --quantize auto.",
        )
    return uses


def _lines(bundle: Bundle) -> Iterator[str]:
    """What was written: the form, or each form with its use and what all of them share."""
    from attar.runtime.forms import listed, shared_files

    forms, size, graph = bundle.forms, f"{bundle.size / 1e6:.1f} MB", f"{bundle.manifest.graph} graph"
    if len(forms) == 1:
        uses = f", the best for {listed(forms[0].uses)}" if len(forms[0].uses) > 1 else ""
        yield f"bundle: {bundle.path}, {size}, {forms[0].quantization}, {graph}{uses}"
        return
    yield f"bundle: {bundle.path}, {size}, {len(forms)} forms, {graph}"
    for form in forms:
        yield f"for {listed(form.uses)}: {form.quantization}, {form.size / 1e6:.1f} MB in {', '.join(form.files)}"
    shared = sum(bundle.manifest.files[name]["size"] for name in shared_files(forms))
    yield f"shared: {shared / 1e6:.1f} MB of weights, and every file that is no graph"


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


def _answering(
    model: str, out: Path, quantize: str, wanted: list[str], graph: str, min_agreement: float | None
) -> Bundle:
    from ..config import ExportConfig
    from ..export import export_model

    limits = {} if min_agreement is None else {"min_agreement": min_agreement}
    config = ExportConfig.model_validate({"quantize": quantize, "graph": graph, "wanted": wanted, **limits})
    return export_model(model, out, config)


def _embedding(model: str, out: Path, quantize: str, wanted: list[str], graph: str, min_cosine: float) -> Bundle:
    from ..export import export_encoder

    uses = wanted[0] if len(wanted) == 1 else wanted
    return export_encoder(model, out, form=quantize, graph=graph, min_cosine=min_cosine, wanted=uses)
