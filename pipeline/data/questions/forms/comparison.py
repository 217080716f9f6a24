"""Forms of comparison. Slots: column, more (a comparative), one, other, and label in some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["COMPARISON_FORMS"]

COMPARISON_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "Which has the {more} {column}, {one} or {other}?",
        "Which {label} has the {more} {column}: {one} or {other}?",
        "{one} or {other}: which has the {more} {column}?",
        "Compare {one} and {other}: whose {column} is {more}?",
        "Between {one} and {other}, which one has the {more} {column}?",
        "Whose {column} is {more}, that of {one} or that of {other}?",
        "Of {one} and {other}, name the one with the {more} {column}.",
        "Is the {column} {more} for {one} or for {other}?",
        # in few words
        "{more} {column}: {one} or {other}?",
        "{column}: is {one} {more}, or {other}?",
        "{one} versus {other}: {more} {column}?",
        # what one wants to know
        "I'd like to know which of the two, {one} and {other}, has the {more} {column}.",
        "Please name the one of {one} and {other} whose {column} is {more}.",
        "Give the name of the {label} with the {more} {column}: {one} or {other}.",
        "Choose the {label} whose {column} is {more}, {one} or {other}.",
        "Pick {one} or {other}, whichever has the {more} {column}.",
        "Decide between {one} and {other}: the {more} {column} wins.",
        # the two, or the column, first
        "We have two records, {one} and {other}; which one shows the {more} {column}?",
        "Here are {one} and {other}. Say where the {column} is {more}.",
        "When you put {one} beside {other}, which has the {more} {column}?",
        "If I compare the {column} of {one} with that of {other}, which one is {more}?",
        "Check the {column} of {one} and of {other}: where is it {more}?",
        "Looking at the {column}, is {one} or {other} {more}?",
        "By {column}, which comes out {more}, {one} or {other}?",
        "As to {column}, {one} and {other} differ. Which has the {more} one?",
        # another order
        "Does {one} or {other} have the {more} {column}?",
        "Is it {one} or {other} that has the {more} {column}?",
        "Where do I find the {more} {column}, in the record of {one} or of {other}?",
        "Out of {one} and {other}, who has the {more} {column}?",
    ),
    "test": (
        "Take {one} and {other}. Which of them has the {more} {column}?",
        "Tell me whether {one} or {other} has the {more} {column}.",
        "With which is the {column} {more}: {one} or {other}?",
        "Who is {more} in {column}, {one} or {other}?",
    ),
}
