"""Whether a bundle is whole, and answers or embeds. Does not know how good the answers are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from ..bundle import EMBEDDING, Bundle
from ..errors import AttarError
from ..forms import listed
from .finding import Finding

__all__ = ["examine_bundle"]

_INSTALL = "Run: pip install attar"


def examine_bundle(path: Path) -> Iterator[Finding]:
    """Every byte against the manifest, the records, and one token of an answer; or one embedding."""
    try:
        bundle = Bundle.open(path, task=None)
        manifest = bundle.manifest
        forms = listed([form.quantization for form in bundle.forms])
        size = f"{bundle.size / 1e6:.1f} MB, {forms}, {manifest.architecture.parameters / 1e6:.1f}M"
        yield Finding("bundle", "ok", f"{size} parameters; every byte as its manifest says")
        if manifest.task == EMBEDDING:
            yield from map(_embedding, bundle.in_each_form())
        else:
            yield _records(bundle)
            yield from map(_answer, bundle.in_each_form())
    except AttarError as error:
        where = f" ({error.where})" if error.where else ""
        yield Finding("bundle", "fault", f"{error.what}{where}", error.next_step or "Export it anew.")
    except ModuleNotFoundError as error:
        yield Finding("bundle", "fault", f"there is no module {error.name!r} to answer with", _INSTALL)


def _records(bundle: Bundle) -> Finding:
    from ..records import Records

    if bundle.records is None:
        return Finding("bundle records", "note", "none: the agent has nothing to look up")
    return Finding("bundle records", "ok", f"{len(Records(bundle.records))} records")


def _answer(bundle: Bundle) -> Finding:
    from ..engine import Engine
    from ..prompts import answer_prompt
    from ..text import ChatTokenizer

    started = time.perf_counter()
    engine, tokenizer = Engine(bundle), ChatTokenizer.load(bundle.path)
    loaded = time.perf_counter()
    prompt = tokenizer.encode_chat(answer_prompt("What is known?", None))
    count = sum(1 for _ in engine.generate(prompt, max_new_tokens=1, stop_ids=()))
    ended = time.perf_counter()
    if count != 1:
        return Finding("bundle answer", "fault", "the graph gives no token", "Export the bundle anew.")
    which = f"{bundle.form.quantization} " if len(bundle.forms) > 1 else ""
    spent = f"{which}loaded in {loaded - started:.2f} s, first token in {(ended - loaded) * 1000:.0f} ms"
    return Finding("bundle answer", "ok", f"{spent} on {engine.threads} threads")


def _embedding(bundle: Bundle) -> Finding:
    from ..embeddings import OnnxEmbeddings

    started = time.perf_counter()
    embedding = OnnxEmbeddings(bundle=bundle.path, use=bundle.use).embed_query("What is known?")
    which = f"{bundle.form.quantization}: " if len(bundle.forms) > 1 else ""
    spent = f"{which}{len(embedding)} numbers, loaded and embedded in {time.perf_counter() - started:.2f} s"
    length = sum(number * number for number in embedding)
    if not 0.99 < length < 1.01:
        return Finding("bundle embedding", "fault", f"its length is not 1: {length:.3g}", "Export the bundle anew.")
    return Finding("bundle embedding", "ok", spent)
