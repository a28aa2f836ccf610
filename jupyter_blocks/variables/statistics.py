"""What is in a column: exact where one cheap pass tells, from a bounded sample where not.

Counts of missing values, minimum, maximum and mean of numbers, times and booleans are exact;
standard deviation, quantiles, distinct values, the most frequent ones and the histogram come from
at most 50,000 rows spread over the whole column. Memory is bounded: a column is never copied as a
whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import isinf
from typing import Any

from jupyter_blocks.variables.cells import cell
from jupyter_blocks.variables.formats import NotExactError
from jupyter_blocks.variables.formats.columns import Column
from jupyter_blocks.variables.views import ColumnView

__all__ = ["SAMPLE_ROWS", "describe_array", "describe_column", "histogram"]

SAMPLE_ROWS = 50_000
_SLICE_ROWS = 1_000_000
_SAMPLE_PIECES = 250
"""So many that each bin of a histogram of sorted values gets its share."""
_BINS = 20
_TOP = 10
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FEW_VALUES = 50
_MOST_OBJECTS = 5_000
"""Rows that are looked at where every value is a Python object."""


def describe_column(view: ColumnView, sample_rows: int = SAMPLE_ROWS) -> dict[str, Any]:
    """Statistics of one column.

    `sampled` says that std, quantiles, distinct, top and histogram are those of a sample, which has
    `sample_rows`; `estimated` that all figures are. `quantiles` are those of 5, 25, 50, 75 and
    95 %. Figures that make no sense for the dtype are null.
    """
    described: dict[str, Any] = {
        "name": view.name,
        "dtype": view.dtype,
        **dict.fromkeys(("nulls", "min", "max", "mean", "std", "quantiles")),
        **dict.fromkeys(("distinct", "histogram", "top")),
    }
    column = view.column or view.encode()
    if column is not None:
        # Arrow refuses a few strings that Python has.
        with suppress(NotExactError):
            return described | _describe_arrow(column, view.rows, sample_rows)
    return described | _describe_objects(view)


def describe_array(array: Any) -> dict[str, Any]:
    """Statistics of all entries of a numpy array of numbers; empty for other arrays.

    Needs numpy alone. Arrays that do not lie in one piece of memory have none either.
    """
    flags = array.flags
    if array.dtype.kind not in "biuf" or not (flags.c_contiguous or flags.f_contiguous):
        return {}
    flat = (array if flags.c_contiguous else array.T).reshape(-1)
    totals = _Totals()
    for start in range(0, len(flat), _SLICE_ROWS):
        _add_numbers(totals, flat[start : start + _SLICE_ROWS])
    described: dict[str, Any] = {"nulls": totals.nulls, "min": None, "max": None, "mean": None}
    if totals.count:
        described |= {"min": cell(totals.low), "max": cell(totals.high)}
        described["mean"] = cell(totals.total / totals.count)
        described["histogram"] = _array_histogram(flat, totals)
    return described | ({"sampled": True} if len(flat) > SAMPLE_ROWS else {})


def _add_numbers(totals: _Totals, piece: Any) -> None:
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        total = piece.sum(dtype="f8")
    if np.isnan(total):
        present = piece[~np.isnan(piece)]
        totals.nulls += len(piece) - len(present)
        with np.errstate(invalid="ignore", over="ignore"):
            piece, total = present, present.sum(dtype="f8")
    if len(piece):
        totals.count += len(piece)
        totals.total += float(total)
        totals.add(piece.min().item(), piece.max().item())


def _array_histogram(flat: Any, totals: _Totals) -> dict[str, Any] | None:
    import numpy as np

    sample = flat[:: max(len(flat) // SAMPLE_ROWS, 1)].astype("f8")
    return _histogram_within(sample[np.isfinite(sample)], totals)


def histogram(values: Any, low: float, high: float) -> dict[str, Any] | None:
    """Counts of finite numbers in 20 bins of equal width; in one where low and high are one."""
    import numpy as np

    if not len(values) or isinf(high - low):
        return None
    if low == high:
        return {"edges": [low, high], "counts": [len(values)]}
    try:
        counts, edges = np.histogram(values, bins=_BINS, range=(low, high))
    except ValueError:
        # Numbers so close to each other that there are none between them.
        return None
    return {"edges": edges.tolist(), "counts": counts.tolist()}


@dataclass
class _Totals:
    """What one pass over a column gathers. Times are counted in units of their type."""

    nulls: int = 0
    count: int = 0
    total: float = 0.0
    low: Any = None
    high: Any = None

    def add(self, low: Any, high: Any) -> None:
        if low is not None:
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)


def _describe_arrow(column: Column, rows: int, sample_rows: int) -> dict[str, Any]:
    sample = _sample(column, rows, sample_rows)
    described: dict[str, Any] = {}
    if rows > sample_rows:
        described |= {"sampled": True, "sample_rows": len(sample)}
    totals = _Totals()
    if _is_ordered(column.type):
        totals = _pass_over(column, rows)
        described |= {"nulls": totals.nulls, **_extremes(totals, column.type)}
    elif column.whole is not None:
        described["nulls"] = column.whole.null_count
    else:
        described["nulls"] = sample.null_count
        described |= {"estimated": True} if rows > sample_rows else {}
    return described | _describe_sample(sample, totals)


def _is_ordered(kind: Any) -> bool:
    """Whether values are numbers, times or booleans."""
    import pyarrow as pa

    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or (types.is_temporal(kind) and not types.is_interval(kind))
    )


def _pass_over(column: Column, rows: int) -> _Totals:
    """Count, add up and compare all values, a slice at a time."""
    import pyarrow as pa

    totals = _Totals()
    for start in range(0, rows, _SLICE_ROWS):
        piece = column.cut(start, min(start + _SLICE_ROWS, rows))
        totals.nulls += piece.null_count
        if pa.types.is_floating(piece.type):
            # numpy compares floats several times as fast as Arrow does.
            _add_numbers(totals, piece.drop_null().to_numpy())
        elif len(piece) > piece.null_count:
            _add_integers(totals, _integers(piece), is_time=pa.types.is_temporal(piece.type))
    return totals


def _add_integers(totals: _Totals, piece: Any, *, is_time: bool) -> None:
    import pyarrow.compute as pc

    limits = pc.min_max(piece)
    totals.add(limits["min"].as_py(), limits["max"].as_py())
    totals.count += len(piece) - piece.null_count
    if is_time:
        return
    if max(abs(totals.low), abs(totals.high)) * len(piece) >= 2**63:
        # Arrow adds integers up as integers, and says nothing when they overflow.
        piece = pc.cast(piece, "float64", safe=False)
    totals.total += float(pc.sum(piece).as_py())


def _integers(piece: Any) -> Any:
    """Times and booleans as the integers they are stored as; integers as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_temporal(piece.type):
        return piece.view("int32" if piece.type.bit_width == 32 else "int64")
    return pc.cast(piece, "uint8") if pa.types.is_boolean(piece.type) else piece


