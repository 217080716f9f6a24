"""Paraphrases: kept where every value survives, refused and counted where not, verified like the rest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from langchain_core.language_models import FakeListChatModel

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import Sample, paraphrase, verify
from attar.pipeline.data.paraphrase import _patterns
from attar.pipeline.data.questions import KINDS
from attar.pipeline.teacher.writing import causal_writer
from attar.runtime.errors import ModelError, UsageError
from tests.pipeline.data.questions.scenes import quickstart


@cache
def made() -> tuple[StructuredDataLoader, list[Sample]]:
    loader = quickstart(kinds=dict.fromkeys(KINDS, 1.0), records_per_table=40)
    return loader, loader.prepare_distillation_dataset()


def one(kind: str, form: str = "") -> Sample:
    found = (s for s in made()[1] if s.kind == kind and s.split == "train" and s.form.startswith(form))
    return next(found)


def asked(sample: Sample, text: str) -> tuple[Sample, dict[str, int]]:
    done = paraphrase([sample], FakeListChatModel(responses=[text]), name="fake", share=1.0)
    return done.samples[0], dict(done.counts)


@cache
def lookup() -> tuple[Sample, str, str]:
    """A lookup, its column and its entity."""
    lookups = quickstart(records_per_table=60).prepare_distillation_dataset()
    sample = next(s for s in lookups if s.form == "lookup.train.0" and s.table == "country")
    match = _patterns("lookup", "train")[0].fullmatch(sample.question)
    assert match is not None
    return sample, match["column"], match["entity"]


def test_a_good_paraphrase_is_kept_marked_and_verified() -> None:
    loader, _ = made()
    sample, column, entity = lookup()
    kept, counts = asked(sample, f" {entity} is what I ask about: its {column}, please? ")
    assert counts == {"kept": 1}
    assert kept.question == f"{entity} is what I ask about: its {column}, please?"
    assert (kept.original, kept.paraphrased, kept.answer) == (sample.question, "fake", sample.answer)
    assert kept.id != sample.id
    assert kept.form == sample.form
    assert verify([kept], loader.tables).right
    for wrong in (
        replace(kept, original=kept.original + "?"),
        replace(kept, original=""),
        replace(kept, answer="other"),
        replace(kept, question=f"What about {entity} and its neighbors in the {column}?", original=sample.question),
        replace(kept, question=f"Tell {column}"),
        replace(kept, paraphrased=""),
        replace(kept, split="test", form="lookup.test.0"),
    ):
        assert not verify([wrong], loader.tables).right, wrong


def test_one_that_is_too_long_is_refused_and_the_question_stays() -> None:
    sample, column, entity = lookup()
    model = FakeListChatModel(responses=[f"{entity} is what I ask about: its {column}, please?"])
    done = paraphrase([sample], model, name="fake", share=1.0, too_long=lambda one: one.question != sample.question)
    assert (done.samples, dict(done.counts)) == ([sample], {"more than max_tokens": 1})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{question}", "not another question"),
        ("", "not another question"),
        ("{entity}: tell me its\n{column}, please.", "not one line"),
        ("{entity}: tell me its {column}, please." + " And so on" * 30, "too short or too long"),
        ("I would like to know the {column} of it.", "a value is lost"),
        ("I would like to know what {entity} has.", "a value is lost"),
        ("I would like the {column} of the {entity}land.", "a value is lost"),
        ("I would like the {column} of {entity} in 1999.", "another number"),
        ('I would like the "{column}" of {entity}.', "another quoted text"),
        ("Is there no {column} that {entity} has?", "another turn of meaning"),
        ("Doesn't it have a {column}, {entity}?", "another turn of meaning"),
        ("I would like the {column} of {entity} and Atlantis.", "a name that was not there"),
        ("I would like the {column} of {entity}: {answer}?", "gives the answer away"),
        ("Could you tell me what the {column} of {entity} is?", "a form of the test split"),
    ],
)
def test_what_may_have_changed_the_meaning_is_refused(text: str, reason: str) -> None:
    sample, column, entity = lookup()
    sample = replace(sample, answer="copper")
    filled = text.format(column=column, entity=entity, question=sample.question, answer=sample.answer)
    same, counts = asked(sample, filled)
    assert same == sample
    assert counts == {reason: 1}


def test_the_higher_may_not_become_the_lower() -> None:
    sample = one("comparison")
    word, other = ("higher", "lower") if sample.given["highest"] else ("lower", "higher")
    if word not in sample.question:
        word, other = ("later", "earlier") if sample.given["highest"] else ("earlier", "later")
    right = f"Please say this for me: {sample.question[0].lower()}{sample.question[1:]}"
    assert asked(sample, right)[1] == {"kept": 1}
    assert asked(sample, right.replace(word, other))[1] != {"kept": 1}


def test_every_form_gives_back_what_it_was_filled_with() -> None:
    loader, samples = made()
    done = paraphrase(samples, lambda requests: [f"Please: {text.split(chr(10))[-1]}" for text in requests], name="x")
    tried = [sample for sample in done.samples if sample.paraphrased]
    assert done.counts["kept"] == len(tried) > 0.9 * done.counts.total() > 0
    assert done.counts["a value is lost"] == 0
    assert all(sample.split == "train" and sample.role == "qa" and not sample.tools for sample in tried)
    found = verify(done.samples, loader.tables)
    assert found.right, found.faults[:3]


def test_a_share_of_the_questions_is_tried_the_same_each_time() -> None:
    _, samples = made()
    counts = []
    for share in (0.0, 0.25, 1.0):
        requests: list[str] = []
        paraphrase(
            samples, lambda given, kept=requests: [kept.append(text) or "" for text in given], name="x", share=share
        )
        counts.append(len(requests))
    assert counts[0] == 0
    assert 0.15 * counts[2] < counts[1] < 0.35 * counts[2]


def test_a_model_of_gibberish_changes_nothing(teacher_folder: Path) -> None:
    _, samples = made()
    some = [sample for sample in samples if sample.split == "train" and sample.kind == "lookup"][:6]
    done = paraphrase(some, causal_writer(str(teacher_folder), max_new_tokens=12), name="tiny", share=1.0)
    assert done.samples == some
    assert done.counts.total() == 6
    assert "kept" not in done.counts


def test_a_model_that_fails_is_an_error_that_says_so() -> None:
    sample, *_ = lookup()

    class Broken(FakeListChatModel):
        def _call(self, *args: object, **kwargs: object) -> str:
            raise TimeoutError("no answer")

    with pytest.raises(ModelError, match="chat model that was to rewrite questions failed"):
        paraphrase([sample], Broken(responses=[""]), name="broken", share=1.0)
    with pytest.raises(ModelError, match="1 questions were to be rewritten, and 0 texts came"):
        paraphrase([sample], lambda requests: [], name="x", share=1.0)
    with pytest.raises(UsageError):
        paraphrase([sample], lambda requests: [], name="", share=1.0)
