"""A bundle verified on this machine: its graphs against what torch said when it was exported, answers or embeddings.

Hands on the figures, and an error where they are beyond the manifest's limits. Does not know how they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .bundle import EMBEDDING, Bundle
from .engine.encoder import Encoder
from .engine.session import open_decoder
from .errors import BundleError, ParityError
from .limits import available_threads
from .parity import Parity, measure
from .references import PROMPTS_FILE, read_references
from .similarity import Similarity, measure_similarity, read_embedded

__all__ = ["Verification", "require_within", "verify", "verify_forms"]


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes:
        bundle: The bundle's folder.
        form: Its numeric form.
        graph: The graph's contract.
        threads: Threads that it was computed with.
        parity: How far it is from torch here, at the answers' likely tokens, or in the embeddings.
        limits: What the manifest allows.
        uses: What the form is the best for, where it was chosen for something.
    """

    bundle: str
    form: str
    graph: str
    threads: int
    parity: Parity | Similarity
    limits: Mapping[str, float]
    uses: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


def verify(path: Path, *, threads: int | None = None, use: str | None = None) -> Verification:
    """Measure on this machine the parity of a bundle's form for a use, by default of its first.

    Raises:
        BundleError: The bundle is broken, or carries no references.
        UsageError: It has no form for this use.
    """
    return _measured(_opened(path, use), threads or available_threads())


def verify_forms(path: Path, *, threads: int | None = None) -> list[Verification]:
    """The same of every form in the bundle, the first first.

    Raises:
        BundleError: The bundle is broken, or carries no references.
    """
    return [_measured(form, threads or available_threads()) for form in _opened(path, None).in_each_form()]


def _opened(path: Path, use: str | None) -> Bundle:
    bundle = Bundle.open(path, task=None, use=use)
    manifest = bundle.manifest
    if PROMPTS_FILE not in manifest.files:
        raise BundleError(
            "The bundle carries nothing to verify it by.",
            where=path,
            why=f"It has no {PROMPTS_FILE}, as bundles have since format 3; this one is of format {manifest.format}.",
            next_step="Export the student again with this version of attar.",
        )
    return bundle


def _measured(bundle: Bundle, threads: int) -> Verification:
    manifest, form = bundle.manifest, bundle.form
    found = _similarity(bundle, threads) if manifest.task == EMBEDDING else _parity(bundle, threads)
    return Verification(str(bundle.path), form.quantization, manifest.graph, threads, found, form.limits, form.uses)


def _parity(bundle: Bundle, threads: int) -> Parity:
    manifest = bundle.manifest
    references = read_references(bundle.path)
    decoder = open_decoder(bundle.graph, manifest.architecture, manifest.graph, threads=threads)
    return measure(decoder, references, bundle.form.quantization)


def _similarity(bundle: Bundle, threads: int) -> Similarity:
    encoder = Encoder(bundle.graph, threads=threads)
    return measure_similarity(encoder, read_embedded(bundle.path, encoder.size))


def require_within(found: Verification) -> None:
    """Check the limits.

    A share of the answers' tokens is beyond its limit where the whole of its 95 % interval is: what a few tokens
    can't tell is no reason to refuse.

    Raises:
        ParityError: A figure is beyond its limit.
    """
    if isinstance(found.parity, Similarity):
        _require_similar(found, found.parity)
    else:
        _require_parity(found, found.parity)


def _require_similar(found: Verification, here: Similarity) -> None:
    least = found.limits.get("min_cosine", 0.0)
    if not here.mean_cosine >= least:
        raise _disagree(found, f"a mean cosine of {here.mean_cosine:.4f}, wanted {least:.4f}", f"{here.texts} texts")
    most = found.limits.get("max_difference")
    if most is not None and not here.largest_difference <= most:
        why = f"a difference of {here.largest_difference:.2g}, allowed {most:.2g}"
        raise _disagree(found, why, f"{here.texts} texts")


def _require_parity(found: Verification, here: Parity) -> None:
    limits, over = found.limits, f"{here.tokens} tokens"
    most = limits.get("max_logit_difference")
    if most is not None and not here.largest_logit_difference <= most:
        raise _disagree(found, f"a logit difference of {here.largest_logit_difference:.2g}, allowed {most:.2g}", over)
    least = limits.get("min_agreement", 0.0)
    if not here.agreement_high >= least:
        raise _disagree(found, f"same most likely token {here.agreement:.2%}, wanted {least:.2%}", over)
    least = limits.get("min_greedy_equal", 0.0)
    if not here.greedy_equal >= least:
        raise _disagree(found, f"same greedy answer {here.greedy_equal:.2%}, wanted {least:.2%}", over)
    loss, allowed = here.score_loss_low, limits.get("max_score_loss")
    if loss is not None and allowed is not None and not loss <= allowed:
        raise _disagree(found, f"right answers {here.score:.1%} of torch's {here.reference_score:.1%}", over)


def _disagree(found: Verification, why: str, over: str) -> ParityError:
    return ParityError(
        f"On this machine the {found.form} form of the bundle and torch disagree.",
        where=found.bundle,
        why=f"Found {why}, over {over}.",
        next_step="Export the student on this machine, or with --quantize none.",
    )
