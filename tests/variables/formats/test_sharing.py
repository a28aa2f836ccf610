"""Values are handed on in memory only if nobody can spoil them for anybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_blocks.variables.formats import share, shareable

PANDAS_3 = pd.__version__ >= "3"


@pytest.fixture
def copy_on_write() -> Any:
    """Copy-on-write, which is always on from pandas 3."""
    if PANDAS_3:
        yield
        return
    with pd.option_context("mode.copy_on_write", True):
        yield


SHARED: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "bool": lambda: True,
    "int": lambda: 7,
    "float": lambda: 1.5,
    "str": lambda: "a",
    "bytes": lambda: b"a",
    "frame": lambda: pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2020", None])}),
    "frame of extension types": lambda: pd.DataFrame(
        {"n": pd.array([1, None], dtype="Int64"), "c": pd.Categorical(["x", "y"])}
    ),
    "series": lambda: pd.Series([1.5]),
    "Arrow table": lambda: pa.table({"a": [1]}),
    "Arrow array": lambda: pa.array([1]),
}

KEPT_APART: dict[str, Callable[[], Any]] = {
    "list": lambda: [1],
    "dict": lambda: {"a": 1},
    "tuple": lambda: (1, [2]),
    "bytearray": lambda: bytearray(b"a"),
    "array": lambda: np.arange(3),
    "frame with objects": lambda: pd.DataFrame({"a": pd.Series([[1]], dtype=object)}),
    "series of objects": lambda: pd.Series([{}], dtype=object),
    "sparse objects": lambda: pd.Series([[1]], dtype=object),
    "subclass": lambda: type("Frame", (pd.DataFrame,), {})({"a": [1]}),
    "int of a subclass": lambda: type("Int", (int,), {})(1),
    "object": object,
}


@pytest.mark.usefixtures("copy_on_write")
@pytest.mark.parametrize("case", SHARED)
def test_values_nobody_can_change_are_shared(case: str) -> None:
    """Scalars, Arrow, and pandas with copy-on-write."""
    value = SHARED[case]()
    assert shareable(value)
    assert type(share(value)) is type(value)


@pytest.mark.usefixtures("copy_on_write")
@pytest.mark.parametrize("case", KEPT_APART)
def test_values_that_can_be_changed_are_not_shared(case: str) -> None:
    """They are read from the store instead."""
    assert not shareable(KEPT_APART[case]())


@pytest.mark.skipif(PANDAS_3, reason="copy-on-write cannot be switched off")
def test_without_copy_on_write_frames_are_not_shared() -> None:
    """A view of one could change the other."""
    assert not shareable(pd.DataFrame({"a": [1]}))


def _set_cell(frame: pd.DataFrame) -> None:
    frame.iloc[0, 0] = 99


def _add_column(frame: pd.DataFrame) -> None:
    frame["new"] = 1


def _rename(frame: pd.DataFrame) -> None:
    frame.columns = ["x", "y"]


def _set_index(frame: pd.DataFrame) -> None:
    frame.index = pd.Index(["p", "q"])


def _set_attrs(frame: pd.DataFrame) -> None:
    frame.attrs["unit"] = "m"


def _drop(frame: pd.DataFrame) -> None:
    del frame["a"]


@pytest.mark.usefixtures("copy_on_write")
@pytest.mark.parametrize("change", [_set_cell, _add_column, _rename, _set_index, _set_attrs, _drop])
def test_a_shared_frame_behaves_like_a_new_one(change: Callable[[pd.DataFrame], None]) -> None:
    """What one block does to it no other block sees, in either direction."""
    original = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    before = original.copy()
    shared, other = share(original), share(original)
    change(shared)
    pd.testing.assert_frame_equal(original, before)
    pd.testing.assert_frame_equal(other, before)
    assert not original.attrs
    change(original)
    pd.testing.assert_frame_equal(other, before)


def test_frames_with_attrs_are_not_shared() -> None:
    """Copies of a frame share what lies in them."""
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["unit"] = ["m"]
    assert not shareable(frame)


def test_a_shared_polars_frame_behaves_like_a_new_one() -> None:
    """Polars changes frames in place in a few ways."""
    pl = pytest.importorskip("polars")
    original = pl.DataFrame({"a": [1, 2]})
    assert shareable(original)
    shared = share(original)
    shared[0, "a"] = 99
    shared.insert_column(0, pl.Series("new", [1, 2]))
    shared.columns = ["x", "y"]
    assert original.to_dict(as_series=False) == {"a": [1, 2]}
