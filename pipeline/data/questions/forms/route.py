"""Queries for each agent. Slots: column and entity or value for qa, entity for summarizer, all three for validator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["QUERIES"]

_QA = (
    "What is the {column} of {entity}?",
    "Which {column} does {entity} have?",
    "{entity}'s {column}?",
    "Give me the {column} for {entity}.",
    "Is the {column} of {entity} higher than that of others?",
    "I need to know the {column} of {entity}.",
    "Which {label} has the {column} {value}?",
    "How many have {value} as {column}?",
    # in few words
    "{entity}: {column}?",
    "{column} of {entity}, please.",
    "Who has {value} as {column}?",
    # one value
    "Tell me the {column} of {entity}.",
    "Do you know {entity}'s {column}?",
    "I'm trying to find out the {column} of {entity}.",
    "I'd like to hear which {column} {entity} has.",
    "Look up {entity} and give its {column}.",
    "Take {entity}. What is its {column}?",
    "For {entity}, which value do you have in {column}?",
    "What do you find for {entity} in the field {column}?",
    "As to {column}, what applies to {entity}?",
    "Read me the {column} from the record of {entity}.",
    "Show the {column} for {entity} and for nothing else.",
    # several records
    "Find the {label} whose {column} is {value}.",
    "Please look up which {label} goes with the {column} {value}.",
    "List each {label} with {value} as its {column}.",
    "How many records share the {column} {value}?",
    "Count the records with {value} as {column}.",
    "How does {entity} compare with the others in {column}?",
)
_SUMMARIZER = (
    "Summarize {entity}.",
    "Give me a short summary of {entity}.",
    "Tell me everything about {entity}.",
    "Describe {entity} in a few words.",
    "What do you know about {entity}?",
    "Sum up the record of {entity}.",
    "Write an overview of the {label} {entity}.",
    "In short, what is there to say about {entity}?",
    # in few words
    "Summary of {entity}.",
    "{entity}, in short.",
    "{entity}: the main facts, please.",
    "Report on {entity}, briefly.",
    # requests
    "Give me the gist of {entity}.",
    "Can you summarize the {label} {entity} for me?",
    "I'd like a brief description of {entity}.",
    "Introduce me to {entity} in a sentence or two.",
    "Write two sentences on {entity}.",
    "Make a short text of all the facts about {entity}.",
    "Boil the record of {entity} down to the essentials.",
    "Condense the entry on {entity}.",
    "Please wrap up what is on record for {entity}.",
    "Let me hear the key points about {entity}.",
    "Paint me a quick picture of {entity}.",
    "I have no time to read the whole record of {entity}; just the main points, please.",
    # questions
    "What should I know about {entity}?",
    "What is {entity} all about?",
    "Who or what is {entity}? Keep it brief.",
    "How would you sum up {entity}?",
)
_VALIDATOR = (
    "Is it true that the {column} of {entity} is {value}?",
    "Check this: {entity} has the {column} {value}.",
    "Verify that {value} is the {column} of {entity}.",
    "True or false: {entity}'s {column} is {value}.",
    "The {column} of {entity} is {value}. Is that right?",
    "Claim: {entity}'s {column} is {value}.",
    "Can you confirm that {entity} has {value} as its {column}?",
    "Somebody says the {column} of {entity} is {value}; are they right?",
    # in few words
    "{entity} has {value} as its {column}. True?",
    "Right or wrong: {value} is the {column} of {entity}.",
    "Fact check: the {column} of {entity} is {value}.",
    "Statement to check: {value} is the {column} of {entity}.",
    # requests
    "Please check whether {value} is the {column} of {entity}.",
    "Make sure that the {column} of {entity} is {value}.",
    "Prove or disprove: {entity}'s {column} is {value}.",
    "Test this claim: {entity} has {value} as its {column}.",
    "Could you verify that {entity} really has the {column} {value}?",
    # who says so
    "I think {entity}'s {column} is {value}. Can you check that?",
    "I read that {value} is the {column} of {entity}. Is this a fact?",
    "According to my notes, the {column} of {entity} is {value}; please verify.",
    "My colleague claims that {entity} has the {column} {value}. Is there anything to it?",
    "Am I right that the {column} of {entity} is {value}?",
    # questions
    "{entity}'s {column} is {value}, isn't it?",
    "Does it hold that {entity} has the {column} {value}?",
    "Can it be right that {entity} has {value} for its {column}?",
    "Do the records support that {entity} has {value} as its {column}?",
    "Would you say it is a fact that the {column} of {entity} is {value}?",
    "The claim that the {column} of {entity} is {value}: does it stand?",
)
QUERIES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "train": {"qa": _QA, "summarizer": _SUMMARIZER, "validator": _VALIDATOR},
    "test": {
        "qa": (
            "Could you tell me what the {column} of {entity} is?",
            "Name {entity}'s {column}.",
            "Under {column}, what stands for {entity}?",
            "Whose {column} is {value}?",
        ),
        "summarizer": (
            "Please give an overview of {entity}.",
            "What is known about {entity}?",
            "Tell me something about {entity}.",
            "Put {entity} in a nutshell.",
        ),
        "validator": (
            "Is it correct that {entity} has the {column} {value}?",
            "Validate the statement: the {column} of {entity} is {value}.",
            "{value} is the {column} of {entity}, true or false?",
            "I was told that the {column} of {entity} is {value}. Was I told the truth?",
        ),
    },
}
"""Split and agent to queries."""
