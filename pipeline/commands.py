"""The pipeline's verbs. Their libraries are imported when a verb is called, never for ``--help``."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["export_command", "run_command"]

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


@click.command("run")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the config.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where runs go.")
@_JSON
def run_command(config: Path, overrides: tuple[str, ...], runs: Path, as_json: bool) -> None:
    r"""Do the run that CONFIG describes: data, teacher, student, export, measurement, bundle.

    What an earlier call finished is not done again.

    \b
    Examples:
      attar run configs/quickstart.json
      attar run configs/quickstart.json --set distillation.steps=40 --set name=short
    """
    from .config import load_config

    settings = load_config(config, overrides)
    from .report import results_table
    from .run import run

    report = run(settings, runs)
    if as_json:
        click.echo(json.dumps(report.to_dict()))
        return
    click.echo(results_table(report))
    spent = ", ".join(f"{name} {seconds:.0f}" for name, seconds in report.seconds.items())
    click.echo(f"\nseconds: {spent}")
    click.echo(f"bundle: {report.bundle}")


@click.command("export")
@click.argument("model")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bundle's folder.")
@click.option(
    "--quantize",
    type=click.Choice(["none", "int8", "int4"]),
    default="none",
    show_default=True,
    help="Numeric form of the weights.",
)
@click.option("--min-agreement", type=click.FloatRange(0, 1), help="Least share of tokens that equal torch's.")
@_JSON
def export_command(model: str, out: Path, quantize: str, min_agreement: float | None, as_json: bool) -> None:
    r"""Export MODEL, a causal LM folder, to a bundle with Optimum and onnxruntime.

    The graph is compared with torch; beyond the tolerance the command fails and leaves no bundle.

    \b
    Examples:
      attar export path/to/model --out bundle
      attar export path/to/model --out bundle --quantize int8
    """
    from .config import ExportConfig
    from .export import export_model

    limits = {} if min_agreement is None else {"min_agreement": min_agreement}
    bundle = export_model(model, out, ExportConfig.model_validate({"quantize": quantize, **limits}))
    manifest = bundle.manifest
    if as_json:
        facts = {"bundle": str(bundle.path), "size": bundle.size, "parity": manifest.parity}
        click.echo(json.dumps(facts | {"quantization": manifest.quantization}))
        return
    click.echo(f"bundle: {bundle.path}, {bundle.size / 1e6:.1f} MB, {manifest.quantization}")
    for name, found in manifest.parity.items():
        click.echo(
            f"{name}: largest logit difference {found['largest_logit_difference']:.2g}, "
            f"same most likely token {found['agreement']:.1%}, same greedy answer {found['greedy_equal']:.1%}"
        )
