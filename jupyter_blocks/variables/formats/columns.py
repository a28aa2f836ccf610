"""One pandas column as Arrow and back, bit for bit, or not at all.

A column is taken only if its dtype is one of those below, for which Arrow holds every bit of the
values and `spec` every property of the dtype; all others are left to pickle. Where pandas keeps
plain memory, Arrow looks at that memory instead of copying it, on the way out and on the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

from jupyter_blocks.variables.formats import typed_json
from jupyter_blocks.variables.formats.base import NotExactError

__all__ = ["Column", "decode_column", "encode_column", "keeps_type", "numpy_view", "string_dtype"]

_NUMPY_KINDS = "biuf"
_UNITS = ("s", "ms", "us", "ns")
_MASKED = {
    **{f"{sign}nt{bits}": "IntegerArray" for sign in ("I", "UI") for bits in (8, 16, 32, 64)},
    "Float32": "FloatingArray",
    "Float64": "FloatingArray",
    "boolean": "BooleanArray",
}
_CONVERSION_ERRORS = (ValueError, TypeError, OverflowError, ArithmeticError)


@dataclass(frozen=True)
class Column:
    """A column that Arrow can hold exactly. Arrow objects are untyped here: it has no stubs."""

    spec: Mapping[str, Any]
    """How to rebuild the column, as JSON."""
    type: Any
    """Arrow type."""
    whole: Any = None
    """The whole column as an Arrow ChunkedArray, where that took no conversion."""
    convert: Callable[[int, int], Any] | None = None
    """Otherwise: rows start to stop as an Arrow Array."""

    def cut(self, start: int, stop: int) -> Any:
        """Rows start to stop as one Arrow Array; `NotExactError` where a value does not fit."""
        if self.convert is None:
            if start == stop and _is_text(self.type):
                return _no_text(self.type)
            piece = self.whole.slice(start, stop - start)
            return piece.chunk(0) if piece.num_chunks == 1 else piece.combine_chunks()
        try:
            return self.convert(start, stop)
        except _CONVERSION_ERRORS as error:
            raise NotExactError(str(error)) from error


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def _no_text(kind: Any) -> Any:
    """No rows of texts. Of an empty slice, Arrow 26 writes the places of all texts there are."""
    import pyarrow as pa

    return pa.array([], kind)


def encode_column(values: Any) -> Column | None:
    """The column of a pandas Series or Index; none if Arrow cannot hold it exactly."""
    import numpy as np
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return _numpy(values.to_numpy(), dtype)
    if isinstance(dtype, pd.StringDtype):
        return _string(values.array, dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        return _categorical(values.array, dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _zoned(values.array, dtype)
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow(values.array)
    if dtype.name in _MASKED and type(dtype).__module__.partition(".")[0] == "pandas":
        return _whole({"kind": "masked", "dtype": dtype.name}, values.array.__arrow_array__())
    return None


def decode_column(spec: Mapping[str, Any], column: Any, raw: Any) -> Any:
    """What `encode_column` took apart: a numpy or pandas array that is private and writable.

    `raw` is the writable memory that the Arrow ChunkedArray `column` lies in.
    """
    return _DECODERS[spec["kind"]](spec, column, raw)


def numpy_view(raw: Any, array: Any, dtype: Any) -> Any:
    """The values of an Arrow Array as numpy array on the memory `raw` that the array lies in.

    Arrow itself would hand out the same memory as read-only.
    """
    import numpy as np
    import pyarrow as pa

    dtype = np.dtype(dtype)
    data = array.buffers()[1]
    if len(array) == 0 or data is None:
        return np.empty(0, dtype)
    start = data.address - pa.py_buffer(raw).address + array.offset * dtype.itemsize
    return np.frombuffer(raw, dtype, count=len(array), offset=start)


def _whole(spec: Mapping[str, Any], array: Any) -> Column:
    import pyarrow as pa

    chunked = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return Column(spec, chunked.type, whole=chunked)


def _numpy(values: Any, dtype: Any) -> Column | None:
    import pyarrow as pa

    spec = {"kind": "numpy", "dtype": dtype.str}
    if dtype.kind == "O":
        return _object(values)
    if dtype.kind in "mM":
        unit = dtype.str[4:-1]
        if unit not in _UNITS or not dtype.isnative:
            return None
        return _buffer(spec, values, pa.timestamp(unit) if dtype.kind == "M" else pa.duration(unit))
    if dtype.kind not in _NUMPY_KINDS or dtype.itemsize > 8 or not dtype.isnative:
        return None
    if dtype.kind == "b":
        return _whole(spec, pa.array(values))
    return _buffer(spec, values, pa.from_numpy_dtype(dtype))


def _buffer(spec: Mapping[str, Any], values: Any, kind: Any) -> Column:
    """A column of plain memory: looked at where it lies in one piece, else gathered in batches."""
    import numpy as np

    if values.flags.c_contiguous:
        return _whole(spec, _wrap(values, kind))

    def gather(start: int, stop: int) -> Any:
        return _wrap(np.ascontiguousarray(values[start:stop]), kind)

    return Column(spec, kind, convert=gather)


def _wrap(values: Any, kind: Any, missing: Any = None) -> Any:
    """An Arrow Array on the memory of a contiguous numpy array; NaT counts as missing."""
    import numpy as np
    import pyarrow as pa

    if missing is None and values.dtype.kind in "mM":
        missing = np.isnat(values)
    bitmap = None
    if missing is not None and missing.any():
        bitmap = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    data = pa.py_buffer(values.view(np.uint8) if len(values) else b"")
    return pa.Array.from_buffers(kind, len(values), [bitmap, data])


def _object(values: Any) -> Column | None:
    """Cells that are all `str`, but for one kind of missing value."""
    import pyarrow as pa

    kinds = set(map(type, values))
    if kinds <= {str, type(None)}:
        missing = "none"
    elif kinds <= {str, float} and all(isnan(cell) for cell in values if type(cell) is float):
        missing = "nan"
    else:
        return None

    def convert(start: int, stop: int) -> Any:
        return pa.array(values[start:stop], pa.large_string(), from_pandas=True)

    return Column({"kind": "object", "missing": missing}, pa.large_string(), convert=convert)


def _string(array: Any, dtype: Any) -> Column | None:
    import pandas as pd
    import pyarrow as pa

    # pandas before 2.3 says `pyarrow_numpy` for what is now pyarrow with NaN.
    storage = dtype.storage.removesuffix("_numpy")
    spec = {"kind": "string", "storage": storage, "na": "NA" if dtype.na_value is pd.NA else "nan"}
    if storage != "python":
        data = array.__arrow_array__()
        return _whole(spec, data) if data.type in (pa.string(), pa.large_string()) else None

    def convert(start: int, stop: int) -> Any:
        return array[start:stop].__arrow_array__(pa.large_string())

    return Column(spec, pa.large_string(), convert=convert)


def _arrow(array: Any) -> Column | None:
    data = array.__arrow_array__()
    return _whole({"kind": "arrow"}, data) if keeps_type(data.type) else None


def keeps_type(kind: Any) -> bool:
    """Whether an Arrow file keeps an Arrow type without outside knowledge."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_run_end_encoded(kind):
        return False
    if pa.types.is_dictionary(kind):
        return keeps_type(kind.value_type)
    if pa.types.is_nested(kind):
        return all(keeps_type(kind.field(position).type) for position in range(kind.num_fields))
    return True


