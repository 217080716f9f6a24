"""Parity: how far a graph is from the model it was made from, by what that model said.

Both read the same prompts and the same answers; the graph also decodes by itself through its cache. Does not know
torch, how the graph was made, or what is too far.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .engine.session import Reader
from .intervals import grouped_share, paired_loss
from .references import Answer, Exchange, Logits, References, log_normalizers

__all__ = ["Parity", "greedy", "measure", "read_answers"]


_ROUNDED_WHOLE = frozenset({"int8-dynamic", "mixed-dynamic"})
"""Forms that round all that they read at once with one scale."""

Each = TypeVar("Each", bound=Exchange)


@dataclass(frozen=True)
class Parity:
    """How far a graph is from the model.

    Attributes:
        largest_logit_difference: Over every logit that is known at the answers' tokens.
        p99_logit_difference: What 99 % of the tokens stay within, each by its largest difference.
        divergence: Mean KL divergence of the graph from the model at the answers' tokens, in nats; a lower bound where
            only the most likely tokens' logits are known.
        agreement: Share of the answers' tokens at which the most likely token is the same.
        agreement_low: Lower end of that share's 95 % interval, in which an answer's tokens are alike.
        agreement_high: Upper end.
        greedy_equal: Share of continuations that are the same, token for token.
        tokens: Answers' tokens compared.
        score: Share of right answers that the graph gives token for token; None where no right answers are known.
        reference_score: The same of the model.
        score_loss_low: Lower end of the 95 % interval of what the graph scores less.
    """

    largest_logit_difference: float
    p99_logit_difference: float
    divergence: float
    agreement: float
    agreement_low: float
    agreement_high: float
    greedy_equal: float
    tokens: int
    score: float | None = None
    reference_score: float | None = None
    score_loss_low: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """The same, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Compared:
    """One answer.

    Attributes:
        far: Each token's largest difference ``[A]``.
        divergence: Each token's.
        same: Whether each token's most likely token is the same.
        right: Whether the graph would have given the whole answer.
        reference_right: Whether the model would have.
    """

    far: NDArray[np.float32]
    divergence: NDArray[np.float64]
    same: NDArray[np.bool_]
    right: bool
    reference_right: bool


def measure(decoder: Reader, references: References, form: str = "none") -> Parity:
    """Compare a loaded graph, which is in this form, with what the model said."""
    shared = form not in _ROUNDED_WHOLE
    found = [_compared(answer, logits) for answer, logits in read_answers(decoder, references.answers, shared=shared)]
    equal = sum(greedy(decoder, one.prompt, len(one.ids)) == one.ids for one in references.continuations)
    far = np.concatenate([one.far for one in found])
    agreement = grouped_share([int(one.same.sum()) for one in found], [len(one.same) for one in found])
    return Parity(
        largest_logit_difference=float(far.max()),
        p99_logit_difference=float(np.percentile(far, 99)),
        divergence=float(np.concatenate([one.divergence for one in found]).mean()),
        agreement=agreement.value,
        agreement_low=agreement.low,
        agreement_high=agreement.high,
        greedy_equal=equal / len(references.continuations),
        tokens=len(far),
        **(_scores(found) if references.expected else {}),
    )


