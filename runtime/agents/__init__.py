"""LangGraph agents over the chat model.

Knows states, nodes and records. Does not know tokens or graphs of ONNX.
"""

from .agent import DistilledModelAgent
from .state import AgentState
from .workflow import AgenticWorkflow

__all__ = ["AgentState", "AgenticWorkflow", "DistilledModelAgent"]
