"""From a table as a config names it to its source.

The one place that knows both. Does not know how a file or a database is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .databases import database_source
from .sources import Source, file_source, text_reader

if TYPE_CHECKING:
    from ..config import TableConfig

__all__ = ["source_of"]


def source_of(table: TableConfig) -> Source:
    """The source of a table; a database is asked here and now, a file is read when its rows are.

    Raises:
        UsageError, MissingExtra, DataError: See :func:`~attar.pipeline.data.databases.database_source`;
            a missing file is a ``DataError`` too.
    """
    if table.path is not None:
        return file_source(table.path, text_reader(table.path, delimiter=table.delimiter, encoding=table.encoding))
    if table.database is None or table.query is None:  # TableConfig refuses this
        raise TypeError("a table without path, database and query")
    return database_source(table.database.get_secret_value(), table.query)
