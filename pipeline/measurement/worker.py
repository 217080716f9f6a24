"""One variant in a fresh process: loads it, then answers when asked, JSON lines in and out.

    python -m attar.pipeline.measurement.worker KIND PATH THREADS [USE]

The first line out says what loading took. Then each line in is a request (see ``_answer``), and the line out
says what the answer took, and what CPU time the process used since the answer before. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from .memory import MemoryUse, peak, reset_peak, resident, shares
from .subjects import Subject, load_subject

__all__ = ["main"]


def main(kind: str, path: str, threads: str, use: str | None = None) -> None:
    """Load one variant and answer requests."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not come between the replies
    started = time.perf_counter()
    subject = load_subject(kind, path, int(threads), use)
    loaded = {"load_seconds": time.perf_counter() - started, "size_bytes": subject.size_bytes}
    _reply(replies, loaded)
    idle_since, cpu = time.perf_counter(), time.process_time()
    for line in sys.stdin:
        idle = {"idle_seconds": time.perf_counter() - idle_since, "idle_cpu_seconds": time.process_time() - cpu}
        _reply(replies, idle | _answer(subject, **json.loads(line)))
        idle_since, cpu = time.perf_counter(), time.process_time()


def _answer(
    subject: Subject, *, prompt: Sequence[int], tokens: int, given: Sequence[int] | None, memory: bool
) -> dict[str, Any]:
    """Answer one prompt.

    Args:
        subject: The variant.
        prompt: Ids.
        tokens: How many tokens to decode.
        given: See :class:`~attar.pipeline.measurement.subjects.Subject`.
        memory: Whether to watch the memory too. This forgets the process's peak, so it tells what that was.
    """
    earlier_peak = peak() if memory else 0
    before, exact = (resident(), reset_peak()) if memory else (0, False)
    began = time.perf_counter()
    answer = subject.answer(prompt, tokens, given)
    ids = [next(answer)]
    first = time.perf_counter()
    ids += answer
    ended = time.perf_counter()
    took: dict[str, Any] = {
        "first_token_seconds": first - began,
        "seconds_per_token": (ended - first) / max(len(ids) - 1, 1),
        "ids": ids,
        "did": {
            "prompt tokens": len(prompt),
            "decoded tokens": len(ids),
            "given tokens": len(given or ()),
            "threads": subject.threads,
        },
    }
    if memory:
        use = MemoryUse(before, peak(), exact)
        took["memory"] = {**use.to_dict(), "process_peak": max(earlier_peak, use.peak), **shares()}
    return took


def _reply(replies: Any, value: dict[str, Any]) -> None:
    replies.write(json.dumps(value) + "\n")
    replies.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
