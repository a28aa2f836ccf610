"""Rows of a stored table that fit conditions, in an order: worked out in its file, in slices.

Only the columns that conditions and order name are looked at, a slice at a time, and only the rows
of the answer are made into values, so that memory stays the same whatever the size of the table.
Batches whose limits say that they cannot matter are not read (`formats.batches`). Tables that lie
in Arrow files only; nothing is ever unpickled here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.variables.conditions import (
    Condition,
    Search,
    check,
    fits,
    flat,
    may_fit,
    names_in,
    plain,
)
from jupyter_blocks.variables.formats import Source
from jupyter_blocks.variables.formats.partbatches import has_batches, index_labels, open_table
from jupyter_blocks.variables.manifest import StoredOutput
from jupyter_blocks.variables.pages import MOST_ROWS, read_page
from jupyter_blocks.variables.views import arrow_view, display_names

__all__ = [
    "DEEPEST_SORTED",
    "Condition",
    "Order",
    "Search",
    "StoredTable",
    "query_page",
]

DEEPEST_SORTED = 100_000
"""Sorted tables can be looked at down to this row."""
_SAMPLE_ROWS = 10_000
"""Of a slice, to find a value that the first rows do not come after."""
_SLICE_ROWS = 500_000
_SLICE_VALUES = 4_000_000


@dataclass(frozen=True)
class Order:
    """One column to sort by."""

    column: str
    descending: bool = False


class StoredTable:
    """A table in an Arrow file, or in one for each part, read in slices."""

    def __init__(self, name: str, stored: StoredOutput, source: Source) -> None:
        if not has_batches(stored):
            raise VariableError(
                f"Output '{name}' is stored in the format '{stored.format}', which cannot be "
                "searched.",
                hint="Only its preview can be shown.",
            )
        header = read_page(name, stored, source, 0, 0)
        self.name = name
        self.rows: int = stored.rows or 0
        self.index: dict[str, Any] | None = (header.get("index") or [None])[0]
        stored, self._batches = open_table(stored, source)
        self._range = index_labels(stored.meta)
        shown = [column["name"] for column in header["columns"]]
        fields = self._batches.schema.names
        has_index = stored.format == "pandas" and self.index is not None and self._range is None
        width = len(fields) - has_index
        self.columns = (shown + display_names(fields)[len(shown) : width])[:width]
        self.dtypes = {column["name"]: column["dtype"] for column in header["columns"]}
        self._index_position = width if has_index else None
        self._positions = {column: at for at, column in enumerate(self.columns)}

    def position(self, column: str) -> int:
        """Where a column lies; `VariableNotFoundError` names those there are."""
        if column in self._positions:
            return self._positions[column]
        known = ", ".join(self.columns[:20])
        raise VariableNotFoundError(
            f"Output '{self.name}' has no column '{column[:100]}'. Its columns: {known}."
        )

    def kind(self, column: str) -> Any:
        """The Arrow type that a column has in slices."""
        import pyarrow as pa

        return plain(pa.nulls(0, self._batches.schema.field(self.position(column)).type)).type

    def slices(
        self, columns: Sequence[str], rows: int = _SLICE_ROWS, batches: Sequence[int] | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Slices of some columns (of these batches), each with the number of its first row."""
        import pyarrow as pa

        positions = [self.position(column) for column in columns]
        rows = min(rows, max(_SLICE_VALUES // max(len(positions), 1), 1_000))
        for number in range(len(self._batches)) if batches is None else batches:
            found = self._batches.read(number, positions)
            first, end = self._batches.starts[number : number + 2]
            for start in range(0, end - first, rows):
                length = min(rows, end - first - start)
                arrays = [plain(array.slice(start, length)) for array in found]
                yield first + start, pa.Table.from_arrays(arrays, names=list(columns))

    def batches(self, conditions: Sequence[Condition | Search]) -> list[int]:
        """Numbers of the batches in which rows may fit all conditions."""
        candidates = [True] * len(self._batches)
        for condition in conditions:
            if isinstance(condition, Search):
                continue
            position = self.position(condition.column)
            check(self._batches.schema.field(position).type, condition)
            limits = self._batches.limits(position)
            if limits is not None:
                may = may_fit(limits, condition)
                candidates = [one and two for one, two in zip(candidates, may, strict=True)]
        return [number for number, is_candidate in enumerate(candidates) if is_candidate]

    def nearest(self, order: Order) -> list[tuple[int, Any]] | None:
        """Each batch with the value it may begin with in an order; none where that is not known.

        The batch with the first value comes first. A value that is not known is null.
        """
        import pyarrow.compute as pc

        limits = self._batches.limits(self.position(order.column))
        if limits is None:
            return None
        values = limits[1 if order.descending else 0]
        direction = "descending" if order.descending else "ascending"
        numbers = pc.array_sort_indices(values, order=direction).to_pylist()
        return [(number, values[number]) for number in numbers]

    def take(self, numbers: Sequence[int], columns: Sequence[str]) -> Any:
        """Some rows of some columns, in the order asked for, as a pyarrow Table."""
        return self._take(numbers, [self.position(column) for column in columns], columns)

    def labels(self, numbers: Sequence[int]) -> dict[str, Any] | None:
        """The index of some rows as pages show it; none where there is no index of its own."""
        if self.index is None:
            return None
        values: list[Any] = []
        if self._range is not None:
            values = [self._range[number] for number in numbers]
        elif self._index_position is not None:
            taken = self._take(numbers, [self._index_position], ["index"])
            values = arrow_view(taken).columns[0].cells(0, len(numbers))
        return {**self.index, "values": values}

    def _take(self, numbers: Sequence[int], at: Sequence[int], names: Sequence[str]) -> Any:
        import pyarrow as pa

        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        pieces, starts = [], self._batches.starts
        rows_of: dict[int, list[int]] = {}
        for place in order:
            number = bisect_right(starts, numbers[place]) - 1
            rows_of.setdefault(number, []).append(numbers[place] - starts[number])
        for number, inside in rows_of.items():
            rows = pa.array(inside, pa.int64())
            found = self._batches.read(number, at)
            pieces.append([flat(array).take(rows) for array in found])
        nothing = [flat(pa.nulls(0, self._batches.schema.field(i).type)) for i in at]
        schema = pa.schema([(name, one.type) for name, one in zip(names, nothing, strict=True)])
        table = pa.Table.from_batches([pa.record_batch(piece, schema) for piece in pieces], schema)
        back = [0] * len(order)
        for place, original in enumerate(order):
            back[original] = place
        return table.take(pa.array(back, pa.int64()))


def query_page(
    table: StoredTable,
    start: int,
    rows: int,
    *,
    columns: Collection[str] | None = None,
    order: Sequence[Order] = (),
    conditions: Sequence[Condition | Search] = (),
) -> dict[str, Any]:
    """Rows `start` to `start + rows` of those that fit, as `pages.read_page` gives them.

    `matched` counts the rows that fit, and `row_numbers` says where each shown row lies in the
    table. Equal rows keep their order; missing values come last.
    """
    rows = min(max(rows, 0), MOST_ROWS)
    numbers, matched = (
        _sorted(table, start + rows, order, conditions)
        if order
        else _fitting(table, start, rows, conditions)
    )
    shown = numbers[start : start + rows] if order else numbers
    names = list(table.columns[:500] if columns is None else columns)
    view = arrow_view(table.take(shown, names))
    page: dict[str, Any] = {
        "rows": table.rows,
        "matched": matched,
        "start": start,
        "columns": [
            {"name": name, "dtype": table.dtypes.get(name, column.dtype)}
            for name, column in zip(names, view.columns, strict=True)
        ],
        "sample": view.page(0, len(shown)),
        "row_numbers": list(shown),
    }
    labels = table.labels(shown)
    return {**page, "index": [labels]} if labels else page


def _fitting(
    table: StoredTable, start: int, rows: int, conditions: Sequence[Condition | Search]
) -> tuple[list[int], int]:
    """Numbers of the rows of one page in the order of the table, and how many fit at all."""
    if not conditions:
        return list(range(min(start, table.rows), min(start + rows, table.rows))), table.rows
    numbers: list[int] = []
    matched = 0
    for first, piece in table.slices(names_in(conditions), batches=table.batches(conditions)):
        found = fits(piece, conditions)
        low, high = max(start - matched, 0), start + rows - matched
        if low < len(found) and high > 0:
            numbers += [first + number for number in found[low:high].to_pylist()]
        matched += len(found)
    return numbers, matched


def _sorted(
    table: StoredTable, last: int, order: Sequence[Order], conditions: Sequence[Condition | Search]
) -> tuple[list[int], int]:
    """Numbers of the first `last` rows in an order, and how many fit at all."""
    import pyarrow as pa

    if last > DEEPEST_SORTED:
        raise VariableError(
            f"A sorted table can be shown down to row {DEEPEST_SORTED:,}.",
            hint="Add a condition, or sort the other way round.",
        )
    keys = list(dict.fromkeys(item.column for item in order))
    names = [*keys, *(name for name in names_in(conditions) if name not in keys)]
    by = [(keys.index(item.column), item.descending) for item in order]
    nearest = table.nearest(order[0]) if not conditions else None
    steps = nearest or [(number, None) for number in table.batches(conditions)]
    best, matched = None, 0
    for batch, begins_with in steps:
        if nearest and best is not None and _comes_later(begins_with, best, order[0], last):
            continue
        for first, piece in table.slices(names, batches=[batch]):
            found = fits(piece, conditions)
            matched += len(found)
            chosen = piece.select(keys).take(found) if conditions else piece.select(keys)
            chosen = chosen.rename_columns([f"k{number}" for number in range(len(keys))])
            numbers = pa.array(found.to_numpy(zero_copy_only=False) + first, pa.int64())
            chosen = chosen.append_column("number", numbers)
            chosen = _worth_sorting(chosen, best, order, last)
            best = chosen if best is None else pa.concat_tables([best, chosen])
            best = _first(best, by, last)
    first_numbers = best.column("number").to_pylist() if best is not None else []
    return first_numbers, matched if conditions else table.rows


def _comes_later(begins_with: Any, best: Any, order: Order, last: int) -> bool:
    """Whether none of a batch's rows can be among the first `last`, of which `best` are known."""
    import pyarrow.compute as pc

    if last == 0:
        return True
    if best.num_rows < last:
        return False
    compare = pc.less if order.descending else pc.greater
    return bool(compare(begins_with, best.column("k0")[last - 1]).as_py())


def _worth_sorting(slice_: Any, best: Any, order: Sequence[Order], last: int) -> Any:
    """The rows of a slice that can be among the first `last`, of which `best` are known so far.

    Comparing all values with one is many times as fast as sorting them.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    key = ("k0", "descending" if order[0].descending else "ascending")
    try:
        if best is not None and best.num_rows >= last > 0:
            slice_ = _up_to(best.column("k0")[last - 1], slice_, order, last)
        step = slice_.num_rows // max(_SAMPLE_ROWS, 20 * last)
        if step > 1 and last > 0:
            # What is the last of the first rows of a few is not before the last of those of all.
            few = slice_.select(["k0"]).take(np.arange(0, slice_.num_rows, step))
            nearest = pc.sort_indices(few, sort_keys=[key])
            slice_ = _up_to(few.column("k0")[nearest[last - 1].as_py()], slice_, order, last)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, TypeError):
        pass  # sorting all of it says what is wrong, if anything is
    return slice_


def _up_to(limit: Any, slice_: Any, order: Sequence[Order], last: int) -> Any:
    """The rows of a slice that do not come after `limit`; missing values come after all others.

    Where the order is by one column alone, more than `last` rows with the limit are too many.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = slice_.column("k0")
    if not limit.is_valid or limit != limit:  # noqa: PLR0124 - NaN
        return slice_
    comes_before = (pc.greater if order[0].descending else pc.less)(values, limit)
    rows = [pc.indices_nonzero(comes_before), pc.indices_nonzero(pc.equal(values, limit))]
    if len(order) == 1:
        rows[1] = rows[1][:last]
    return slice_.take(pa.concat_arrays(rows))


def _first(table: Any, order: Sequence[tuple[int, bool]], most: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = [(f"k{key}", "descending" if down else "ascending") for key, down in order]
    try:
        sorted_numbers = pc.sort_indices(table, sort_keys=[*keys, ("number", "ascending")])
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, TypeError) as error:
        raise VariableError("The values of this column cannot be sorted.") from error
    return table.take(sorted_numbers[:most]).combine_chunks()
