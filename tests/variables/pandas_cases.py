"""Tables of pandas, one for each thing that some format is known to lose."""

from __future__ import annotations

import datetime as dt
import decimal
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from dateutil.tz import tzoffset

BERLIN = "Europe/Berlin"


def _frame(values: Any, **options: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": values}, **options)


def _typed(values: Any, dtype: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": pd.Series(values, dtype=dtype)})


def _objects(*cells: Any) -> pd.DataFrame:
    column = np.empty(len(cells), object)
    column[:] = cells
    return pd.DataFrame({"a": pd.Series(column, dtype=object)})


def _with_attrs() -> pd.DataFrame:
    frame = _frame([1, 2])
    frame.attrs["unit"] = {"a": "m"}
    return frame


def _indexed(index: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": range(len(index))}, index=index)


def _strided() -> pd.DataFrame:
    return pd.DataFrame(np.arange(300_000.0).reshape(-1, 3), columns=["x", "y", "z"])


def _mixed(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "i": rng.integers(-9, 9, rows),
            "f": np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows)),
            "b": rng.random(rows) < 0.5,
            "t": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**6, rows), "s"),
            "s": pd.Series([f"row {number % 97} ö" for number in range(rows)]),
            "o": pd.Series([f"cell {number % 89}" for number in range(rows)], dtype=object),
            "c": pd.Categorical.from_codes(rng.integers(-1, 3, rows), ["x", "y", "z"]),
            "n": pd.array(rng.integers(0, 9, rows), dtype="Int32"),
        }
    )


Case = Callable[[], Any]