def read_answers(decoder: Reader, asked: Sequence[Each], *, shared: bool = True) -> Iterator[tuple[Each, Logits]]:
    """The logits ``[A, V]`` at each answer's tokens, given those before them; in any order.

    Args:
        decoder: The model.
        asked: Prompts with answers, each of at least one token.
        shared: Read once what prompts begin with alike. A graph that rounds all that it reads at once with one scale
            must read each prompt whole, as it would in use.
    """
    capacity = max(len(one.prompt) + len(one.ids) for one in asked)
    empty = decoder.empty_cache(capacity)
    if not shared:
        for one in asked:
            first, cache = decoder.forward(one.prompt, empty)
            rest = [first.copy()]
            if len(one.ids) > 1:
                rest.append(decoder.forward(one.ids[:-1], cache, logits_from=0)[0])
            yield one, np.concatenate(rest)
        decoder.release(empty)
        return
    ordered = sorted(asked, key=lambda one: list(one.prompt))
    read = [empty]  # caches of ever longer beginnings of the prompt
    for one, following in zip_longest(ordered, ordered[1:]):
        common = 0 if following is None else _common(one.prompt, following.prompt)
        if common > read[-1].length:
            read.append(decoder.forward(one.prompt[read[-1].length : common], read[-1])[1])
        start, cache = read[-1].length, read[-1]
        ids = [*one.prompt[start:], *one.ids[:-1]]
        yield one, decoder.forward(ids, cache, logits_from=len(one.prompt) - 1 - start)[0]
        while read[-1].length > common:
            read.pop()
    decoder.release(empty)


def greedy(
    decoder: Reader, prompt: Sequence[int], count: int, stops: Collection[int] = (), *, with_stop: bool = False
) -> list[int]:
    """The most likely tokens after a prompt: ``count`` of them, or those before a stop token, or up to it."""
    ids, answer, cache = list(prompt), list[int](), decoder.empty_cache(len(prompt) + count)
    for _ in range(count):
        logits, cache = decoder.forward(ids, cache)
        token = int(logits[-1].argmax())
        if token in stops:
            answer += [token] * with_stop
            break
        answer.append(token)
        ids = [token]
    decoder.release(cache)
    return answer


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Tokens that two prompts begin with alike, but for the last of either, whose logits are wanted."""
    most = min(len(one), len(other)) - 1
    return next((place for place in range(most) if one[place] != other[place]), most)


def _compared(answer: Answer, logits: Logits) -> _Compared:
    likeliest, wanted = logits.argmax(-1), answer.likeliest
    found = logits if answer.tokens is None else np.take_along_axis(logits, answer.tokens, -1)
    return _Compared(
        far=np.abs(found - answer.logits).max(-1),
        divergence=_divergence(answer, logits, found),
        same=likeliest == wanted,
        right=bool((likeliest == answer.ids).all()),
        reference_right=bool((wanted == answer.ids).all()),
    )


def _divergence(answer: Answer, logits: Logits, found: Logits) -> NDArray[np.float64]:
    """KL divergence at each token ``[A]``.

    Where only some logits are known, all other tokens count as one, which can only make it less (Cover and Thomas,
    "Elements of Information Theory", 2006, section 2.8); where not even their sum is, they don't count.
    """
    if answer.tokens is not None and answer.normalizers is None:
        ours, theirs = answer.logits - log_normalizers(answer.logits)[:, None], found - log_normalizers(found)[:, None]
        return _summed(ours, theirs)
    normalizers = log_normalizers(answer.logits) if answer.normalizers is None else answer.normalizers
    ours = (answer.logits - normalizers[:, None]).astype(np.float64)
    theirs = (found - log_normalizers(logits)[:, None]).astype(np.float64)
    if answer.tokens is not None:
        ours, theirs = (np.append(each, _rest(each), axis=-1) for each in (ours, theirs))
    return _summed(ours, theirs)


def _rest(likely: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-probability of all other tokens ``[A, 1]``."""
    rest: NDArray[np.float64] = np.log(np.clip(1 - np.exp(likely).sum(-1, keepdims=True), 1e-12, None))
    return rest


def _summed(ours: NDArray[np.floating], theirs: NDArray[np.floating]) -> NDArray[np.float64]:
    total: NDArray[np.float64] = (np.exp(ours) * (ours - theirs)).sum(-1)
    return total


def _scores(found: Sequence[_Compared]) -> dict[str, float]:
    lost = sum(one.reference_right and not one.right for one in found)
    gained = sum(one.right and not one.reference_right for one in found)
    return {
        "score": sum(one.right for one in found) / len(found),
        "reference_score": sum(one.reference_right for one in found) / len(found),
        "score_loss_low": paired_loss(lost, gained, len(found)).low,
    }
