"""Rows of a stored table that fit conditions, in an order: worked out in its file, in slices.

Only the columns that conditions and order name are looked at, a slice at a time, and only the rows
of the answer are made into values, so that memory stays the same whatever the size of the table.
Tables that lie in Arrow files only; nothing is ever unpickled here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.variables.formats import Source
from jupyter_blocks.variables.formats.arrow import open_ipc
from jupyter_blocks.variables.manifest import StoredOutput
from jupyter_blocks.variables.pages import MOST_ROWS, read_page
from jupyter_blocks.variables.views import arrow_view, display_names

__all__ = ["ARROW_FORMATS", "DEEPEST_SORTED", "Condition", "Order", "StoredTable", "query_page"]

ARROW_FORMATS = frozenset({"arrow", "pandas", "polars"})
"""Formats whose tables lie in Arrow files."""
DEEPEST_SORTED = 100_000
"""Sorted tables can be looked at down to this row."""
_SLICE_ROWS = 500_000


@dataclass(frozen=True)
class Condition:
    """One condition on a column: rows that fit all conditions are shown."""

    column: str
    op: str
    """eq, ne, lt, le, gt, ge, contains, starts_with, in, is_null, not_null."""
    value: Any = None


@dataclass(frozen=True)
class Order:
    """One column to sort by."""

    column: str
    descending: bool = False


class StoredTable:
    """A table in an Arrow file, read in slices."""

    def __init__(self, name: str, stored: StoredOutput, source: Source) -> None:
        if stored.format not in ARROW_FORMATS or not stored.objects:
            raise VariableError(
                f"Output '{name}' is stored in the format '{stored.format}', which cannot be "
                "searched.",
                hint="Only its preview can be shown.",
            )
        header = read_page(name, stored, source, 0, 0)
        self.name = name
        self.rows: int = stored.rows or 0
        self.index: dict[str, Any] | None = (header.get("index") or [None])[0]
        self._range = _index_range(stored.meta)
        self._reader = open_ipc(source.buffer(".arrow"))
        shown = [column["name"] for column in header["columns"]]
        fields = self._reader.schema.names
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

    def slices(self, columns: Sequence[str], rows: int = _SLICE_ROWS) -> Iterator[tuple[int, Any]]:
        """Slices of some columns, each with the number of its first row."""
        import pyarrow as pa

        positions = [self.position(column) for column in columns]
        first = 0
        for number in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(number)
            for start in range(0, batch.num_rows, rows):
                stop = min(start + rows, batch.num_rows)
                arrays = [_plain(batch.column(at).slice(start, stop - start)) for at in positions]
                yield first + start, pa.Table.from_arrays(arrays, names=list(columns))
            first += batch.num_rows

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
        pieces, first, done = [], 0, 0
        for number in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(number)
            inside = []
            while done < len(order) and numbers[order[done]] < first + batch.num_rows:
                inside.append(numbers[order[done]] - first)
                done += 1
            if inside:
                rows = pa.array(inside, pa.int64())
                pieces.append([batch.column(position).take(rows) for position in at])
            first += batch.num_rows
        schema = pa.schema(
            [self._reader.schema.field(i).with_name(n) for i, n in zip(at, names, strict=True)]
        )
        table = pa.Table.from_batches([pa.record_batch(piece, schema) for piece in pieces], schema)
        back = [0] * len(order)
        for place, original in enumerate(order):
            back[original] = place
        return table.take(pa.array(back, pa.int64()))


def _index_range(meta: Mapping[str, Any]) -> range | None:
    index = meta.get("index")
    return range(*index["range"]) if isinstance(index, Mapping) and "range" in index else None


def _plain(array: Any) -> Any:
    """An array in a type that can be compared: no dictionaries, no views of strings."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    return array.cast(pa.large_string()) if str(kind) == "string_view" else array


def query_page(
    table: StoredTable,
    start: int,
    rows: int,
    *,
    columns: Collection[str] | None = None,
    order: Sequence[Order] = (),
    conditions: Sequence[Condition] = (),
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
    table: StoredTable, start: int, rows: int, conditions: Sequence[Condition]
) -> tuple[list[int], int]:
    """Numbers of the rows of one page in the order of the table, and how many fit at all."""
    if not conditions:
        return list(range(min(start, table.rows), min(start + rows, table.rows))), table.rows
    numbers: list[int] = []
    matched = 0
    for first, piece in table.slices(_names(conditions)):
        fits = _fits(piece, conditions)
        low, high = max(start - matched, 0), start + rows - matched
        if low < len(fits) and high > 0:
            numbers += [first + int(number) for number in fits[low:high]]
        matched += len(fits)
    return numbers, matched


