"""Tables of pyarrow and polars come back exactly, as Arrow files that others read."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jupyter_blocks.errors import UnstorableError
from jupyter_blocks.variables.formats import decode
from tests.variables.stored import store

Case = Callable[[], Any]

ARROW: dict[str, Case] = {
    "table": lambda: pa.table({"a": [1, None], "s": ["x", "y"], "l": [[1], []]}),
    "table with metadata": lambda: pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
    "table of chunks": lambda: pa.concat_tables([pa.table({"a": [n]}) for n in range(3)]),
    "table without rows": lambda: pa.table({"a": pa.array([], pa.int8())}),
    "field that is not nullable": lambda: pa.Table.from_arrays(
        [pa.array([1])], schema=pa.schema([pa.field("a", pa.int64(), nullable=False)])
    ),
    "twice one name": lambda: pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
    "decimals, times, dictionary": lambda: pa.table(
        {
            "d": pa.array([decimal.Decimal("1.10")]),
            "t": pa.array([dt.datetime(2020, 1, 1)], pa.timestamp("us", "Europe/Berlin")),
            "c": pa.array(["x"]).dictionary_encode(),
        }
    ),
    "no columns": lambda: pa.table({"a": [1, 2]}).select([]),
    "slice": lambda: pa.table({"a": list(range(100)), "s": [str(n) for n in range(100)]})[50:60],
    "record batch": lambda: pa.record_batch({"a": [1, 2]}),
    "record batch without rows": lambda: pa.record_batch({"a": pa.array([], pa.string())}),
    "array": lambda: pa.array([1.5, None]),
    "empty array": lambda: pa.array([], pa.string()),
    "chunked array": lambda: pa.chunked_array([[1], [2, 3]]),
}


@pytest.mark.parametrize("case", ARROW)
def test_arrow_tables_are_arrow_files(case: str, tmp_path: Path) -> None:
    """With schema, metadata and nulls; pyarrow reads them without us."""
    value = ARROW[case]()
    stored, source = store(tmp_path, value)
    again = decode(stored, source)
    assert type(again) is type(value)
    assert again.equals(value)
    if isinstance(value, (pa.Table, pa.RecordBatch)):
        assert again.schema.equals(value.schema, check_metadata=True)
        with pa.memory_map(str(tmp_path / "attempt" / stored.objects[0].key)) as file:
            assert pa.ipc.open_file(file).read_all().num_rows == value.num_rows
    assert stored.format == "arrow"


ODD_ARROW: dict[str, Case] = {
    "chunks with dictionaries of their own": lambda: pa.table(
        {
            "a": pa.chunked_array(
                [pa.array(["x"]).dictionary_encode(), pa.array(["y"]).dictionary_encode()]
            )
        }
    ),
    "scalar": lambda: pa.scalar(5),
    "schema": lambda: pa.schema([("a", pa.int8())]),
}


@pytest.mark.parametrize("case", ODD_ARROW)
def test_arrow_values_that_files_would_change_are_pickled(case: str, tmp_path: Path) -> None:
    """They come back equal all the same."""
    value = ODD_ARROW[case]()
    stored, source = store(tmp_path, value)
    assert stored.format == "pickle"
    assert decode(stored, source).equals(value)


def _polars() -> dict[str, Any]:
    pl = pytest.importorskip("polars")
    return {
        "frame": pl.DataFrame(
            {
                "i": [1, None],
                "s": ["x", None],
                "l": [[1], []],
                "st": [{"a": 1}, {"a": None}],
                "d": pl.Series([decimal.Decimal("1.10"), None], dtype=pl.Decimal(10, 2)),
                "t": [dt.time(1), None],
                "z": pl.Series([dt.datetime(2020, 1, 1)] * 2).dt.replace_time_zone("Europe/Berlin"),
                "c": pl.Series(["x", "y"], dtype=pl.Categorical),
                "e": pl.Series(["x", "y"], dtype=pl.Enum(["y", "x"])),
                "a": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int8, 2)),
                "n": [None, None],
            }
        ),
        "no rows": pl.DataFrame({"a": pl.Series([], dtype=pl.Int8)}),
        "series": pl.Series("x", [1.5, None]),
        "chunks": pl.concat([pl.DataFrame({"a": [n]}) for n in range(3)], rechunk=False),
    }


@pytest.mark.parametrize("case", ["frame", "no rows", "series", "chunks"])
def test_polars_tables_are_arrow_files(case: str, tmp_path: Path) -> None:
    """With all their dtypes."""
    value = _polars()[case]
    stored, source = store(tmp_path, value)
    again = decode(stored, source)
    assert type(again) is type(value)
    assert again.equals(value)
    assert stored.format == "polars"
    if case != "series":
        assert again.schema == value.schema


def test_a_polars_frame_that_is_changed_changes_for_nobody_else(tmp_path: Path) -> None:
    """It may be mapped; its cells can be set all the same."""
    pl = pytest.importorskip("polars")
    stored, source = store(tmp_path, pl.DataFrame({"a": range(100_000)}))
    mine = decode(stored, source)
    mine[0, "a"] = 99
    assert (mine[0, "a"], decode(stored, source)[0, "a"]) == (99, 0)


def test_categories_that_sort_by_their_texts_still_do(tmp_path: Path) -> None:
    """Files of polars before 1.32, where that was a choice, do not say it."""
    pl = pytest.importorskip("polars")
    if tuple(map(int, pl.__version__.split(".")[:2])) >= (1, 32):
        pytest.skip("all categories sort by their texts")
    frame = pl.DataFrame({"c": pl.Series(["b", "a"], dtype=pl.Categorical("lexical")), "n": [1, 2]})
    stored, source = store(tmp_path, frame)
    again = decode(stored, source)
    assert repr(again.schema) == repr(frame.schema)
    assert again.sort("c")["n"].to_list() == [2, 1]
    assert stored.format == "polars"


def test_decimals_of_polars_keep_their_precision_or_its_absence(tmp_path: Path) -> None:
    """Files of old versions have always 38 digits."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"d": [decimal.Decimal("1.10"), None], "n": [1, 2]})
    stored, source = store(tmp_path, frame)
    again = decode(stored, source)
    assert repr(again.schema) == repr(frame.schema)
    assert again.equals(frame)
    assert stored.format == "polars"


def test_what_polars_loses_is_refused(tmp_path: Path) -> None:
    """With the column to blame and a way out; silently nothing changes its dtype."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"n": [1], "o": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(UnstorableError, match=r"its column 'o' holds Python objects.*Cast"):
        store(tmp_path, frame)
    if tuple(map(int, pl.__version__.split(".")[:2])) < (1, 32):
        kind = pl.List(pl.Categorical("lexical"))
        lexical = pl.DataFrame({"n": [1], "c": pl.Series([["b", "a"]], dtype=kind)})
        with pytest.raises(UnstorableError, match=r"its column 'c' is List.*does not read back"):
            store(tmp_path, lexical)
    assert not list(tmp_path.rglob("*.pickle"))