def _extremes(totals: _Totals, kind: Any) -> dict[str, Any]:
    import pyarrow as pa

    if totals.low is None:
        return {}
    if pa.types.is_temporal(kind):
        return {"min": _moment(totals.low, kind), "max": _moment(totals.high, kind)}
    mean = cell(totals.total / totals.count)
    if pa.types.is_boolean(kind):
        return {"min": bool(totals.low), "max": bool(totals.high), "mean": mean}
    return {"min": cell(totals.low), "max": cell(totals.high), "mean": mean}


def _moment(number: Any, kind: Any) -> Any:
    """A time that is stored as a number, as text; the number where Python has no such time."""
    import pyarrow as pa

    try:
        integer = pa.array([int(number)], "int32" if kind.bit_width == 32 else "int64")
        return cell(integer.view(kind)[0].as_py())
    except (ValueError, OverflowError, NotImplementedError):
        return str(number)


def _sample(column: Column, rows: int, sample_rows: int) -> Any:
    """At most `sample_rows` rows in pieces spread evenly, as an Arrow ChunkedArray."""
    import pyarrow as pa

    pieces = [column.cut(start, stop) for start, stop in _spread(rows, sample_rows)]
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        pieces = [piece.dictionary_decode() for piece in pieces]
    if kind == pa.string_view():
        kind = pa.large_string()
        pieces = [piece.cast(kind) for piece in pieces]
    return pa.chunked_array(pieces, kind)


