"""Versions of attar and of the libraries that its products depend on. Imports none of them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["installed_versions"]

_LIBRARIES = ("attar", "torch", "transformers", "optimum", "optimum-onnx", "onnx", "onnxruntime", "tokenizers")


def installed_versions() -> dict[str, str | None]:
    """Each library's version; None where it is not installed."""
    return {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
