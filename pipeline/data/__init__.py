"""From tables to samples: sources, schema, question kinds, splits, and tokens at the very end.

``StructuredDataLoader`` is the door; ``read_samples`` and ``write_samples`` carry its product to the
next stage. Nothing here knows a teacher or a student.
"""

from .asking import KindUse
from .loader import LoadedTable, StructuredDataLoader, TableOptions
from .paraphrase import Paraphrased, chat_writer, paraphrase
from .samples import QAPair, Sample, read_samples, require_both_splits, write_samples
from .schema import Column, TableSchema
from .sources import Source, register_reader
from .tables import source_of
from .verification import Fault, Verification, verify

__all__ = [
    "Column",
    "Fault",
    "KindUse",
    "LoadedTable",
    "Paraphrased",
    "QAPair",
    "Sample",
    "Source",
    "StructuredDataLoader",
    "TableOptions",
    "TableSchema",
    "Verification",
    "chat_writer",
    "paraphrase",
    "read_samples",
    "register_reader",
    "require_both_splits",
    "source_of",
    "verify",
    "write_samples",
]
