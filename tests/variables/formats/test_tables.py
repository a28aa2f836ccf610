"""Tables of pandas come back exactly, as new values that may be changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.variables.formats import decode, tables
from jupyter_blocks.variables.formats.arrow import BATCH_ROWS
from tests.variables.pandas_cases import ARROW, INDEXES, PICKLED, SERIES
from tests.variables.same import assert_same
from tests.variables.stored import store, there_and_back


@pytest.mark.parametrize("case", ARROW)
def test_frames_that_arrow_holds_are_arrow_files(case: str, tmp_path: Path) -> None:
    """They come back exactly, and other programs read them."""
    frame = ARROW[case]()
    stored, source = store(tmp_path, frame)
    assert_same(frame, decode(stored, source))
    assert (stored.format, stored.type, stored.rows) == ("pandas", "table", len(frame))
    assert [item.key for item in stored.objects] == ["out/out.arrow"]


@pytest.mark.parametrize("case", PICKLED)
def test_frames_that_arrow_would_change_are_pickled(case: str, tmp_path: Path) -> None:
    """They come back exactly all the same."""
    frame = PICKLED[case]()
    stored, source = store(tmp_path, frame)
    assert_same(frame, decode(stored, source))
    assert (stored.format, stored.type, stored.rows) == ("pickle", "table", len(frame))


@pytest.mark.parametrize("case", SERIES)
def test_series_come_back_exactly(case: str, tmp_path: Path) -> None:
    """With name, index and dtype."""
    series = SERIES[case]()
    stored, source = store(tmp_path, series)
    assert_same(series, decode(stored, source))
    assert (stored.type, stored.rows) == ("series", len(series))


@pytest.mark.parametrize("case", INDEXES)
def test_indexes_come_back_exactly(case: str, tmp_path: Path) -> None:
    """With name and frequency."""
    index = INDEXES[case]()
    stored, source = store(tmp_path, index)
    assert_same(index, decode(stored, source))
    assert (stored.type, stored.rows) == ("series", len(index))


def test_a_range_needs_no_file(tmp_path: Path) -> None:
    """Three numbers in the manifest say it all."""
    stored, source = store(tmp_path, pd.RangeIndex(3))
    assert stored.objects == ()
    assert_same(pd.RangeIndex(3), decode(stored, source))


def test_a_pandas_that_loses_something_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new kind of table is written and read without its rows first."""
    rebuild = tables._rebuild

    def forgetful(meta: Any, raw: Any) -> Any:
        table = rebuild(meta, raw)
        table.index.name = None
        return table

    monkeypatch.setattr(tables, "_rebuild", forgetful)
    frame = pd.DataFrame({"only here": [1]}, index=pd.Index(["x"], name="key"))
    stored, source = store(tmp_path, frame)
    assert stored.format == "pickle"
    assert_same(frame, decode(stored, source))


class Measured(pd.DataFrame):
    """A subclass, as other packages make them."""

    @property
    def _constructor(self) -> type[Measured]:
        return Measured


def test_subclasses_stay_subclasses(tmp_path: Path) -> None:
    """A geographic table, for instance, must not turn into a plain one."""
    stored, source = store(tmp_path, Measured({"a": [1, 2]}))
    assert stored.type == "table"
    assert_same(pd.DataFrame({"a": [1, 2]}), pd.DataFrame(decode(stored, source)))
    assert type(decode(stored, source)).__name__ == "Measured"


def _set_cell(frame: pd.DataFrame) -> None:
    frame.iloc[0, 0] = frame.iloc[1, 0]


def _set_masked(frame: pd.DataFrame) -> None:
    column = frame.columns[0]
    frame.loc[frame.index[0], column] = frame[column].iloc[1]


def _set_index(frame: pd.DataFrame) -> None:
    frame.index = pd.RangeIndex(len(frame))


def _set_values(frame: pd.DataFrame) -> None:
    column = frame.columns[0]
    values = frame[column].to_numpy(copy=True)
    values[0] = values[1]
    frame[column] = values


CHANGES: dict[str, Callable[[pd.DataFrame], None]] = {
    "cell": _set_cell,
    "masked": _set_masked,
    "index": _set_index,
    "values": _set_values,
}

