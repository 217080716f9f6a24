"""A look at a config's tables before anything is made of them: figures, problems with examples, a page.

``inspect_tables`` finds, ``page`` shows. Does not know runs or models; of the teacher only how it reads text.
"""

from .findings import ColumnFacts, Example, Histogram, Inspection, Problem, TableFacts, Trial
from .inspecting import inspect_tables
from .page import page

__all__ = [
    "ColumnFacts",
    "Example",
    "Histogram",
    "Inspection",
    "Problem",
    "TableFacts",
    "Trial",
    "inspect_tables",
    "page",
]
