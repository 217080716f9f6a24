"""From tables to samples: sources, schema, question kinds, splits, and tokens at the very end.

``StructuredDataLoader`` is the door; ``read_samples`` and ``write_samples`` carry its product to the
next stage. Nothing here knows a teacher or a student.
"""

from .loader import StructuredDataLoader
from .samples import QAPair, Sample, read_samples, write_samples
from .schema import Column, TableSchema

__all__ = ["Column", "QAPair", "Sample", "StructuredDataLoader", "TableSchema", "read_samples", "write_samples"]
