"""pandas tables as Arrow IPC files, wherever a table comes back from one exactly.

The file holds one column for each column of the table and one for its index; what Arrow has no
words for (kinds of index, names, dtypes of the labels) is kept as JSON beside it. Tables with
anything else - several index levels, duplicate labels, mixed cells, `attrs` - are left to pickle.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.variables.formats import typed_json
from jupyter_blocks.variables.formats.arrow import write_ipc
from jupyter_blocks.variables.formats.base import Encoded, Format, NotExactError, Sink, Source
from jupyter_blocks.variables.formats.batches import BatchLimits, open_ipc
from jupyter_blocks.variables.formats.columns import (
    Column,
    decode_column,
    encode_column,
    string_dtype,
)
from jupyter_blocks.variables.formats.extras import extras
from jupyter_blocks.variables.formats.layout import frame_of, memory_runs
from jupyter_blocks.variables.manifest import StoredOutput, dump_json

__all__ = ["PANDAS", "Plan", "plan_table"]

_MOST_COLUMNS = 1_000
"""Wider tables are pickled: describing each column would take longer than writing them all."""
_MOST_PROVEN = 1_000

_proven: set[bytes] = set()
"""Shapes of tables (all but the rows) that came back as they were, in this process."""


@dataclass(frozen=True)
class Plan:
    """A pandas table taken apart: its columns as Arrow and all the rest as JSON."""

    names: tuple[str, ...]
    """Field names; that of the index comes last, if it is a column of the file."""
    columns: tuple[Column, ...]
    rows: int
    meta: Mapping[str, Any]


def plan_table(value: Any) -> Plan:
    """How to store a pandas DataFrame, Series or Index; `NotExactError` if Arrow cannot."""
    import pandas as pd

    if type(value) is pd.DataFrame:
        return _plan_frame(value)
    if type(value) is pd.Series:
        return _plan_series(value)
    if isinstance(value, pd.Index):
        index, column = _plan_index(value)
        columns = (column,) if column else ()
        meta = {**_meta("index", index, columns), "dtypes": [str(value.dtype)]}
        return Plan(("values",) * len(columns), columns, len(value), meta)
    raise NotExactError(f"a subclass, {type(value).__qualname__}")


def _plan_frame(frame: Any) -> Plan:
    _refuse_extras(frame)
    if frame.shape[1] > _MOST_COLUMNS:
        raise NotExactError("too many columns")
    labels, names = _plan_labels(frame.columns)
    cells = [frame.iloc[:, position] for position in range(len(names))]
    columns = [*map(_column, cells)]
    dtypes = [str(dtype) for dtype in frame.dtypes]
    index, index_column = _plan_index(frame.index)
    if index_column:
        dtypes.append(str(frame.index.dtype))
        names.append(_free_name(names))
        columns.append(index_column)
    meta = {**_meta("frame", index, columns), "columns": labels, "dtypes": dtypes}
    if runs := memory_runs(cells):
        meta["runs"] = runs
    return Plan(tuple(names), tuple(columns), len(frame), meta)


def _plan_series(series: Any) -> Plan:
    _refuse_extras(series)
    columns, names, dtypes = [_column(series)], ["values"], [str(series.dtype)]
    index, index_column = _plan_index(series.index)
    if index_column:
        dtypes.append(str(series.index.dtype))
        names.append("index")
        columns.append(index_column)
    meta = {
        **_meta("series", index, columns),
        "dtypes": dtypes,
        "name": typed_json.encode(series.name),
    }
    return Plan(tuple(names), tuple(columns), len(series), meta)


def _meta(kind: str, index: Mapping[str, Any], columns: Any) -> dict[str, Any]:
    return {"kind": kind, "index": index, "specs": [column.spec for column in columns]}


def _refuse_extras(table: Any) -> None:
    if table.attrs:
        raise NotExactError("attrs")
    if not table.flags.allows_duplicate_labels:
        raise NotExactError("flags")
    if extras(table):
        raise NotExactError("attributes of its own")


def _column(series: Any) -> Column:
    column = encode_column(series)
    if column is None:
        raise NotExactError(f"a column of {series.dtype}")
    return column


def _plan_labels(labels: Any) -> tuple[dict[str, Any], list[str]]:
    """Column labels that are distinct strings: how to rebuild them, and the strings."""
    import pandas as pd

    if type(labels) is not pd.Index or not labels.is_unique:
        raise NotExactError("column labels")
    names = list(labels)
    spec: Mapping[str, Any] = {"kind": "object"}
    if isinstance(labels.dtype, pd.StringDtype):
        column = encode_column(labels)
        spec = column.spec if column else {}
    if not spec or not all(type(name) is str and typed_json.encode(name) == name for name in names):
        raise NotExactError("column labels")
    return {"spec": spec, "name": typed_json.encode(labels.name)}, names


def _plan_index(index: Any) -> tuple[dict[str, Any], Column | None]:
    """How to rebuild an index, and its column if it needs one."""
    import pandas as pd

    meta: dict[str, Any] = {"name": typed_json.encode(index.name)}
    if type(index) is pd.RangeIndex:
        return {**meta, "range": [index.start, index.stop, index.step]}, None
    classes = (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex, pd.CategoricalIndex)
    column = encode_column(index) if type(index) in classes else None
    if column is None:
        raise NotExactError(f"an index of type {type(index).__name__}")
    freq = getattr(index, "freq", None)
    if freq is not None:
        if pd.tseries.frequencies.to_offset(index.freqstr) != freq:
            raise NotExactError(f"an index with the frequency {freq!r}")
        meta["freq"] = index.freqstr
    return meta, column


def _free_name(names: list[str]) -> str:
    name = "__index__"
    while name in names:
        name += "_"
    return name


def _write(value: Any, sink: Sink) -> Encoded:
    plan = plan_table(value)
    _prove(value, plan)
    kind = "table" if plan.meta["kind"] == "frame" else "series"
    if not plan.columns:
        return Encoded(kind, {**plan.meta, "rows": plan.rows}, plan.rows, view=plan)
    limits = BatchLimits() if sink.is_remote else None
    with sink.file(".arrow") as file:
        batch_rows = write_ipc(file, plan.names, plan.columns, plan.rows, limits)
    if limits is not None:
        limits.write(sink)
    meta = {**plan.meta, "batch_rows": batch_rows}
    return Encoded(kind, meta, plan.rows, view=plan)


def _prove(value: Any, plan: Plan) -> None:
    """Write and read the table without its rows, and see that nothing else got lost.

    That the values survive is a matter of construction (`columns`); that the installed pandas puts
    the same table around them is not.
    """
    index = {key: item for key, item in plan.meta["index"].items() if key != "range"}
    key = dump_json([plan.names, {**plan.meta, "index": index}])
    if key in _proven or not plan.columns:
        return
    empty = value[:0] if plan.meta["kind"] == "index" else value.iloc[:0]
    if _shape(_through_memory(plan_table(empty))) != _shape(empty):
        raise NotExactError("it does not come back as it was")
    if len(_proven) >= _MOST_PROVEN:
        _proven.clear()
    _proven.add(key)


def _through_memory(plan: Plan) -> Any:
    file = io.BytesIO()
    write_ipc(file, plan.names, plan.columns, plan.rows)
    return _rebuild(plan.meta, bytearray(file.getvalue()))


def _shape(table: Any) -> list[Any]:
    """All of a table that is not a value: classes, dtypes, labels and names."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        dtypes, labels = [*table.dtypes], [table.columns, table.index]
    else:
        dtypes, labels = [table.dtype], [getattr(table, "index", table)]
    freqs = [getattr(part, "freq", None) for part in labels]
    return [
        type(table),
        # Not of a frame: its column `name` answers to that attribute too.
        None if isinstance(table, pd.DataFrame) else table.name,
        [(type(dtype), repr(dtype)) for dtype in (*dtypes, *(part.dtype for part in labels))],
        [(type(part), part.name, freq) for part, freq in zip(labels, freqs, strict=True)],
        [*labels[0]] if len(labels) == 2 else [],
    ]


