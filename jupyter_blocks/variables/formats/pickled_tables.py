"""Tables that Arrow files cannot hold exactly: pickled, with their memory in a file of its own.

Several index levels, duplicate labels, mixed cells, `attrs`, subclasses: pickle keeps them all, of
pandas. What it loses of polars is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from jupyter_blocks.errors import UnstorableError
from jupyter_blocks.variables.formats.base import Encoded, Format, NotExactError, Sink
from jupyter_blocks.variables.formats.extras import extras
from jupyter_blocks.variables.formats.objects import OBJECT, read_pickle, write_pickle

__all__ = ["PICKLED_PANDAS", "PICKLED_POLARS"]

_BUILT_IN = frozenset(
    {bool, bytes, complex, date, datetime, Decimal, float, int, str, time, timedelta, type(None)}
)
_CONTAINERS = frozenset({dict, frozenset, list, set, tuple})
_DEEPEST = 10
_MOST_HELD = 5_000_000
"""Members of the containers in one column that are looked at."""


def _write(value: Any, sink: Sink) -> Encoded:
    import pandas as pd

    if not isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        raise NotExactError("not a table")
    kind = "table" if isinstance(value, pd.DataFrame) else "series"
    # Reading millions of cells back to prove they load would double time and memory.
    plain = type(value) in (pd.DataFrame, pd.Series) and not (
        getattr(value, "attrs", None) or extras(value)
    )
    meta = write_pickle(value, sink, prove=not (plain and all(map(_is_built_in, _parts(value)))))
    return Encoded(kind, meta, len(value))


def _parts(table: Any) -> Iterator[Any]:
    """The columns and the labels of a table that may hold objects, each with one dtype."""
    import numpy as np
    import pandas as pd

    is_frame = isinstance(table, pd.DataFrame)
    for labels in (table.index, table.columns) if is_frame else (table.index,):
        yield from labels.levels if isinstance(labels, pd.MultiIndex) else (labels,)
    if not is_frame:
        yield table
        return
    for position, dtype in enumerate(table.dtypes):
        if not isinstance(dtype, np.dtype) or dtype.kind == "O":
            yield table.iloc[:, position]


def _is_built_in(values: Any) -> bool:
    """Whether the cells are of built-in types and the dtype of numpy or pandas."""
    import numpy as np
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _is_built_in(dtype.categories)
    if isinstance(dtype, np.dtype):
        # The array behind a Series gives its cells out several times as fast.
        return dtype.kind != "O" or _are_built_in(values.to_numpy())
    is_sparse = isinstance(dtype, pd.SparseDtype)
    return type(dtype).__module__.partition(".")[0] == "pandas" and not is_sparse


def _are_built_in(cells: Any) -> bool:
    """Whether cells, and all they hold, are of built-in types; level by level, without calls.

    False also where they hold very much, or are nested deeply: reading them back is the proof then.
    """
    for _ in range(_DEEPEST):
        kinds = set(map(type, cells))
        if kinds <= _BUILT_IN:
            return True
        if not kinds <= _BUILT_IN | _CONTAINERS:
            return False
        held = cells
        if not kinds <= _CONTAINERS:
            held = [cell for cell in cells if type(cell) in _CONTAINERS]
        dicts = [cell for cell in held if type(cell) is dict] if dict in kinds else []
        if sum(map(len, held)) > _MOST_HELD:
            return False
        # Of a dict, iterating gives the keys.
        cells = [*chain.from_iterable(held), *chain.from_iterable(map(dict.values, dicts))]
    return False


PICKLED_PANDAS = Format("pickle", _write, OBJECT.read)


def _write_polars(value: Any, sink: Sink) -> Encoded:
    import polars as pl

    if not isinstance(value, (pl.DataFrame, pl.Series)):
        raise NotExactError("not a table")
    frame = value.to_frame() if isinstance(value, pl.Series) else value
    for name, dtype in frame.schema.items():
        if dtype == pl.Object:  # writing it would end in a panic of polars
            raise _refused(
                sink, name, f"holds Python objects ({dtype!r}), which polars cannot write"
            )
    meta = write_pickle(value, sink)
    again = read_pickle(meta, sink.source())
    found = again.to_frame() if isinstance(again, pl.Series) else again
    for name, dtype in frame.schema.items():
        if repr(found.schema.get(name)) != repr(dtype):
            sink.discard()
            raise _refused(
                sink, name, f"is {dtype!r}, which polars {pl.__version__} does not read back"
            )
    return Encoded("table" if frame is value else "series", meta, len(value))


def _refused(sink: Sink, column: str, why: str) -> UnstorableError:
    return UnstorableError(
        f"output '{sink.name}' cannot be stored: its column '{column}' {why}.",
        hint="Cast the column to another type, or give the table as one of pandas or Arrow.",
    )


PICKLED_POLARS = Format("pickle", _write_polars, OBJECT.read)
