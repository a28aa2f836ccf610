"""Whether two values are the same."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib.figure import Figure

from jupyter_blocks.compare import compare

TABLE = pd.DataFrame(
    {
        "number": [1, 2, 3],
        "text": ["x", None, "z"],
        "time": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
        "lists": [[1], [2, 3], None],
    },
    index=pd.Index([10, 20, 30], name="key"),
)


@dataclass
class Point:
    """A class as notebooks have them."""

    x: int
    figure: Any = None


class Odd:
    """A class whose comparison cannot be trusted."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __eq__(self, other: object) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: None, id="None"),
        pytest.param(lambda: math.nan, id="nan"),
        pytest.param(lambda: complex(math.nan, 1), id="complex nan"),
        pytest.param(lambda: {"a": [1, (2, math.nan)], 3: {4, 5}}, id="containers"),
        pytest.param(lambda: Counter("abc"), id="Counter"),
        pytest.param(lambda: Decimal("1.10"), id="Decimal"),
        pytest.param(lambda: datetime.date(2013, 1, 1), id="date"),
        pytest.param(lambda: Point(1), id="dataclass"),
        pytest.param(lambda: np.array([1.0, np.nan]), id="array with nan"),
        pytest.param(lambda: np.array(["NaT", "2013-01-01"], "M8[s]"), id="times"),
        pytest.param(lambda: np.array([{"a": 1}, None], object), id="objects"),
        pytest.param(lambda: np.ma.array([1, 2], mask=[0, 1]), id="masked"),
        pytest.param(lambda: np.float32(1.5), id="numpy scalar"),
        pytest.param(lambda: np.array([(1, 2.0)], "i4,f8"), id="records"),
        pytest.param(TABLE.copy, id="DataFrame"),
        pytest.param(TABLE["time"].copy, id="Series"),
        pytest.param(pd.DataFrame, id="empty DataFrame"),
        pytest.param(lambda: pd.array([1, None]), id="extension array"),
        pytest.param(lambda: pd.NaT, id="NaT"),
        pytest.param(lambda: pd.MultiIndex.from_tuples([(1, "a")], names=["i", None]), id="index"),
        pytest.param(lambda: pd.Series(["a", None], dtype="category"), id="categories"),
        pytest.param(lambda: pl.DataFrame({"a": [1, None]}), id="polars"),
        pytest.param(lambda: pl.Series("a", [1.5, math.nan]), id="polars Series"),
        pytest.param(lambda: pa.table({"a": [1, None]}), id="Arrow"),
    ],
)
def test_the_same_made_twice_is_equal(make: Any) -> None:
    """Missing equals missing; nothing depends on identity."""
    assert compare(make(), make()).outcome == "equal"


IN_BOTH = "{} in the notebook, {} in the pipeline"


@pytest.mark.parametrize(
    ("one", "other", "detail"),
    [
        (1, 1.0, IN_BOTH.format("int", "float")),
        (1, True, IN_BOTH.format("int", "bool")),
        ("a", "b", IN_BOTH.format("'a'", "'b'")),
        ([1, 2], [1], IN_BOTH.format("2 items", "1 items")),
        ([1, 2], (1, 2), IN_BOTH.format("list", "tuple")),
        ({"a": [1, 2]}, {"a": [1, 3]}, "['a']: [1]: " + IN_BOTH.format(2, 3)),
        ({"a": 1}, {"b": 1}, "other keys; only in the notebook: 'a'; only in the pipeline: 'b'"),
        ({1}, {2}, IN_BOTH.format("{1}", "{2}")),
        (Point(1), Point(2), "['x']: " + IN_BOTH.format(1, 2)),
        (
            np.arange(4),
            np.array([0, 1, 9, 9]),
            "2 of 4 values differ, the first at [2]: " + IN_BOTH.format(2, 9),
        ),
        (np.zeros(2), np.zeros(2, int), IN_BOTH.format("dtype float64", "dtype int64")),
        (np.zeros(2), np.zeros((2, 1)), IN_BOTH.format("shape (2,)", "shape (2, 1)")),
        (np.float64(1), np.float64(2), IN_BOTH.format("1.0", "2.0")),
        (TABLE, TABLE.head(2), IN_BOTH.format("3 rows x 4 columns", "2 rows x 4 columns")),
        (TABLE, TABLE.assign(number=[1, 5, 3]), "column 'number': row 1: " + IN_BOTH.format(2, 5)),
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
        (
            TABLE,
            TABLE.rename(index={20: 21}),
            "index: row 1: " + IN_BOTH.format(20, 21),
        ),
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
        (TABLE["text"], TABLE["text"].rename("t"), IN_BOTH.format("name 'text'", "name 't'")),
        (
            pl.DataFrame({"a": [1, 2]}),
            pl.DataFrame({"a": [1, 3]}),
            "column 'a': [1]: " + IN_BOTH.format(2, 3),
        ),
        (pa.table({"a": [1]}), pa.table({"a": [2]}), "[0]: ['a']: " + IN_BOTH.format(1, 2)),
    ],
)
def test_differences_are_found_and_placed(one: Any, other: Any, detail: str) -> None:
    """The first place where they differ, and both values."""
    verdict = compare(one, other)
    assert (verdict.outcome, verdict.detail) == ("different", detail)


@pytest.mark.parametrize(
    ("make", "detail"),
    [
        (Figure, "matplotlib.Figure has no notion of equality"),
        (object, "object has no notion of equality"),
        (lambda: Odd("perhaps"), "comparing tests.Odd gives no yes or no"),
        (lambda: Odd(ZeroDivisionError()), "comparing tests.Odd raises ZeroDivisionError"),
        (lambda: [1, object()], "[1]: object has no notion of equality"),
        (lambda: Point(1, Figure()), "['figure']: matplotlib.Figure has no notion of equality"),
    ],
)
def test_what_cannot_be_compared_is_said(make: Any, detail: str) -> None:
    """It never counts as equal."""
    verdict = compare(make(), make())
    assert (verdict.outcome, verdict.detail) == ("not_comparable", detail)


def test_a_difference_beats_what_cannot_be_compared() -> None:
    """Whatever comes first."""
    verdict = compare({"figure": Figure(), "x": 1}, {"figure": Figure(), "x": 2})
    assert verdict.outcome == "different"


def test_a_list_that_holds_itself_comes_to_an_end() -> None:
    """Depth is limited."""
    one: list[Any] = []
    one.append(one)
    other: list[Any] = []
    other.append(other)
    assert compare(one, other).outcome == "not_comparable"


def test_a_class_of_the_notebook_is_the_same_in_the_module_of_the_pipeline() -> None:
    """The notebook's `__main__.Row` is exported as `helpers.flights.Row`."""
    in_notebook = dataclass(
        type("Row", (), {"__annotations__": {"x": int}, "__module__": "__main__"})
    )
    exported = dataclass(
        type("Row", (), {"__annotations__": {"x": int}, "__module__": "helpers.flights"})
    )
    assert compare(in_notebook(1), exported(1)).outcome == "equal"
    assert compare(in_notebook(1), exported(2)).outcome == "different"