def _zoned(array: Any, dtype: Any) -> Column | None:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    zone = str(dtype.tz)
    try:
        again: Any = pd.DatetimeTZDtype(dtype.unit, zone)
    except (TypeError, ValueError, KeyError):
        return None
    if again.tz != dtype.tz or type(again.tz) is not type(dtype.tz):
        return None
    values = np.asarray(array, dtype=f"M8[{dtype.unit}]")
    spec = {"kind": "zoned", "unit": dtype.unit, "zone": zone}
    # Arrow writes `+02:00` for what Python calls `UTC+02:00`.
    return _buffer(spec, values, pa.timestamp(dtype.unit, zone.removeprefix("UTC") or zone))


def _categorical(array: Any, dtype: Any) -> Column | None:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    index = dtype.categories
    if type(index) not in (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex):
        return None
    categories = encode_column(index)
    if categories is None or getattr(index, "freq", None) is not None:
        return None
    spec = {
        "kind": "categorical",
        "ordered": bool(dtype.ordered),
        "name": typed_json.encode(index.name),
        "categories": categories.spec,
    }
    dictionary = categories.cut(0, len(index))
    codes = np.ascontiguousarray(array.codes)
    keys = _wrap(codes, pa.from_numpy_dtype(codes.dtype), codes < 0)
    ordered = spec["ordered"]
    return _whole(spec, pa.DictionaryArray.from_arrays(keys, dictionary, None, ordered, safe=False))


