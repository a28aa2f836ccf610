"""Stored tables as CSV or Parquet, piece by piece: nothing is ever whole in memory."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.query import StoredTable

__all__ = ["CONTENT_TYPES", "file_name", "pieces"]

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_SLICE_ROWS = 50_000


def file_name(block: str, output: str, format_name: str) -> str:
    """Name of the downloaded file; safe in a header and on every disk."""
    words = [re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_") for text in (block, output)]
    return f"{'-'.join(word for word in words if word) or 'table'}.{format_name}"


def pieces(table: StoredTable, format_name: str) -> Iterator[bytes]:
    """The bytes of the file, in pieces of some thousand rows."""
    import pyarrow as pa

    try:
        yield from _written(table, format_name)
    except pa.ArrowException as error:
        raise VariableError(
            f"Output '{table.name}' cannot be written as {format_name}: {error}."
        ) from error


class _Sink(io.RawIOBase):
    """A file that hands on what is written to it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        piece = bytes(data)
        self._parts.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def drain(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _slices(table: StoredTable) -> Iterator[Any]:
    """Slices with the index first, where the table has one of its own."""
    for first, piece in table.slices(table.columns, _SLICE_ROWS):
        labels = table.labels(range(first, first + piece.num_rows))
        if labels is None:
            yield piece
            continue
        name = (
            labels["name"] if labels["name"] not in table.columns else f"{labels['name']} (index)"
        )
        yield piece.add_column(0, name, [_texts(labels["values"])])


def _texts(values: list[Any]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _written(table: StoredTable, format_name: str) -> Iterator[bytes]:
    """What a writer of pyarrow makes of the slices; the first one says what the columns are."""
    open_writer, shape = _writer(format_name)
    sink, writer, schema = _Sink(), None, None
    for piece in map(shape, _slices(table)):
        if writer is None or schema is None:
            schema = piece.schema
            writer = open_writer(sink, schema)
        writer.write_table(piece.cast(schema))
        yield sink.drain()
    if writer is not None:
        writer.close()
        yield sink.drain()


def _writer(format_name: str) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
    """What opens a writer, and what a table has to go through before it is written."""
    if format_name == "csv":
        from pyarrow import csv

        return csv.CSVWriter, _flat
    import pyarrow.parquet as pq

    return pq.ParquetWriter, lambda piece: piece


def _flat(piece: Any) -> Any:
    """A table whose columns CSV has words for; lists and the like become JSON."""
    import pyarrow as pa

    for number, field in enumerate(piece.schema):
        word = _word(field.type)
        if word is not None:
            texts = [None if v is None else word(v) for v in piece[number].to_pylist()]
            piece = piece.set_column(number, field.name, [pa.array(texts, pa.string())])
    return piece


def _word(kind: Any) -> Callable[[Any], str] | None:
    """How a value of a type is said in CSV, where pyarrow does not know it."""
    from pyarrow import types

    if types.is_nested(kind):
        return lambda value: json.dumps(value, default=str)
    if types.is_binary(kind) or types.is_large_binary(kind):
        return lambda value: str(value.hex())
    return str if types.is_duration(kind) or types.is_decimal(kind) else None
