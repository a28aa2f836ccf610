"""Any rows of a stored table can be looked at, without reading the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_blocks.errors import CorruptVariableError, VariableError, VariableNotFoundError
from jupyter_blocks.variables.formats.arrow import BATCH_ROWS
from jupyter_blocks.variables.store import VariableStore
from tests.variables.pandas_cases import ARROW, INDEXES, PICKLED, SERIES
from tests.variables.stored import commit


@pytest.fixture
def store(tmp_path: Path) -> VariableStore:
    return VariableStore(tmp_path)


def page(store: VariableStore, value: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
    manifest = commit(store, {"value": value})
    shown = store.page(manifest, "value", *arguments, **options)
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    return shown


TABLES = {**ARROW, **PICKLED, **SERIES, **INDEXES}


@pytest.mark.parametrize("case", TABLES)
def test_the_first_page_shows_what_the_preview_shows(case: str, store: VariableStore) -> None:
    """Names, dtypes, rows and index; whatever the format of the file."""
    manifest = commit(store, {"value": TABLES[case]()})
    shown, preview = store.page(manifest, "value", 0, 20), store.preview(manifest, "value")
    assert shown["sample"] == preview["sample"]
    assert shown.get("index") == preview.get("index")
    for name in ("name", "dtype"):
        assert [c[name] for c in shown["columns"]] == [c[name] for c in preview["columns"]]
    for key in ("type", "rows", "omitted_columns"):
        assert shown.get(key) == preview.get(key)


def _numbers(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"n": np.arange(rows), "m": -np.arange(rows)})


def _batches(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"n": np.arange(rows), "m": [str(row) for row in range(rows)]}).astype(
        {"m": object}
    )


MAKERS: dict[str, Callable[[int], Any]] = {
    "one batch": _numbers,
    "several batches": _batches,
    "with an index": lambda rows: _numbers(rows).set_index(pd.Index(np.arange(rows) * 10.0)),
    "with a range": lambda rows: _batches(rows).set_index(pd.RangeIndex(0, rows * 10, 10)),
    "pickled": lambda rows: pd.DataFrame({"n": np.arange(rows), "m": [1, "a"] * (rows // 2)}),
    "series": lambda rows: pd.Series(np.arange(rows), name="n"),
    "index": lambda rows: pd.Index(np.arange(rows), name="n"),
    "Arrow": lambda rows: pa.table({"n": np.arange(rows)}),
    "Arrow in chunks": lambda rows: pa.concat_tables(
        [pa.table({"n": np.arange(start, start + 2)}) for start in range(0, 100, 2)]
        + [pa.table({"n": np.arange(100, rows)})]
    ),
    "polars": lambda rows: pytest.importorskip("polars").DataFrame({"n": np.arange(rows)}),
}

ROWS = BATCH_ROWS + 1000


PAGES = [
    # start, rows, first and last row shown
    (0, 1, 0, 0),
    (95, 10, 95, 104),
    (BATCH_ROWS - 2, 4, BATCH_ROWS - 2, BATCH_ROWS + 1),
    (ROWS - 3, 100, ROWS - 3, ROWS - 1),
    (-5, 2, 0, 1),
    (0, 20_000, 0, 9_999),
]


@pytest.mark.parametrize("case", MAKERS)
def test_a_page_holds_the_rows_asked_for(case: str, store: VariableStore) -> None:
    """At the ends of the table, across batches, and never more than 10,000."""
    manifest = commit(store, {"value": MAKERS[case](ROWS)})
    for start, rows, first, last in PAGES:
        shown = store.page(manifest, "value", start, rows)
        assert [row["n"] for row in shown["sample"]] == list(range(first, last + 1))
        assert (shown["start"], shown["rows"]) == (first, ROWS)
        if case.startswith("with"):
            assert shown["index"][0]["values"] == [row * 10 for row in range(first, last + 1)]


@pytest.mark.parametrize("case", MAKERS)
def test_beyond_the_end_there_are_no_rows(case: str, store: VariableStore) -> None:
    """And nothing fails."""
    manifest = commit(store, {"value": MAKERS[case](ROWS)})
    for start, rows in [(ROWS, 10), (ROWS + 10, 10), (5, 0), (5, -1)]:
        assert store.page(manifest, "value", start, rows)["sample"] == []


def test_columns_can_be_picked(store: VariableStore) -> None:
    """By the names that previews show, in the order asked for."""
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    assert page(store, frame, 0, 1, columns=["b", "a.1"])["sample"] == [{"b": 3, "a.1": 2}]
    wide = pd.DataFrame(np.arange(1500).reshape(1, -1), columns=[f"c{n}" for n in range(1500)])
    other = VariableStore(Path(str(store.storage.path("wide"))))
    assert page(other, wide, 0, 1, columns=["c1400"])["sample"] == [{"c1400": 1400}]


def test_an_unknown_column_is_named(store: VariableStore) -> None:
    """With those there are."""
    with pytest.raises(
        VariableNotFoundError, match=r"Output 'value' has no column 'x'\. Its columns: n, m\."
    ):
        page(store, _numbers(3), 0, 1, columns=["n", "x"])


def test_only_tables_have_pages(store: VariableStore) -> None:
    """Other values have their preview."""
    with pytest.raises(VariableError, match="Output 'value' is of type json; only tables"):
        page(store, [1, 2], 0, 1)


def test_a_page_reads_little_of_a_large_table(store: VariableStore) -> None:
    """Bytes far from the rows asked for are not looked at, so not even found to be damaged."""
    manifest = commit(store, {"value": _numbers(1_000_000)})
    path = store.storage.path(f"{manifest.prefix}/out/value.arrow")
    assert path is not None
    data = bytearray(path.read_bytes())
    data[4_000_000] ^= 1
    path.write_bytes(data)
    assert store.page(manifest, "value", 5, 1)["sample"] == [{"n": 5, "m": -5}]
    with pytest.raises(CorruptVariableError):
        store.load(manifest, "value")


def test_a_table_that_was_cut_short_has_no_pages(store: VariableStore) -> None:
    """Its size is checked before it is mapped."""
    manifest = commit(store, {"value": _numbers(1_000_000)})
    path = store.storage.path(f"{manifest.prefix}/out/value.arrow")
    assert path is not None
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptVariableError, match="bytes long"):
        store.page(manifest, "value", 0, 1)