def _joined(column: Any, view: Callable[[Any], Any]) -> Any:
    """The chunks of a column as one array: the only one as it is, several copied together."""
    import numpy as np

    views = [view(chunk) for chunk in column.chunks]
    return views[0] if len(views) == 1 else np.concatenate(views)


def _bits(raw: Any, buffer: Any, array: Any) -> Any:
    """The bits of a bitmap as a new array of bool."""
    import numpy as np
    import pyarrow as pa

    start = buffer.address - pa.py_buffer(raw).address
    octets = np.frombuffer(raw, np.uint8, count=(array.offset + len(array) + 7) // 8, offset=start)
    return np.unpackbits(octets, bitorder="little")[array.offset :][: len(array)].view(bool)


def _read_numpy(spec: Mapping[str, Any], column: Any, raw: Any) -> Any:
    import numpy as np

    dtype = np.dtype(spec["dtype"])
    if dtype.kind != "b":
        return _joined(column, lambda chunk: numpy_view(raw, chunk, dtype))
    return _joined(column, lambda chunk: _read_bools(raw, chunk))


def _read_bools(raw: Any, chunk: Any) -> Any:
    import numpy as np

    data = chunk.buffers()[1]
    return _bits(raw, data, chunk) if len(chunk) and data else np.empty(0, bool)


def _read_masked(spec: Mapping[str, Any], column: Any, raw: Any) -> Any:
    import pandas as pd

    def mask(chunk: Any) -> Any:
        import numpy as np

        validity = chunk.buffers()[0]
        if validity is None or not len(chunk):
            return np.zeros(len(chunk), bool)
        return ~_bits(raw, validity, chunk)

    name = spec["dtype"]
    dtype = "|b1" if name == "boolean" else name.lower()
    values = _read_numpy({"dtype": dtype}, column, raw)
    array: Any = getattr(pd.arrays, _MASKED[name])
    return array(values, _joined(column, mask), copy=False)


def _read_object(spec: Mapping[str, Any], column: Any, _raw: Any) -> Any:
    import numpy as np

    cells = np.empty(len(column), object)
    start = 0
    for chunk in column.chunks:
        piece = chunk.to_numpy(zero_copy_only=False)
        if spec["missing"] == "nan" and chunk.null_count:
            piece = np.where(chunk.is_null().to_numpy(zero_copy_only=False), np.nan, piece)
        cells[start : start + len(chunk)] = piece
        start += len(chunk)
    return cells


def _read_string(spec: Mapping[str, Any], column: Any, _raw: Any) -> Any:
    return string_dtype(spec).__from_arrow__(column)


def string_dtype(spec: Mapping[str, Any]) -> Any:
    """The pandas dtype of strings that a spec describes, in the words of this pandas."""
    import numpy as np
    import pandas as pd

    if spec["na"] == "NA":
        return pd.StringDtype(spec["storage"])
    try:
        return pd.StringDtype(spec["storage"], na_value=np.nan)
    except TypeError:
        # pandas before 2.3 has this dtype under a name of its own.
        return pd.StringDtype("pyarrow_numpy")


def _read_arrow(_spec: Mapping[str, Any], column: Any, _raw: Any) -> Any:
    import pandas as pd

    dtype: Any = pd.ArrowDtype(column.type)
    return dtype.__from_arrow__(column)


def _read_zoned(spec: Mapping[str, Any], column: Any, raw: Any) -> Any:
    import pandas as pd

    dtype: Any = pd.DatetimeTZDtype(spec["unit"], spec["zone"])
    values = _joined(column, lambda chunk: numpy_view(raw, chunk, "i8"))
    return pd.array(values, dtype=dtype, copy=False)


def _read_categorical(spec: Mapping[str, Any], column: Any, raw: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    dictionary = pa.chunked_array([column.chunk(0).dictionary])
    values = decode_column(spec["categories"], dictionary, raw)
    name = typed_json.decode(spec["name"])
    dtype = object if spec["categories"]["kind"] == "object" else None
    categories = pd.Index(values, dtype=dtype, name=name, copy=False)
    keys = column.type.index_type.to_pandas_dtype()
    codes = _joined(column, lambda chunk: numpy_view(raw, chunk.indices, keys))
    return pd.Categorical.from_codes(
        codes, categories=categories, ordered=spec["ordered"], validate=False
    )


_DECODERS: Mapping[str, Callable[[Mapping[str, Any], Any, Any], Any]] = {
    "arrow": _read_arrow,
    "categorical": _read_categorical,
    "masked": _read_masked,
    "numpy": _read_numpy,
    "object": _read_object,
    "string": _read_string,
    "zoned": _read_zoned,
}
