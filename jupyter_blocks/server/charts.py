"""Data for charts of stored tables, bounded whatever their size: bars, lines, dots, histograms.

Bars, lines and histograms look at every row, a slice at a time; dots are rows spread evenly over
the table. A column for the colour splits each of them by its most frequent values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.cells import cell
from jupyter_blocks.variables.query import StoredTable
from jupyter_blocks.variables.views import arrow_view

__all__ = ["MOST_COLORS", "chart"]

MOST_POINTS = 2_000
MOST_GROUPS = 20_000
"""Distinct values that are counted before the rest is left out."""
MOST_COLORS = 7
"""So many values of a column get a colour of their own; all others share one."""
_LINE_POINTS = 200
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_PARTS = ("count", "sum", "min", "max")


def chart(table: StoredTable, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The data of one chart; `sampled` says whether rows were left out.

    With `color`, bars and lines say the colour of each value, histograms have a `series` of counts
    for each, and `colors` lists them: the most frequent first, `others` last where there are more.
    """
    kind = asked["kind"]
    drawn = {"histogram": _histogram, "bar": _bars, "line": _line}.get(kind, _points)
    return {"kind": kind, "x": asked["x"], "y": asked.get("y"), **drawn(table, asked)}


@dataclass(frozen=True)
class _Colors:
    """Which rows have which colour; without a column all have the same."""

    column: str | None = None
    values: Any = None
    """The values with a colour of their own, as an Arrow array."""
    others: bool = False

    @property
    def columns(self) -> list[str]:
        return [] if self.column is None else [self.column]

    @property
    def count(self) -> int:
        return 1 if self.column is None else len(self.values) + self.others

    def of(self, piece: Any) -> Any:
        """The number of the colour of each row of a slice."""
        import numpy as np
        import pyarrow.compute as pc

        if self.column is None:
            return np.zeros(piece.num_rows, "int64")
        found = pc.index_in(piece.column(self.column), value_set=self.values)
        return pc.fill_null(found, len(self.values)).to_numpy().astype("int64")

    def answer(self) -> dict[str, Any]:
        if self.column is None:
            return {}
        shown = [cell(value) for value in self.values.to_pylist()]
        return {"color": self.column, "colors": shown, "others": self.others}


def _colors(table: StoredTable, asked: Mapping[str, Any]) -> _Colors:
    """The most frequent values of the column that gives the colour."""
    import pyarrow as pa

    column = asked.get("color")
    if column is None:
        return _Colors()
    counts: dict[Any, int] = {}
    kind = table.kind(column)
    for _, piece in table.slices([column]):
        try:
            counted = piece.column(column).value_counts()
        except pa.ArrowException as error:
            raise VariableError(f"Column '{column}' cannot give the colour ({kind}).") from error
        for entry in counted:
            key, number = entry["values"].as_py(), entry["counts"].as_py()
            if key in counts or len(counts) < MOST_GROUPS:
                counts[key] = counts.get(key, 0) + number
    frequent = sorted(counts, key=lambda key: -counts[key])
    own = frequent if len(frequent) <= MOST_COLORS + 1 else frequent[:MOST_COLORS]
    return _Colors(column, pa.array(own, kind), len(own) < len(frequent))


def _histogram(table: StoredTable, asked: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np

    column, colors = asked["x"], _colors(table, asked)
    low, high = _bounds(table, column)
    if low is None or high is None:
        return {"edges": [], "counts": [], "sampled": False}
    bins = asked.get("bins", 20) if high > low else 1
    counts = np.zeros((colors.count, bins), dtype="int64")
    for _, piece in table.slices(list(dict.fromkeys([column, *colors.columns]))):
        values, color = _floats(piece.column(column)), colors.of(piece)
        for number in range(colors.count):
            chosen = values[(color == number) & np.isfinite(values)]
            counts[number] += np.histogram(chosen, bins=bins, range=(low, high))[0]
    drawn = {
        "edges": [cell(float(edge)) for edge in np.linspace(low, high, bins + 1)],
        "counts": counts.sum(axis=0).tolist(),
        "sampled": False,
    }
    if colors.column is not None:
        drawn["series"] = counts.tolist()
    return {**drawn, **colors.answer()}


def _bounds(table: StoredTable, column: str) -> tuple[float | None, float | None]:
    """The least and the greatest finite value."""
    import numpy as np

    low = high = None
    for _, piece in table.slices([column]):
        values = _floats(piece.column(column))
        values = values[np.isfinite(values)]
        if len(values):
            smallest, largest = float(values.min()), float(values.max())
            low = smallest if low is None else min(low, smallest)
            high = largest if high is None else max(high, largest)
    return low, high


def _is_measure(kind: Any) -> bool:
    """Whether values are numbers or moments, which lie on an axis."""
    from pyarrow import types

    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_temporal(kind)
    )


