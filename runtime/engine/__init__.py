"""The engine: token ids in, token ids out, on plain onnxruntime.

Knows the graph, the KV cache and sampling. Does not know text, prompts or LangChain.
"""

from .engine import Engine, Request
from .sampling import SamplingSettings

__all__ = ["Engine", "Request", "SamplingSettings"]
