"""Which values may be handed to the next block in memory, without being written and read.

A value is shared only if nothing the next block does to it can be seen by anybody else.
"""

from __future__ import annotations

import sys
from typing import Any

from jupyter_blocks.variables.formats.extras import extras

__all__ = ["copies_on_write", "share", "shareable"]

_ATOMS = frozenset({type(None), bool, bytes, complex, float, int, str})
_ARROW = ("Array", "ChunkedArray", "RecordBatch", "Table")
_POLARS = ("DataFrame", "LazyFrame", "Series")


def shareable(value: Any) -> bool:
    """Whether sharing `value` can corrupt nothing.

    True for scalars, text and bytes, for tables of pyarrow and polars, and for pandas tables where
    copy-on-write is on and no cell or label is an object that could be changed.
    """
    kind = type(value)
    if kind in _ATOMS:
        return True
    package = kind.__module__.partition(".")[0]
    if package == "pyarrow":
        return any(isinstance(value, getattr(sys.modules["pyarrow"], name)) for name in _ARROW)
    if package == "polars":
        return any(kind is getattr(sys.modules["polars"], name) for name in _POLARS)
    return package == "pandas" and _is_shareable_table(value)


def share(value: Any) -> Any:
    """What to hand out for a `shareable` value: its data, with no way to change it."""
    package = type(value).__module__.partition(".")[0]
    if package == "pandas":
        return value.copy(deep=False)
    return value.clone() if package == "polars" else value


def _is_shareable_table(value: Any) -> bool:
    pandas = sys.modules["pandas"]
    if type(value) not in (pandas.DataFrame, pandas.Series) or not copies_on_write():
        return False
    if value.attrs or extras(value):
        return False
    dtypes = value.dtypes if type(value) is pandas.DataFrame else [value.dtype]
    return all(map(_is_flat, dtypes))


def _is_flat(dtype: Any) -> bool:
    """Whether the cells of a dtype are plain memory and not objects."""
    import numpy as np

    if isinstance(dtype, np.dtype):
        return not dtype.hasobject
    pandas = sys.modules["pandas"]
    if type(dtype).__module__.partition(".")[0] != "pandas":
        return False
    return not isinstance(dtype, pandas.SparseDtype) or dtype.subtype.kind != "O"


def copies_on_write() -> bool:
    """Whether pandas, which has been imported, copies a table when another one is changed."""
    pandas = sys.modules["pandas"]
    if int(pandas.__version__.partition(".")[0]) >= 3:
        return True
    return pandas.options.mode.copy_on_write is True
