"""Filtered and sorted pages of stored tables: the right rows, and little read for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.formats import Source, arrow
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.query import Condition, Order, StoredTable, query_page
from jupyter_blocks.variables.store import VariableStore
from tests.fakegcs import FakeGcs
from tests.places import BUCKET, Servers, use
from tests.variables.stored import commit

ROWS = 1_000_000


@pytest.fixture
def gcs(services: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGcs]:
    """Google Cloud Storage, empty at the end."""
    use("gs", "", services, monkeypatch)
    yield services.gcs()
    services.gcs().buckets[BUCKET].clear()


def _columns() -> dict[str, Any]:
    """Rows that come in the order of `at` and `t`, while the other columns jump about."""
    numbers = np.arange(ROWS)
    return {
        "at": numbers,
        "t": np.datetime64("2020-01-01", "us") + numbers.astype("m8[s]"),
        "price": np.random.default_rng(1).random(ROWS),
        "name": np.array(["ann", "bob", "eve"])[numbers % 3],
    }


def _polars() -> Any:
    return pytest.importorskip("polars").DataFrame(_columns())


TABLES: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame(_columns()),
    "Arrow": lambda: pa.table(_columns()),
    "polars": _polars,
}


def table_of(store: VariableStore, value: Any) -> StoredTable:
    """A value in a store, as a table that can be searched."""
    return stored_table(store, commit(store, {"value": value}))


def stored_table(store: VariableStore, manifest: Manifest) -> StoredTable:
    stored = manifest.outputs["value"]
    source = Source(store.storage, manifest.prefix, stored.objects, verify=False)
    return StoredTable("value", stored, source)


Query = dict[str, Any]

QUERIES: dict[str, tuple[Query, list[int], float]] = {
    # what: (the query, the rows it finds, the most it reads of the whole file)
    "one row": ({"conditions": [Condition("at", "eq", 700_123)]}, [700_123], 0.2),
    "one of some": ({"conditions": [Condition("at", "in", [5, 900_000])]}, [5, 900_000], 0.4),
    "the end": ({"conditions": [Condition("at", "ge", ROWS - 2)]}, [ROWS - 2, ROWS - 1], 0.2),
    "a time": (
        {"conditions": [Condition("t", "lt", "2020-01-01T00:00:02")]},
        [0, 1],
        0.2,
    ),
    "two conditions": (
        {"conditions": [Condition("at", "gt", ROWS - 4), Condition("name", "eq", "eve")]},
        [ROWS - 2],
        0.2,
    ),
    "nothing": ({"conditions": [Condition("at", "gt", ROWS)]}, [], 0.1),
    "the last first": ({"order": [Order("at", descending=True)]}, [ROWS - 1, ROWS - 2], 0.3),
    "the first first": ({"order": [Order("t")]}, [0, 1], 0.3),
    "a far page": ({"start": 640_000}, [640_000, 640_001], 0.3),
}


@pytest.mark.parametrize("kind", TABLES)
def test_what_cannot_matter_is_not_read(kind: str, gcs: FakeGcs, tmp_path: Path) -> None:
    """In object storage, only batches whose limits allow an answer are sent, and few columns."""
    store = VariableStore(f"gs://{BUCKET}/{tmp_path.name}")
    manifest = commit(store, {"value": TABLES[kind]()})
    size = manifest.outputs["value"].bytes
    for case, (query, expected, share) in QUERIES.items():
        gcs.requests.clear()
        table = stored_table(store, manifest)
        page = query_page(table, **{"start": 0, "rows": 2, **query})
        assert page["row_numbers"] == expected, case
        assert [row["at"] for row in page["sample"]] == expected, case
        assert sum(sent for _, _, sent in gcs.requests) < size * share, case


def test_a_single_column_reads_no_other(gcs: FakeGcs, tmp_path: Path) -> None:
    """A column without any order still costs no more than itself."""
    table = table_of(VariableStore(f"gs://{BUCKET}/{tmp_path.name}"), TABLES["pandas"]())
    gcs.requests.clear()
    page = query_page(table, 0, 1, columns=["price"], order=[Order("price")])
    prices = _columns()["price"]
    assert page["row_numbers"] == [int(prices.argmin())]
    assert sum(sent for _, _, sent in gcs.requests) < prices.nbytes * 1.2


SHAPES: dict[str, tuple[Query, Callable[[Any], Any]]] = {
    "less": ({"conditions": [Condition("x", "lt", 0.0)]}, lambda t: t[t.x < 0]),
    "missing": ({"conditions": [Condition("x", "is_null")]}, lambda t: t[t.x.isna()]),
    "there": ({"conditions": [Condition("x", "not_null")]}, lambda t: t[t.x.notna()]),
    "text": ({"conditions": [Condition("s", "eq", "b")]}, lambda t: t[t.s == "b"]),
    "long text": ({"conditions": [Condition("s", "ge", "y")]}, lambda t: t[t.s >= "y"]),
    "contains": ({"conditions": [Condition("s", "contains", "Z")]}, lambda t: t[t.s == "z" * 99]),
    "up": ({"order": [Order("x")]}, lambda t: t.sort_values("x", kind="stable")),
    "down": (
        {"order": [Order("x", descending=True)]},
        lambda t: t.sort_values("x", ascending=False, kind="stable"),
    ),
    "by text": ({"order": [Order("s")]}, lambda t: t.sort_values("s", kind="stable")),
    "by both": (
        {"order": [Order("s", descending=True), Order("x")]},
        lambda t: t.sort_values(["s", "x"], ascending=[False, True], kind="stable"),
    ),
    "filtered and sorted": (
        {"order": [Order("x")], "conditions": [Condition("s", "ne", "a")]},
        lambda t: t[t.s != "a"].sort_values("x", kind="stable"),
    ),
}


@pytest.mark.parametrize("place", ["local", "remote"])
def test_pages_are_those_of_pandas(place: str, gcs: FakeGcs, tmp_path: Path) -> None:
    """With missing values, infinities, equal rows and long texts; wherever the file lies."""
    assert gcs.buckets
    root = str(tmp_path) if place == "local" else f"gs://{BUCKET}/{tmp_path.name}"
    rng = np.random.default_rng(2)
    rows = 200_000
    x = rng.choice([np.nan, -np.inf, -1.5, 0.0, 2.0, np.inf], rows)
    x[:70_000] = np.nan
    frame = pd.DataFrame({"x": x, "s": rng.choice(["a", "b", "z" * 99], rows)})
    table = table_of(VariableStore(root), frame)
    for case, (query, expected) in SHAPES.items():
        page = query_page(table, 100, 50, **query)
        found = expected(frame)
        assert page["matched"] == len(found), case
        assert page["row_numbers"] == list(found.index[100:150]), case


def test_a_condition_that_makes_no_sense_is_explained_though_nothing_fits(
    gcs: FakeGcs, tmp_path: Path
) -> None:
    """Also where the limits of another condition leave nothing to look at."""
    table = table_of(VariableStore(f"gs://{BUCKET}/{tmp_path.name}"), TABLES["Arrow"]())
    never, senseless = Condition("at", "lt", -1), Condition("t", "eq", "noon")
    with pytest.raises(VariableError, match=r"condition on column 't' .* cannot be worked out"):
        query_page(table, 0, 10, conditions=[never, senseless])


def test_a_table_with_as_many_batches_as_one_of_1e8_rows_is_asked_little(
    gcs: FakeGcs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in requests and bytes: opening it, its first and last page, a filter, a sort."""
    monkeypatch.setattr(arrow, "page_rows", lambda _types: 256)
    rows = 256 * 1526  # 1e8 rows are 1,526 batches of 65,536
    store = VariableStore(f"gs://{BUCKET}/{tmp_path.name}")
    columns = {name: np.arange(rows) for name in ("at", "b", "c", "d")}
    manifest = commit(store, {"value": pd.DataFrame(columns)})
    asked: dict[str, dict[str, Any]] = {
        "first page": {"start": 0},
        "last page": {"start": rows - 20},
        "filter": {"conditions": [Condition("at", "eq", rows // 2)]},
        "sort": {"order": [Order("at", descending=True)]},
    }
    for case, query in asked.items():
        gcs.requests.clear()
        table = stored_table(store, manifest)
        page = query_page(table, **{"start": 0, "rows": 20, **query})
        assert page["sample"], case
        # The footer, one number for each limit of a column, a batch or two of a few KiB.
        assert sum(sent for _, _, sent in gcs.requests) < 400_000, case
        assert len(gcs.requests) < 30, case
    gcs.requests.clear()
    assert store.preview(manifest, "value")["rows"] == rows
    assert sum(sent for _, _, sent in gcs.requests) < 50_000
