"""What a preview says of a value is true, short, and costs nothing to look at."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.variables import preview as preview_module
from jupyter_blocks.variables.formats import register_format, registry
from jupyter_blocks.variables.store import VariableStore
from tests.variables.pandas_cases import ARROW, INDEXES, PICKLED, SERIES
from tests.variables.stored import commit

TABLES = {**ARROW, **PICKLED, **SERIES, **INDEXES}


def preview(root: Path, value: Any) -> dict[str, Any]:
    """Store a value; what its preview says, which is always proper JSON."""
    store = VariableStore(root)
    shown = store.preview(commit(store, {"value": value}), "value")
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    json.dumps(shown, ensure_ascii=False).encode()
    return shown


def column(root: Path, values: Any) -> dict[str, Any]:
    """What the preview says of the only column of a frame."""
    (described,) = preview(root, pd.DataFrame({"a": values}))["columns"]
    return dict(described)


@pytest.mark.parametrize("case", TABLES)
def test_every_table_has_a_preview(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its columns, their dtypes and its first rows; nothing in it failed."""
    monkeypatch.setattr(preview_module, "_MOST_SECONDS", 600.0)  # whatever else runs here
    table = TABLES[case]()
    shown = preview(tmp_path, table)
    assert "note" not in json.dumps(shown)
    assert shown["rows"] == len(table)
    assert len(shown["sample"]) == min(len(table), 20)
    assert all(list(row) == [c["name"] for c in shown["columns"]] for row in shown["sample"])
    if isinstance(table, pd.DataFrame):
        columns = table.columns[:500]
        assert [c["dtype"] for c in shown["columns"]] == [str(d) for d in table.dtypes[:500]]
        if columns.is_unique and columns.inferred_type == "string":
            assert [c["name"] for c in shown["columns"]] == list(columns)


NUMBERS = {"nulls", "min", "max", "mean", "distinct"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 1, 3], {"nulls": 0, "min": 1, "max": 3, "mean": 7 / 3, "distinct": 2}),
        ([1.5, np.nan, 2.5], {"nulls": 1, "min": 1.5, "max": 2.5, "mean": 2.0, "distinct": 2}),
        ([0.0, -0.0], {"nulls": 0, "min": 0.0, "max": 0.0, "mean": 0.0, "distinct": 1}),
        ([np.nan], {"nulls": 1, "min": None, "max": None, "mean": None, "distinct": 0}),
        ([np.inf, 1.0], {"nulls": 0, "min": 1.0, "max": "inf", "mean": "inf", "distinct": 2}),
        ([np.inf, -np.inf], {"nulls": 0, "min": "-inf", "max": "inf", "mean": None, "distinct": 2}),
        (
            [True, False, True],
            {"nulls": 0, "min": False, "max": True, "mean": 2 / 3, "distinct": 2},
        ),
        ([], {"nulls": 0, "min": None, "max": None, "mean": None, "distinct": 0}),
        (
            np.array([2**64 - 1, 2**64 - 1, 1], "u8"),
            {"nulls": 0, "min": 1, "max": hex(2**64 - 1), "mean": 2**65 / 3, "distinct": 2},
        ),
        (np.array([2**62] * 4), {"min": hex(2**62), "max": hex(2**62), "mean": 2.0**62}),
        (np.array([1, 2], "f2"), {"nulls": 0, "min": 1.0, "max": 2.0, "mean": 1.5}),
        (
            pd.array([1, None, 5], dtype="Int8"),
            {"nulls": 1, "min": 1, "max": 5, "mean": 3.0, "distinct": 2},
        ),
        (
            pd.array([1.5, None], dtype="Float64"),
            {"nulls": 1, "min": 1.5, "max": 1.5, "mean": 1.5, "distinct": 1},
        ),
        (
            pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
            {"nulls": 1, "min": "2020-01-01T00:00:00", "max": "2021-01-01T00:00:00", "mean": None},
        ),
        (
            pd.to_datetime(["2020-07-01"]).tz_localize("Europe/Berlin"),
            {"min": "2020-07-01T00:00:00+02:00", "max": "2020-07-01T00:00:00+02:00"},
        ),
        (["b", "a", "b"], {"nulls": 0, "min": "a", "max": "b", "mean": None, "distinct": 2}),
        (pd.Series(["b", None]), {"nulls": 1, "min": "b", "max": "b", "distinct": 1}),
        (pd.Series(["b", None], dtype=object), {"nulls": 1, "min": "b", "max": "b", "distinct": 1}),
        (pd.Categorical(["y", None, "x"]), {"nulls": 1, "min": "x", "max": "y", "distinct": 2}),
        (pd.Series([1, "a", None, 1], dtype=object), {"nulls": 1, "min": None, "distinct": 2}),
        (pd.Series([[1], {}, None], dtype=object), {"nulls": 1, "distinct": 2}),
    ],
    ids=str,
)
def test_statistics_of_a_column(values: Any, expected: dict[str, Any], tmp_path: Path) -> None:
    """Missing values of all kinds are counted and left out of the rest."""
    described = column(tmp_path, values)
    assert {key: described[key] for key in expected} == pytest.approx(expected, nan_ok=False)
    assert "sampled" not in described


