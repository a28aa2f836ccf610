"""Generators and iterators: stored part by part, read part by part, looked at as one table."""

from __future__ import annotations

import inspect
import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_blocks.errors import CorruptVariableError, UnstorableError, VariableError
from jupyter_blocks.variables.conditions import Condition
from jupyter_blocks.variables.query import Order, StoredTable, query_page
from jupyter_blocks.variables.store import VariableStore
from tests.variables.same import assert_same
from tests.variables.stored import commit


@pytest.fixture
def store(tmp_path: Path) -> VariableStore:
    return VariableStore(tmp_path / "store")


def kept(store: VariableStore, value: Any) -> Any:
    """The manifest of one iterator."""
    return commit(store, {"value": value}, used_up=["value"])


def frame(start: int, rows: int = 3) -> pd.DataFrame:
    numbers = np.arange(start, start + rows)
    names = [f"row {number}" for number in numbers]
    return pd.DataFrame({"n": numbers, "name": names}, index=pd.RangeIndex(start, start + rows))


def frames(parts: int = 4) -> Iterator[pd.DataFrame]:
    return (frame(3 * number) for number in range(parts))


def _polars(number: int) -> Any:
    pl = pytest.importorskip("polars")
    texts = pl.Series([f"row {3 * number + row}" for row in range(3)], dtype=pl.Categorical)
    return pl.DataFrame({"n": [3 * number + row for row in range(3)], "name": texts})


YIELDED: dict[str, Callable[[], list[Any]]] = {
    "pandas": lambda: list(frames()),
    "pandas with an index": lambda: [part.set_index("name") for part in frames()],
    "pandas with categories": lambda: [part.astype({"name": "category"}) for part in frames()],
    "series": lambda: [part["n"] for part in frames()],
    "Arrow": lambda: [pa.Table.from_pandas(part) for part in frames()],
    "polars": lambda: [_polars(number) for number in range(4)],
    "arrays": lambda: [np.arange(number) for number in range(4)],
    "plain data": lambda: [1, "two", {"three": 3.0}, None, (4, 5)],
    "objects": lambda: [itertools.accumulate, {1: {2}}],
    "different tables": lambda: [frame(0), frame(3).drop(columns="n")],
    "pickled tables": lambda: [pd.DataFrame({"a": [1, "x"]}), pd.DataFrame({"a": [2, "y"]})],
    "floats": lambda: [pd.DataFrame(np.eye(rows, 2), columns=["a", "b"]) for rows in (3, 1, 2)],
    "empty tables": lambda: [frame(0, 0), frame(0), frame(3, 0)],
    "nothing": list,
}


@pytest.mark.parametrize("case", YIELDED)
def test_a_generator_yields_what_it_yielded(case: str, store: VariableStore) -> None:
    """Each part in its own type, in order; and it is a generator again."""
    parts = YIELDED[case]()
    manifest = kept(store, (part for part in parts))
    again = store.load(manifest, "value")
    assert inspect.isgenerator(again)
    found = list(again)
    assert len(found) == len(parts)
    for one, other in zip(parts, found, strict=True):
        assert_same(one, other)


def test_frames_of_polars_are_one_table_too(store: VariableStore) -> None:
    """With their own dtypes, and categories that are others in each part."""
    manifest = kept(store, iter(YIELDED["polars"]()))
    preview = store.preview(manifest, "value")
    dtypes = [column["dtype"].partition("(")[0] for column in preview["columns"]]
    assert dtypes == ["Int64", "Categorical"]
    assert (preview["columns"][0]["max"], preview["columns"][1]["distinct"]) == (11, 12)
    page = store.page(manifest, "value", 2, 2)
    assert [row["name"] for row in page["sample"]] == ["row 2", "row 3"]
    stored = manifest.outputs["value"]
    table = StoredTable("value", stored, store._source(manifest, stored, verify=False))
    found = query_page(table, 0, 9, conditions=[Condition("name", "eq", "row 7")])
    assert [row["n"] for row in found["sample"]] == [7]


