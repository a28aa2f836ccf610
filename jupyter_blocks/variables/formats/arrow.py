"""Arrow IPC files: how columns become one, and the tables of pyarrow and polars as such.

Files are not compressed, so that they are mapped instead of read. Columns that lie in memory as
Arrow wants them make one record batch; where values have to be converted, batches are small, so
that there is never a second copy of the whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jupyter_blocks.variables.formats.base import Encoded, Format, NotExactError, Sink, Source
from jupyter_blocks.variables.formats.columns import Column, keeps_type
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = [
    "BATCH_ROWS",
    "POLARS",
    "PYARROW",
    "as_table",
    "open_ipc",
    "page_rows",
    "refusing_misfits",
    "write_ipc",
]

BATCH_ROWS = 65_536
_JOIN_LIMIT = 256 * 1024 * 1024
"""Columns that come in chunks are joined if they are smaller than this, in bytes."""
_PAGE_BYTES = 4 * 1024 * 1024
"""Size of the batches of files that are read range by range."""
_GUESSED_BITS = 256
"""Of a text or another value without a fixed size."""


def write_ipc(
    file: Any, names: Sequence[str], columns: Sequence[Column], rows: int, *, paged: bool = False
) -> int:
    """Write columns as an IPC file; the number of rows in each batch but the last.

    A file that will not be mapped is `paged`: any rows are in batches of a few MiB.
    """
    import pyarrow as pa

    schema = pa.schema(
        [pa.field(name, column.type) for name, column in zip(names, columns, strict=True)]
    )
    size = _batch_rows(columns, rows)
    if paged:
        size = min(size, page_rows([column.type for column in columns]))
    with refusing_misfits(), pa.ipc.new_file(file, schema) as writer:
        for start in range(0, max(rows, 1), size):
            stop = min(start + size, rows)
            arrays = [column.cut(start, stop) for column in columns]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return size


@contextmanager
def refusing_misfits() -> Iterator[None]:
    """Turn what Arrow refuses, such as chunks with different dictionaries, into `NotExactError`."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise NotExactError(str(error)) from error


def _batch_rows(columns: Sequence[Column], rows: int) -> int:
    """One batch for all, unless that takes copies of more than a little."""
    if any(column.convert for column in columns):
        return BATCH_ROWS
    chunked = [column.whole for column in columns if column.whole.num_chunks > 1]
    if sum(array.nbytes for array in chunked) > _JOIN_LIMIT:
        return BATCH_ROWS
    return max(rows, 1)


def page_rows(types: Sequence[Any]) -> int:
    """Rows of these Arrow types that take about `_PAGE_BYTES`; at most `BATCH_ROWS`."""
    widths = [getattr(kind, "bit_width", 0) if _is_flat(kind) else _GUESSED_BITS for kind in types]
    row_bytes = max(sum(widths) // 8, 1)
    return min(max(_PAGE_BYTES // row_bytes, 1024), BATCH_ROWS)


def _is_flat(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_primitive(kind) or pa.types.is_fixed_size_binary(kind))


def open_ipc(raw: Any) -> Any:
    """A pyarrow reader of the IPC file in a buffer, of which nothing is copied, or in a file."""
    import pyarrow as pa

    if isinstance(raw, io.IOBase):
        return pa.ipc.open_file(pa.PythonFile(raw, mode="r"))
    return pa.ipc.open_file(pa.py_buffer(raw))


def _write_pyarrow(value: Any, sink: Sink) -> Encoded:
    import pyarrow as pa

    kind = _pyarrow_kind(value)
    table = as_table(value)
    if not all(map(keeps_type, table.schema.types)):
        raise NotExactError("an Arrow table with types of an extension")
    with (
        refusing_misfits(),
        sink.file(".arrow") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        meta: dict[str, Any] = {"kind": kind}
        if sink.is_remote and kind in ("Table", "ChunkedArray"):
            meta["batch_rows"] = _write_pages(table, writer)
        else:
            writer.write_table(table)
        if table.num_rows == 0:
            writer.write_batch(pa.RecordBatch.from_pylist([], schema=table.schema))
    label = "table" if kind in ("Table", "RecordBatch") else "series"
    return Encoded(label, meta, table.num_rows)


def _write_pages(table: Any, writer: Any) -> int:
    """Write a table in batches of as many rows each, but for the last; how many."""
    size = page_rows(table.schema.types)
    for start in range(0, table.num_rows, size):
        writer.write_table(table.slice(start, size).combine_chunks())
    return size


def _pyarrow_kind(value: Any) -> str:
    import pyarrow as pa

    for kind in ("Table", "RecordBatch", "ChunkedArray", "Array"):
        if isinstance(value, getattr(pa, kind)):
            return kind
    raise NotExactError(f"pyarrow {type(value).__name__}")


def as_table(value: Any) -> Any:
    """A pyarrow Table, RecordBatch, Array or ChunkedArray as a Table; nothing is copied."""
    import pyarrow as pa

    kind = _pyarrow_kind(value)
    if kind == "Table":
        return value
    if kind == "RecordBatch":
        return pa.Table.from_batches([value])
    return pa.table({"values": pa.chunked_array([value]) if kind == "Array" else value})


def _read_pyarrow(stored: StoredOutput, source: Source) -> Any:
    reader, kind = open_ipc(source.buffer(".arrow")), stored.meta["kind"]
    if kind == "RecordBatch":
        return reader.get_batch(0)
    table = reader.read_all()
    if kind == "Table":
        return table
    column = table.column(0)
    return column if kind == "ChunkedArray" else column.combine_chunks()


def _write_polars(value: Any, sink: Sink) -> Encoded:
    import polars as pl

    series = type(value) is pl.Series
    frame = value.to_frame() if series else value
    if not (series or type(value) is pl.DataFrame) or not _polars_keeps(frame):
        raise NotExactError(f"polars {type(value).__name__}")
    with sink.file(".arrow") as file:
        _write_polars_frame(frame, file)
    meta = {"kind": "Series" if series else "DataFrame"}
    return Encoded("series" if series else "table", meta, len(frame), view=frame)


def _polars_keeps(frame: Any) -> bool:
    """Whether the frame without its rows comes back from a file with the same schema."""
    import polars as pl

    file = io.BytesIO()
    try:
        _write_polars_frame(frame.clear(), file)
        file.seek(0)
        again = pl.read_ipc(file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError):
        return False
    return bool(frame.width and again.schema == frame.schema)


def _write_polars_frame(frame: Any, file: Any) -> None:
    import polars as pl

    frame.write_ipc(file, compression="uncompressed", compat_level=pl.CompatLevel.newest())


def _read_polars(stored: StoredOutput, source: Source) -> Any:
    import polars as pl

    frame = pl.read_ipc(source.local(".arrow"))
    return frame.to_series() if stored.meta["kind"] == "Series" else frame


PYARROW = Format("arrow", _write_pyarrow, _read_pyarrow)
POLARS = Format("polars", _write_polars, _read_polars)
