"""A causal LM as one that writes: texts in, its greedy answers out, such as questions in other words.

Does not know what is written, nor what it is good for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["causal_writer"]


def causal_writer(name: str, *, max_new_tokens: int = 64) -> Callable[[Sequence[str]], list[str]]:
    """A model as a function from requests to answers; it is loaded when it is first called.

    Args:
        name: See :mod:`.loading`.
        max_new_tokens: Limit of an answer.

    Raises:
        ModelError, Refused: When it is called; see :func:`~.loading.load_model`.
    """

    def write(requests: Sequence[str]) -> list[str]:
        from ..data.samples import Sample
        from ..evaluation import greedy_answers
        from .loading import load_model

        if not requests:
            return []
        asked = [
            Sample(str(number), "", text, "", "", "", "", "", "", "", [], [], [], "")
            for number, text in enumerate(requests)
        ]
        return greedy_answers(load_model(name), asked, max_new_tokens=max_new_tokens, title="rewrite")

    return write
