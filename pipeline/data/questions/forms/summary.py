"""Layouts of what is to be summarized. Slots: label, entity, column, value.

What stands in brackets comes once for each fact; what follows its last slot stands between the facts only.
``{value:json}`` is the value as JSON writes it. The first layout is that of a bundle's records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["LAYOUTS"]

LAYOUTS: Mapping[str, Sequence[str]] = {
    "train": (
        "{label}:{entity}\n[{column}:{value}\n]",
        "{label}: {entity}\n[{column}: {value}\n]",
        "{label}: {entity}\n[- {column}: {value}\n]",
        "{entity}, {label}\n[{column} = {value}\n]",
        "{entity} ({label}): [{column} {value}; ]",
        "[The {column} of the {label} {entity} is {value}. ].",
        "# {entity}\n\n{label}\n[{column} | {value}\n]",
        # lines
        "{label}={entity}\n[{column}={value}\n]",
        "{label}\t{entity}\n[{column}\t{value}\n]",
        "{entity} ({label})\n[  {column} -> {value}\n]",
        # formats of data: YAML, JSON, a table of tabs, one of Markdown
        "- {label}: {entity}\n[  {column}: {value}\n]",
        "{{\n  {label:json}: {entity:json}[,\n  {column:json}: {value:json}]\n}}",
        "{label}[\t{column}]\n{entity}[\t{value}]",
        "| {label} [| {column} ] |\n|---[|---]|\n| {entity} [| {value} ] |",
        # prose
        "{entity} ({label})[; {value} as {column}].",
        "About {entity} ({label}): [the {column} is {value}; ].",
        "We have the {label} {entity} here. [For the {column} it has {value}. ].",
    ),
    "test": (
        "{label}: {entity}\n[* {column}: {value}\n]",
        "{entity} is a record of the kind {label}. [Its {column} is {value}. ].",
        "{label} {entity}\n[{column} - {value}\n]",
    ),
}
