"""Stage ``export``: which samples the graphs are compared on."""

from __future__ import annotations

from pathlib import Path

from attar.pipeline.config import RunConfig
from attar.pipeline.data import Sample
from attar.pipeline.data.render import render
from attar.pipeline.stages import data
from attar.pipeline.stages.export import expected_answers
from attar.runtime.references import Exchange
from attar.runtime.text import ChatTokenizer
from tests.pipeline.stages.test_data import made


def tokens(exchanges: list[Exchange]) -> int:
    return sum(len(one.ids) for one in exchanges)


def group_of(exchanges: list[Exchange], samples: list[Sample], tokenizer: ChatTokenizer) -> str:
    first = tuple(exchanges[0].prompt)
    return next(one.group for one in render(samples, tokenizer) if one.prompt == first)


def drawn(config: RunConfig, splits: list[list[Sample]], tokenizer: ChatTokenizer, wanted: int) -> list[Exchange]:
    export = config.export.model_copy(update={"parity_tokens": wanted})
    return expected_answers(config.model_copy(update={"export": export}), splits, tokenizer)


def test_held_out_samples_come_first_whole_records_at_a_time(
    cities: Path, teacher_folder: Path, tmp_path: Path
) -> None:
    product, config = made(tmp_path / "a", cities)
    tokenizer = ChatTokenizer.load(teacher_folder)
    test, train = data.test_samples(product), data.training_samples(product)
    held_out = {(one.prompt, one.answer) for one in render(test, tokenizer)}
    all_of_test = sum(len(answer) for _, answer in held_out)

    few = drawn(config, [test, train], tokenizer, 1)
    assert 1 <= tokens(few) < all_of_test
    assert {(tuple(one.prompt), tuple(one.ids)) for one in few} <= held_out
    assert few == drawn(config, [test, train], tokenizer, 1)
    assert len(few) == len([sample for sample in test if sample.group == group_of(few, test, tokenizer)])

    more = drawn(config, [test, train], tokenizer, all_of_test + 10)
    assert tokens(more) >= all_of_test + 10
    assert {(tuple(one.prompt), tuple(one.ids)) for one in more} > held_out

    everything = drawn(config, [test, train], tokenizer, 10**9)
    assert len(everything) == len(test) + len(train)
