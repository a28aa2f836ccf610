"""Single values become short JSON, whatever they are."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blocks.variables.cells import cell, cut, short_repr

CELLS: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (7, 7),
    (2**60, hex(2**60)),
    (1.5, 1.5),
    (math.nan, None),
    (-math.inf, "-inf"),
    ("a", "a"),
    ("x" * 300, "x" * 199 + "…"),
    ("\ud800", "?"),
    (pd.NaT, None),
    (pd.NA, None),
    (np.float32(0.5), 0.5),
    (np.int64(3), 3),
    (np.bool_(True), True),
    (np.datetime64("2020-01-01"), "2020-01-01"),
    (np.datetime64("NaT", "s"), None),
    (np.complex128(1j), "1j"),
    (dt.date(2020, 1, 1), "2020-01-01"),
    (dt.time(1, 2), "01:02:00"),
    (pd.Timestamp("2020-01-01 01:00", tz="UTC"), "2020-01-01T01:00:00+00:00"),
    (dt.timedelta(hours=1), "1:00:00"),
    (pd.Period("2020-01"), "2020-01"),
    (b"ab", "b'ab'"),
    ([1, [2]], "[1, [2]]"),
    ({"a": 1}, "{'a': 1}"),
    (np.arange(3), "<ndarray: shape (3,), int64>"),
]


@pytest.mark.parametrize(("value", "shown"), CELLS, ids=lambda item: type(item).__name__)
def test_cells_are_short_json(value: Any, shown: Any) -> None:
    """Missing values of all kinds are null, objects are text."""
    assert cell(value) == shown
    assert type(cell(value)) is type(shown)


@given(st.recursive(st.none() | st.text(st.characters()) | st.floats() | st.integers(), st.lists))
def test_anything_becomes_json(value: Any) -> None:
    """That every reader takes."""
    shown, _ = cut(value)
    json.dumps(
        [shown, cell(value), short_repr(value)], ensure_ascii=False, allow_nan=False
    ).encode()