def _spread(rows: int, wanted: int) -> Iterator[tuple[int, int]]:
    if rows <= wanted:
        yield 0, rows
        return
    length = max(wanted // _SAMPLE_PIECES, 1)
    for piece in range(_SAMPLE_PIECES):
        start = (rows - length) * piece // (_SAMPLE_PIECES - 1)
        yield start, start + length


def _describe_sample(sample: Any, totals: _Totals) -> dict[str, Any]:
    """Distinct values, the most frequent ones, and a histogram of numbers and times."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_nested(sample.type) or not _can_count(sample.type):
        return {}
    if pa.types.is_floating(sample.type):
        # NaN is no value, and -0.0 is the same number as 0.0.
        sample = pc.add(sample.filter(pc.invert(pc.is_nan(sample))), pa.scalar(0, sample.type))
    counted = pc.value_counts(sample.drop_null())
    described: dict[str, Any] = {"distinct": len(counted)}
    if not pa.types.is_floating(sample.type) or len(counted) <= _FEW_VALUES:
        described["top"] = _top(counted)
    if pa.types.is_string(sample.type) or pa.types.is_large_string(sample.type):
        limits = pc.min_max(sample)
        described |= {side: cell(limits[side].as_py()) for side in ("min", "max")}
    elif totals.low is not None and not pa.types.is_boolean(sample.type):
        described |= _spread_of(sample, totals)
    return described


def _can_count(kind: Any) -> bool:
    import pyarrow as pa

    return not (pa.types.is_null(kind) or kind in (pa.binary_view(), pa.float16()))


def _top(counted: Any) -> list[list[Any]]:
    """The most frequent values with their counts, the first seen first where they tie."""
    import numpy as np

    counts = counted.field("counts").to_numpy()
    order = np.argsort(-counts, kind="stable")[:_TOP]
    values = counted.field("values").take(order)
    return [
        [cell(value), int(count)]
        for value, count in zip(values.to_pylist(), counts[order], strict=True)
    ]


def _spread_of(sample: Any, totals: _Totals) -> dict[str, Any]:
    """Histogram, quantiles and standard deviation of numbers and times; those have no deviation."""
    import numpy as np
    import pyarrow as pa

    # Joined first: each call of Arrow costs more than a piece of the sample.
    values = _integers(pa.concat_arrays(sample.chunks)).drop_null().to_numpy().astype("f8")
    values = values[np.isfinite(values)]
    drawn = _histogram_within(values, totals)
    if not len(values):
        return {"histogram": drawn}
    quantiles = np.quantile(values, _QUANTILES).tolist()
    if pa.types.is_temporal(sample.type):
        if drawn:
            drawn["edges"] = [_moment(edge, sample.type) for edge in drawn["edges"]]
        return {"histogram": drawn, "quantiles": [_moment(q, sample.type) for q in quantiles]}
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = cell(float(values.std(ddof=1))) if len(values) > 1 else None
    return {"histogram": drawn, "quantiles": [cell(q) for q in quantiles], "std": deviation}


def _histogram_within(values: Any, totals: _Totals) -> dict[str, Any] | None:
    """Between the limits of all values, or of the sample where those are infinite."""
    low, high = float(totals.low), float(totals.high)
    if isinf(low) or isinf(high):
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    return histogram(values, low, high)


def _describe_objects(view: ColumnView) -> dict[str, Any]:
    if view.read is None:
        return {}
    cells = [
        value
        for start, stop in _spread(view.rows, _MOST_OBJECTS)
        for value in view.cells(start, stop)
    ]
    counted = Counter(value for value in cells if value is not None)
    described: dict[str, Any] = {
        "nulls": sum(value is None for value in cells),
        "distinct": len(counted),
        "top": [list(item) for item in counted.most_common(_TOP)],
    }
    if len(cells) < view.rows:
        described |= {"sampled": True, "estimated": True, "sample_rows": len(cells)}
    return described
