"""LangGraph agents over the chat model.

Knows states, nodes and records. Does not know tokens or graphs of ONNX.
"""

from .agent import DistilledModelAgent
from .router import RuleRouter
from .state import AgentState
from .summarizer import SummarizerAgent
from .team import MultiAgentWorkflow
from .validator import ValidatorAgent
from .workflow import AgenticWorkflow

__all__ = [
    "AgentState",
    "AgenticWorkflow",
    "DistilledModelAgent",
    "MultiAgentWorkflow",
    "RuleRouter",
    "SummarizerAgent",
    "ValidatorAgent",
]
