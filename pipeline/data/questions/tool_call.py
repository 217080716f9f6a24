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
from .catalog import BARE, TOOLS, Tool, fill, offered, read_offer, record_tool, shared_tools
from .kind import Kind, Question, Row, Scene

__all__ = ["ToolCall", "ToolChoice", "ToolWithoutArguments", "read_call"]

_MOST_TOOLS = {"train": 6, "test": 4}


class _Calling(Kind):
    """Asks for something that one tool does.

    Attributes:
        catalog: Split to the tools that can be asked for; their requests are the forms.
        shares_tools: Whether its prompts offer what those of other kinds do, where a scene is shared.
    """

    shows_records = False
    shares_tools = True
    catalog: Mapping[str, Sequence[Tool]]

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` queries, the tools that are offered being the same; one for each form where it is None."""
        if not scene.entity:
            return []
        offers = (shared_tools(scene) if self.shares_tools else []) or offered(self._tools(scene, rng), scene, rng)
        definitions = [offer.definition for offer in offers]
        requests = self._requests(scene.split).items()
        forms = [(form, offer) for form, tool in requests for offer in offers if offer.tool is tool]
        questions = []
        for form, offer in rng.sample(forms, len(forms) if count is None else min(count, len(forms))):
            values = fill(offer.tool, scene, rng)
            arguments = offer.arguments(values)
            answer, given = tool_call_text(offer.name, arguments), {"tool": offer.name, "arguments": arguments}
            questions.append(Question(self._query(form, values), answer, form, given=given, tools=definitions))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer is a call, well formed, of the only offered tool that the query can be for.

        The prompt's definitions say what the tool is called and what it takes: the arguments are those that they ask
        for, of the types that they name, and said in the query as they are.
        """
        split = question.form.split(".")[1]
        offers = [read_offer(definition, split, schema.label) for definition in question.tools]
        known = [offer for offer in offers if offer is not None]
        if len({offer.name for offer in known}) < len(question.tools):
            return False
        meant = [offer for offer in known if offer.tool.can_be_meant(question.text)]
        if len(meant) != 1 or meant[0].tool is not self._requests(split)[question.form]:
            return False
        called = read_call(question.answer)
        if called is None or called["name"] != meant[0].name:
            return False
        arguments = called["arguments"]
        fits = _fits(arguments, meant[0].definition["function"]["parameters"])
        return fits and self._query(question.form, meant[0].values(arguments)) == question.text

    @abstractmethod
    def _tools(self, scene: Scene, rng: random.Random) -> list[Tool]:
        """The tools that can be called where none are shared, in any order; at least one stands in the catalog."""

    def _query(self, form: str, values: Mapping[str, Any]) -> str:
        return self.write(form, **{slot: _spoken(value) for slot, value in values.items()})

    def _requests(self, split: str) -> dict[str, Tool]:
        """Form to the tool that it asks for."""
        tools = [tool for tool in self.catalog[split] for _ in tool.requests]
        return {f"{self.name}.{split}.{number}": tool for number, tool in enumerate(tools)}


def _requests_of(catalog: Mapping[str, Sequence[Tool]]) -> dict[str, tuple[str, ...]]:
    return {split: tuple(request for tool in tools for request in tool.requests) for split, tools in catalog.items()}


class ToolCall(_Calling):
    """One tool is offered, and asked for."""

    name = "tool_call"
    catalog = TOOLS
    shares_tools = False
    forms = _requests_of(TOOLS)

    def _tools(self, scene: Scene, rng: random.Random) -> list[Tool]:
        return [rng.choice(TOOLS[scene.split])]


class ToolChoice(_Calling):
    """Several tools are offered, and one of them is asked for."""

    name = "tool_choice"
    catalog = TOOLS
    forms = _requests_of(TOOLS)

    def _tools(self, scene: Scene, rng: random.Random) -> list[Tool]:
        others = [*TOOLS[scene.split], *BARE[scene.split], record_tool(scene.schema.label)]
        wanted = rng.choice(TOOLS[scene.split])
        others.remove(wanted)
        tools = [wanted, *rng.sample(others, rng.randint(1, _MOST_TOOLS[scene.split] - 1))]
        return rng.sample(tools, len(tools))


class ToolWithoutArguments(_Calling):
    """A tool is asked for that takes no arguments."""

    name = "tool_without_arguments"
    catalog = BARE
    forms = _requests_of(BARE)

    def _tools(self, scene: Scene, rng: random.Random) -> list[Tool]:
        others = [*TOOLS[scene.split], record_tool(scene.schema.label)]
        most = _MOST_TOOLS[scene.split] - 2
        tools = [*rng.sample(BARE[scene.split], 2), *rng.sample(others, rng.randint(0, most))]
        return rng.sample(tools, len(tools))


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
    """Whether arguments are all that a JSON Schema asks for, of its types, and among what it lists."""
    types: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float)}
    properties = parameters["properties"]
    return arguments.keys() == set(parameters["required"]) == properties.keys() and all(
        type(value) in types[properties[name]["type"]] and value in properties[name].get("enum", [value])
        for name, value in arguments.items()
    )


def _spoken(value: object) -> str:
    """An argument as a query says it."""
    return value if isinstance(value, str) else json.dumps(value)
