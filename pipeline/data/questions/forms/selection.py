"""Forms of counting and filtering.

Slots: condition, words such as "population above 1000" that follow "with" or "have", and label in some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["COUNT_FORMS", "FILTER_FORMS"]

COUNT_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "How many of these records have {condition}?",
        "How many have {condition}?",
        "Count the records with {condition}.",
        "What is the number of records with {condition}?",
        "With {condition}, how many are there?",
        "How many times do you find {condition}?",
        "Give the count of those with {condition}.",
        "In how many of the records is it {condition}?",
        # in few words
        "{condition}: how many?",
        "{condition} - how many records is that?",
        "Records with {condition}: how many?",
        # what one wants to know
        "I'd like to know how many have {condition}.",
        "I need a number: how many records have {condition}?",
        "Please count those that have {condition}.",
        "Can you count the records showing {condition}?",
        "Say how many records meet this: {condition}.",
        "What is the total of records with {condition}?",
        # how to find it first
        "Go through the records. How many have {condition}?",
        "Look at every {label}. How many of them have {condition}?",
        "If I ask for {condition}, how many records are left?",
        "The condition is {condition}. How many records meet it?",
        "Keep only the records with {condition} and count them.",
        "Add up the records that have {condition}. What do you get?",
        "We are looking for {condition}; how many records fit?",
        # another order
        "How often does {condition} occur?",
        "How many records does {condition} apply to?",
        "How many would you list under {condition}?",
        "In how many cases do we see {condition}?",
        "How many names are on the list of those with {condition}?",
        "By your count, how many records have {condition}?",
    ),
    "test": (
        "Tell me how many of them show {condition}.",
        "How large is the number of those that have {condition}?",
        "Of these records, how many come with {condition}?",
        "Number of records that have {condition}?",
    ),
}

FILTER_FORMS: Mapping[str, Sequence[str]] = {
    "train": (
        "Which of these records have {condition}?",
        "Which have {condition}?",
        "List those with {condition}.",
        "Name every {label} with {condition}.",
        "Find all records that have {condition}.",
        "Keep only those with {condition}: which are they?",
        "Which ones are left if you ask for {condition}?",
        "Give the names of those with {condition}.",
        # in few words
        "{condition}: which ones?",
        "{condition} - name all records that have it.",
        "Records with {condition}: what are they called?",
        "Who has {condition}?",
        # what one wants to know
        "I'd like to know who has {condition}.",
        "I'm looking for records with {condition}; which are there?",
        "Please list each record with {condition}.",
        "Could you give me all those that have {condition}?",
        "Show me only the ones with {condition}.",
        "Say which records meet this: {condition}.",
        "What are the names of the records with {condition}?",
        # how to find them first
        "Go through the records and name those that have {condition}.",
        "Look at every {label}. Which of them have {condition}?",
        "If I ask for {condition}, which records do I get?",
        "The condition is {condition}. Which records meet it?",
        "Search the records for {condition} and give the names you find.",
        "Does any {label} have {condition}? Name all that do.",
        # another order
        "To which records does {condition} apply?",
        "In which records do you find {condition}?",
        "Which names belong on a list of those with {condition}?",
        "One by one, name the records that have {condition}.",
        "Select by {condition}: what are the names?",
    ),
    "test": (
        "Tell me which of them show {condition}.",
        "Every {label} that has {condition}, please.",
        "Which of the records come with {condition}?",
        "Pick out whatever has {condition}.",
    ),
}
