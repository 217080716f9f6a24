"""What the record itself proves of a claim or an answer, decided by code.

Three outcomes are proved and everything else is left open (None), for the Validator to ask the student:

- *supported*: the claim, or the answer to a question for one column, is that column's value as it is recorded.
- *contradicted*: it is another number, date, yes or no than the one recorded, or a value that stands under
  another column of the record or, in the same column, with another record.
- *not in the records*: it is about a column that the tables have and this record has not, or, of a summary,
  a number that the text does not hold.

A claim is read only in the few shapes below, and a question only if it says nothing beyond entity, column and
words that change nothing, so that "not", "about", "larger than" or a second entity leave the matter open.
Rounded numbers, longer and shorter forms of the same value do too. Shapes and words are English.
Does not know models or agents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ..prompts import CHECKS, read_record
from ..records import Records

__all__ = ["NOT_RECORDED", "Facts", "Finding", "agreed", "check_summary"]

SUPPORTED, CONTRADICTED, NOT_RECORDED = CHECKS

_SHAPES = (
    r"(?:the )?{column} (?:of|for) {entity} (?:is|are|was|were|=) {value}",
    r"{entity}'s? {column} (?:is|are|was|were|=) {value}",
    r"(?:the |its |his |her |their )?{column}(?: (?:is|are|was|were|=)|:) {value}",
    r"{entity} has (?:the |an? |as its )?{column} (?:of |= ?)?{value}",
    r"{value} (?:is|are|was|were) (?:the )?{column} of {entity}",
    r"{value} (?:is|are|was|were) {entity}'s? {column}",
)
_NEUTRAL = frozenset(
    re.findall(
        r"\w+",
        "a about according an and are as at belongs can comes could d do does entered field find for from give gives "
        "go goes has have her his how i in is it its know like list listed ll look looking me name need of on out "
        "please read record recorded records regarding s say see show shows stand stands state take tell that the "
        "their this to under up value was were what when which with would you",
    )
)
"""Words that leave a question for a column what it is."""
_PLAIN = str.maketrans("\u2018\u2019\u201c\u201d\u2212", "''\"\"-")
_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*)(?:\.\d+)?")  # 007 is a code
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_YES_NO = re.compile("yes|no", re.IGNORECASE)
_ROUNDED = re.compile(
    r"%|\b(?:about|almost|around|nearly|over|percent|roughly|\w+illions?|thousands?)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Finding:
    """What was proved, and the record's line that proves it, where one line does."""

    check: str
    evidence: str | None = None


class Facts:
    """A record taken apart, to check claims and answers against.

    Args:
        record: The record's text, as :func:`attar.runtime.prompts.record_text` writes it. Of any other text
            nothing is proved.
        records: All records, where there are more: they tell what else the tables have.
    """

    def __init__(self, record: str, records: Records | None = None) -> None:
        self.label, self.entity, facts = read_record(record) or ("", "", [])
        # Of two columns of one name nobody can tell which is meant.
        self.facts = dict(facts) if len(dict(facts)) == len(facts) else {}
        self._records = records
        self._own = _spoken(self.facts)
        known = records.labels() if records and self.facts else frozenset()
        self._foreign = {name: [name] for name in known - set(self._own) - {_key(self.label)}}
        self._shapes = self._claim_shapes() if self._own else []

    def check_claim(self, claim: str) -> Finding | None:
        """What the record proves of a claim, such as "The capital of Denmark is Copenhagen."."""
        stated = self._stated(claim)
        return self._judge(*stated) if stated else None

    def check_answer(self, question: str, answer: str) -> Finding | None:
        """What the record proves of the answer to a question."""
        asked = self.asked(question)
        stated = self._stated(answer)
        if asked is None:
            return self._judge(*stated) if stated else None
        if stated and stated[0] == asked:
            return self._judge(*stated)
        return self._judge(asked, answer)

    def asked(self, question: str) -> list[str] | None:
        """The columns that are called what the question asks for; None if it asks for more, or for anything else."""
        rest = _plain(question)
        for name in _names(self.entity):
            rest = re.sub(_bounded(re.escape(name)), " ", rest, flags=re.IGNORECASE)
        for columns in (self._own, self._foreign):
            named, left = _take(rest, columns)
            if named:
                says_more = set(_words(left)) - _NEUTRAL - set(_words(self.label))
                return None if says_more or len(named) > 1 else columns[named[0]]
        return None

    def _claim_shapes(self) -> list[re.Pattern[str]]:
        columns = sorted([*self._own, *self._foreign], key=len, reverse=True)
        names = "|".join(re.escape(name) for name in _names(self.entity))
        parts = {
            "column": f"(?P<column>{'|'.join(map(_pattern, columns))})",
            "entity": rf"(?:the )?(?:{_pattern(_key(self.label))} )?(?:{names})",
            "value": "(?P<value>.+?)",
        }
        return [re.compile(shape.format(**parts), re.IGNORECASE) for shape in _SHAPES]

    def _stated(self, claim: str) -> tuple[list[str], str] | None:
        """The columns that a claim is about, and the value that it states."""
        text = _trimmed(_plain(claim))
        for shape in self._shapes:
            if match := shape.fullmatch(text):
                key = _key(match["column"])
                columns = self._own.get(key) or self._foreign.get(key)
                return (columns, match["value"]) if columns else None
        return None

    def _judge(self, columns: list[str], stated: str) -> Finding | None:
        """A value against the columns that may be meant."""
        return agreed(self._judge_one(column, _trimmed(_plain(stated))) for column in columns)

    def _judge_one(self, column: str, stated: str) -> Finding | None:
        value = self.facts.get(column)
        if value is None:
            return Finding(NOT_RECORDED)
        recorded = _trimmed(_plain(value))
        same = _same(stated, recorded)
        if same is None and not _overlap(stated, recorded) and self._stands_elsewhere(column, stated):
            same = False
        return None if same is None else Finding(SUPPORTED if same else CONTRADICTED, f"{column}: {value}")

    def _stands_elsewhere(self, column: str, stated: str) -> bool:
        """Whether it is the value of another column, or of the same column in another record."""
        others = {_trimmed(_plain(value)).casefold() for name, value in self.facts.items() if name != column}
        if stated.casefold() in others:
            return True
        return self._records is not None and self._records.hold(self.label, column, stated)


