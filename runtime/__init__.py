"""The light half of attar: load a bundle, answer with it, put it into a LangGraph app.

Names are handed on lazily: the bare engine needs no LangChain, the command group needs only click.
Nothing here imports torch, transformers, optimum, onnx, pandas or pyarrow.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agents import AgenticWorkflow as AgenticWorkflow
    from .agents import AgentState as AgentState
    from .agents import DistilledModelAgent as DistilledModelAgent
    from .agents import MultiAgentWorkflow as MultiAgentWorkflow
    from .agents import RuleRouter as RuleRouter
    from .agents import SummarizerAgent as SummarizerAgent
    from .agents import ValidatorAgent as ValidatorAgent
    from .bundle import Bundle as Bundle
    from .chat import ChatOnnx as ChatOnnx
    from .embeddings import OnnxEmbeddings as OnnxEmbeddings
    from .engine import Engine as Engine
    from .engine import SamplingSettings as SamplingSettings
    from .errors import AttarError as AttarError

_HOMES = {
    "AgentState": ".agents",
    "AgenticWorkflow": ".agents",
    "AttarError": ".errors",
    "Bundle": ".bundle",
    "ChatOnnx": ".chat",
    "DistilledModelAgent": ".agents",
    "Engine": ".engine",
    "MultiAgentWorkflow": ".agents",
    "OnnxEmbeddings": ".embeddings",
    "RuleRouter": ".agents",
    "SamplingSettings": ".engine",
    "SummarizerAgent": ".agents",
    "ValidatorAgent": ".agents",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if "numpy" not in sys.modules:  # which would not say what is the matter
        import_module(".processor", __name__).require_instructions()
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
