"""Question kinds: each a small file with a generator and a checker, and one of its forms in ``forms``.

A new kind is one file and one line in ``KINDS``.
"""

from .claim import Claim
from .comparison import Comparison
from .dates import DateDifference, DateShift
from .kind import Kind, Question, Row, Scene
from .lookup import Lookup
from .ranking import Extreme, TopK
from .reverse_lookup import ReverseLookup
from .route import Route
from .selection import Count, Filter
from .summary import MultiSummary, Summary
from .tool_call import ToolCall, ToolChoice, ToolWithoutArguments
from .tool_use import NoTool, ToolAnswer, ToolLookup
from .unanswered import Abstain, NotRecorded
from .yes_no import YesNo

__all__ = ["KINDS", "Kind", "Question", "Row", "Scene"]

KINDS: dict[str, Kind] = {
    Lookup.name: Lookup(),
    ReverseLookup.name: ReverseLookup(),
    YesNo.name: YesNo(),
    Comparison.name: Comparison(),
    Extreme.name: Extreme(),
    TopK.name: TopK(),
    Count.name: Count(),
    Filter.name: Filter(),
    DateShift.name: DateShift(),
    DateDifference.name: DateDifference(),
    NotRecorded.name: NotRecorded(),
    Abstain.name: Abstain(),
    Summary.name: Summary(),
    MultiSummary.name: MultiSummary(),
    Claim.name: Claim(),
    Route.name: Route(),
    ToolCall.name: ToolCall(),
    ToolChoice.name: ToolChoice(),
    ToolWithoutArguments.name: ToolWithoutArguments(),
    NoTool.name: NoTool(),
    ToolLookup.name: ToolLookup(),
    ToolAnswer.name: ToolAnswer(),
}
"""Name to kind."""