COLUMNS: dict[str, Callable[[int], Any]] = {
    "int": np.arange,
    "float": lambda rows: np.arange(rows) / 3,
    "bool": lambda rows: np.arange(rows) % 2 == 0,
    "time": lambda rows: pd.date_range("2020", periods=rows, freq="s"),
    "zone": lambda rows: pd.date_range("2020", periods=rows, freq="s", tz="UTC"),
    "str": lambda rows: pd.Series([str(row) for row in range(rows)]),
    "object": lambda rows: pd.Series([str(row) for row in range(rows)], dtype=object),
    "category": lambda rows: pd.Categorical.from_codes(np.arange(rows) % 2, ["x", "y"]),
    "nullable": lambda rows: pd.array(np.arange(rows), dtype="Int64"),
    "mixed": lambda rows: pd.Series([1, "a"] * (rows // 2), dtype=object),
}


@pytest.mark.parametrize("rows", [2, BATCH_ROWS + 2])
@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_read_behaves_like_a_new_table(
    change: str, kind: str, rows: int, tmp_path: Path
) -> None:
    """It can be changed in place, and neither the file nor another reader sees that."""
    frame = pd.DataFrame({"a": COLUMNS[kind](rows)})
    stored, source = store(tmp_path, frame)
    changed, other = decode(stored, source), decode(stored, source)
    CHANGES[change](changed)
    expected = frame.copy()
    CHANGES[change](expected)
    assert_same(expected, changed)
    assert_same(frame, other)
    assert_same(frame, decode(stored, source))


def test_numbers_are_mapped_instead_of_read(tmp_path: Path) -> None:
    """Their memory is writable, though, as that of a new table would be."""
    stored, source = store(tmp_path, pd.DataFrame({"a": np.arange(100_000)}))
    index = decode(stored, source).index
    assert isinstance(index, pd.RangeIndex)
    array = decode(stored, source)["a"].array.to_numpy()
    assert not array.flags.owndata
    assert there_and_back(tmp_path / "x", np.arange(100_000)).flags.writeable


def _floats() -> Any:
    return np.random.default_rng(1).normal(size=(1003, 5))


def _added() -> pd.DataFrame:
    frame = pd.DataFrame({name: _floats()[:, 0] for name in "abcd"})
    frame["text"] = "x"
    frame["e"] = frame["a"] * 3
    return frame


LAYOUTS: dict[str, Callable[[], pd.DataFrame]] = {
    "of an array": lambda: pd.DataFrame(_floats(), columns=list("abcde")),
    "of columns": lambda: pd.DataFrame(dict(zip("abcde", _floats().T, strict=True))),
    "of computed values": lambda: np.log(LAYOUTS["of an array"]().abs()).diff().dropna(),
    "of some rows": lambda: LAYOUTS["of columns"]().iloc[10:700],
    "of short floats": lambda: LAYOUTS["of an array"]().astype("f4"),
    "of an array and more": lambda: LAYOUTS["of an array"]().assign(kind="x", n=1),
    "with later columns": _added,
    "of one row": lambda: LAYOUTS["of an array"]().iloc[:1],
}
SUMS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "products of columns": lambda frame: frame.T @ frame,
    "products of arrays": lambda frame: frame.to_numpy().T @ frame.to_numpy(),
    "means": lambda frame: frame.mean(),
    "sums of rows": lambda frame: frame.sum(axis=1),
    "one sum": lambda frame: frame.to_numpy().sum(),
    "one product": lambda frame: np.dot(frame["a"], frame["b"]),
    "singular values": lambda frame: np.linalg.svd(frame.to_numpy())[1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_numbers_add_up_to_the_last_digit(layout: str, tmp_path: Path) -> None:
    """Floats lie in memory as they did: sums and products depend on it."""
    frame = LAYOUTS[layout]()
    again = there_and_back(tmp_path, frame)
    assert_same(frame, again)
    for name, add in SUMS.items():
        one, other = (np.asarray(add(table[[*"abcd"]])) for table in (frame, again))
        assert np.array_equal(one, other), name
    if not {"text", "kind"} & {*frame}:
        for name, add in SUMS.items():
            assert np.array_equal(np.asarray(add(frame)), np.asarray(add(again))), name


def test_columns_of_one_memory_are_mapped_as_one(tmp_path: Path) -> None:
    """They lie one behind the other in the file: nothing is copied, and each reader has its own."""
    frame = pd.DataFrame({name: np.arange(100_000.0) for name in "abc"})
    stored, source = store(tmp_path, frame)
    one, other = decode(stored, source), decode(stored, source)
    values = one.to_numpy()
    assert not values.flags.owndata
    assert np.shares_memory(values, one["b"].to_numpy())
    one.loc[1, "b"] = -1.0
    assert other.loc[1, "b"] == 1.0
    assert_same(frame, other)


def test_wide_frames_are_not_fragmented(tmp_path: Path) -> None:
    """Pandas warns about tables of many separate blocks; here warnings are errors."""
    frame = there_and_back(
        tmp_path, pd.DataFrame(np.eye(3, 300), columns=[f"c{number}" for number in range(300)])
    )
    frame["new"] = 1
    assert frame.shape == (3, 301)


def _columns(rows: int) -> st.SearchStrategy[Any]:
    """Columns of one length, of all dtypes that pandas makes of lists of values."""
    lists = [
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=rows, max_size=rows),
        st.lists(st.floats(), min_size=rows, max_size=rows),
        st.lists(st.booleans(), min_size=rows, max_size=rows),
        st.lists(st.text(max_size=5), min_size=rows, max_size=rows),
        st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=rows, max_size=rows),
        st.lists(
            st.one_of(st.none(), st.integers(), st.text(max_size=3), st.booleans(), st.floats()),
            min_size=rows,
            max_size=rows,
        ),
    ]
    dtypes = st.sampled_from([None, object])
    return st.one_of(
        *(
            st.builds(lambda cells, dtype: pd.Series(cells, dtype=dtype), item, dtypes)
            for item in lists
        )
    )


@given(
    st.integers(0, 4).flatmap(
        lambda rows: st.dictionaries(st.text(max_size=4), _columns(rows), max_size=4)
    )
)
def test_any_columns_come_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, columns: dict[str, Any]
) -> None:
    """Whichever format it takes."""
    frame = pd.DataFrame(columns)
    assert_same(frame, there_and_back(tmp_path_factory.mktemp("store"), frame))
