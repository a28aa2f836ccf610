"""The record batches of one Arrow file, of which those columns are read that are asked for.

A file of this machine is mapped. One in object storage is read range by range, and beside it lie
the limits of each column in each batch, so that batches which cannot matter are not read at all.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from jupyter_blocks.variables.formats.base import Sink, Source

__all__ = ["BatchLimits", "Batches", "Limits", "open_ipc"]

_LIMITS = ".limits"
_LONGEST_TEXT = 64
"""Characters of a limit; where one is longer, the batch counts as having no known limits."""

Limits = tuple[Any, Any]
"""Least and greatest value of one column in each batch, as Arrow Arrays; null: not known."""


def open_ipc(raw: Any, columns: Sequence[int] | None = None) -> Any:
    """A pyarrow reader of the IPC file in a buffer, of which nothing is copied, or in a file.

    With `columns` only these are read.
    """
    import pyarrow as pa

    file = pa.PythonFile(raw, mode="r") if isinstance(raw, io.IOBase) else pa.py_buffer(raw)
    if columns is None:
        return pa.ipc.open_file(file)
    options = pa.ipc.IpcReadOptions(included_fields=sorted(set(columns)))
    return pa.ipc.open_file(file, options=options)


class Batches:
    """The batches of the Arrow file of one output."""

    def __init__(self, source: Source, meta: Mapping[str, Any], rows: int) -> None:
        self._source = source
        size: int = meta.get("batch_rows") or 0
        self._raw = source.pieces(".arrow") if size else source.buffer(".arrow")
        self._reader = open_ipc(self._raw)
        self.schema: Any = self._reader.schema
        count: int = self._reader.num_record_batches
        self._is_regular = size > 0 and count == max(-(-rows // size), 1)
        if self._is_regular:
            lengths = [min(size, rows - number * size) for number in range(count)]
        else:
            first = open_ipc(self._raw, [0])
            lengths = [first.get_batch(number).num_rows for number in range(count)]
        self.starts: list[int] = [0, *accumulate(lengths)]
        """The first row of each batch, and the number of all rows."""
        self._columns: tuple[int, ...] = ()
        self._limits: Any = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    def read(self, number: int, positions: Sequence[int]) -> list[Any]:
        """Some columns of one batch, as Arrow Arrays in the order asked for."""
        if not isinstance(self._raw, io.IOBase):
            batch = self._reader.get_batch(number)
            return [batch.column(position) for position in positions]
        wanted = tuple(sorted(set(positions)))
        if not wanted:
            return []
        if wanted != self._columns:
            self._columns, self._some = wanted, open_ipc(self._raw, wanted)
        batch = self._some.get_batch(number)
        return [batch.column(wanted.index(position)) for position in positions]

    def limits(self, position: int) -> Limits | None:
        """The limits of a column in each batch; none where nobody wrote them down."""
        if self._limits is None:
            has = self._is_regular and self._source.has(_LIMITS)
            self._limits = open_ipc(self._source.buffer(_LIMITS)).read_all() if has else ()
        if not self._limits or f"{position}.low" not in self._limits.schema.names:
            return None
        low, high = (self._limits.column(f"{position}.{side}") for side in ("low", "high"))
        return low.combine_chunks(), high.combine_chunks()


class BatchLimits:
    """Collects the limits of batches while they are written."""

    def __init__(self) -> None:
        self._found: list[list[Any]] = []

    def add(self, arrays: Sequence[Any]) -> None:
        """Take the columns of the next batch, as Arrow Arrays."""
        self._found.append([_extremes(array) for array in arrays])

    def write(self, sink: Sink) -> None:
        """Write them beside the Arrow file of the output; of a single batch there is no need."""
        import pyarrow as pa

        if len(self._found) < 2:
            return
        columns: dict[str, Any] = {}
        for position, pairs in enumerate(zip(*self._found, strict=True)):
            if all(pair is not None for pair in pairs):
                for side, values in zip(("low", "high"), zip(*pairs, strict=True), strict=True):
                    columns[f"{position}.{side}"] = pa.concat_arrays(values)
        if columns:
            table = pa.table(columns)
            with sink.file(_LIMITS) as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)


def _extremes(array: Any) -> tuple[Any, Any] | None:
    """Least and greatest value as Arrays of one entry; none for types without an order here."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (is_text or pa.types.is_temporal(kind) or _is_number(kind)):
        return None
    try:
        found = pc.min_max(array)
    except pa.ArrowNotImplementedError:
        return None
    low, high = found["min"], found["max"]
    if is_text and any(len(item.as_py() or "") > _LONGEST_TEXT for item in (low, high)):
        low = high = pa.scalar(None, kind)
    return pa.repeat(low, 1), pa.repeat(high, 1)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or kind in (pa.float32(), pa.float64()))
