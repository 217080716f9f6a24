"""Whether the names of a table's columns can be used. Does not know where the table is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attar.runtime.errors import DataError

__all__ = ["require_usable_names"]


def require_usable_names(names: Sequence[str], where: object) -> None:
    """Check that every column has a name, and no two the same one.

    Raises:
        DataError: They have not; it lists them all.
    """
    repeated = sorted(name for name, count in Counter(names).items() if count > 1 and name.strip())
    if repeated:
        raise DataError(
            f"Two columns have the same name: {', '.join(repeated)}.",
            where=where,
            next_step="Rename one of them, in the file or by AS in the query.",
        )
    nameless = [str(place) for place, name in enumerate(names, 1) if not name.strip()]
    if nameless:
        raise DataError(
            f"Columns without a name, counted from 1: {', '.join(nameless)}.",
            where=where,
            next_step="Name them in the table's first line, or take them out; pandas writes a nameless one for its "
            "index, and to_csv(index=False) leaves it out.",
        )
