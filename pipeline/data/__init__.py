"""From tables to samples: sources, schema, question kinds, splits, and tokens at the very end.

``StructuredDataLoader`` is the door; ``read_samples`` and ``write_samples`` carry its product to the
next stage. Nothing here knows a teacher or a student.
"""

from .loader import LoadedTable, StructuredDataLoader, TableOptions
from .samples import QAPair, Sample, read_samples, require_both_splits, write_samples
from .schema import Column, TableSchema
from .sources import Source, register_reader
from .tables import source_of

__all__ = [
    "Column",
    "LoadedTable",
    "QAPair",
    "Sample",
    "Source",
    "StructuredDataLoader",
    "TableOptions",
    "TableSchema",
    "read_samples",
    "register_reader",
    "require_both_splits",
    "source_of",
    "write_samples",
]
