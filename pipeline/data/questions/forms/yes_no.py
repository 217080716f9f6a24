"""Forms of yes or no. Slots: column, entity, value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["YES_NO_FORMS"]

YES_NO_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "Is the {column} of {entity} {value}?",
        "Is {value} the {column} of {entity}?",
        "Does {entity} have the {column} {value}?",
        "{entity}: is the {column} {value}?",
        "Does the record give {value} as the {column} of {entity}?",
        "Is {entity}'s {column} {value}, yes or no?",
        "For {entity}, is {value} the {column}?",
        "Has {entity} got {value} as its {column}?",
        # in few words
        "{entity}: {column} {value}?",
        "{column} of {entity}: is it {value}?",
        "{value} as the {column} of {entity}, is that so?",
        "The {column} of {entity} is {value}: yes or no?",
        # what one wants to know, and why
        "Am I right that {value} is the {column} of {entity}?",
        "Tell me whether {entity} has the {column} {value}.",
        "I'd like to know if {entity}'s {column} is {value}.",
        "Let me know if the field {column} of {entity} holds {value}.",
        "Please answer yes or no: does {entity} have {value} for its {column}?",
        "Please check: is it {value} that {entity} has for its {column}?",
        "I think {entity} has {value} for its {column}. Is that right?",
        "Somebody asks whether {value} is the {column} of {entity}. Is it?",
        # another order, or the passive
        "Take {entity}. Is its {column} {value}?",
        "What about {entity}: is {value} its {column}?",
        "When I look at {entity}, do I find the {column} {value}?",
        "Is {value} given as the {column} of {entity}?",
        "Was {value} entered in the field {column} of {entity}?",
        "Does the {column} of {entity} read {value}?",
        "Is the {column} that belongs to {entity} really {value}?",
        "Do the facts say that {entity} has the {column} {value}?",
        "{entity} and the {column} {value}: do they go together?",
    ),
    "test": (
        "Can you confirm that the {column} of {entity} is {value}?",
        "Would {value} be the right {column} for {entity}?",
        "Does {value} stand under {column} for {entity}?",
        "Yes or no: {entity} has {value} as its {column}.",
    ),
}
