"""Whatever the packages of data people can make comes back exactly: drawn at random.

The tables of single cases beside this file say which format takes what; here only the promise
counts: the same value comes back, or storing it is refused.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.variables.same import assert_same
from tests.variables.stored import there_and_back

Draw = st.DrawFn

MANY = settings(deadline=None, max_examples=80)
"""Importing a library and a slow disk are no faults."""

PLAIN_DTYPES = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(endianness="?"),
    arrays.unsigned_integer_dtypes(endianness="?"),
    arrays.floating_dtypes(endianness="?"),
    arrays.complex_number_dtypes(endianness="?"),
    arrays.datetime64_dtypes(endianness="?"),
    arrays.timedelta64_dtypes(endianness="?"),
    arrays.byte_string_dtypes(max_len=4),
    arrays.unicode_string_dtypes(max_len=4),
)
DTYPES = st.one_of(
    PLAIN_DTYPES, arrays.array_dtypes(PLAIN_DTYPES), arrays.nested_dtypes(PLAIN_DTYPES)
)


@MANY
@given(data=st.data(), dtype=DTYPES)
def test_any_array_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, dtype: np.dtype[Any]
) -> None:
    """Every dtype, also structures in structures, and every shape, without axes and empty."""
    shape = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    # Where a structure has gaps, the bytes in them are nobody's value; zeros come back as zeros.
    array = np.zeros(data.draw(shape), dtype)
    raw = data.draw(st.binary(min_size=array.nbytes, max_size=array.nbytes))
    if array.size and _takes_any_bytes(dtype):
        array = np.frombuffer(raw, np.uint8).view(dtype).reshape(array.shape).copy()
    assert_same(array, there_and_back(tmp_path_factory.mktemp("store"), array))


def _takes_any_bytes(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "iufcmMS" and dtype.itemsize > 0


CELLS: dict[str, Any] = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "UInt8": st.integers(0, 255) | st.none(),
    "Float64": st.floats(allow_nan=False) | st.none(),
    "boolean": st.booleans() | st.none(),
    "complex128": st.complex_numbers(),
    "string": st.text(max_size=4) | st.none(),
    "category": st.sampled_from(["x", "y", None]),
    "datetime64[ns]": st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)) | st.none(),
    "datetime64[us, Europe/Berlin]": st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))
    | st.none(),
    "timedelta64[ms]": st.integers(-(10**12), 10**12) | st.none(),
    "period[M]": st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1)),
    "Sparse[float64, nan]": st.sampled_from([np.nan, 1.5]),
    "object": st.one_of(
        st.none(),
        st.text(max_size=3),
        st.integers(),
        st.decimals(allow_nan=False),
        st.uuids(),
        st.dates(),
        st.binary(max_size=3),
        st.lists(st.integers(), max_size=2),
        st.dictionaries(st.integers() | st.text(max_size=2), st.booleans(), max_size=2),
    ),
}


@st.composite
def _columns(draw: Draw, rows: int) -> Any:
    dtype = draw(st.sampled_from(sorted(CELLS)))
    cells = draw(st.lists(CELLS[dtype], min_size=rows, max_size=rows))
    return pd.Series(_made(cells, dtype), dtype=_dtype(dtype))


def _made(cells: list[Any], dtype: str) -> Any:
    if dtype.startswith("period"):
        return pd.PeriodIndex(cells, freq="M")
    if "Berlin" in dtype:
        times = pd.to_datetime(pd.Series(cells, dtype="datetime64[us]"), utc=True)
        return times.dt.tz_convert("Europe/Berlin")
    if dtype.startswith("timedelta"):
        return np.array([np.iinfo("i8").min if c is None else c for c in cells], "i8").view(
            "m8[ms]"
        )
    return cells


def _dtype(name: str) -> Any:
    return pd.SparseDtype("float64", np.nan) if name.startswith("Sparse") else name


LABELS = st.one_of(st.text(max_size=3), st.integers(), st.dates(), st.tuples(st.integers()))


@st.composite
def _indexes(draw: Draw, rows: int) -> Any:
    name = draw(st.none() | st.text(max_size=2) | st.integers())
    kind = draw(st.sampled_from(["range", "times", "periods", "intervals", "levels", "cells"]))
    if kind == "range":
        step = draw(st.sampled_from([-2, 1, 3]))
        return pd.RangeIndex(5, 5 + rows * step, step, name=name)
    if kind == "times":
        freq = draw(st.sampled_from(["D", "h", "ME", "B", "W-WED"]))
        return pd.date_range("2020-01-31", periods=rows, freq=freq, name=name)
    if kind == "periods":
        return pd.period_range("2020-01", periods=rows, freq="Q", name=name)
    if kind == "intervals":
        return pd.interval_range(0, periods=rows, closed="left", name=name)
    if kind == "levels":
        return pd.MultiIndex.from_arrays([["a"] * rows, list(range(rows))], names=[name, None])
    cells = draw(_columns(rows))
    return pd.Index(cells.array, name=name)


@st.composite
def _frames(draw: Draw) -> Any:
    rows = draw(st.integers(0, 4))
    columns = draw(st.lists(_columns(rows), max_size=3))
    frame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(rows))
    frame.index = draw(_indexes(rows))
    frame.columns = pd.Index(draw(_labels(len(columns))), dtype=object)
    if draw(st.booleans()):
        frame.attrs = draw(st.dictionaries(st.text(max_size=2), st.integers(), max_size=1))
    return frame


def _labels(count: int) -> Any:
    """Names of columns of any class, also the same one twice."""
    return st.lists(LABELS, min_size=count, max_size=count)


@MANY
@given(frame=_frames())
def test_any_frame_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame
) -> None:
    """Every dtype under every kind of index, with names of any class; its series and index, too."""
    assert_same(frame, there_and_back(tmp_path_factory.mktemp("store"), frame))
    assert_same(frame.index, there_and_back(tmp_path_factory.mktemp("store"), frame.index))
    for position in range(frame.shape[1]):
        series = frame.iloc[:, position]
        assert_same(series, there_and_back(tmp_path_factory.mktemp("store"), series))


ARROW_TYPES = st.recursive(
    st.sampled_from(
        [
            pa.null(),
            pa.bool_(),
            pa.int8(),
            pa.uint64(),
            pa.float32(),
            pa.decimal128(9, 2),
            pa.decimal256(50, 3),
            pa.date32(),
            pa.date64(),
            pa.time64("ns"),
            pa.timestamp("s"),
            pa.timestamp("us", "Asia/Tokyo"),
            pa.duration("ms"),
            pa.binary(3),
            pa.binary(),
            pa.large_string(),
            pa.dictionary(pa.int16(), pa.string()),
        ]
    ),
    lambda inner: st.one_of(
        inner.map(pa.list_),
        inner.map(pa.large_list),
        inner.map(lambda kind: pa.list_(kind, 2)),
        inner.map(lambda kind: pa.struct([("x", kind), ("y", pa.string())])),
        inner.map(lambda kind: pa.map_(pa.string(), kind)),
    ),
    max_leaves=3,
)


@MANY
@given(st.dictionaries(st.text(max_size=3), ARROW_TYPES, max_size=3), st.integers(0, 3))
def test_any_arrow_table_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, Any], rows: int
) -> None:
    """Every type, nested in each other, with missing values, with and without rows."""
    schema = pa.schema(list(fields.items()), metadata={"made": "by a test"})
    table = pa.Table.from_arrays([pa.nulls(rows, kind) for kind in schema.types], schema=schema)
    again = there_and_back(tmp_path_factory.mktemp("store"), table)
    assert again.equals(table, check_metadata=True)


@MANY
@given(data=st.data())
def test_any_polars_frame_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Every dtype that polars draws for its own tests.

    Not before 1.32: its files and pickles forget some dtypes that are nested in others.
    """
    pl = pytest.importorskip("polars", minversion="1.32")
    parametric = pytest.importorskip("polars.testing.parametric")
    from polars.testing import assert_frame_equal

    frame = data.draw(
        parametric.dataframes(max_cols=3, max_size=4, excluded_dtypes=[pl.Object], lazy=False)
    )
    again = there_and_back(tmp_path_factory.mktemp("store"), frame)
    assert_frame_equal(again, frame, check_exact=True, categorical_as_str=True)
    assert again.schema == frame.schema
