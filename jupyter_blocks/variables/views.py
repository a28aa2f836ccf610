"""Any table, looked at column by column: what previews and pages are made from.

A view knows the names, dtypes and number of rows of a table and reads single rows of single
columns; nothing is copied to make one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from jupyter_blocks.variables.cells import cell
from jupyter_blocks.variables.formats import NotExactError
from jupyter_blocks.variables.formats.arrow import as_table
from jupyter_blocks.variables.formats.columns import Column, encode_column
from jupyter_blocks.variables.formats.tables import Plan

__all__ = [
    "MOST_COLUMNS",
    "ColumnView",
    "TableView",
    "arrow_view",
    "display_names",
    "frame_view",
    "is_count",
    "view_of",
]

MOST_COLUMNS = 500
"""Columns that are shown of a table where nobody says which."""


@dataclass(frozen=True)
class ColumnView:
    """One column of a table."""

    name: str
    dtype: str
    rows: int
    column: Column | None = None
    """The column as Arrow, where it is known already."""
    read: Callable[[int, int], list[Any]] | None = None
    """The values of rows start to stop, where the column is one of pandas."""
    encode: Callable[[], Column | None] = lambda: None
    """Makes the column an Arrow one if it can be; may look at every value."""

    def cells(self, start: int, stop: int) -> list[Any]:
        """Rows start to stop as JSON values, for showing."""
        if self.column is not None:
            # Arrow refuses a few strings that Python has.
            with suppress(NotExactError):
                return _arrow_cells(self.column.cut(start, stop))
        return [cell(value) for value in self.read(start, stop)] if self.read else []


def _arrow_cells(piece: Any) -> list[Any]:
    try:
        return [cell(value) for value in piece.to_pylist()]
    except (ValueError, OverflowError, NotImplementedError):
        # Arrow has times that Python has no words for.
        return [cell(value) for value in piece.cast("string").to_pylist()]


@dataclass(frozen=True)
class TableView:
    """A table: its columns, and the columns of its index where that is more than a count."""

    rows: int
    columns: tuple[ColumnView, ...]
    index: tuple[ColumnView, ...] = ()

    def page(self, start: int, stop: int) -> list[dict[str, Any]]:
        """Rows start to stop, each as column name -> JSON value."""
        names = [column.name for column in self.columns]
        cells = [column.cells(start, stop) for column in self.columns]
        if not names:
            return [{} for _ in range(start, stop)]
        return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def display_names(labels: Iterable[Any]) -> list[str]:
    """Labels as distinct strings: a second `price` becomes `price.1`."""
    names: dict[str, int] = {}
    for label in labels:
        text = name = str(cell(str(label)))
        while name in names:
            names[text] += 1
            name = f"{text}.{names[text]}"
        names[name] = 0
    return list(names)


def view_of(value: Any, plan: Any = None, most_columns: int | None = None) -> TableView | None:
    """The view of a table of pandas, polars or pyarrow; none if `value` is something else.

    `plan` is what a format found out about the table (`Encoded.view`), to save doing it again.
    """
    package = _package(value)
    if package == "pandas":
        return frame_view(value, plan if isinstance(plan, Plan) else None, most_columns)
    if package == "polars":
        frame = value.to_frame() if type(value).__name__ == "Series" else value
        dtypes = [str(dtype) for dtype in frame.dtypes[:most_columns]]
        return arrow_view(frame[:, :most_columns].to_arrow(), dtypes)
    if package == "pyarrow":
        return arrow_view(as_table(value))
    return None


def _package(value: Any) -> str:
    for base in type(value).__mro__:
        package = base.__module__.partition(".")[0]
        if package in ("pandas", "polars", "pyarrow"):
            return package
    return ""


def arrow_view(table: Any, dtypes: Sequence[str] | None = None) -> TableView:
    """The view of a pyarrow Table."""
    types = table.schema.types
    parts = zip(display_names(table.schema.names), types, table.columns, strict=True)
    columns = tuple(
        ColumnView(
            name,
            dtypes[position] if dtypes else str(kind),
            table.num_rows,
            Column({}, kind, whole=column),
        )
        for position, (name, kind, column) in enumerate(parts)
    )
    return TableView(table.num_rows, columns)


def frame_view(value: Any, plan: Plan | None, most_columns: int | None = None) -> TableView:
    """The view of a pandas DataFrame, Series or Index."""
    import pandas as pd

    if isinstance(value, pd.Index):
        return TableView(len(value), tuple(_index_views(value, plan)))
    if isinstance(value, pd.Series):
        labels, dtypes = ["values" if value.name is None else value.name], [value.dtype]
    else:
        labels, dtypes = list(value.columns[:most_columns]), list(value.dtypes[:most_columns])
    columns = tuple(
        ColumnView(
            name,
            str(dtype),
            len(value),
            plan.columns[position] if plan else None,
            partial(_rows_of, lru_cache(partial(_at, value, position))),
            partial(_encode, value, position),
        )
        for position, (name, dtype) in enumerate(zip(display_names(labels), dtypes, strict=True))
    )
    index = [] if _only_counts(value.index) else _index_views(value.index, plan)
    return TableView(len(value), columns, tuple(index))


def _only_counts(index: Any) -> bool:
    import pandas as pd

    return type(index) is pd.RangeIndex and is_count(index.start, index.step, index.name)


def is_count(start: int, step: int, name: Any) -> bool:
    """Whether an index of pandas only numbers the rows from 0, so that it need not be shown."""
    return start == 0 and step == 1 and name is None


def _at(table: Any, position: int) -> Any:
    return table.iloc[:, position] if table.ndim == 2 else table


def _rows_of(column: Callable[[], Any], start: int, stop: int) -> list[Any]:
    return list(column().iloc[start:stop])


def _encode(table: Any, position: int) -> Column | None:
    return encode_column(_at(table, position))


def _index_views(index: Any, plan: Plan | None) -> list[ColumnView]:
    import pandas as pd

    names = display_names(
        (f"level_{level}" if index.nlevels > 1 else "index") if name is None else name
        for level, name in enumerate(index.names)
    )
    if isinstance(index, pd.MultiIndex):
        return [
            ColumnView(name, str(index.levels[level].dtype), len(index), read=_level(index, level))
            for level, name in enumerate(names)
        ]
    column = plan.columns[-1] if plan and "range" not in plan.meta["index"] else None
    encode = partial(encode_column, index)
    return [ColumnView(names[0], str(index.dtype), len(index), column, _reader(index), encode)]


def _reader(values: Any) -> Callable[[int, int], list[Any]]:
    return lambda start, stop: list(values[start:stop])


def _level(index: Any, level: int) -> Callable[[int, int], list[Any]]:
    return lambda start, stop: list(index[start:stop].get_level_values(level))
