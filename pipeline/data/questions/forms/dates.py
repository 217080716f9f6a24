"""Forms of date arithmetic.

Slots of a shift: unit ("day" or "year"), number, direction ("before" or "after"), column, entity. Slots of a
difference: units (such as "days"), column, one, other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["DATE_DIFFERENCE_FORMS", "DATE_SHIFT_FORMS"]

DATE_SHIFT_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "Which {unit} is {number} {unit}s {direction} the {column} of {entity}?",
        "What {unit} comes {number} {unit}s {direction} the {column} of {entity}?",
        "{number} {unit}s {direction} the {column} of {entity}: which {unit} is that?",
        "Take the {column} of {entity}; which {unit} is {number} {unit}s {direction} it?",
        "Give the {unit} that is {number} {unit}s {direction} {entity}'s {column}.",
        "For {entity}, what is the {unit} {number} {unit}s {direction} the {column}?",
        "Find the {unit} {number} {unit}s {direction} the {column} of {entity}.",
        "What is {number} {unit}s {direction} {entity}'s {column}?",
        # in few words
        "{number} {unit}s {direction} {entity}'s {column}: {unit}?",
        "{column} of {entity}: what {unit} is {number} {unit}s {direction} that?",
        # what one wants to know
        "I'd like to know which {unit} it is {number} {unit}s {direction} {entity}'s {column}.",
        "We need the {unit} {number} {unit}s {direction} {entity}'s {column}.",
        "Please work out the {unit} {number} {unit}s {direction} the {column} of {entity}.",
        "Calculate which {unit} is {number} {unit}s {direction} the {column} of {entity}.",
        "Name the {unit} that falls {number} {unit}s {direction} the {column} of {entity}.",
        "Can you say which {unit} it is, {number} {unit}s {direction} the {column} of {entity}?",
        "The {unit} I want is {number} {unit}s {direction} the {column} of {entity}; which is it?",
        # what is known first
        "The {column} of {entity} is known. What is the {unit} {number} {unit}s {direction} it?",
        "Look at {entity}: {number} {unit}s {direction} its {column}, which {unit} is it?",
        "Something happens {number} {unit}s {direction} the {column} of {entity}. Which {unit} is that?",
        "Suppose it is {number} {unit}s {direction} the {column} of {entity}. What {unit} is it?",
        "Let's say {number} {unit}s {direction} {entity}'s {column}: what {unit} would that be?",
        "With regard to {entity}, give the {unit} {number} {unit}s {direction} the {column}.",
        # another order
        "What {unit} do you get {number} {unit}s {direction} {entity}'s {column}?",
        "What would the {unit} be {number} {unit}s {direction} the {column} of {entity}?",
        "How do you write the {unit} that is {number} {unit}s {direction} the {column} of {entity}?",
        "Exactly {number} {unit}s {direction} the {column} of {entity} comes which {unit}?",
    ),
    "test": (
        "Tell me the {unit} {number} {unit}s {direction} the {column} of {entity}.",
        "If you go {number} {unit}s {direction} the {column} of {entity}, which {unit} do you reach?",
        "{entity}: {unit} that lies {number} {unit}s {direction} the {column}?",
        "Which {unit} do we have {number} {unit}s {direction} the {column} recorded for {entity}?",
    ),
}

DATE_DIFFERENCE_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "How many {units} lie between the {column} of {one} and that of {other}?",
        "How many {units} are there from the {column} of {one} to the {column} of {other}?",
        "Between {one} and {other}, by how many {units} does the {column} differ?",
        "By how many {units} is the {column} of {one} apart from that of {other}?",
        "{one} and {other}: how many {units} are between their {column}?",
        "Count the {units} between the {column} of {one} and the {column} of {other}.",
        "What is the difference in {units} between the {column} of {one} and of {other}?",
        "In {units}, how far apart is the {column} of {one} and {other}?",
        # in few words
        "{column} of {one} and of {other}: difference in {units}?",
        "{one}'s {column}, {other}'s {column}: how many {units} in between?",
        "{column}, from {one} to {other}, in {units}?",
        # what one wants to know
        "I'd like to know the number of {units} between {one}'s {column} and {other}'s.",
        "Please count how many {units} the {column} of {one} is away from that of {other}.",
        "Find out how many {units} apart {one} and {other} are in {column}.",
        "Say how many {units} there are between {one} and {other} by {column}.",
        "Give the difference between {one} and {other} in {column}, counted in {units}.",
        "Could you say how far the {column} of {one} is from that of {other}, in {units}?",
        "Someone asks how many {units} passed between the {column} of {one} and of {other}. What do you say?",
        # what is known first
        "The {column} of {one} differs from the {column} of {other}. By how many {units}?",
        "Take {one} and {other}. By how many {units} do they differ in {column}?",
        "Look at {one} and {other}: how many {units} is it from one {column} to the other?",
        "Compare the {column} of {one} with that of {other}: what is the gap in {units}?",
        "Subtract the earlier {column} from the later one, for {one} and {other}. How many {units} is that?",
        # another order
        "How long is it, in {units}, from the {column} of {one} to that of {other}?",
        "What is the number of {units} that {one} and {other} differ by in {column}?",
        "In terms of {units}, how much do {one} and {other} differ in {column}?",
        "As for {column}, what is the difference in {units} between {one} and {other}?",
        "Measured in {units}, how far is {one}'s {column} from {other}'s?",
    ),
    "test": (
        "Tell me how many {units} separate the {column} of {one} from that of {other}.",
        "Going by the {column}, how many {units} lie between {one} and {other}?",
        "The {column} of {one} and of {other} are how many {units} apart?",
        "How great is the distance in {units} between the {column} of {one} and {other}?",
    ),
}
