"""Previews of stored values as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.console import Style
from jupyter_blocks.previewtext import preview_text, sparkline, value_text
from jupyter_blocks.variables.store import VariableStore


@pytest.fixture
def shown(tmp_path: Path) -> Any:
    """Stores a value and gives its preview as text."""
    store = VariableStore(tmp_path)
    count = iter(range(100))

    def show(value: Any, rows: int = 3) -> str:
        about = {"pipeline": "p", "run_id": "r", "block": "b", "attempt_id": f"a{next(count)}"}
        manifest = store.write(store.prefix(**about), {"x": value}, about)
        return preview_text(store.preview(manifest, "x"), rows)

    return show


def test_a_table(shown: Any) -> None:
    """What it is, its columns with statistics, its first rows with aligned numbers."""
    frame = pd.DataFrame(
        {
            "carrier": ["UA", "AA", "UA", None],
            "delay": [2.0, 14.25, None, -1.0],
            "seats": [149, 160, 1200, 3],
        }
    )
    head, schema, sample = shown(frame).split("\n\n")
    assert head.startswith("table, 4 rows x 3 columns, ")
    assert head.endswith("(pandas.DataFrame)")
    lines = [line.split() for line in schema.split("\n")]
    assert lines[0] == ["column", "dtype", "nulls", "min", "mean", "max", "distinct", "values"]
    assert lines[1][0] == "carrier"
    assert lines[1][2:] == ["25.0%", "2", "UA", "2,", "AA", "1"]  # texts have no range
    assert lines[2][:7] == ["delay", "float64", "25.0%", "-1", "5.083", "14.25", "3"]
    assert sample.split("\n") == [
        "carrier  delay  seats",
        "UA        2.00    149",
        "AA       14.25    160",
        "UA        null   1200",
    ]


def test_an_index_comes_first(shown: Any) -> None:
    """An index of its own is part of the rows."""
    series = pd.Series([1.5, 2.5], index=pd.Index(["a", "b"], name="key"), name="value")
    assert shown(series).endswith("key  value\na      1.5\nb      2.5")


def test_texts_that_all_differ(shown: Any) -> None:
    """Listing some of many texts that occur once says nothing."""
    assert "each one once" in shown(pd.DataFrame({"id": ["a", "b", "c"]}))


def test_times_have_a_first_and_a_last(shown: Any) -> None:
    """The range of a time column is worth knowing."""
    schema = shown(pd.DataFrame({"day": pd.to_datetime(["2013-01-01", "2013-12-31"])}))
    assert "2013-01-01" in schema
    assert "2013-12-31" in schema


def test_an_array(shown: Any) -> None:
    """Shape, dtype, figures, and the first corner."""
    text = shown(np.arange(6.0).reshape(2, 3))
    assert text.startswith("array, 2 x 3 of float64, ")
    assert "min 0  mean 2.5  max 5" in text
    assert text.split("\n")[-2:] == ["0  0  1  2", "1  3  4  5"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2]}, '"a": ['),
        ("some text\nof two lines", "some text\nof two lines"),
        (42, "42"),
        (b"bytes", "b'bytes'"),
    ],
)
def test_plain_data(shown: Any, value: Any, text: str) -> None:
    """Shown as it is."""
    assert text in shown(value)


def test_long_data_is_cut(shown: Any) -> None:
    """A long text ends with dots."""
    assert shown("\n".join(map(str, range(500)))).endswith("\n...")


def test_sparkline() -> None:
    """The tallest bar is full, something is never nothing, nothing is blank."""
    assert sparkline([0, 1, 50, 100]) == " ▁▅█"
    assert sparkline([0, 0]) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0.1 + 0.2, "0.3"),
        (123456.789, "123457"),
        ([1, {"a": None}], '[1, {"a": null}]'),
        ("a\nb", "a b"),
    ],
)
def test_values(value: Any, text: str) -> None:
    """One value in a cell, short and on one line."""
    assert value_text(value) == text


def test_rows_fit_the_terminal(tmp_path: Path) -> None:
    """As many columns as there is room for, each whole, and how many are left out."""
    frame = pd.DataFrame({f"column_{number:02}": [1.5, 2.5] for number in range(30)})
    store = VariableStore(tmp_path)
    about = {"pipeline": "p", "run_id": "r", "block": "b", "attempt_id": "a"}
    preview = store.preview(store.write(store.prefix(**about), {"x": frame}, about), "x")
    sample = preview_text(preview, 2, Style(width=60)).split("\n\n")[-1].split("\n")
    assert max(map(len, sample[:-1])) <= 60
    assert sample[0].split() == [f"column_{number:02}" for number in range(5)]
    assert sample[-1] == "... and 25 more columns"
