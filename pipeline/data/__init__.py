"""From tables to samples: sources, schema, question kinds, splits, and tokens at the very end.

``StructuredDataLoader`` is the door; ``read_samples`` and ``write_samples`` carry its product to the
next stage. Nothing here knows a teacher or a student.
"""

from .asking import KindUse
from .loader import StructuredDataLoader
from .loading import LoadedTable, TableOptions
from .paraphrase import Paraphrased, chat_writer, paraphrase
from .rejects import Rejects, write_rejects
from .rows import Rows
from .samples import QAPair, Sample, read_samples, require_both_splits, write_samples
from .schema import Column, TableSchema
from .schema_file import read_schema, schema_sha256, write_schemas
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
    "Rejects",
    "Rows",
    "Sample",
    "Source",
    "StructuredDataLoader",
    "TableOptions",
    "TableSchema",
    "Verification",
    "chat_writer",
    "paraphrase",
    "read_samples",
    "read_schema",
    "register_reader",
    "require_both_splits",
    "schema_sha256",
    "source_of",
    "verify",
    "write_rejects",
    "write_samples",
    "write_schemas",
]
