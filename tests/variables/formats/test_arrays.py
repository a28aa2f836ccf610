"""numpy arrays come back exactly, as npy files where those can hold them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_blocks.variables.formats import decode
from tests.variables.same import assert_same
from tests.variables.stored import store

Case = Callable[[], Any]

ARRAYS: dict[str, Case] = {
    "one axis": lambda: np.arange(5),
    "three axes": lambda: np.arange(24.0).reshape(2, 3, 4),
    "no axis": lambda: np.array(3.5),
    "empty": lambda: np.zeros((0, 3), "i2"),
    "Fortran order": lambda: np.asfortranarray(np.arange(12).reshape(3, 4)),
    "every second": lambda: np.arange(3_000_000.0)[::2],
    "backwards": lambda: np.arange(10)[::-1],
    "part": lambda: np.arange(12).reshape(3, 4)[:, 1:3],
    "axes exchanged": lambda: np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    "other byte order": lambda: np.arange(3, dtype=">i4"),
    "half, double, long double": lambda: np.zeros(2, [("h", "f2"), ("d", "f8"), ("g", "g")]),
    "complex": lambda: np.array([1 + 2j]),
    "bool": lambda: np.array([True, False]),
    "NaN, infinity, -0.0": lambda: np.array([np.nan, np.inf, -0.0]),
    "strings": lambda: np.array(["a", "bcd", ""]),
    "bytes": lambda: np.array([b"a", b"bcd"]),
    "raw": lambda: np.array([b"12345"], "V5"),
    "times": lambda: np.array(["2020-01-01", "NaT"], "M8[D]"),
    "durations": lambda: np.array([1, "NaT"], "m8[25s]"),
    "structure": lambda: np.array([(1, 2.5, "x")], [("a", "i4"), ("b", "f8"), ("c", "U3")]),
    "structure in a structure": lambda: np.zeros(2, [("p", [("x", "f4", (2, 2))]), ("q", "i1")]),
    "structure with gaps": lambda: np.zeros(
        2, np.dtype({"names": ["a"], "formats": ["i4"], "offsets": [4], "itemsize": 12})
    ),
    "mapped": lambda: np.arange(1_000_000.0).reshape(1000, 1000),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_are_npy_files(case: str, tmp_path: Path) -> None:
    """Numpy reads them without us; here they come back writable."""
    array = ARRAYS[case]()
    stored, source = store(tmp_path, array)
    again = decode(stored, source)
    assert_same(array, again)
    assert again.flags.writeable
    assert again.flags.f_contiguous == array.flags.f_contiguous or not array.flags.forc
    assert (stored.format, stored.type) == ("npy", "array")
    assert_same(array, np.load(tmp_path / "attempt" / stored.objects[0].key))


ODD_ARRAYS: dict[str, Case] = {
    "objects": lambda: np.array([1, "a", None, [2]], object),
    "objects in a structure": lambda: np.array([(1, "x")], [("a", "i4"), ("b", "O")]),
    "aligned structure": lambda: np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "masked": lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0]),
    "matrix of records": lambda: np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "names of fields beyond Latin": lambda: np.array([(1, 2.5)], [("数", "i4"), ("β", "f8")]),
    "dtype with metadata": lambda: np.zeros(1, np.dtype("i4", metadata={"unit": "m"})),
}


@pytest.mark.parametrize("case", ODD_ARRAYS)
def test_arrays_that_npy_would_change_are_pickled(case: str, tmp_path: Path) -> None:
    """Class, mask, alignment and all."""
    array = ODD_ARRAYS[case]()
    stored, source = store(tmp_path, array)
    again = decode(stored, source)
    assert (stored.format, stored.type) == ("pickle", "array")
    assert type(again) is type(array)
    assert again.dtype == array.dtype
    assert again.dtype.isalignedstruct == array.dtype.isalignedstruct
    assert again.dtype.metadata == array.dtype.metadata
    assert again.tolist() == array.tolist()


def test_an_array_that_is_changed_changes_for_nobody_else(tmp_path: Path) -> None:
    """Neither for another reader nor in the file, though both map the same one."""
    stored, source = store(tmp_path, np.zeros(100_000))
    mine, other = decode(stored, source), decode(stored, source)
    mine += 1
    assert mine.sum() == 100_000
    assert other.sum() == decode(stored, source).sum() == 0
