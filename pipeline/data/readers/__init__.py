"""One small file per kind of file: from its path to batches of rows as they come.

Each reader opens its file anew each time, holds no more than a batch of it, says which rows it had to leave out
and why, and raises what its libraries raise. Does not know which file is read by which reader, nor what values
mean: :mod:`~attar.pipeline.data.sources` knows the one, the schema the other.
"""

from .arrow import read_arrow
from .delimited import read_csv, read_tsv
from .json import read_json
from .parquet import read_parquet

__all__ = ["read_arrow", "read_csv", "read_json", "read_parquet", "read_tsv"]