@given(st.lists(st.floats() | st.integers(-(2**53), 2**53).map(float), max_size=40))
def test_statistics_are_those_of_pandas(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    """For any numbers."""
    series = pd.Series(values, dtype="float64")
    described = column(tmp_path_factory.mktemp("store"), series)
    finite = series[np.isfinite(series)]
    assert described["nulls"] == series.isna().sum()
    assert described["distinct"] == series.nunique()
    if len(finite) == series.notna().sum() > 0:
        assert described["min"] == series.min()
        assert described["max"] == series.max()
    drawn = described["histogram"]
    if drawn is not None:
        assert sum(drawn["counts"]) == len(finite)
        assert len(drawn["edges"]) == len(drawn["counts"]) + 1


def test_a_histogram_has_twenty_bins(tmp_path: Path) -> None:
    """Over the whole range; one value makes one bin."""
    drawn = column(tmp_path / "many", np.arange(100.0))["histogram"]
    assert drawn["counts"] == [5] * 20
    assert (drawn["edges"][0], drawn["edges"][-1]) == (0.0, 99.0)
    assert column(tmp_path / "one", [5, 5])["histogram"] == {"edges": [5.0, 5.0], "counts": [2]}
    times = column(tmp_path / "times", pd.date_range("2020", periods=100, freq="D"))["histogram"]
    assert (times["edges"][0], sum(times["counts"])) == ("2020-01-01T00:00:00", 100)


def test_quantiles_and_deviation_tell_the_spread(tmp_path: Path) -> None:
    """Of the finite numbers; times have quantiles alone; nothing of the kind for other values."""
    spread = column(tmp_path / "many", [*np.arange(101.0), np.inf, np.nan])
    assert spread["quantiles"] == [5.0, 25.0, 50.0, 75.0, 95.0]
    assert spread["std"] == pytest.approx(np.arange(101.0).std(ddof=1))
    times = column(tmp_path / "times", pd.date_range("2020-01-01", periods=3, freq="D"))
    assert (times["quantiles"][2], times["std"]) == ("2020-01-02T00:00:00", None)
    assert column(tmp_path / "one", [5])["std"] is None
    for name, values in {
        "text": ["a"],
        "bools": [True],
        "empty": pd.Series([], dtype="f8"),
    }.items():
        assert column(tmp_path / name, values)["quantiles"] is None


def test_the_most_frequent_values_come_first(tmp_path: Path) -> None:
    """At most ten of them; floats only where there are few."""
    values = ["a"] * 5 + ["b"] * 9 + [str(number) for number in range(20)]
    top = column(tmp_path / "text", values)["top"]
    assert (top[:3], len(top)) == ([["b", 9], ["a", 5], ["0", 1]], 10)
    assert column(tmp_path / "few", [0.5, 0.5, 1.0])["top"] == [[0.5, 2], [1.0, 1]]
    assert column(tmp_path / "many", np.arange(100.0))["top"] is None
    assert column(tmp_path / "mixed", pd.Series([1, "a", 1], dtype=object))["top"][0] == [1, 2]


@pytest.mark.parametrize("kind", [None, object])
def test_large_tables_are_sampled_and_say_so(kind: Any, tmp_path: Path) -> None:
    """What is exact stays exact; the rest comes from rows spread over all of them."""
    rows = 200_000
    frame = pd.DataFrame(
        {
            "n": np.arange(rows),
            "s": pd.Series([str(number % 7) for number in range(rows)], dtype=kind),
        }
    )
    numbers, text = preview(tmp_path, frame)["columns"]
    assert (numbers["min"], numbers["max"], numbers["mean"]) == (0, rows - 1, (rows - 1) / 2)
    assert (numbers["sampled"], text["sampled"], text["distinct"]) == (True, True, 7)
    assert numbers["sample_rows"] == 50_000
    assert text["sample_rows"] == sum(count for _, count in text["top"])
    counts = numbers["histogram"]["counts"]
    assert sum(counts) == numbers["distinct"] == 50_000
    assert min(counts) > 0.8 * max(counts)
    assert text.get("estimated", False) is (text["dtype"] == "object")


def test_wide_tables_are_cut_and_say_so(tmp_path: Path) -> None:
    """After 500 columns."""
    shown = preview(tmp_path, pd.DataFrame(np.zeros((2, 3000))))
    assert (len(shown["columns"]), len(shown["sample"][0])) == (500, 500)
    assert shown["omitted_columns"] == 2500


def test_time_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that are not described in time are listed all the same."""
    monkeypatch.setattr(preview_module, "_MOST_SECONDS", -1.0)
    assert column(tmp_path, [1]) == {
        "name": "a",
        "dtype": "int64",
        "note": "No statistics: the table has too many columns.",
    }


def test_labels_are_shown_as_distinct_strings(tmp_path: Path) -> None:
    """Also those that pandas allows to be the same."""
    shown = preview(tmp_path, pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", 1, "1"]))
    assert shown["sample"] == [{"a": 1, "a.1": 2, "1": 3, "1.1": 4}]


def test_an_index_is_shown_beside_the_columns(tmp_path: Path) -> None:
    """Each level with its values; one that only counts is not."""
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    (level,) = preview(tmp_path / "one", frame)["index"]
    assert (level["name"], level["values"]) == ("key", ["x", "y"])
    levels = frame.set_index("a", append=True)
    levels.index.names = ["key", None]
    shown = preview(tmp_path / "two", levels.assign(b=0))["index"]
    assert [(item["name"], item["values"]) for item in shown] == [
        ("key", ["x", "y"]),
        ("level_1", [1, 2]),
    ]
    (part,) = preview(tmp_path / "part", pd.DataFrame({"a": range(9)}).iloc[3:6])["index"]
    assert (part["name"], part["values"]) == ("index", [3, 4, 5])
    assert "index" not in preview(tmp_path / "none", pd.DataFrame({"a": [1]}))


def test_arrow_and_polars_tables_are_shown_as_well(tmp_path: Path) -> None:
    """With the dtypes of their makers."""
    table = pa.table({"a": [1, 2, None], "s": ["x", "y", "x"], "l": [[1], [], None]})
    shown = preview(tmp_path / "arrow", table)
    assert [c["dtype"] for c in shown["columns"]] == [str(kind) for kind in table.schema.types]
    assert [(c["nulls"], c["distinct"]) for c in shown["columns"]] == [(1, 2), (0, 2), (1, None)]
    assert shown["sample"][0] == {"a": 1, "s": "x", "l": "[1]"}
    pl = pytest.importorskip("polars")
    shown = preview(tmp_path / "polars", pl.from_arrow(table))
    assert [(c["dtype"], c["nulls"]) for c in shown["columns"]] == [
        ("Int64", 1),
        ("String", 0),
        ("List(Int64)", 1),
    ]
    assert (shown["columns"][0]["mean"], shown["columns"][1]["max"]) == (1.5, "y")


def test_arrays_are_described(tmp_path: Path) -> None:
    """Shape, dtype, statistics of all numbers, and a corner."""
    shown = preview(tmp_path / "plane", np.arange(600.0).reshape(30, 20))
    assert (shown["type"], shown["shape"], shown["dtype"]) == ("array", [30, 20], "float64")
    assert (shown["min"], shown["max"], shown["mean"], shown["nulls"]) == (0.0, 599.0, 299.5, 0)
    assert (len(shown["sample"]), shown["sample"][1][0]) == (20, 20.0)
    with_gaps = np.array([[np.nan, 2.0], [np.inf, 4.0]])
    shown = preview(tmp_path / "gaps", with_gaps)
    assert (shown["nulls"], shown["min"], shown["max"]) == (1, 2.0, "inf")
    assert shown["sample"] == [[None, 2.0], ["inf", 4.0]]
    assert preview(tmp_path / "scalar", np.array(3))["sample"] == 3
    assert preview(tmp_path / "empty", np.zeros((0, 2)))["max"] is None
    assert preview(tmp_path / "text", np.array(["a"]))["sample"] == ["a"]
    assert preview(tmp_path / "deep", np.zeros((1,) * 6))["sample"] is None
    large = preview(tmp_path / "large", np.arange(2_000_000))
    assert (large["mean"], large["sampled"]) == (999_999.5, True)


PLAIN: dict[str, tuple[Any, dict[str, Any]]] = {
    "None": (None, {"type": "json", "value": None, "truncated": False}),
    "number": (1.5, {"value": 1.5}),
    "NaN": (math.nan, {"value": None}),
    "big integer": (10**30, {"value": hex(10**30)}),
    "tuple": ((1, {2}), {"value": [1, [2]]}),
    "keys": ({1: "a", (2, 3): dt.date(2020, 1, 1)}, {"value": {"1": "a", "(2, 3)": "2020-01-01"}}),
    "long list": (list(range(5000)), {"value": list(range(50)), "truncated": True}),
    "deep": ([[[[[1]]]]], {"value": [[[["[1]"]]]], "truncated": True}),
    "text": ("abc", {"type": "text", "value": "abc", "length": 3}),
    "bytes": (b"ab", {"type": "bytes", "repr": "b'ab'", "length": 2}),
}


@pytest.mark.parametrize("case", PLAIN)
def test_plain_values_are_shown_as_they_are(case: str, tmp_path: Path) -> None:
    """As JSON, cut where they are long or deep."""
    value, expected = PLAIN[case]
    shown = preview(tmp_path, value)
    assert {key: shown[key] for key in expected} == expected


def test_long_values_are_cut(tmp_path: Path) -> None:
    """Megabytes do not end up in a preview."""
    for number, value in enumerate(
        ["x" * 10**6, b"x" * 10**6, ["x" * 10**6], {"a": {"b": list(range(10**5))}}]
    ):
        assert len(json.dumps(preview(tmp_path / str(number), value))) < 5000


class Speaking:
    """An object that says a lot."""

    def __repr__(self) -> str:
        return "word " * 10_000


class Silent:
    """An object that cannot speak."""

    def __repr__(self) -> str:
        raise RuntimeError("silent")


def test_objects_are_shown_by_what_they_say(tmp_path: Path) -> None:
    """At most 2,000 characters of it; tables inside only by their size."""
    shown = preview(tmp_path / "speaking", Speaking())
    assert (shown["type"], len(shown["repr"])) == ("object", 2000)
    assert shown["python_type"].endswith("test_preview.Speaking")
    assert "Silent" in preview(tmp_path / "silent", Silent())["repr"]
    tables = {"f": pd.DataFrame({"a": range(10**5)}), "a": np.arange(3), "s": pd.Series([1])}
    assert preview(tmp_path / "tables", tables)["repr"] == (
        "{'a': <ndarray: shape (3,), int64>, 'f': <DataFrame: 100000 rows, 1 columns>, "
        "'s': <Series: 1 rows of int64>}"
    )


class Forest:
    """A model as scikit-learn has them, that has seen two features."""

    feature_names_in_ = np.array(["age", "height"], dtype=object)
    n_features_in_ = 2
    feature_importances_ = np.array([0.25, 0.75])
    classes_ = np.array([0, 1])

    def fit(self) -> None:
        """Nothing."""

    predict = fit

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        assert not deep
        return {"depth": 3, "criterion": "gini", "seed": None}


class Unfitted(Forest):
    """One that has seen nothing, and says so."""

    @property
    def feature_importances_(self) -> Any:  # type: ignore[override]
        raise RuntimeError("not fitted")

    feature_names_in_ = classes_ = n_features_in_ = None  # type: ignore[assignment]


def test_models_tell_what_they_are(tmp_path: Path) -> None:
    """Parameters, features, classes and weights; what fails is left out."""
    shown = preview(tmp_path / "fitted", Forest())
    assert shown["type"] == "model"
    assert shown["model"] == {
        "parameters": {"depth": 3, "criterion": "gini", "seed": None},
        "features": ["age", "height"],
        "classes": [0, 1],
        "weights": [["height", 0.75], ["age", 0.25]],
    }
    assert list(preview(tmp_path / "unfitted", Unfitted())["model"]) == ["parameters"]


def test_figures_are_shown_as_pictures(tmp_path: Path) -> None:
    """The preview names the file and its size in pixels, which is bounded."""
    figures = pytest.importorskip("matplotlib.figure")
    shown = preview(tmp_path / "small", figures.Figure(figsize=(4, 3), dpi=100))
    assert (shown["type"], shown["width"], shown["height"]) == ("figure", 400, 300)
    assert shown["png"] == "out/value.png"
    large = preview(tmp_path / "large", figures.Figure(figsize=(100, 100), dpi=300))
    assert large["width"] * large["height"] <= 4_010_000


def test_a_preview_that_fails_says_so_and_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value is stored; one odd column does not hide the others."""

    def fail(*_arguments: Any) -> None:
        raise RuntimeError("no statistics today")

    monkeypatch.setattr(preview_module, "describe_column", fail)
    shown = preview(tmp_path / "columns", pd.DataFrame({"a": [1]}))
    assert shown["columns"][0]["note"] == "No statistics: RuntimeError: no statistics today"
    assert shown["sample"] == [{"a": 1}]
    monkeypatch.setattr(preview_module, "describe_table", fail)
    shown = preview(tmp_path / "all", pd.DataFrame({"a": [1]}))
    assert (shown["note"], shown["rows"]) == ("No preview: RuntimeError: no statistics today", 1)


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        (lambda value: {"answer": value.answer}, {"answer": 42}),
        (lambda value: {"answer": object()}, {"note": "No preview: TypeError"}),
        (lambda value: value.missing, {"note": "No preview: AttributeError"}),
    ],
)
def test_packages_show_what_they_like(
    show: Callable[[Any], Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    """If it is JSON."""
    kind = type("Answer", (), {"answer": 42})
    register_format(
        "tests.answer",
        kind,
        write=lambda _, file: file.write(b"a"),
        read=lambda _: kind(),
        preview=show,
    )
    try:
        shown = preview(tmp_path, kind())
    finally:
        registry._registered.clear()
        registry._FORMATS.pop("tests.answer")
    for key, value in expected.items():
        assert shown[key] == value if key == "answer" else shown[key].startswith(value)