# Stored as Arrow, which other programs read.
ARROW: dict[str, Case] = {
    "int64": lambda: _frame([1, -2, 3]),
    "small integers": lambda: pd.DataFrame(
        {kind: np.array([0, 1, 100], kind) for kind in ("i1", "i2", "i4", "u1", "u2", "u4", "u8")}
    ),
    "largest integers": lambda: _frame(np.array([2**64 - 1, 0], "u8")),
    "floats with NaN, infinity and -0.0": lambda: _frame([1.5, np.nan, np.inf, -np.inf, -0.0]),
    "a NaN with other bits": lambda: _frame(np.array([0x7FF8000000000123], "u8").view("f8")),
    "float32 and float16": lambda: pd.DataFrame(
        {"a": np.array([1.1, 2], "f4"), "b": np.array([1.1, 2], "f2")}
    ),
    "bool": lambda: _frame([True, False, True]),
    "datetime ns": lambda: _typed(["2020-01-01", None], "datetime64[ns]"),
    "datetime us": lambda: _typed(["2020-01-01", None], "datetime64[us]"),
    "datetime ms": lambda: _typed(["2020-01-01", None], "datetime64[ms]"),
    "datetime s, far away": lambda: _typed(np.array(["9999-12-31"], "M8[s]"), "datetime64[s]"),
    "datetime only NaT": lambda: _typed([None, None], "datetime64[ns]"),
    "time zone": lambda: _typed(
        pd.to_datetime(["2020-10-25 00:30", None, "2020-10-25 01:30"], utc=True).tz_convert(BERLIN),
        None,
    ),
    "time zone us": lambda: _typed(
        pd.to_datetime(["2020-07-01"]).as_unit("us").tz_localize(BERLIN), None
    ),
    "time zone UTC": lambda: _typed(pd.to_datetime(["2020-07-01"]).tz_localize("UTC"), None),
    "time zone by offset": lambda: _typed(
        pd.to_datetime(["2020-07-01"]).tz_localize(dt.timezone(dt.timedelta(hours=2))), None
    ),
    "timedelta": lambda: _typed(pd.to_timedelta([1, None, 3], "s"), None),
    "str": lambda: _frame(["a", "", "ö", "🎉"]),
    "str with missing": lambda: _typed(["a", None], pd.Series(["a"]).dtype),
    "string, python": lambda: _typed(["a", None], "string[python]"),
    "string, pyarrow": lambda: _typed(["a", None], "string[pyarrow]"),
    "object strings": lambda: _objects("a", "b"),
    "object strings with None": lambda: _objects("a", None),
    "object strings with NaN": lambda: _objects("a", float("nan")),
    "object, only None": lambda: _objects(None, None),
    "object, only NaN": lambda: _objects(float("nan")),
    "object, empty": lambda: _typed([], object),
    "nullable integers": lambda: pd.DataFrame(
        {
            kind: pd.array([1, None, 3], dtype=kind)
            for kind in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
        }
    ),
    "nullable floats": lambda: pd.DataFrame(
        {kind: pd.array([1.5, None], dtype=kind) for kind in ("Float32", "Float64")}
    ),
    "nullable bool": lambda: _typed([True, None, False], "boolean"),
    "nullable without missing": lambda: _typed([1, 2], "Int64"),
    "category": lambda: _typed(["b", "a", None, "b"], "category"),
    "category, ordered, unused": lambda: _frame(
        pd.Categorical(["lo"], categories=["lo", "mid", "hi"], ordered=True)
    ),
    "category of integers": lambda: _frame(pd.Categorical([3, 1, None])),
    "category of floats": lambda: _frame(pd.Categorical([3.5, 1.0])),
    "category of times": lambda: _frame(pd.Categorical(pd.to_datetime(["2020-01-01", None]))),
    "category of object strings": lambda: _frame(
        pd.Categorical.from_codes([0, -1], pd.Index(["x", "y"], dtype=object, name="labels"))
    ),
    "category, empty": lambda: _frame(pd.Categorical([])),
    "arrow dtypes": lambda: pd.DataFrame(
        {
            "i": pd.array([1, None], dtype=pd.ArrowDtype(pa.int8())),
            "s": pd.array(["a", None], dtype=pd.ArrowDtype(pa.string())),
            "t": pd.array([None, pd.Timestamp("2020")], dtype=pd.ArrowDtype(pa.timestamp("us"))),
            "z": pd.array(
                [None, pd.Timestamp("2020", tz="UTC")],
                dtype=pd.ArrowDtype(pa.timestamp("ns", BERLIN)),
            ),
            "d": pd.array(
                [decimal.Decimal("1.10"), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))
            ),
            "l": pd.array([[1, 2], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
            "m": pd.array([{"x": 1}, None], dtype=pd.ArrowDtype(pa.struct([("x", pa.int8())]))),
        }
    ),
    "range index": lambda: _frame([1, 2], index=pd.RangeIndex(5, 9, 2, name="n")),
    "integer index": lambda: _indexed(pd.Index([3, 1, 1])),
    "float index with NaN": lambda: _indexed(pd.Index([1.5, np.nan])),
    "bool index": lambda: _indexed(pd.Index([True, False])),
    "string index with name": lambda: _indexed(pd.Index(["x", "y"], name="key")),
    "object string index": lambda: _indexed(pd.Index(["x", None], dtype=object)),
    "index named by a number": lambda: _indexed(pd.Index(["x"], name=7)),
    "index named by a tuple": lambda: _indexed(pd.Index(["x"], name=("a", 1))),
    "datetime index": lambda: _indexed(pd.DatetimeIndex(["2020-01-03", "2020-01-01"])),
    "datetime index with freq": lambda: _indexed(pd.date_range("2020-01-01", periods=3, freq="D")),
    "datetime index, month ends, zone": lambda: _indexed(
        pd.date_range("2020-01-31", periods=3, freq="ME", tz=BERLIN)
    ),
    "timedelta index with freq": lambda: _indexed(pd.timedelta_range("1s", periods=3, freq="2s")),
    "categorical index": lambda: _indexed(pd.CategoricalIndex(["x", "y", "x"], name="k")),
    "nullable index": lambda: _indexed(pd.Index(pd.array([1, None], dtype="Int64"))),
    "columns with a name": lambda: _frame([1]).rename_axis(columns="cols"),
    "column named like our index": lambda: pd.DataFrame({"__index__": [1]}, index=["x"]),
    "strange column names": lambda: pd.DataFrame([[1, 2, 3]], columns=["", "a b", "ö\n"]),
    "column names that pandas uses itself": lambda: pd.DataFrame(
        [range(10)],
        columns=[*"TA", "name", "index", "columns", "attrs", "freq", "dtype", "shape", "flags"],
    ),
    "no rows": lambda: _mixed(3).iloc[:0],
    "no rows, string index": lambda: _indexed(pd.Index(["x"])).iloc[:0],
    "slice with steps": lambda: _mixed(9).iloc[7:1:-2],
    "two blocks of strides": _strided,
    "several batches": lambda: _mixed(150_000),
    "many columns": lambda: pd.DataFrame(np.eye(2, 150), columns=[f"c{n}" for n in range(150)]),
    "chunks": lambda: pd.concat([_mixed(5)[["s", "i"]]] * 3, ignore_index=True),
}

# Stored as pickle, because Arrow would change them.
PICKLED: dict[str, Case] = {
    "object integers": lambda: _objects(1, 2),
    "object bools": lambda: _objects(True, None),
    "big integers": lambda: _objects(10**30, 1),
    "mixed cells": lambda: _objects(1, "a", None, 2.5),
    "strings with None and NaN": lambda: _objects("a", None, float("nan")),
    "strings and numbers": lambda: _objects("a", 2.5, float("nan")),
    "numpy strings": lambda: _objects(np.str_("a"), "b"),
    "half a surrogate pair": lambda: _objects("\ud800"),
    "lists, tuples, sets, dicts": lambda: _objects([1], (1, "a"), {1}, {"k": 1, 2: "x"}),
    "bytes": lambda: _objects(b"x", b""),
    "dates and times": lambda: _objects(dt.date(2020, 1, 1), dt.time(1), dt.timedelta(1)),
    "decimals": lambda: _objects(decimal.Decimal("1.10"), decimal.Decimal("1.1")),
    "timestamps in objects": lambda: _objects(pd.Timestamp("2020"), pd.NaT, pd.NA),
    "arrays in cells": lambda: _typed([np.arange(3), np.arange(2)], object),
    "complex": lambda: _frame([1 + 2j]),
    "long double": lambda: _frame(np.array([1.1], "g")),
    "other byte order": lambda: _frame(np.array([1, 2], ">i4")),
    "period": lambda: _frame(pd.period_range("2020-01", periods=2, freq="M")),
    "interval": lambda: _frame(pd.interval_range(0, 2)),
    "cut": lambda: _frame(pd.cut([1, 5, 9], 3)),
    "sparse": lambda: _typed([0, 0, 1], pd.SparseDtype("int64", 0)),
    "category of ranges": lambda: _frame(pd.Categorical.from_codes([0], pd.RangeIndex(2))),
    "time zone of dateutil": lambda: _typed(
        pd.to_datetime(["2020-07-01"]).tz_localize(tzoffset("x", 3600)), None
    ),
    "duplicate columns": lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "columns of numbers": lambda: pd.DataFrame(np.arange(4).reshape(2, 2)),
    "columns of numbers and strings": lambda: pd.DataFrame([[1, 2]], columns=[1, "1"]),
    "columns of times": lambda: pd.DataFrame([[1, 2]], columns=pd.date_range("2020", periods=2)),
    "columns in levels": lambda: pd.DataFrame(
        [[1, 2]], columns=pd.MultiIndex.from_product([["a"], [1, 2]], names=["x", None])
    ),
    "index in levels": lambda: _indexed(
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])
    ).iloc[:1],
    "period index": lambda: _indexed(pd.period_range("2020-01", periods=2, freq="M")),
    "interval index": lambda: _indexed(pd.interval_range(0, 2)),
    "mixed index": lambda: _indexed(pd.Index([1, "a", None])),
    "index with business days": lambda: _indexed(
        pd.date_range(
            "2020-01-01", periods=3, freq=pd.offsets.CustomBusinessDay(holidays=["2020-01-02"])
        )
    ),
    "very many columns": lambda: pd.DataFrame(
        np.eye(2, 1001), columns=[f"c{number}" for number in range(1001)]
    ),
    "attrs": _with_attrs,
    "no duplicate labels": lambda: _frame([1]).set_flags(allows_duplicate_labels=False),
    "no columns": lambda: pd.DataFrame(index=["x", "y"]),
}

