"""Which columns of a pandas table lie in one memory, and how they come to lie in one again.

Sums and matrix products add numbers up in the order in which these lie: the last digits of a mean
or of `X.T @ X` are others where columns lie apart, or row after row. So floats that a table keeps
in one piece are in one piece in the table that is read, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

__all__ = ["frame_of", "memory_runs"]

_MOST_BLOCKS = 100
"""pandas warns its user of frames with more separate pieces; wider ones are put together."""


Run = tuple[int, int, bool, bool]
"""Number of the first column, how many there are, whether they lie row after row, and whether there
is other memory between the columns, or between the rows.
"""


@dataclass
class _Run:
    first: int
    count: int
    gap: int
    """Bytes from a value to its neighbour in the next column."""

    def described(self, column: Any) -> Run:
        """As it is stored; `column` is any of its columns."""
        is_row_after_row = self.gap == column.itemsize
        if is_row_after_row:
            has_gaps = column.strides[0] != self.count * self.gap
        else:
            has_gaps = self.gap != column.nbytes
        return self.first, self.count, is_row_after_row, has_gaps


def memory_runs(columns: Sequence[Any]) -> list[Run]:
    """The neighbouring columns of floats that lie in one memory, of the columns of a frame."""
    import numpy as np

    arrays: list[Any] = []
    runs: list[_Run] = []
    for number, series in enumerate(columns):
        is_float = isinstance(series.dtype, np.dtype) and series.dtype.kind == "f"
        arrays.append(series.to_numpy() if is_float and len(series) > 1 else None)
        gap = _gap(arrays[number - 1], arrays[number]) if number else 0
        is_inside = bool(runs) and runs[-1].first + runs[-1].count == number
        if gap and is_inside and runs[-1].gap == gap:
            runs[-1].count += 1
        elif gap and not is_inside:
            runs.append(_Run(number - 1, 2, gap))
    return [run.described(arrays[run.first]) for run in runs]


def _gap(one: Any, other: Any) -> int:
    """How far the second column lies behind the first in one memory; 0 if it does not."""
    if one is None or other is None or one.dtype != other.dtype or one.strides != other.strides:
        return 0
    return max(_address(other) - _address(one), 0) if _owner(one) is _owner(other) else 0


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _owner(array: Any) -> Any:
    """The array that an array is a view of, or itself."""
    import numpy as np

    return array.base if isinstance(array.base, np.ndarray) else array


def frame_of(columns: Mapping[int, Any], index: Any, runs: Sequence[Run]) -> Any:
    """A DataFrame of arrays by position, with each of the `runs` in one memory."""
    import pandas as pd

    pieces, done = [], 0
    for first, count, *layout in runs:
        labels = range(first, first + count)
        values = _together([columns[number] for number in labels], *layout)
        pieces.append(_apart(columns, range(done, first), index))
        pieces.append(pd.DataFrame(values, index=index, columns=labels, copy=False))
        done = first + count
    pieces.append(_apart(columns, range(done, len(columns)), index))
    filled = [piece for piece in pieces if piece.shape[1]] or pieces
    return filled[0] if len(filled) == 1 else _beside_each_other(filled)


def _apart(columns: Mapping[int, Any], numbers: range, index: Any) -> Any:
    import pandas as pd

    data = {number: columns[number] for number in numbers}
    return pd.DataFrame(data, index=index, copy=len(data) > _MOST_BLOCKS)


def _together(arrays: Sequence[Any], is_row_after_row: bool, has_gaps: bool) -> Any:
    """Columns as one array; not copied where they lie one behind the other already."""
    import numpy as np

    first, count = arrays[0], len(arrays)
    is_there = all(_lies_behind(one, other) for one, other in pairwise(arrays))
    if is_there and not (is_row_after_row or has_gaps):
        strides = first.nbytes, first.itemsize
        return np.lib.stride_tricks.as_strided(first, (count, len(first)), strides).T
    shape = (len(first), count + has_gaps) if is_row_after_row else (count, len(first) + has_gaps)
    memory = np.empty(shape, first.dtype)
    values = memory if is_row_after_row else memory.T
    values = values[: len(first), :count]
    for number, array in enumerate(arrays):
        values[:, number] = array
    return values


def _lies_behind(before: Any, after: Any) -> bool:
    """Whether one array begins where another one ends, in memory that both are views of."""
    memories = [getattr(array.base, "obj", None) for array in (before, after)]
    is_one = memories[0] is not None and memories[0] is memories[1]
    return is_one and _address(after) - _address(before) == before.nbytes


def _beside_each_other(pieces: list[Any]) -> Any:
    import pandas as pd

    # From 3 on it copies on write, and warns whoever says that it shall not copy.
    options: dict[str, Any] = {"copy": False} if int(pd.__version__.partition(".")[0]) < 3 else {}
    return pd.concat(pieces, axis=1, **options)