def _floats(column: Any) -> Any:
    """The values as floats, NaN where there is none; moments as seconds since 1970."""
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if not _is_measure(kind):
        raise VariableError(f"The values of this column ({kind}) are no numbers.")
    if pa.types.is_temporal(kind):
        return _seconds(column)
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype="f8")


def _seconds(column: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        whole = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        return np.asarray(whole.cast(pa.float64(), safe=False).to_numpy()) / _PER_SECOND[kind.unit]
    moments = np.asarray(column.to_numpy(), dtype="datetime64[us]")
    seconds = moments.astype("int64") / 1e6
    seconds[np.isnat(moments)] = np.nan
    return seconds


def _bars(table: StoredTable, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The largest groups of `x`: their counts, or an aggregate of `y`."""
    x, y, how = asked["x"], asked.get("y"), asked.get("aggregate", "count")
    colors = _colors(table, asked)
    columns = list(dict.fromkeys([x, *([y] if y else []), *colors.columns]))
    groups: dict[Any, dict[int, list[float]]] = {}
    left_out = False
    for _, piece in table.slices(columns):
        for key, color, entry in _grouped(piece.column(x), _measured(piece, y), colors.of(piece)):
            if key not in groups and len(groups) >= MOST_GROUPS:
                left_out = True
                continue
            parts = groups.setdefault(key, {})
            parts[color] = _merged(parts.get(color), entry)
    how = how if y is not None else "count"
    keys = _largest(groups, how, asked.get("limit", 50), _is_measure(table.kind(x)))
    return {
        "aggregate": how,
        "values": _entries([(key, groups[key]) for key in keys], how, colors),
        "groups": len(groups),
        "sampled": left_out,
        **colors.answer(),
    }


def _largest(groups: Mapping[Any, Any], how: str, limit: int, is_ordered: bool) -> list[Any]:
    """The groups to show, the greatest first; by themselves where all are shown and in order."""
    if is_ordered and len(groups) <= limit:
        return sorted(groups, key=lambda key: (key is None, isinstance(key, str), key or 0))
    totals = {}
    for key, parts in groups.items():
        whole: list[float] | None = None
        for entry in parts.values():
            whole = _merged(whole, entry)
        value = _result(whole, how) if whole else None
        totals[key] = float("-inf") if value is None else value
    return sorted(groups, key=lambda key: -totals[key])[:limit]


def _entries(groups: list[tuple[Any, Any]], how: str, colors: _Colors) -> list[dict[str, Any]]:
    """One entry for each group and colour; `color` is its place in the list of colours."""
    entries = []
    for key, parts in groups:
        for color in sorted(parts):
            entry = {"x": cell(key), "y": cell(_result(parts[color], how))}
            entries.append(entry if colors.column is None else {**entry, "color": color})
    return entries


def _measured(piece: Any, y: str | None) -> Any:
    """What is added up: `y`, or 1 for each row."""
    import numpy as np

    return np.ones(piece.num_rows) if y is None else _floats_of(piece, y)


def _floats_of(piece: Any, column: str) -> Any:
    import pyarrow as pa

    values = piece.column(column)
    return _floats(values.cast(pa.uint8()) if pa.types.is_boolean(values.type) else values)


def _grouped(keys: Any, values: Any, colors: Any) -> list[tuple[Any, int, list[float]]]:
    """Key, colour, and count, sum, minimum, maximum, for the rows of one slice."""
    import pyarrow as pa

    try:
        measured = pa.array(values, from_pandas=True)
        table = pa.table({"key": keys, "color": pa.array(colors), "value": measured})
        grouped = table.group_by(["key", "color"]).aggregate([("value", part) for part in _PARTS])
    except pa.ArrowException as error:
        raise VariableError("These columns cannot be grouped and added up.") from error
    columns = [grouped.column(f"value_{part}").to_pylist() for part in _PARTS]
    found = zip(grouped.column("key").to_pylist(), grouped.column("color").to_pylist(), strict=True)
    entries = zip(*columns, strict=True)
    return [
        (cell(key), color, list(entry)) for (key, color), entry in zip(found, entries, strict=True)
    ]


def _merged(one: list[float] | None, other: list[float]) -> list[float]:
    if one is None or not one[0]:
        return other
    if not other[0]:
        return one
    return [one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3])]


def _result(entry: list[float], how: str) -> float | None:
    count, total, low, high = entry
    if how == "count":
        return count
    if not count:
        return None
    return {"sum": total, "mean": total / count, "min": low, "max": high}[how]


def _line(table: StoredTable, asked: Mapping[str, Any]) -> dict[str, Any]:
    """An aggregate of `y` along `x`: of the rows with the same `x`, or in narrow bins of it.

    `x` is the mean of the bin: exactly the value, where the bin holds only one.
    """
    if not _is_measure(table.kind(asked["x"])):
        drawn = _bars(table, {**asked, "limit": asked.get("limit", _LINE_POINTS)})
        drawn["values"].sort(key=lambda entry: (entry["x"] is None, str(entry["x"])))
        return drawn
    how = asked.get("aggregate", "mean") if asked.get("y") else "count"
    colors = _colors(table, asked)
    bins = min(asked.get("limit", _LINE_POINTS), _LINE_POINTS)
    groups = _binned(table, asked["x"], asked.get("y"), colors, bins)
    return {
        "aggregate": how,
        "values": _entries(groups, how, colors),
        "groups": len(groups),
        "sampled": False,
        **colors.answer(),
    }


def _binned(
    table: StoredTable, x: str, y: str | None, colors: _Colors, bins: int
) -> list[tuple[float, dict[int, list[float]]]]:
    import numpy as np

    low, high = _bounds(table, x)
    found: dict[int, dict[int, list[float]]] = {}
    places: dict[int, list[float]] = {}
    if low is None or high is None:
        return []
    width = (high - low) / bins or 1.0
    for _, piece in table.slices(list(dict.fromkeys([x, *([y] if y else []), *colors.columns]))):
        values, color = _floats(piece.column(x)), colors.of(piece)
        inside = np.isfinite(values)
        numbers = np.minimum((values[inside] - low) // width, bins - 1).astype("int64")
        measured = _measured(piece, y)[inside]
        for key, number, entry in _grouped(numbers, measured, color[inside]):
            parts = found.setdefault(key, {})
            parts[number] = _merged(parts.get(number), entry)
        for key, _, entry in _grouped(numbers, values[inside], np.zeros(len(numbers), "int64")):
            places[key] = _merged(places.get(key), entry)
    return [(places[key][1] / places[key][0], found[key]) for key in sorted(found)]


def _points(table: StoredTable, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Rows spread evenly over the table; a colour is a value of the row."""
    x, y, color = asked["x"], asked.get("y") or asked["x"], asked.get("color")
    most = min(asked.get("limit", MOST_POINTS), MOST_POINTS)
    count = min(table.rows, most)
    numbers = [row * table.rows // count for row in range(count)] if count else []
    names = list(dict.fromkeys([x, y, *([color] if color else [])]))
    view = arrow_view(table.take(numbers, names))
    cells = {name: column.cells(0, count) for name, column in zip(names, view.columns, strict=True)}
    values = [{"x": a, "y": b} for a, b in zip(cells[x], cells[y], strict=True)]
    if color:
        values = [{**one, "color": c} for one, c in zip(values, cells[color], strict=True)]
    drawn = {"y": y, "values": values, "sampled": count < table.rows}
    return {**drawn, "color": color} if color else drawn