def test_what_a_generator_returns_comes_back(store: VariableStore) -> None:
    """For whoever delegates to it."""

    def parts() -> Any:
        yield 1
        return {"rows": 7}

    def delegate(given: Any) -> Any:
        returned = yield from given
        yield returned

    manifest = kept(store, parts())
    assert list(delegate(store.load(manifest, "value"))) == [1, {"rows": 7}]


def test_readers_of_pandas_are_iterators_again(store: VariableStore, tmp_path: Path) -> None:
    """Also as context managers, as which they are mostly used."""
    path = tmp_path / "rows.csv"
    pd.concat(frames()).to_csv(path, index=False)
    manifest = kept(store, pd.read_csv(path, chunksize=5))
    expected = list(pd.read_csv(path, chunksize=5))
    with store.load(manifest, "value") as chunks:
        found = [next(chunks), chunks.get_chunk(), *chunks]
    for one, other in zip(expected, found, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize(
    "make",
    [iter, lambda parts: map(str, parts), enumerate, reversed],
    ids=["iter", "map", "enumerate", "reversed"],
)
def test_iterators_of_python_are_stored(make: Callable[[Any], Any], store: VariableStore) -> None:
    """As long as they end."""
    assert list(store.load(kept(store, make([1, 2])), "value")) == list(make([1, 2]))


def test_what_is_left_of_a_stored_iterator_is_stored_again(store: VariableStore) -> None:
    """A block that takes one part of it hands on the others."""
    again = store.load(kept(store, iter([1, 2, 3])), "value")
    assert next(again) == 1
    manifest = commit(store, {"value": again}, block="clean", used_up=["value"])
    left = store.load(manifest, "value")
    assert (next(left), list(left)) == (2, [3])


def test_each_reader_gets_all_parts(store: VariableStore) -> None:
    """Reading one does not use up the other."""
    manifest = kept(store, iter([1, 2]))
    one, other = store.load(manifest, "value"), store.load(manifest, "value")
    assert (list(one), list(other), list(one)) == ([1, 2], [1, 2], [])


def test_one_part_is_in_memory_at_a_time(store: VariableStore) -> None:
    """When it is written, and when it is read."""
    megabytes = 8

    def parts() -> Iterator[Any]:
        for number in range(12):
            yield np.full(megabytes * 131_072, float(number))

    tracemalloc.start()
    try:
        manifest = kept(store, parts())
        total = sum(part[0] for part in store.load(manifest, "value"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == sum(range(12))
    assert peak < 3 * megabytes * 2**20


# looking at it


TABLES = ("pandas", "pandas with an index", "pandas with categories", "series", "Arrow")


@pytest.mark.parametrize("case", TABLES)
def test_pages_and_statistics_are_of_all_parts(case: str, store: VariableStore) -> None:
    """As if the parts lay one below the other in one table."""
    parts = YIELDED[case]()
    manifest = kept(store, iter(parts))
    is_arrow = isinstance(parts[0], pa.Table)
    whole = commit(
        store,
        {"value": pa.concat_tables(parts) if is_arrow else pd.concat(parts)},
        run_id="20260102-000000-bbbbb",
    )
    preview, expected = store.preview(manifest, "value"), store.preview(whole, "value")
    assert (preview["type"], preview["rows"], preview["parts"]) == (expected["type"], 12, 4)
    assert preview["sample"] == expected["sample"]
    assert preview.get("index") == expected.get("index")
    for one, other in zip(preview["columns"], expected["columns"], strict=True):
        assert {**one, "dtype": ""} == {**other, "dtype": ""}
    for start, rows in ((0, 12), (2, 5), (8, 100), (12, 1)):
        page, other = (
            store.page(manifest, "value", start, rows),
            store.page(whole, "value", start, rows),
        )
        assert page["sample"] == other["sample"]
        assert page.get("index") == other.get("index")


def test_parts_are_sorted_and_filtered_as_one_table(store: VariableStore) -> None:
    """With the labels of their rows."""
    manifest = kept(store, (part.set_axis([7, 8, 9]) for part in frames()))
    stored = manifest.outputs["value"]
    table = StoredTable("value", stored, store._source(manifest, stored, verify=False))
    page = query_page(
        table,
        0,
        2,
        order=[Order("n", descending=True)],
        conditions=[Condition("name", "contains", "row 1")],
    )
    assert [row["n"] for row in page["sample"]] == [11, 10]
    assert page["matched"] == 3
    assert page["index"][0]["values"] == [9, 8]


def test_how_parts_lie_in_memory_makes_no_other_table(store: VariableStore) -> None:
    """A part of a single row lies there in no order."""
    manifest = kept(store, iter(YIELDED["floats"]()))
    assert store.page(manifest, "value", 2, 9)["sample"][1] == {"a": 1.0, "b": 0.0}


def test_labels_that_begin_anew_are_shown(store: VariableStore) -> None:
    """Each part counts from 0, as chunks often do."""
    manifest = kept(store, (part.reset_index(drop=True) for part in frames()))
    page = store.page(manifest, "value", 1, 4)
    assert page["index"][0]["values"] == [1, 2, 0, 1]


def test_other_parts_are_told_in_short(store: VariableStore) -> None:
    """They have no pages."""
    manifest = kept(store, iter([frame(0), [1, 2]]))
    preview = store.preview(manifest, "value")
    said = preview["repr"].replace("pandas.core.frame", "pandas")  # before pandas 3
    assert said == "list_iterator of 2 parts: pandas.DataFrame of 3, list"
    with pytest.raises(VariableError, match="type object; only tables have pages"):
        store.page(manifest, "value", 0, 1)


# what is refused


@pytest.mark.parametrize(
    "make", [itertools.count, lambda: itertools.cycle([1]), lambda: itertools.repeat(1)]
)
def test_iterators_without_an_end_are_refused(
    make: Callable[[], Any], store: VariableStore
) -> None:
    """Instead of filling the disk."""
    with pytest.raises(UnstorableError, match=r"'value' cannot be stored: .* that never ends"):
        kept(store, make())


def test_too_many_parts_are_refused(store: VariableStore) -> None:
    """Nothing is left of them."""
    with pytest.raises(UnstorableError, match=r"more than 10,000 parts\. Yield larger parts"):
        kept(store, (number for number in itertools.count()))
    assert [entry.key for entry in store.storage.entries("pipelines")] == []


def test_a_part_that_cannot_be_stored_is_named(store: VariableStore) -> None:
    """And the parts before it are taken away."""
    with pytest.raises(UnstorableError, match=r"part 2 of output 'value' cannot be stored: .*lock"):
        kept(store, iter([frame(0), __import__("threading").Lock()]))
    assert [entry.key for entry in store.storage.entries("pipelines")] == []


def test_what_a_generator_raises_is_its_own(store: VariableStore) -> None:
    """It is not taken for a mistake of the store."""

    def parts() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("in the third row")

    with pytest.raises(ZeroDivisionError, match="in the third row"):
        kept(store, parts())


def test_damaged_parts_are_found(store: VariableStore) -> None:
    """A missing one when it is loaded, a changed one when it is reached."""
    manifest = kept(store, frames())
    third = manifest.outputs["value"].objects[2]
    path = store.storage.path(f"{manifest.prefix}/{third.key}")
    assert path is not None
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    parts = store.load(manifest, "value")
    assert [len(next(parts)), len(next(parts))] == [3, 3]
    with pytest.raises(CorruptVariableError, match=third.key):
        next(parts)
    path.unlink()
    with pytest.raises(CorruptVariableError, match=f"{third.key}' is missing"):
        store.load(manifest, "value")
