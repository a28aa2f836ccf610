"""Arrow IPC files: how columns become one, and the tables of pyarrow and polars as such.

Files are not compressed, so that they are mapped instead of read. Columns that lie in memory as
Arrow wants them make one record batch; where values have to be converted, batches are small, so
that there is never a second copy of the whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any

from jupyter_blocks.variables.formats.base import Encoded, Format, NotExactError, Sink, Source
from jupyter_blocks.variables.formats.batches import BatchLimits, open_ipc
from jupyter_blocks.variables.formats.columns import Column, keeps_type
from jupyter_blocks.variables.manifest import StoredOutput

__all__ = [
    "BATCH_ROWS",
    "POLARS",
    "PYARROW",
    "as_table",
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
    file: Any,
    names: Sequence[str],
    columns: Sequence[Column],
    rows: int,
    limits: BatchLimits | None = None,
) -> int:
    """Write columns as an IPC file; the number of rows in each batch but the last.

    A file that will not be mapped is written with `limits`, which are told of each batch: any rows
    are in batches of a few MiB then.
    """
    import pyarrow as pa

    schema = pa.schema(
        [pa.field(name, column.type) for name, column in zip(names, columns, strict=True)]
    )
    size = _batch_rows(columns, rows)
    if limits is not None:
        size = min(size, page_rows([column.type for column in columns]))
    with refusing_misfits(), pa.ipc.new_file(file, schema) as writer:
        for start in range(0, max(rows, 1), size):
            stop = min(start + size, rows)
            arrays = [column.cut(start, stop) for column in columns]
            if limits is not None:
                limits.add(arrays)
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


def _write_pyarrow(value: Any, sink: Sink) -> Encoded:
    import pyarrow as pa

    kind = _pyarrow_kind(value)
    table = as_table(value)
    if not all(map(keeps_type, table.schema.types)):
        raise NotExactError("an Arrow table with types of an extension")
    limits = BatchLimits()
    with (
        refusing_misfits(),
        sink.file(".arrow") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        meta: dict[str, Any] = {"kind": kind}
        if sink.is_remote and kind in ("Table", "ChunkedArray"):
            meta["batch_rows"] = _write_pages(table, writer, limits)
        else:
            writer.write_table(table)
        if table.num_rows == 0:
            writer.write_batch(pa.RecordBatch.from_pylist([], schema=table.schema))
    limits.write(sink)
    label = "table" if kind in ("Table", "RecordBatch") else "series"
    return Encoded(label, meta, table.num_rows)


def _write_pages(table: Any, writer: Any, limits: BatchLimits) -> int:
    """Write a table in batches of as many rows each, but for the last; how many."""
    size = page_rows(table.schema.types)
    for start in range(0, table.num_rows, size):
        for batch in table.slice(start, size).combine_chunks().to_batches():
            limits.add(batch.columns)
            writer.write_batch(batch)
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
    lost = _lost_by_files(frame) if series or type(value) is pl.DataFrame else None
    if lost is None:
        raise NotExactError(f"polars {type(value).__name__}")
    meta: dict[str, Any] = {"kind": "Series" if series else "DataFrame"}
    written, limits = frame, BatchLimits()
    if sink.is_remote:
        written, meta["batch_rows"] = _polars_pages(frame, limits)
        meta["dtypes"] = list(map(str, frame.dtypes))
    with sink.file(".arrow") as file:
        _write_polars_frame(written, file, meta.get("batch_rows"))
    limits.write(sink)
    meta |= lost
    return Encoded("series" if series else "table", meta, len(frame), view=frame)


def _polars_pages(frame: Any, limits: BatchLimits) -> tuple[Any, int]:
    """The frame in chunks of as many rows each, but for the last; how many. A chunk is a batch."""
    import polars as pl

    size = page_rows(frame.clear().to_arrow().schema.types)
    starts = range(0, max(len(frame), 1), size)
    pieces = [frame[start : start + size].rechunk() for start in starts]
    for piece in pieces:
        limits.add([column.combine_chunks() for column in piece.to_arrow().columns])
    return pl.concat(pieces, rechunk=False), size


def _lost_by_files(frame: Any) -> dict[str, Any] | None:
    """What files of polars before 1.32 do not keep and has to be said beside them.

    The categories that sort by their texts, and the scales of decimals without a precision. None
    where the frame without its rows comes back from a file with another schema.
    """
    import polars as pl

    file = io.BytesIO()
    try:
        _write_polars_frame(frame.clear(), file)
        file.seek(0)
        again = pl.read_ipc(file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError):
        return None
    if not frame.width or again.columns != frame.columns:
        return None
    pairs = zip(again.dtypes, frame.dtypes, strict=True)
    lost: dict[str, Any] = {}
    for name, (found, dtype) in zip(frame.columns, pairs, strict=True):
        if repr(found) == repr(dtype):
            continue
        if type(found) is type(dtype) is pl.Categorical:
            lost.setdefault("lexical", []).append(name)
        elif type(found) is type(dtype) is pl.Decimal and dtype.precision is None:
            lost.setdefault("scales", {})[name] = dtype.scale
        else:
            return None
    return lost


def _write_polars_frame(frame: Any, file: Any, batch_rows: int | None = None) -> None:
    import polars as pl

    options: dict[str, Any] = {"compat_level": pl.CompatLevel.newest()}
    if batch_rows and "record_batch_size" in signature(frame.write_ipc).parameters:
        options["record_batch_size"] = batch_rows  # before that, each chunk was a batch
    frame.write_ipc(file, compression="uncompressed", **options)


def _read_polars(stored: StoredOutput, source: Source) -> Any:
    import polars as pl

    frame = pl.read_ipc(source.local(".arrow"))
    if lexical := stored.meta.get("lexical"):
        texts = pl.col(lexical).cast(pl.String)  # from one order to the other nothing is cast
        frame = frame.with_columns(texts.cast(pl.Categorical("lexical")))
    scales = stored.meta.get("scales", {})
    frame = frame.with_columns(pl.col(name).cast(pl.Decimal(None, scales[name])) for name in scales)
    return frame.to_series() if stored.meta["kind"] == "Series" else frame


PYARROW = Format("arrow", _write_pyarrow, _read_pyarrow)
POLARS = Format("polars", _write_polars, _read_polars)