def _read(stored: StoredOutput, source: Source) -> Any:
    if not stored.objects:
        return _rebuild(stored.meta, None)
    return _rebuild(stored.meta, source.buffer(".arrow"))


def _rebuild(meta: Mapping[str, Any], raw: Any) -> Any:
    """The table that a plan was made from, on the memory `raw` of its Arrow file."""
    kind, specs = meta["kind"], meta["specs"]
    arrow: Any = open_ipc(raw).read_all() if specs else None
    columns = [
        decode_column(spec, arrow.column(position), raw) for position, spec in enumerate(specs)
    ]
    index = _rebuild_index(meta["index"], columns, specs)
    if kind == "index":
        return index
    if kind == "series":
        return _series(columns[0], specs[0], index, typed_json.decode(meta["name"]))
    data = {
        position: _series(values, spec, index) if spec["kind"] == "object" else values
        for position, (values, spec) in enumerate(zip(columns, specs, strict=False))
    }
    frame = frame_of(data, index, meta.get("runs", ()))
    names = arrow.schema.names[: len(data)] if data else []
    frame.columns = _rebuild_labels(meta["columns"], names)
    return frame


def _series(values: Any, spec: Mapping[str, Any], index: Any, name: Any = None) -> Any:
    import pandas as pd

    # Cells of strings would otherwise be taken for the dtype of strings.
    dtype = object if spec["kind"] == "object" else None
    return pd.Series(values, index=index, name=name, dtype=dtype, copy=False)


def _rebuild_labels(meta: Mapping[str, Any], names: list[str]) -> Any:
    import pandas as pd

    spec = meta["spec"]
    dtype: Any = object if spec["kind"] == "object" else string_dtype(spec)
    return pd.Index(names, dtype=dtype, name=typed_json.decode(meta["name"]))


def _rebuild_index(meta: Mapping[str, Any], columns: list[Any], specs: Any) -> Any:
    """The index; its column, the last one, is taken off the columns."""
    import pandas as pd

    name = typed_json.decode(meta["name"])
    if "range" in meta:
        start, stop, step = meta["range"]
        return pd.RangeIndex(start, stop, step, name=name)
    dtype: Any = object if specs[-1]["kind"] == "object" else None
    index: Any = pd.Index(columns.pop(), dtype=dtype, name=name, copy=False)
    if "freq" in meta:
        index.freq = meta["freq"]
    return index


PANDAS = Format("pandas", _write, _read)
