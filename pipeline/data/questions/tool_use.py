"""Questions on a record, beside tools.

No tool where the record is there, the one that finds it where it is not, and the answer once it was found. Hands on
three kinds, :class:`NoTool`, :class:`ToolLookup` and :class:`ToolAnswer`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from attar.runtime.prompts import NO_VALUE, Message, read_record, record_text, tool_call, tool_call_text

from ..schema import TableSchema, written
from .catalog import BARE, TOOLS, Tool, offered, record_tool, shared_tools
from .kind import Kind, Question, Row, Scene, facts_of, label_of, name_of
from .lookup import LOOKUP_FORMS, Lookup
from .tool_call import read_call

__all__ = ["NoTool", "ToolAnswer", "ToolLookup"]

_MOST_TOOLS = 3
_LAYOUTS = ("json", "text")


class NoTool(Lookup):
    """A lookup whose record is in the prompt, with tools on offer that it does not need."""

    name = "no_tool"

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on one row, each on another column, the tools being the same."""
        offers = shared_tools(scene) or offered(_others(scene, rng.randint(1, _MOST_TOOLS), rng), scene, rng)
        tools = [offer.definition for offer in offers]
        return [replace(asked, tools=tools) for asked in super().generate(scene, count, rng)]

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer is what the row says, and there are tools."""
        return bool(question.tools) and super().check(question, schema, rows)


class ToolLookup(Kind):
    """A lookup whose record is not there, with a tool that finds it, alone or among others."""

    name = "tool_lookup"
    forms = LOOKUP_FORMS
    shows_records = False

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on one row, each on another column, the tools being the same."""
        columns = scene.schema.columns if scene.entity else ()
        offers = shared_tools(scene)
        if not offers:
            tools = [record_tool(scene.schema.label), *_others(scene, rng.randint(0, _MOST_TOOLS), rng)]
            rng.shuffle(tools)
            offers = offered(tools, scene, rng)
        definitions = [offer.definition for offer in offers]
        answer = tool_call_text(*_finding(definitions, scene.schema, scene.entity))
        questions = []
        for column in rng.sample(columns, len(columns) if count is None else min(count, len(columns))):
            form = self.any_form(scene.split, rng)
            text = self.write(form, column=column.label, entity=scene.entity)
            questions.append(Question(text, answer, form, (column.name,), tools=definitions))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer calls the one offered tool that finds such records, with the name as the row has it."""
        (name,), (row,) = question.columns, rows
        entity = name_of(schema, row)
        called, arguments = _finding(question.tools, schema, entity)
        text = self.write(question.form, column=label_of(schema, name), entity=entity)
        return read_call(question.answer) == {"name": called, "arguments": arguments} and question.text == text


class ToolAnswer(Kind):
    """A lookup whose record a tool has just given."""

    name = "tool_answer"
    forms = LOOKUP_FORMS
    shows_records = False

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on one row, each on another column, now and then one that the tool leaves out."""
        columns = [column for column in scene.schema.columns if column.name not in scene.schema.entity]
        asked = rng.sample(columns, len(columns) if count is None else min(count, len(columns))) if scene.entity else []
        (finder,) = offered([record_tool(scene.schema.label)], scene, rng)
        questions = []
        for column in asked:
            value = written(scene.row[column.name])
            shown = tuple(name for name in scene.names() if name != column.name or rng.random() < 0.8)
            form, given = self.any_form(scene.split, rng), {"layout": rng.choice(_LAYOUTS)}
            text = self.write(form, column=column.label, entity=scene.entity)
            answer = value if value is not None and column.name in shown else NO_VALUE
            tools = [finder.definition]
            questions.append(Question(text, answer, form, (column.name,), shown=shown, given=given, tools=tools))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer stands in what the one tool says, read back from its turn."""
        (name,), (row,) = question.columns, rows
        label, entity = label_of(schema, name) or "", name_of(schema, row)
        _, result = self.turns(question, schema, rows)
        told = _read_back(result["content"], question.given["layout"])
        return (
            question.answer == told.get(label, NO_VALUE)
            and question.answer == (written(row[name]) if label in told else NO_VALUE)
            and len(question.tools) == 1
            and question.text == self.write(question.form, column=label, entity=entity)
        )

    def turns(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> list[Message]:
        """The call, and what the tool says: the record, as text or as JSON."""
        (row,) = rows
        entity, facts = name_of(schema, row), facts_of(question, schema, row)
        told = record_text(schema.label, entity, facts)
        if question.given["layout"] == "json":
            told = json.dumps({schema.label: entity, "record": dict(facts)}, ensure_ascii=False)
        calls = [tool_call(*_finding(question.tools, schema, entity))]
        return [
            {"role": "assistant", "content": "", "tool_calls": calls},
            {"role": "tool", "content": told},
        ]


def _others(scene: Scene, count: int, rng: random.Random) -> list[Tool]:
    """Tools that are of no use for a question on a record."""
    return rng.sample([*TOOLS[scene.split], *BARE[scene.split]], count)


def _finding(tools: Sequence[Mapping[str, Any]], schema: TableSchema, entity: str) -> tuple[str, dict[str, Any]]:
    """Name and arguments of the call that finds a record, as the one definition of such a tool has them.

    Raises:
        ValueError: None of the tools finds such records, or several do.
    """
    finder = record_tool(schema.label)
    (offer,) = (offer for tool in tools if (offer := finder.read(tool)) is not None)
    return offer.name, offer.arguments({"name": entity})


def _read_back(told: str, layout: str) -> dict[str, str]:
    """Label to value of what a tool said."""
    if layout == "json":
        return dict(json.loads(told)["record"])
    _, _, facts = read_record(told) or ("", "", [])
    return dict(facts)
