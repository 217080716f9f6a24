"""The LangChain chat model over the engine.

Knows messages, tokens and stops. Does not know agents or records.
"""

from .model import ChatOnnx

__all__ = ["ChatOnnx"]