SERIES: dict[str, Case] = {
    "without name": lambda: pd.Series([1, 2]),
    "with name": lambda: pd.Series(["a"], name="key"),
    "name that is a number": lambda: pd.Series([1.5], name=3),
    "name that is a timestamp": lambda: pd.Series([1.5], name=pd.Timestamp("2020")),
    "index of strings": lambda: pd.Series([1], index=["x"]),
    "object strings": lambda: pd.Series(["a"], dtype=object),
    "levels": lambda: pd.Series([1, 2], index=pd.MultiIndex.from_product([["a"], [1, 2]])),
    "empty": lambda: pd.Series([], dtype="float64"),
    "category": lambda: pd.Series(["a", "b"], dtype="category"),
    "zone": lambda: pd.Series(pd.date_range("2020", periods=2, tz=zoneinfo.ZoneInfo(BERLIN))),
}

INDEXES: dict[str, Case] = {
    "range": lambda: pd.RangeIndex(3, name="n"),
    "integers": lambda: pd.Index([3, 1]),
    "strings": lambda: pd.Index(["x", "y"], name="k"),
    "times with freq": lambda: pd.date_range("2020", periods=3, freq="h"),
    "levels": lambda: pd.MultiIndex.from_product([["a"], [1, 2]], names=["x", "y"]),
    "intervals": lambda: pd.interval_range(0, 2),
}
