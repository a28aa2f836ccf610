"""Data for charts of stored tables, bounded whatever their size: bars, lines, dots, histograms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.cells import cell
from jupyter_blocks.variables.query import StoredTable
from jupyter_blocks.variables.views import arrow_view

__all__ = ["chart"]

MOST_POINTS = 2_000
MOST_GROUPS = 20_000
"""Distinct values that are counted before the rest is left out."""


def chart(table: StoredTable, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The data of one chart; `sampled` says whether rows were left out."""
    kind = asked["kind"]
    if kind == "histogram":
        return {"kind": kind, **_histogram(table, asked["x"], asked.get("bins", 20))}
    if kind == "bar":
        return {"kind": kind, **_bars(table, asked)}
    return {"kind": kind, **_points(table, asked)}


def _histogram(table: StoredTable, column: str, bins: int) -> dict[str, Any]:
    import numpy as np

    low, high = _bounds(table, column)
    if low is None or high is None:
        return {"x": column, "edges": [], "counts": [], "sampled": False}
    edges = np.linspace(low, high, bins + 1 if high > low else 2)
    counts = np.zeros(len(edges) - 1, dtype="int64")
    for _, piece in table.slices([column]):
        values = _numbers(piece.column(column))
        counts += np.histogram(values, bins=len(counts), range=(low, high))[0]
    shown = [cell(float(edge)) for edge in edges]
    return {"x": column, "edges": shown, "counts": counts.tolist(), "sampled": False}


def _bounds(table: StoredTable, column: str) -> tuple[float | None, float | None]:
    low = high = None
    for _, piece in table.slices([column]):
        values = _numbers(piece.column(column))
        if len(values):
            smallest, largest = float(values.min()), float(values.max())
            low = smallest if low is None else min(low, smallest)
            high = largest if high is None else max(high, largest)
    return low, high


def _numbers(column: Any) -> Any:
    """The finite values of a column as floats; times as seconds since 1970."""
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if pa.types.is_temporal(kind):
        seconds = np.asarray(column.drop_null().to_numpy(), dtype="datetime64[us]")
        return seconds.astype("int64") / 1e6
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise VariableError(f"The values of this column ({kind}) are no numbers.")
    values = column.drop_null().cast(pa.float64(), safe=False).to_numpy()
    return values[np.isfinite(values)]


def _bars(table: StoredTable, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The largest groups of `x`: their counts, or an aggregate of `y`."""
    x, y, how = asked["x"], asked.get("y"), asked.get("aggregate", "count")
    groups: dict[Any, list[float]] = {}
    left_out = False
    for _, piece in table.slices([x] if y is None or y == x else [x, y]):
        for key, entry in _grouped(piece, x, y):
            if key not in groups and len(groups) >= MOST_GROUPS:
                left_out = True
                continue
            groups[key] = _merged(groups.get(key), entry)
    result = [(key, _result(entry, how)) for key, entry in groups.items()]
    result.sort(key=lambda pair: -(pair[1] if pair[1] is not None else float("-inf")))
    shown = result[: asked.get("limit", 50)]
    return {
        "x": x,
        "y": y,
        "aggregate": how if y is not None else "count",
        "values": [{"x": cell(key), "y": cell(value)} for key, value in shown],
        "groups": len(groups),
        "sampled": left_out,
    }


def _grouped(piece: Any, x: str, y: str | None) -> list[tuple[Any, list[float]]]:
    """Key -> count, sum, minimum, maximum, for one slice."""
    import pyarrow as pa

    try:
        if y is None:
            values = pa.array([1.0]).take(pa.array([0] * piece.num_rows, pa.int32()))
        else:
            values = piece.column(y).cast(pa.float64(), safe=False)
        table = pa.table({"key": piece.column(x), "value": values})
        grouped = table.group_by("key").aggregate(
            [("value", "count"), ("value", "sum"), ("value", "min"), ("value", "max")]
        )
    except pa.ArrowException as error:
        raise VariableError("These columns cannot be grouped and added up.") from error
    names = ("value_count", "value_sum", "value_min", "value_max")
    columns = [grouped.column(name).to_pylist() for name in names]
    keys = [cell(key) for key in grouped.column("key").to_pylist()]
    return [(key, list(row)) for key, *row in zip(keys, *columns, strict=True)]


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


def _points(table: StoredTable, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Rows spread evenly over the table."""
    x, y = asked["x"], asked.get("y") or asked["x"]
    most = min(asked.get("limit", MOST_POINTS), MOST_POINTS)
    count = min(table.rows, most)
    numbers = [row * table.rows // count for row in range(count)] if count else []
    names = [x] if x == y else [x, y]
    view = arrow_view(table.take(numbers, names))
    xs, ys = view.columns[0].cells(0, count), view.columns[-1].cells(0, count)
    values = [{"x": a, "y": b} for a, b in zip(xs, ys, strict=True)]
    return {"x": x, "y": y, "values": values, "sampled": count < table.rows}
