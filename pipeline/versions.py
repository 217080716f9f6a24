"""What a product was made with: versions of attar and of its libraries, and the machine."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["installed_versions", "this_machine"]

_LIBRARIES = ("attar", "torch", "transformers", "optimum", "optimum-onnx", "onnx", "onnxruntime", "tokenizers")


def installed_versions() -> dict[str, str | None]:
    """Each library's version, read without importing it; None where it is not installed."""
    return {name: _version(name) for name in _LIBRARIES}


def this_machine() -> dict[str, str | int]:
    """The system, the processor, and how many threads torch takes."""
    import torch

    return {
        "system": platform.platform(),
        "processor": str(torch.cpu.get_capabilities().get("cpu_name") or platform.processor()),
        "threads": torch.get_num_threads(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
