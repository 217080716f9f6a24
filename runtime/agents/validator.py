"""``ValidatorAgent``: checks a claim, or an answer that was just given, against the record.

What the record itself decides is decided by code (:mod:`.checking`); only what it leaves open is asked of the
student, and the result says whose word it is. Does not know workflows.
"""

import re
from collections.abc import Mapping
from os import PathLike
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.constants import TAG_NOSTREAM

from ..chat import ChatOnnx
from ..prompts import CHECKS, NOT_FOUND, check_prompt, claim_text
from .checking import NOT_RECORDED, Facts, Finding, agreed, check_summary
from .log import logged
from .record_agent import RecordAgent
from .state import AgentState

__all__ = ["CHECK_WANTED", "UNDECIDED", "ValidatorAgent", "claim_in"]

UNDECIDED = "I can't tell from the records."
CHECK_WANTED = re.compile(
    r"""^\W*(?:please\s+|can\ you\s+|could\ you\s+)*(?:
        is\ it\ (?:true|correct|right|so|a\ fact)\ that\b
      | (?:check|verify|validate|confirm)\s+(?:that|whether|if)\b
      | (?:check|verify|validate|confirm)(?:\s+(?:this|the)(?:\s+(?:claim|statement|fact))?)?\s*:
      | (?:is\ (?:this|the\ following)\ (?:true|correct|right)|true\ or\ false)\s*[:?,]
      | (?:claim|statement)\s*:
    )\s*(?P<claim>.+)
    | ^(?P<before>.+?)[.,;!?\s]+(?:is\ (?:this|that|it)\ (?:true|correct|right|so)|true\ or\ false)\s*\?\s*$""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""The queries that ask for a check; ``claim`` or ``before`` is what to check."""
_LONGEST_WORD = 16  # tokens; more than any word of CHECKS takes


def claim_in(query: str) -> str:
    """The claim that a query asks to check; the query itself where it does not say that it asks."""
    match = CHECK_WANTED.search(query)
    claim = match["claim"] or match["before"] if match else query
    return claim.strip().rstrip("?").rstrip()


class ValidatorAgent(RecordAgent):
    """Checks with a bundle's records and student; usable as a LangGraph node.

    Where ``results["answer"]`` is there, that answer is checked against ``context["record"]``. Else the last
    message is a claim: it is checked against the record that it names, and the check is the answer.

    It leaves in ``results``: "check", one of :data:`attar.runtime.prompts.CHECKS`, or None if nobody could tell;
    "checked_by", "record" for what was proved, "model" for the student's own word, else None; "evidence", the
    record's line that proves it, or None.

    Args:
        bundle: A bundle's folder, or a chat model on one.
        name: Name of the agent in messages.
    """

    def __init__(self, bundle: str | PathLike[str] | ChatOnnx, name: str = "validator") -> None:
        super().__init__(bundle, name)

    def __call__(self, state: AgentState, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Check the answer that was given, or the claim in the last message."""
        with logged(self.name) as decided:
            results, context = state.get("results") or {}, state.get("context") or {}
            if "answer" in results:
                check = self._check_answer(_last_question(state), results, context.get("record"), config)
                update: dict[str, Any] = {}
            else:
                claim = claim_in(state["messages"][-1].text)
                context, texts = self.with_record(claim, context)
                check = self._check_claim(claim, texts, config)
                message = AIMessage(_sentence(check), name=self.name)
                update = {"messages": [message], "context": context}
                results = {**results, "answer": message.text}
            decided.update(check=check["check"], checked_by=check["checked_by"])
        return {**update, "results": {**results, **check}}

    def _check_answer(
        self, question: str, results: Mapping[str, Any], record: str | None, config: RunnableConfig | None
    ) -> dict[str, str | None]:
        answer = results["answer"]
        if record is None or answer == NOT_FOUND:
            return _proved(Finding(NOT_RECORDED))
        if "summary" in results:
            return self._proved_or_asked(check_summary(answer, record), answer, record, config)
        facts = Facts(record, self.records)
        asked = facts.asked(question)
        claim = claim_text(asked[0], facts.entity, answer) if asked else f"{question} {answer}"
        return self._proved_or_asked(facts.check_answer(question, answer), claim, record, config)

    def _check_claim(self, claim: str, texts: list[str], config: RunnableConfig | None) -> dict[str, str | None]:
        if not texts:
            return _proved(Finding(NOT_RECORDED))
        proved = agreed(Facts(text, self.records).check_claim(claim) for text in texts)
        return self._proved_or_asked(proved, claim, texts[0], config)

    def _proved_or_asked(
        self, finding: Finding | None, claim: str, record: str, config: RunnableConfig | None
    ) -> dict[str, str | None]:
        if finding:
            return _proved(finding)
        # The student's word is no part of the conversation: it is not streamed.
        quiet: RunnableConfig = {**(config or {}), "tags": [*((config or {}).get("tags") or []), TAG_NOSTREAM]}
        reply = self.reply(check_prompt(claim, record), quiet, max_tokens=_LONGEST_WORD)
        said = reply.text.strip().casefold()
        word = next((check for check in CHECKS if said.rstrip(".") == check), None)
        return {"check": word, "checked_by": "model" if word else None, "evidence": None}


def _proved(finding: Finding) -> dict[str, str | None]:
    return {"check": finding.check, "checked_by": "record", "evidence": finding.evidence}


def _last_question(state: AgentState) -> str:
    return next(message.text for message in reversed(state["messages"]) if message.type == "human")


def _sentence(check: Mapping[str, str | None]) -> str:
    if not check["check"]:
        return UNDECIDED
    word = check["check"].capitalize()
    return f"{word} ({check['evidence']})." if check["evidence"] else f"{word}."