def _sorted(
    table: StoredTable, last: int, order: Sequence[Order], conditions: Sequence[Condition]
) -> tuple[list[int], int]:
    """Numbers of the first `last` rows in an order, and how many fit at all."""
    import pyarrow as pa

    if last > DEEPEST_SORTED:
        raise VariableError(
            f"A sorted table can be shown down to row {DEEPEST_SORTED:,}.",
            hint="Add a condition, or sort the other way round.",
        )
    keys = list(dict.fromkeys(item.column for item in order))
    best, matched = None, 0
    for first, piece in table.slices([*keys, *(n for n in _names(conditions) if n not in keys)]):
        fits = _fits(piece, conditions)
        matched += len(fits)
        chosen = piece.select(keys).take(fits) if conditions else piece.select(keys)
        chosen = chosen.rename_columns([f"k{number}" for number in range(len(keys))])
        numbers = pa.array(fits.to_numpy(zero_copy_only=False) + first, pa.int64())
        chosen = chosen.append_column("number", numbers)
        best = chosen if best is None else pa.concat_tables([best, chosen])
        best = _first(best, [(keys.index(item.column), item.descending) for item in order], last)
    return (best.column("number").to_pylist() if best is not None else []), matched


def _first(table: Any, order: Sequence[tuple[int, bool]], most: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = [(f"k{key}", "descending" if down else "ascending") for key, down in order]
    try:
        sorted_numbers = pc.sort_indices(table, sort_keys=[*keys, ("number", "ascending")])
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, TypeError) as error:
        raise VariableError("The values of this column cannot be sorted.") from error
    return table.take(sorted_numbers[:most]).combine_chunks()


def _names(conditions: Sequence[Condition]) -> list[str]:
    return list(dict.fromkeys(condition.column for condition in conditions))


def _fits(piece: Any, conditions: Sequence[Condition]) -> Any:
    """Numbers of the rows of a slice that fit all conditions."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not conditions:
        return pa.array(range(piece.num_rows), pa.int64())
    mask = None
    for condition in conditions:
        one = pc.fill_null(_mask(piece.column(condition.column), condition), False)
        mask = one if mask is None else pc.and_(mask, one)
    return pc.indices_nonzero(mask).cast(pa.int64())


def _mask(column: Any, condition: Condition) -> Any:
    import pyarrow as pa

    try:
        return _OPERATORS[condition.op](column, condition.value)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise VariableError(
            f"The condition on column '{condition.column}' ({column.type}) cannot be worked out "
            f"with the value {str(condition.value)[:50]!r}.",
            hint="Compare numbers with numbers, and times with texts like 2026-05-04T14:00.",
        ) from error


def _scalar(column: Any, value: Any) -> Any:
    """A JSON value in the type of a column."""
    import pyarrow as pa

    kind = column.type
    if isinstance(value, bool) != pa.types.is_boolean(kind):
        raise TypeError("booleans compare with booleans")
    if isinstance(value, str):
        text = pa.scalar(value)
        return text if pa.types.is_string(kind) or str(kind) == "large_string" else text.cast(kind)
    if pa.types.is_integer(kind) and isinstance(value, float):
        return pa.scalar(value, pa.float64())
    return pa.scalar(value, kind)


def _compare(function: str) -> Callable[[Any, Any], Any]:
    def compare(column: Any, value: Any) -> Any:
        import pyarrow.compute as pc

        return pc.call_function(function, [column, _scalar(column, value)])

    return compare


def _match(function: str) -> Callable[[Any, Any], Any]:
    def match(column: Any, value: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        options = pc.MatchSubstringOptions(str(value), ignore_case=True)
        return pc.call_function(function, [column.cast(pa.large_string())], options)

    return match


def _is_in(column: Any, value: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = value if isinstance(value, list) else [value]
    scalars = [_scalar(column, item).as_py() for item in values]
    return pc.is_in(column, value_set=pa.array(scalars, column.type))


def _null(column: Any, _value: Any) -> Any:
    return column.is_null(nan_is_null=True)


def _not_null(column: Any, _value: Any) -> Any:
    return column.is_valid() if _is_exact(column) else _invert(column)


def _is_exact(column: Any) -> bool:
    import pyarrow as pa

    return not pa.types.is_floating(column.type)


def _invert(column: Any) -> Any:
    import pyarrow.compute as pc

    return pc.invert(column.is_null(nan_is_null=True))


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": _compare("equal"),
    "ne": _compare("not_equal"),
    "lt": _compare("less"),
    "le": _compare("less_equal"),
    "gt": _compare("greater"),
    "ge": _compare("greater_equal"),
    "contains": _match("match_substring"),
    "starts_with": _match("starts_with"),
    "in": _is_in,
    "is_null": _null,
    "not_null": _not_null,
}
