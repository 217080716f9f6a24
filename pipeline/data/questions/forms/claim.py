"""Forms of claims. Slots: column, entity, value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["CLAIM_FORMS"]

CLAIM_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "The {column} of {entity} is {value}.",
        "{entity} has the {column} {value}.",
        "{entity}'s {column} is {value}.",
        "{value} is the {column} of {entity}.",
        "For {entity}, the {column} is {value}.",
        "{entity} has {value} as its {column}.",
        "It is {value} that {entity} has as its {column}.",
        "The record of {entity} gives {value} as the {column}.",
        "{entity}: {column} {value}.",
        "As its {column}, {entity} has {value}.",
        # in few words
        "{column} of {entity}: {value}.",
        "{column}, {entity}: {value}",
        "{column} = {value} for {entity}",
        "{value}: that is the {column} of {entity}.",
        # who says so
        "I believe that the {column} of {entity} is {value}.",
        "Someone told me that {entity} has {value} for its {column}.",
        "If I remember correctly, {value} is what {entity} has for its {column}.",
        "We read that {entity} has {value} in the field {column}.",
        "Please note that {entity}'s {column} is {value}.",
        "You know {entity}? Its {column} is {value}.",
        # another order, or the passive
        "What {entity} has as its {column} is {value}.",
        "Looking at {entity}, we see the {column} {value}.",
        "The field {column} of {entity} holds {value}.",
        "For its {column}, {entity} shows {value}.",
        "{value} is given as the {column} of {entity}.",
        "As far as {entity} is concerned, the {column} is {value}.",
        "The {column} that belongs to {entity} is {value}.",
        "Among the facts about {entity} is the {column} {value}.",
        "{entity} is a record whose {column} is {value}.",
        "In the case of {entity}, {value} has been entered as the {column}.",
    ),
    "test": (
        "The {column} recorded for {entity} is {value}.",
        "With {entity}, the {column} is {value}.",
        "{value} stands as the {column} of {entity}.",
        "When it comes to {entity}, {value} is the {column}.",
        "Under {column}, {entity} is listed with {value}.",
    ),
}