def agreed(findings: Iterable[Finding | None]) -> Finding | None:
    """One finding where several columns or records may be meant: what supports one, else what all say."""
    found = list(findings)
    for finding in found:
        if finding and finding.check == SUPPORTED:
            return finding
    return found[0] if len({finding.check if finding else None for finding in found}) == 1 else None


def check_summary(summary: str, text: str) -> Finding | None:
    """Whether a summary holds a number that its text does not; nothing else of it can be proved.

    Text with an empty line between records also holds their number.
    """
    if _ROUNDED.search(summary):
        return None
    held = [*_numbers(text), Decimal(text.count("\n\n") + 1)]
    invented = [number for number in _numbers(summary) if all(_equal(number, other) is False for other in held)]
    return Finding(NOT_RECORDED) if invented else None


def _same(stated: str, recorded: str) -> bool | None:
    """Whether two values are the same; None where that can't be told from how they are written."""
    if stated.casefold() == recorded.casefold():
        return True
    for kind in (_DATE, _YES_NO):
        if kind.fullmatch(stated) and kind.fullmatch(recorded):
            return False
    if _NUMBER.fullmatch(stated) and _NUMBER.fullmatch(recorded):
        return _equal(_number(stated), _number(recorded))
    return None


def _equal(stated: Decimal, recorded: Decimal) -> bool | None:
    """Whether two numbers are equal; None where one is the other, rounded or cut."""
    if stated == recorded:
        return True
    last_digit = Decimal(1).scaleb(int(stated.as_tuple().exponent))
    return None if abs(stated - recorded) < last_digit else False


def _overlap(one: str, other: str) -> bool:
    return one.casefold() in other.casefold() or other.casefold() in one.casefold()


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _numbers(text: str) -> list[Decimal]:
    """The numbers that stand in a text as words of their own."""
    return [_number(found) for found in re.findall(r"(?<!\w)\d+(?:,\d{3})*(?:\.\d+)?(?!\w)", _plain(text))]


def _spoken(names: Iterable[str]) -> dict[str, list[str]]:
    """What columns are called, with their unit and without, to the columns that are called so."""
    spoken: dict[str, list[str]] = {}
    for name in names:
        for key in {_key(name), _key(re.sub(r"\s*\([^()]*\)$", "", name))} - {""}:
            spoken.setdefault(key, []).append(name)
    return spoken


def _take(text: str, keys: Iterable[str]) -> tuple[list[str], str]:
    """The keys that stand in a text, longest first, and the text without them."""
    found = []
    for key in sorted(keys, key=len, reverse=True):
        text, count = re.subn(_bounded(_pattern(key)), " ", text, flags=re.IGNORECASE)
        if count:
            found.append(key)
    return found, text


def _names(entity: str) -> list[str]:
    """How an entity may be called, longest first: "Cork (IE)", "Cork", "IE"."""
    name, _, rest = _plain(entity).removesuffix(")").partition(" (")
    return sorted({_plain(entity), name, *(rest.split(", "))} - {""}, key=len, reverse=True)


def _plain(text: str) -> str:
    """One way to write quotes, minus signs and spaces."""
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    return " ".join(text.split())


def _trimmed(text: str) -> str:
    return text.strip(" \"'").rstrip(" .!?").rstrip(" \"'")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", _plain(text).casefold())


def _key(text: str) -> str:
    return " ".join(_words(text))


def _pattern(key: str) -> str:
    """A key's words with any signs between them."""
    return r"\W+".join(key.split()) + r"\)?"


def _bounded(pattern: str) -> str:
    """A phrase that is no part of a longer word."""
    return rf"(?<![\w-]){pattern}(?!\w|-\w)"
