"""Calls of tools: with arguments copied from the query, one tool out of several, or without arguments.

Hands on three kinds, :class:`ToolCall`, :class:`ToolChoice` and :class:`ToolWithoutArguments`.
"""

from __future__ import annotations

import json
import random
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from attar.runtime.prompts import tool_call_text

from ..schema import TableSchema
from .catalog import BARE, TOOLS, Tool, fill, record_tool, shared_tools
from .kind import Kind, Question, Row, Scene

__all__ = ["ToolCall", "ToolChoice", "ToolWithoutArguments", "read_call"]

_MOST_TOOLS = 4


class _Calling(Kind):
    """Asks for something that one tool does.

    Attributes:
        catalog: Split to the tools that can be asked for; their requests are the forms.
    """

    shows_records = False
    catalog: Mapping[str, Sequence[Tool]]

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` queries, the tools that are offered being the same; one for each form where it is None."""
        if not scene.entity:
            return []
        offered = self._offered(scene, rng)
        definitions = [tool.definition for tool in offered]
        forms = [(form, tool) for form, tool in self._requests(scene.split) if tool in offered]
        questions = []
        for form, tool in rng.sample(forms, len(forms) if count is None else min(count, len(forms))):
            arguments = fill(tool, scene, rng)
            answer, given = tool_call_text(tool.name, arguments), {"tool": tool.name, "arguments": arguments}
            questions.append(Question(self._query(form, arguments), answer, form, given=given, tools=definitions))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer is a call, well formed, of the only offered tool that the query can be for.

        Its arguments are those that the tool's definition asks for, of the types that it names, and stand in the
        query as they are.
        """
        called = read_call(question.answer)
        definitions = {tool["function"]["name"]: tool["function"]["parameters"] for tool in question.tools}
        if called is None or called["name"] not in definitions or len(definitions) != len(question.tools):
            return False
        arguments, parameters = called["arguments"], definitions[called["name"]]
        if not _fits(arguments, parameters) or not all(_spoken(value) in question.text for value in arguments.values()):
            return False
        meant = {
            tool.name
            for form, tool in self._requests(question.form.split(".")[1])
            if tool.name in definitions
            and tool.parameters.keys() == arguments.keys()
            and self._query(form, arguments) == question.text
        }
        return meant == {called["name"]}

    @abstractmethod
    def _offered(self, scene: Scene, rng: random.Random) -> list[Tool]:
        """The tools that can be called, in any order; at least one of them stands in the catalog."""

    def _query(self, form: str, arguments: Mapping[str, Any]) -> str:
        return self.write(form, **{name: _spoken(value) for name, value in arguments.items()})

    def _requests(self, split: str) -> list[tuple[str, Tool]]:
        """The forms, each with its tool."""
        tools = [tool for tool in self.catalog[split] for _ in tool.requests]
        return [(f"{self.name}.{split}.{number}", tool) for number, tool in enumerate(tools)]


def _requests_of(catalog: Mapping[str, Sequence[Tool]]) -> dict[str, tuple[str, ...]]:
    return {split: tuple(request for tool in tools for request in tool.requests) for split, tools in catalog.items()}


class ToolCall(_Calling):
    """One tool is offered, and asked for."""

    name = "tool_call"
    catalog = TOOLS
    forms = _requests_of(TOOLS)

    def _offered(self, scene: Scene, rng: random.Random) -> list[Tool]:
        return [rng.choice(TOOLS[scene.split])]


class ToolChoice(_Calling):
    """Several tools are offered, and one of them is asked for."""

    name = "tool_choice"
    catalog = TOOLS
    forms = _requests_of(TOOLS)

    def _offered(self, scene: Scene, rng: random.Random) -> list[Tool]:
        if shared := shared_tools(scene):
            return shared
        others = [*TOOLS[scene.split], *BARE[scene.split], record_tool(scene.schema.label)]
        wanted = rng.choice(TOOLS[scene.split])
        others.remove(wanted)
        offered = [wanted, *rng.sample(others, rng.randint(1, _MOST_TOOLS - 1))]
        return rng.sample(offered, len(offered))


class ToolWithoutArguments(_Calling):
    """A tool is asked for that takes no arguments."""

    name = "tool_without_arguments"
    catalog = BARE
    forms = _requests_of(BARE)

    def _offered(self, scene: Scene, rng: random.Random) -> list[Tool]:
        if shared := shared_tools(scene):
            return shared
        others = [*TOOLS[scene.split], record_tool(scene.schema.label)]
        offered = [*rng.sample(BARE[scene.split], 2), *rng.sample(others, rng.randint(0, _MOST_TOOLS - 2))]
        return rng.sample(offered, len(offered))


def read_call(text: str) -> dict[str, Any] | None:
    """The call that a text is, read as JSON between its tags; None for any other text."""
    start, end = "<tool_call>\n", "\n</tool_call>"
    if not (text.startswith(start) and text.endswith(end)):
        return None
    try:
        call = json.loads(text[len(start) : -len(end)])
    except ValueError:
        return None
    known = isinstance(call, dict) and call.keys() == {"name", "arguments"} and isinstance(call["arguments"], dict)
    return call if known else None


def _fits(arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Whether arguments are all that a JSON Schema asks for, and of its types."""
    types: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float)}
    return arguments.keys() == set(parameters["required"]) == parameters["properties"].keys() and all(
        type(value) in types[parameters["properties"][name]["type"]] for name, value in arguments.items()
    )


def _spoken(value: object) -> str:
    """An argument as a query says it."""
    return value if isinstance(value, str) else json.dumps(value)
