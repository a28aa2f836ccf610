"""Any rows of a stored table, without reading the rest of it.

Tables in Arrow files are mapped, or in object storage read range by range, and only the batches
asked for are looked at; tables that had to be pickled are loaded, which for their numbers means
being mapped, too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.variables.cells import cell
from jupyter_blocks.variables.conditions import plain
from jupyter_blocks.variables.formats import Source, decode, typed_json
from jupyter_blocks.variables.formats.batches import Batches
from jupyter_blocks.variables.formats.columns import Column
from jupyter_blocks.variables.formats.partbatches import (
    PartBatches,
    has_batches,
    index_labels,
    open_table,
)
from jupyter_blocks.variables.manifest import StoredOutput
from jupyter_blocks.variables.views import (
    MOST_COLUMNS,
    ColumnView,
    TableView,
    arrow_view,
    is_count,
    view_of,
)

__all__ = ["MOST_ROWS", "parts_view", "read_page"]

MOST_ROWS = 10_000
"""Rows in one page, at most."""


def read_page(
    name: str,
    stored: StoredOutput,
    source: Source,
    start: int,
    rows: int,
    columns: Collection[str] | None = None,
) -> dict[str, Any]:
    """Rows `start` to `start + rows` (at most 10,000 of them) of a stored table, as JSON.

    The answer has `type`, `rows` (of the whole table), `start`, `columns` (name and dtype),
    `sample` (a mapping of column name to value for each row) and, where the table has an index of
    its own, `index` (name, dtype and values). `columns` picks columns by the names that previews
    show; without it the first 500 are given, and `omitted_columns` counts the others.
    A value that is no table is a `VariableError`.
    """
    if stored.type not in ("table", "series"):
        raise VariableError(f"Output '{name}' is of type {stored.type}; only tables have pages.")
    total = stored.rows or 0
    start = min(max(start, 0), total)
    stop = min(start + min(max(rows, 0), MOST_ROWS), total)
    view, first = _view(stored, source, start, stop)
    chosen = _chosen(view, columns, name)
    page: dict[str, Any] = {
        "type": stored.type,
        "rows": total,
        "start": start,
        "columns": [{"name": column.name, "dtype": column.dtype} for column in chosen],
        "sample": TableView(view.rows, chosen).page(start - first, stop - first),
    }
    omitted = len(view.columns) - len(chosen)
    if columns is None and omitted:
        page["omitted_columns"] = omitted
    if view.index:
        page["index"] = [_level(level, start - first, stop - first) for level in view.index]
    return page


def parts_view(stored: StoredOutput, source: Source) -> TableView:
    """A table in parts as one, to be described: its columns are read slice by slice."""
    whole, batches = open_table(stored, source)
    header, _ = _view(stored, source, 0, 0)
    rows, labels = batches.starts[-1], index_labels(whole.meta)
    columns = tuple(
        replace(column, rows=rows, column=_in_slices(batches, position))
        for position, column in enumerate(header.columns)
    )
    if labels is not None:
        return TableView(rows, columns, _labels_view(labels, whole.meta["index"]["name"], rows, 0))
    index = (
        replace(level, rows=rows, column=_in_slices(batches, len(columns)))
        for level in header.index
    )
    return TableView(rows, columns, tuple(index))


def _in_slices(batches: Batches | PartBatches, position: int) -> Column:
    import pyarrow as pa

    nothing = plain(pa.nulls(0, batches.schema.field(position).type))

    def cut(start: int, stop: int) -> Any:
        pieces = [nothing]
        for number in range(max(bisect_right(batches.starts, start) - 1, 0), len(batches)):
            first, end = batches.starts[number : number + 2]
            if first >= stop:
                break
            low, high = max(start - first, 0), min(stop, end) - first
            pieces.append(plain(batches.read(number, [position])[0].slice(low, high - low)))
        return pa.concat_arrays(pieces)

    return Column({}, nothing.type, convert=cut)


def _chosen(view: TableView, columns: Collection[str] | None, name: str) -> tuple[ColumnView, ...]:
    if columns is None:
        return view.columns[:MOST_COLUMNS]
    known = {column.name: column for column in view.columns}
    unknown = [column for column in columns if column not in known]
    if unknown:
        raise VariableNotFoundError(
            f"Output '{name}' has no column '{unknown[0]}'. Its columns: {', '.join(known)}."
        )
    return tuple(known[column] for column in columns)


def _level(level: ColumnView, start: int, stop: int) -> dict[str, Any]:
    return {"name": level.name, "dtype": level.dtype, "values": level.cells(start, stop)}


def _view(stored: StoredOutput, source: Source, start: int, stop: int) -> tuple[TableView, int]:
    """A view that holds the rows asked for, and the row it begins with."""
    is_in_parts = bool(stored.meta.get("pages"))
    if not has_batches(stored) or not (is_in_parts or "batch_rows" in stored.meta):
        view = view_of(decode(stored, source))
        return view or TableView(0, ()), 0
    import pyarrow as pa

    stored, batches = open_table(stored, source)
    first = last = 0
    if start < stop:
        first = bisect_right(batches.starts, start) - 1
        last = bisect_right(batches.starts, stop - 1)
    columns = range(len(batches.schema))
    found = [
        pa.RecordBatch.from_arrays(batches.read(number, columns), schema=batches.schema)
        for number in range(first, last)
    ]
    dtypes = stored.meta.get("dtypes") if stored.format == "polars" else None
    # Without chunks, a column of categories could not be made one array before pyarrow 17.
    table = pa.Table.from_batches(found) if found else batches.schema.empty_table()
    view = arrow_view(table, dtypes)
    begin = batches.starts[first] if found else start
    if stored.format == "pandas":
        view = _with_labels(view, stored.meta, begin)
    return view, begin


def _with_labels(view: TableView, meta: Mapping[str, Any], first: int) -> TableView:
    """Names and dtypes as pandas has them, and the index apart from the columns."""
    index, names = meta["index"], [column.name for column in view.columns]
    if meta["kind"] == "series":
        names[0] = _shown(meta["name"], "values")
    labels = index_labels(meta)
    if labels is None:
        names[-1] = _shown(index["name"], "index")
    columns = tuple(
        ColumnView(name, dtype, view.rows, column.column)
        for name, dtype, column in zip(names, meta["dtypes"], view.columns, strict=True)
    )
    if labels is not None:
        return TableView(view.rows, columns, _labels_view(labels, index["name"], view.rows, first))
    if meta["kind"] == "index":
        return TableView(view.rows, columns)
    return TableView(view.rows, columns[:-1], columns[-1:])


def _labels_view(labels: Sequence[int], name: Any, rows: int, first: int) -> tuple[ColumnView, ...]:
    """An index of ranges, from row `first` on; none if it only numbers the rows."""
    decoded = typed_json.decode(name)
    if isinstance(labels, range) and is_count(labels.start, labels.step, decoded):
        return ()
    shown = _shown(name, "index")
    read = partial(_cut, labels, first)
    return (ColumnView(shown, "int64", rows, read=read),)


def _cut(labels: Sequence[int], first: int, start: int, stop: int) -> list[int]:
    return list(labels[first + start : first + stop])


def _shown(name: Any, default: str) -> str:
    label = typed_json.decode(name)
    return default if label is None else str(cell(str(label)))
