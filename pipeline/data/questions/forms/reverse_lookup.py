"""Forms of reverse lookup. Slots: column, value, and label in most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["REVERSE_LOOKUP_FORMS"]

REVERSE_LOOKUP_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "Which {label} has the {column} {value}?",
        "What is the {label} whose {column} is {value}?",
        "{value} is the {column} of which {label}?",
        "Name the {label} with the {column} {value}.",
        "Find the {label} that has {value} as its {column}.",
        "For which {label} is the {column} {value}?",
        "The {column} {value} belongs to which {label}?",
        "{column} {value}: which {label} is it?",
        # in few words
        "{label} with {column} {value}?",
        "{column} = {value}, {label} = ?",
        "{value} as {column}: which one has it?",
        "Who has {value} as {column}?",
        # what one wants to know
        "I'm looking for the {label} with {value} as its {column}.",
        "I'd like to know the name of the {label} whose {column} is {value}.",
        "Please give me the {label} that goes with the {column} {value}.",
        "Could you find out which {label} has the {column} {value}?",
        "Give the name of the one that has the {column} {value}.",
        "Look for {value} in the field {column} and say which {label} has it.",
        "By its {column} {value}, identify the {label}.",
        # what is known first
        "The {column} is {value}. What is the {label} called?",
        "If the {column} is {value}, which {label} is meant?",
        "Suppose you read the {column} {value}. Which {label} are you looking at?",
        "It has {value} as its {column}. Which {label} am I talking about?",
        "Only one has {value} as its {column}; which one?",
        "Let's see: the {column} {value}, which {label} was that?",
        # another order, or the passive
        "{value} - which {label} has that as its {column}?",
        "Which one is it that has {value} in the field {column}?",
        "In which record does {value} appear as the {column}?",
        "Which {label} is described by the {column} {value}?",
    ),
    "test": (
        "To which {label} does the {column} {value} belong?",
        "Whose {column} is {value}?",
        "Under which {label} is {value} recorded as the {column}?",
        "Tell me which {label} shows {value} for the {column}.",
    ),
}
