"""Forms of the highest or lowest, and of the first few.

Slots: column, most (a superlative), number where several are asked for, and label in some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["EXTREME_FORMS", "TOP_K_FORMS"]

EXTREME_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "Which {label} has the {most} {column}?",
        "Which of these has the {most} {column}?",
        "Whose {column} is the {most}?",
        "Name the {label} with the {most} {column}.",
        "Find the {most} {column}: which {label} is it?",
        "Among these records, which one has the {most} {column}?",
        "The {most} {column} belongs to which {label}?",
        "Who has the {most} {column} here?",
        # in few words
        "{label} with the {most} {column}?",
        "{column}: which {label} is {most}?",
        "{most} {column}: who has it?",
        # what one wants to know
        "I'd like to know which record's {column} is {most}.",
        "Please give me the name of the record whose {column} is the {most}.",
        "Give me the {label} with the {most} {column}, please.",
        "Could you pick out the record with the {most} {column}?",
        "What is the name of the {label} with the {most} {column}?",
        "Say who has the {column} that is {most}.",
        # how to find it first
        "Look at the {column} of each record. Where is it {most}?",
        "Compare all records by {column} and name the one that is {most}.",
        "After reading all the records, which {label} has the {most} {column}?",
        "If the records are sorted by {column}, which one is the {most}?",
        "One {label} has the {most} {column} of all. Which one?",
        # the column first, or another order
        "By {column}, which record is the {most}?",
        "In terms of {column}, which of them is {most}?",
        "As for {column}, the {most} is that of which {label}?",
        "Among all that are shown here, whose {column} is {most}?",
        "Of the records above, name the one whose {column} is the {most}.",
        "The {label} whose {column} is {most}, which one is that?",
        "Which record holds the {most} value for {column}?",
        "Where do you find the {most} {column}?",
    ),
    "test": (
        "With which {label} is the {column} the {most}?",
        "Of all these, tell me the one that has the {most} {column}.",
        "Which {label} comes out with the {most} {column}?",
        "To which {label} does the {most} {column} belong?",
    ),
}

TOP_K_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "Name the {number} with the {most} {column}, in order.",
        "Which {number} have the {most} {column}, from the {most} on?",
        "List the {number} records of {most} {column}, the {most} first.",
        "Give the {number} {most} by {column}, in order.",
        "Rank by {column}, the {most} first, and name the first {number}.",
        "What are the {number} records with the {most} {column}, in order?",
        "Sorted by {column} from the {most} on, which {number} come first?",
        "Pick the {number} with the {most} {column}, the {most} first.",
        # in few words
        "By {column}, {most} first: which {number}?",
        "{column}, the {most} {number}, in order?",
        "First {number} by {column}, the {most} at the top?",
        # what one wants to know
        "I'd like to know which {number} have the {most} {column}, in order.",
        "I need {number} names: those with the {most} {column}, the {most} one first.",
        "Please name the {number} records whose {column} is {most}, starting with the {most}.",
        "Could you give the {number} that have the {most} {column}, the {most} one at the head?",
        "Let me have the {number} whose {column} is {most}, in order.",
        "Say which {number} records are {most} by {column}; keep them in order.",
        "Give me a ranking by {column}: the {most} first, {number} names only.",
        # how to find them first
        "Sort the records by {column}, the {most} first, and give me {number} names from the top.",
        "Arrange these by {column} so that the {most} comes first. What are the first {number}?",
        "If you rank everything by {column} with the {most} at the top, which {number} are at the top?",
        "Compare the {column} of all records and list the {number} that are {most}, in order.",
        "Take the record with the {most} {column}, then the next, until you have {number}.",
        "First the one with the {most} {column}, then the next: {number} in all.",
        # two sentences, or another order
        "Which {number} records have the {most} {column}? Put the {most} first.",
        "Who are the {number} with the {most} {column}? List them from the {most} on.",
        "Looking at the {column}, which {number} are {most}? Name them in order.",
        "The {number} with the {most} {column} are which? In order, please.",
        "What {number} names stand at the top of a list by {column} that starts with the {most}?",
        "Show the {number} that come first when the records are put in order of {column}, the {most} first.",
    ),
    "test": (
        "Tell me the {number} that have the {most} {column}, beginning with the {most}.",
        "Order the records from the {most} {column} on; which are the first {number}?",
        "Which {number} lead the list, if the {most} {column} comes first?",
        "I want the {number} of {most} {column}, in that order.",
    ),
}
