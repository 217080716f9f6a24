"""Which split an entity belongs to: a salted hash decides, so new rows never move old ones.

Does not know questions or files.
"""

from __future__ import annotations

import hashlib

__all__ = ["split_of"]


def split_of(entity: str, *, salt: str, test_share: float) -> str:
    """The split of an entity, "train" or "test".

    Args:
        entity: Table label and entity name; case and spacing do not matter.
        salt: Another salt gives another split.
        test_share: Fraction of entities in the test split, 0 to 1.
    """
    folded = " ".join(entity.casefold().split())
    digest = hashlib.sha256(f"{salt}\x00{folded}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < test_share * 2**64 else "train"
