"""What a bundle costs, alone or against a torch teacher, on a prompt of its own. Does not know tables."""

from __future__ import annotations

from pathlib import Path

from attar.runtime.bundle import Bundle
from attar.runtime.prompts import answer_prompt
from attar.runtime.records import Records
from attar.runtime.text import ChatTokenizer

from .costs import Costs, measure_costs
from .processes import Variant

__all__ = ["measure_bundle", "typical_prompt"]

_QUESTION = "What is known of this?"


def measure_bundle(
    path: Path, teacher: str | None, *, tokens: int, threads: int, rounds: int, pairs: int, use: str | None = None
) -> Costs:
    """Measure a bundle, and a torch model in turn with it where one is named.

    Args:
        path: The bundle.
        teacher: A model's name as :func:`attar.pipeline.teacher.loading.resolve` takes it.
        tokens: See :func:`~attar.pipeline.measurement.costs.measure_costs`, also for the rest.
        threads: What each may compute with.
        rounds: Fresh processes of each.
        pairs: Timed answers of each.
        use: What the bundle is wanted for, which says in which of its forms.

    Raises:
        AttarError: The bundle or the model can't be loaded, or the measurement fails.
        UsageError: The bundle has no form for the use.
    """
    bundle = Bundle.open(path, use=use)
    prompt = typical_prompt(bundle)
    variants = {"bundle": Variant("bundle", path, use)}
    if teacher is not None:
        variants["teacher"] = _torch(teacher)
    return measure_costs(variants, prompt, tokens=tokens, threads=threads, rounds=rounds, pairs=pairs)


def typical_prompt(bundle: Bundle) -> list[int]:
    """Ids of a question on a record of median length, where the bundle carries records."""
    record = Records(bundle.records).typical() if bundle.records else None
    return ChatTokenizer.load(bundle.path).encode_chat(answer_prompt(_QUESTION, record.text if record else None))


def _torch(name: str) -> Variant:
    from ..teacher.loading import resolve

    source, options = resolve(name)
    return Variant("torch", Path(source, options["gguf_file"]) if options else source)
