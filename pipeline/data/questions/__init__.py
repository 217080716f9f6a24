"""Question kinds: each a small file with its forms, a generator and a checker.

A new kind is one file and one line in ``KINDS``.
"""

from .lookup import Lookup

__all__ = ["KINDS", "Lookup"]

KINDS = {Lookup.name: Lookup()}
