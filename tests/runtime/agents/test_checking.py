"""What a record proves is proved, and nothing is that it leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline.data.questions import Lookup
from attar.runtime.agents.checking import Facts, check_summary
from attar.runtime.prompts import CHECKS, claim_text, record_text
from attar.runtime.records import Record, Records, write_records

DENMARK = [
    ("capital", "Copenhagen"),
    ("region", "Europe"),
    ("subregion", "Northern Europe"),
    ("population", "5580516"),
    ("area (km²)", "43094.5"),
    ("independent since", "0965-01-01"),
    ("landlocked", "no"),
    ("calling codes", "45"),
]
NORWAY = [("capital", "Oslo"), ("region", "Europe"), ("population", "5176998"), ("demonym", "Norwegian")]
HAGUE = [("capital", "The Hague (Den Haag)"), ("area (km²)", "98"), ("area (mi²)", "38"), ("code", "007")]
OPEN = None
FORMS = [form for forms in Lookup.forms.values() for form in forms]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    path = tmp_path_factory.mktemp("records") / "records.sqlite"
    rows = [("country", "Denmark", DENMARK), ("country", "Norway", NORWAY)]
    columns = {name for _, _, facts in rows for name, _ in facts}
    write_records(
        path,
        [(Record(label, entity, record_text(label, entity, facts)), [entity]) for label, entity, facts in rows],
        ["country", "element", "electronegativity", *columns],
    )
    return Records(path)


@pytest.fixture(scope="module")
def denmark(records: Records) -> Facts:
    return Facts(record_text("country", "Denmark", DENMARK), records)


@pytest.fixture(scope="module")
def hague() -> Facts:
    return Facts(record_text("city", "The Hague (NL, ZH)", HAGUE))


@pytest.mark.parametrize(
    ("claim", "check", "evidence"),
    [
        ("The capital of Denmark is Copenhagen.", "supported", "capital: Copenhagen"),
        ("the CAPITAL of the country denmark is “copenhagen”", "supported", "capital: Copenhagen"),
        ("Denmark’s capital is copenhagen", "supported", "capital: Copenhagen"),
        ("Copenhagen is the capital of Denmark", "supported", "capital: Copenhagen"),
        ("Copenhagen is Denmark's capital.", "supported", "capital: Copenhagen"),
        ("Denmark has a population of 5,580,516", "supported", "population: 5580516"),
        ("Its population is 5580516", "supported", "population: 5580516"),
        ("Capital: Copenhagen", "supported", "capital: Copenhagen"),
        ("The area of Denmark is 43094.50", "supported", "area (km²): 43094.5"),
        ("The area (km²) of Denmark is 43094.5", "supported", "area (km²): 43094.5"),
        ("Denmark's population is 5580517", "contradicted", "population: 5580516"),
        ("The population of Denmark is −5580516", "contradicted", "population: 5580516"),
        ("Denmark was independent since 1905", OPEN, None),
        ("Denmark's independent since is 0966-01-01", "contradicted", "independent since: 0965-01-01"),
        ("Landlocked: yes", "contradicted", "landlocked: no"),
        # a value of another column, and of the same column with another record
        ("The capital of Denmark is Europe", "contradicted", "capital: Copenhagen"),
        ("The capital of Denmark is Oslo.", "contradicted", "capital: Copenhagen"),
        ("The demonym of Denmark is Danish", "not in the records", None),
        ("Denmark's electronegativity is 2", "not in the records", None),
        # left open: negations, roundings, parts, other entities, other words
        ("The capital of Denmark is not Copenhagen", OPEN, None),
        ("The capital of Denmark is not Oslo", OPEN, None),
        ("The capital of Denmark isn't Oslo", OPEN, None),
        ("The capital of Denmark is Copenhagen or Oslo", OPEN, None),
        ("The capital of Denmark is Kobenhavn", OPEN, None),
        ("The area of Denmark is 43094", OPEN, None),
        ("The area of Denmark is about 43095", OPEN, None),
        ("The population of Denmark is larger than 5", OPEN, None),
        ("The subregion of Denmark is Europe", OPEN, None),
        ("The capital of Norway is Copenhagen", OPEN, None),
        ("Denmark is the capital of Copenhagen", OPEN, None),
        ("Denmark is beautiful", OPEN, None),
        ("", OPEN, None),
    ],
)
def test_claims(denmark: Facts, claim: str, check: str | None, evidence: str | None) -> None:
    finding = denmark.check_claim(claim)
    assert (finding and finding.check, finding and finding.evidence) == (check, evidence)


@pytest.mark.parametrize(
    ("question", "answer", "check"),
    [
        ("What is the capital of Denmark?", "Copenhagen", "supported"),
        ("What is the capital of Denmark?", "The capital of Denmark is Copenhagen.", "supported"),
        ("And its population?", "5580516", "supported"),
        ("What is the capital of Denmark?", "Oslo", "contradicted"),
        ("What is the capital of Denmark?", "The population of Denmark is 5580516.", OPEN),
        ("What is the population of Denmark?", "5,580,517", "contradicted"),
        ("Is Denmark landlocked?", "Yes.", "contradicted"),
        ("What is the demonym of Denmark?", "Danish", "not in the records"),
        # questions that ask for more than the value of one column
        ("How many calling codes does Denmark have?", "1", OPEN),
        ("Which has the larger population, Denmark or Norway?", "Denmark", OPEN),
        ("How many years is Denmark independent since?", "1061", OPEN),
        ("Is the population of Denmark above 6000000?", "no", OPEN),
        ("What is the capital and the population of Denmark?", "Oslo", OPEN),
        ("What is the capital of Norway?", "Copenhagen", OPEN),
        ("Where is Denmark?", "Europe", OPEN),
        # an answer that is a whole claim stands or falls by itself
        ("Where is Denmark?", "The region of Denmark is Europe.", "supported"),
    ],
)
def test_answers(denmark: Facts, question: str, answer: str, check: str | None) -> None:
    finding = denmark.check_answer(question, answer)
    assert (finding and finding.check) == check


def test_names_and_values_with_articles_brackets_and_zeros(hague: Facts) -> None:
    supported = ["The capital of The Hague is The Hague (Den Haag).", "The code of ZH is 007", "The area of NL is 38"]
    for claim in supported:
        finding = hague.check_claim(claim)
        assert finding is not None and finding.check == "supported", claim
    both = hague.check_claim("The area of The Hague is 40")
    assert both is not None and both.check == "contradicted"
    assert hague.check_claim("The code of The Hague is 7") is None


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_lookup_is_understood(denmark: Facts, form: str) -> None:
    question = form.format(column="capital", entity="Denmark")
    assert denmark.asked(question) == ["capital"]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FORMS), st.sampled_from(DENMARK), st.sampled_from(DENMARK))
def test_a_recorded_value_is_supported_where_it_is_asked_for_and_nowhere_else(
    denmark: Facts, form: str, asked: tuple[str, str], given_: tuple[str, str]
) -> None:
    for finding in (
        denmark.check_answer(form.format(column=asked[0], entity="Denmark"), given_[1]),
        denmark.check_claim(claim_text(asked[0], "Denmark", given_[1])),
    ):
        if asked == given_:
            assert finding is not None and finding.check == "supported"
        else:
            assert finding is None or finding.check == "contradicted"


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text(), st.text())
def test_no_text_breaks_it(one: str, two: str, three: str) -> None:
    facts = Facts(f"{one}: {two}\nsize: {three}")
    findings = [facts.check_claim(one), facts.check_answer(two, three), check_summary(one, two)]
    assert all(finding is None or finding.check in CHECKS for finding in findings)


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(r"[-+]?\d{1,5}(\.\d{1,3})?", fullmatch=True),
    st.from_regex(r"[-+]?\d{1,5}(\.\d{1,3})?", fullmatch=True),
)
def test_numbers_are_supported_only_if_equal_and_contradicted_only_if_not(recorded: str, stated: str) -> None:
    finding = Facts(f"box: A1\nsize: {recorded}").check_claim(f"The size of A1 is {stated}.")
    if finding and finding.check == "supported":
        assert float(recorded) == float(stated)
    if finding and finding.check == "contradicted":
        assert float(recorded) != float(stated)


def test_columns_that_can_not_be_named_prove_nothing() -> None:
    assert Facts("box: A1\n%: 5").check_claim("% of A1 is 5") is None
    assert Facts("box: A1\nsize: 5\nsize: 6").check_claim("The size of A1 is 5") is None
    assert Facts("box: A1\nsize: 5").check_claim("The s\u0131ze of A1 is 5") is None


def test_text_that_is_no_record_proves_nothing() -> None:
    facts = Facts("The capital of Denmark is Copenhagen.")
    assert facts.check_claim("The capital of Denmark is Copenhagen.") is None
    assert facts.check_answer("What is the capital of Denmark?", "Copenhagen") is None


@pytest.mark.parametrize(
    ("summary", "check"),
    [
        ("Denmark has 5,580,516 people.", OPEN),
        ("Denmark has 6580516 people.", "not in the records"),
        ("Denmark, independent since 965.", OPEN),
        ("Denmark, independent since 1965.", "not in the records"),
        ("Denmark covers 43094 km².", OPEN),
        ("Denmark has about 6 million people.", OPEN),
        ("One country.", OPEN),
        ("1 country in Europe.", OPEN),
        ("3 countries in Europe.", "not in the records"),
    ],
)
def test_a_summary_invents_no_number(summary: str, check: str | None) -> None:
    finding = check_summary(summary, record_text("country", "Denmark", DENMARK))
    assert (finding and finding.check) == check
