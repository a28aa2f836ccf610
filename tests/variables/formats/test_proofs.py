"""Which tables are read back when they are stored, and how little a look at one costs."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_blocks.variables.formats import objects
from tests.variables.same import assert_same
from tests.variables.stored import store, there_and_back

SELF: list[Any] = []
SELF.append(SELF)
DEEP: Any = 1
for _ in range(20):
    DEEP = [DEEP]

CELLS = {
    "lists": ([[1, "a"], [2, None]], False),
    "mixed": ([None, 1, "a", [1], {"a": (1, {2, 3})}], False),
    "keys": ([{(1, date(2026, 1, 1)): 2.5}], False),
    "nothing": ([[], (), {}], False),
    "a class in a list": ([[Fraction(1, 2)]], True),
    "a class as a key": ([{Fraction(1, 2): 1}], True),
    "a class deep inside": ([{"a": [{"b": (Fraction(1, 2),)}]}], True),
    "nested deeply": ([DEEP], True),
    "itself": ([SELF], True),
}


@pytest.mark.parametrize("case", CELLS)
def test_cells_of_built_in_types_alone_need_no_proof(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They always load; all others are read back once, since only that shows it."""
    cells, is_read = CELLS[case]
    looks: list[Any] = []
    load_back = objects._load_back

    def noting(value: Any, *rest: Any) -> set[str]:
        looks.append(value)
        return load_back(value, *rest)

    monkeypatch.setattr(objects, "_load_back", noting)
    frame = pd.DataFrame({"cells": pd.Series(cells, dtype=object)})
    stored, _ = store(tmp_path, frame)
    assert stored.format == "pickle"
    assert bool(looks) is is_read


def test_nested_cells_come_back(tmp_path: Path) -> None:
    """With or without a proof."""
    frame = pd.DataFrame({"cells": pd.Series(CELLS["mixed"][0] + [[1.5]], dtype=object)})
    assert_same(frame, there_and_back(tmp_path, frame))


def test_no_rows_of_a_long_table_of_texts_take_no_room(tmp_path: Path) -> None:
    """Arrow would write the places of all texts of the table that the rows were cut from."""
    frame = pd.DataFrame({"name": pd.Series(["alpha", "beta"] * 50_000)}).astype("string[pyarrow]")
    empty = frame.iloc[:0]
    stored, _ = store(tmp_path, empty)
    assert stored.format == "pandas"
    assert stored.bytes < 5_000
    assert_same(empty, there_and_back(tmp_path / "again", empty))
