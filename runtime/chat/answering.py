"""From tokens to pieces of an answer, as LangChain takes them: of one question, or of several decoded together.

Does not know messages.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk

from ..engine import Engine, Request
from ..text import ChatTokenizer
from .stopping import StopStrings

__all__ = ["Question", "Together", "pieces"]


@dataclass(frozen=True)
class Question:
    """What the engine is asked.

    Attributes:
        request: The prompt, and how tokens are chosen.
        limit: Most tokens of the answer, which the request has too; less than 1 where the context leaves none.
        stops: Strings that end it.
        model_name: Whom the answer names as its maker.
    """

    request: Request
    limit: int
    stops: Sequence[str]
    model_name: str


def pieces(question: Question, tokens: Generator[int], tokenizer: ChatTokenizer) -> Iterator[ChatGenerationChunk]:
    """Text as it comes, then one last chunk with what it cost and why it ended."""
    stops, count = StopStrings(question.stops), 0
    with closing(tokens):
        for _, text in tokenizer.decode_stream(tokens):
            count += 1
            if shown := stops.feed(text):
                yield ChatGenerationChunk(message=AIMessageChunk(content=shown))
            if stops.reached:
                break
    if rest := stops.flush():
        yield ChatGenerationChunk(message=AIMessageChunk(content=rest))
    reason = "length" if count >= question.limit and not stops.reached else "stop"
    yield ChatGenerationChunk(message=_last(question, count, reason))


def _last(question: Question, count: int, reason: str) -> AIMessageChunk:
    prompt = len(question.request.prompt)
    return AIMessageChunk(
        content="",
        usage_metadata=UsageMetadata(input_tokens=prompt, output_tokens=count, total_tokens=prompt + count),
        response_metadata={"model_name": question.model_name, "finish_reason": reason},
        chunk_position="last",
    )


class Together:
    """Several questions, decoded together as soon as one of them is to be answered.

    Args:
        questions: Each is made when it is needed; one that can't be asked is left to its own call, which says why.
        most: How many are decoded together at most.
    """

    def __init__(self, questions: Sequence[Callable[[], Question]], most: int) -> None:
        self._questions, self._most = questions, most
        self._answers: dict[int, Sequence[ChatGenerationChunk] | None] = {}

    def answer(self, place: int, engine: Engine, tokenizer: ChatTokenizer) -> Sequence[ChatGenerationChunk] | None:
        """The pieces of one answer; None where its question can't be asked."""
        if place not in self._answers:
            last = min(place + self._most, len(self._questions))
            places = [each for each in range(place, last) if each not in self._answers]
            asked = {each: question for each in places if (question := _asked(self._questions[each]))}
            self._answers |= dict.fromkeys(places) | _answers(asked, engine, tokenizer)
        return self._answers[place]


def _asked(make: Callable[[], Question]) -> Question | None:
    try:
        question = make()
    except Exception:  # whatever it is, its own call meets it again
        return None
    return question if question.limit > 0 else None


def _answers(
    questions: Mapping[int, Question], engine: Engine, tokenizer: ChatTokenizer
) -> dict[int, Sequence[ChatGenerationChunk]]:
    """The pieces of each answer. They are taken in turn, so that each ends as soon as its stop string is there."""
    found: dict[int, list[ChatGenerationChunk]] = {place: [] for place in questions}
    with engine.streams([question.request for question in questions.values()]) as streams:
        running = {
            place: pieces(question, tokens, tokenizer)
            for (place, question), tokens in zip(questions.items(), streams, strict=True)
        }
        while running:
            for place, coming in list(running.items()):
                piece = next(coming, None)
                if piece is None:
                    del running[place]
                else:
                    found[place].append(piece)
    return dict(found)
