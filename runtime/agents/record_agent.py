"""``RecordAgent``: what the agents share that read records: one model, and the record that a query names.

Does not know what is said of the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig

from ..chat import ChatOnnx
from ..prompts import Message, restated
from ..records import Record, Records

__all__ = ["RecordAgent"]


class RecordAgent:
    """An agent on a bundle's student and its records.

    Args:
        bundle: A bundle's folder, or a chat model on one; agents that are given the same one share it.
        name: Name of the agent in messages.
    """

    def __init__(self, bundle: str | PathLike[str] | ChatOnnx, name: str) -> None:
        self.model = bundle if isinstance(bundle, ChatOnnx) else ChatOnnx(bundle=bundle)
        self.name = name

    @property
    def records(self) -> Records | None:
        """The bundle's records, where it carries them."""
        path = self.model.loaded.bundle.records
        return Records(path) if path else None

    @property
    def learned_answers(self) -> bool:
        """Whether the student learned questions as a table held them, which name no record and need none."""
        return bool(self.model.loaded.bundle.manifest.lineage.get("modes", {}).get("given"))

    def find(self, question: str) -> list[Record]:
        """The records that a question names, best first; none where the bundle carries no records."""
        records = self.records
        return records.find(question) if records else []

    def with_record(self, question: str, context: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The context to answer in, and the records that it may be about, best first.

        The record to read is ``context["record"]``: the caller's own, put as the student reads records, or the first
        that the question names.
        A question that names none, such as "And its population?", is about the record before it.
        """
        own = "record" in context and "candidates" not in context
        records = None if own else self.records
        found = records.find(question, follow_up=context.get("record") is not None) if records else []
        if found or "record" not in context:
            names = [record.entity for record in found]
            context = {**context, "record": found[0].text if found else None, "candidates": names}
        if own and context["record"]:
            context = {**context, "record": restated(context["record"])}
        texts = [record.text for record in found] or [context["record"]]
        return dict(context), [text for text in texts if text]

    def reply(self, turns: list[Message], config: RunnableConfig | None, **settings: Any) -> AIMessage:
        """What the student says, under this agent's name."""
        message = self.model.invoke(convert_to_messages([dict(turn) for turn in turns]), config, **settings)
        return message.model_copy(update={"name": self.name})
