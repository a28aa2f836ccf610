"""pandas, polars and Arrow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from jupyter_blocks.compare import columnar, compare

IN_BOTH = "{} in the notebook, {} in the pipeline"
TABLE = pd.DataFrame(
    {
        "number": [1, 2, 3],
        "text": ["x", None, "z"],
        "time": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
        "lists": [[1], [2, 3], None],
    },
    index=pd.Index([10, 20, 30], name="key"),
)


def with_attrs(**attrs: Any) -> pd.DataFrame:
    table = TABLE.copy()
    table.attrs = attrs
    return table


class Measured(pd.DataFrame):
    """A table with an attribute of its own, as geopandas has."""

    _metadata = ["unit"]  # noqa: RUF012 - as pandas wants it
    unit = "m"


def measured(unit: str) -> Measured:
    table = Measured({"a": [1]})
    table.unit = unit
    return table


PANDAS = {
    "DataFrame": TABLE.copy,
    "Series": TABLE["time"].copy,
    "empty": pd.DataFrame,
    "no columns": lambda: pd.DataFrame(index=[1, 2]),
    "same names": lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "attrs": lambda: with_attrs(source={"a": np.arange(3)}),
    "subclass": lambda: measured("km"),
    "extension array": lambda: pd.array([1, None]),
    "NaT": lambda: pd.NaT,
    "NA": lambda: pd.NA,
    "Timestamp": lambda: pd.Timestamp("2020-01-01", tz="UTC"),
    "Interval": lambda: pd.Interval(0, 1),
    "offset": lambda: pd.offsets.MonthEnd(2),
    "dtype": lambda: pd.CategoricalDtype(["a"]),
    "MultiIndex": lambda: pd.MultiIndex.from_tuples([(1, "a"), (2, None)], names=["i", None]),
    "RangeIndex": lambda: pd.RangeIndex(3),
    "DatetimeIndex": lambda: pd.date_range("2020", periods=3, freq="D", tz="Europe/Paris"),
    "PeriodIndex": lambda: pd.period_range("2020", periods=3, freq="M"),
    "IntervalIndex": lambda: pd.interval_range(0, 3),
    "CategoricalIndex": lambda: pd.CategoricalIndex(["a", None]),
    "categories": lambda: pd.Series(["a", None], dtype="category"),
    "Int64": lambda: pd.Series([1, None], dtype="Int64"),
    "Float64": lambda: pd.Series([1.5, None], dtype="Float64"),
    "string": lambda: pd.Series(["a", None], dtype="string"),
    "boolean": lambda: pd.Series([True, None], dtype="boolean"),
    "arrow": lambda: pd.Series([1.5, None], dtype="float64[pyarrow]"),
    "arrow lists": lambda: pd.Series([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    "sparse": lambda: pd.Series([0.0, 1.0, np.nan], dtype="Sparse[float]"),
    "groups": lambda: pd.DataFrame({"a": [1, 2], "b": [3, 4]}).groupby("a"),
    "style": lambda: pd.DataFrame({"a": [1.5]}).style.format("{:.1f}").highlight_max(),
}
OTHERS = {
    "polars": lambda: pl.DataFrame({"a": [1, None], "b": [[1.0], [float("nan")]]}),
    "polars Series": lambda: pl.Series("a", [1.5, float("nan"), None]),
    "polars struct": lambda: pl.DataFrame({"a": [{"x": 1}, None]}),
    "polars lazy": lambda: pl.LazyFrame({"a": [1]}).with_columns(b=pl.col("a") * 2),
    "polars expression": lambda: pl.col("a") + 1,
    "polars dtype": lambda: pl.List(pl.Int8),
    "Arrow table": lambda: pa.table({"a": [1, None], "b": [float("nan"), 1.0]}),
    "Arrow nested": lambda: pa.table({"a": [[float("nan")], None]}),
    "Arrow chunks": lambda: pa.chunked_array([[1.0], [float("nan"), None]]),
    "Arrow array": lambda: pa.array(["a", None]),
    "Arrow batch": lambda: pa.RecordBatch.from_pylist([{"a": 1}]),
    "Arrow scalar": lambda: pa.scalar(float("nan")),
    "Arrow schema": lambda: pa.schema([("a", pa.int8())]),
    "Arrow buffer": lambda: pa.py_buffer(b"abc"),
}


@pytest.mark.parametrize("name", [*PANDAS, *OTHERS])
def test_the_same_made_twice_is_equal(name: str) -> None:
    """Missing equals missing; nothing depends on identity."""
    make = {**PANDAS, **OTHERS}[name]
    verdict = compare(make(), make())
    assert verdict.outcome == "equal", verdict.detail


def column(values: Any, dtype: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": pd.Series(values, dtype=dtype)})


@pytest.mark.parametrize(
    ("one", "other", "detail"),
    [
        (TABLE, TABLE.head(2), IN_BOTH.format("3 rows x 4 columns", "2 rows x 4 columns")),
        (
            TABLE,
            TABLE.drop(columns="text"),
            IN_BOTH.format("3 rows x 4 columns", "3 rows x 3 columns")
            + "; only in the notebook: 'text'",
        ),
        (TABLE, TABLE.assign(number=[1, 5, 3]), "column 'number': row 1: " + IN_BOTH.format(2, 5)),
        (
            TABLE,
            TABLE.assign(number=[1, 5, 4]),
            "column 'number': 2 of 3 values differ, the first at row 1: " + IN_BOTH.format(2, 5),
        ),
        (
            TABLE,
            TABLE.assign(number=[1.0, 2, 3]),
            "column 'number': " + IN_BOTH.format("dtype int64", "dtype float64"),
        ),
        (
            TABLE,
            TABLE.assign(lists=[[1], [2, 4], None]),
            "column 'lists': row 1: [1]: " + IN_BOTH.format(3, 4),
        ),
        (TABLE, TABLE.rename(index={20: 21}), "index: row 1: " + IN_BOTH.format(20, 21)),
        (
            TABLE,
            TABLE.rename_axis("other"),
            "index: " + IN_BOTH.format("names ['key']", "names ['other']"),
        ),
        (
            TABLE,
            TABLE.rename(columns={"text": "words"}),
            "columns: index: row 1: " + IN_BOTH.format("'text'", "'words'"),
        ),
        (TABLE["number"], TABLE["number"].rename("t"), IN_BOTH.format("name 'number'", "name 't'")),
        (TABLE, with_attrs(unit="m"), "attrs: other keys; only in the pipeline: 'unit'"),
        (measured("m"), measured("km"), ".unit: " + IN_BOTH.format("'m'", "'km'")),
        (
            pd.date_range("2020", periods=2, freq="D"),
            pd.DatetimeIndex(["2020-01-01", "2020-01-02"]),
            "index: " + IN_BOTH.format("freq <Day>", "freq None"),
        ),
        (
            pd.Index([0, 1]),
            pd.RangeIndex(2),
            IN_BOTH.format("pandas.Index", "pandas.RangeIndex"),
        ),
        (
            column([1, None], "Int64"),
            column([1, 2], "Int64"),
            "column 'a': row 1: " + IN_BOTH.format("pandas.NAType", "numpy.int64"),
        ),
        (
            column(["a", "b"], "category"),
            column(["a", "c"], "category"),
            "column 'a': categories: index: row 1: " + IN_BOTH.format("'b'", "'c'"),
        ),
        (
            column(["a", "b", "a"], "category"),
            column(["a", "b", "b"], "category"),
            "column 'a': row 2: " + IN_BOTH.format("'a'", "'b'"),
        ),
        (
            pl.DataFrame({"a": [1, 2]}),
            pl.DataFrame({"a": [1, 3]}),
            "column 'a': row 1: " + IN_BOTH.format(2, 3),
        ),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]}), "column 'a' is in the notebook only"),
        (
            pl.DataFrame({"a": [1]}),
            pl.DataFrame({"a": [1.0]}),
            "column 'a': " + IN_BOTH.format("type Int64", "type Float64"),
        ),
        (pl.Series("a", [1]), pl.Series("b", [1]), IN_BOTH.format("name 'a'", "name 'b'")),
        (pa.table({"a": [1]}), pa.table({"a": [2]}), "column 'a': row 0: " + IN_BOTH.format(1, 2)),
        (
            pa.table({"a": [1.0, 2.0]}),
            pa.table({"a": [1.5, 2.5]}),
            "column 'a': 2 of 2 values differ, the first at row 0: " + IN_BOTH.format("1.0", "1.5"),
        ),
        (
            pa.table({"a": [1]}),
            pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
            "metadata: " + IN_BOTH.format("NoneType", "dict"),
        ),
    ],
)
def test_differences_are_found_and_placed(one: Any, other: Any, detail: str) -> None:
    """The column, the row, and both values."""
    verdict = compare(one, other)
    assert (verdict.outcome, verdict.detail) == ("different", detail)


@pytest.mark.parametrize(
    "dtype", ["float64", "Float64", "float64[pyarrow]", "Sparse[float]", "object"]
)
def test_rounding_is_said(dtype: str) -> None:
    """In every kind of column; a real difference in another column counts more."""
    one, other = column([0.1 + 0.2, 1.0], dtype), column([0.3, 1.0], dtype)
    assert compare(one, other).is_rounding
    assert not compare(one.assign(b=1), other.assign(b=2)).is_rounding


@pytest.mark.parametrize("made", [pl.DataFrame, pa.table])
def test_long_columns_are_compared_in_pieces(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same verdict."""
    monkeypatch.setattr(columnar, "_PIECE_ROWS", 10)
    texts = [str(number) for number in range(95)]
    one, other = made({"a": texts}), made({"a": [*texts[:57], "x", *texts[58:]]})
    assert compare(one, other).detail == (
        "column 'a': row 57: '57' in the notebook, 'x' in the pipeline"
    )


def test_a_style_is_what_it_shows() -> None:
    """The same table, shown in another way."""
    table = pd.DataFrame({"a": [1.25]})
    verdict = compare(table.style.format("{:.1f}"), table.style.format("{:.2f}"))
    assert verdict.outcome == "different"
    assert verdict.detail.startswith("its HTML: from character")
