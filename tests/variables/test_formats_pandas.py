"""Tables of pandas come back exactly, as new values that may be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.variables.formats import Sink, Source, decode, encode
from jupyter_blocks.variables.manifest import StoredOutput
from jupyter_blocks.variables.storage import LocalStorage
from tests.variables.pandas_cases import ARROW, INDEXES, PICKLED, SERIES
from tests.variables.same import assert_same


def store(root: Path, value: Any) -> tuple[StoredOutput, Source]:
    """Write a value on its own; what the manifest would say, and where it can be read."""
    storage = LocalStorage(root)
    stored, _ = encode(value, Sink(storage, "attempt", "out"))
    return stored, Source(storage, "attempt", stored.objects, verify=True)


@pytest.mark.parametrize("case", ARROW)
def test_frames_that_arrow_holds_are_stored_as_arrow_and_come_back_exactly(
    case: str, tmp_path: Path
) -> None:
    frame = ARROW[case]()
    stored, source = store(tmp_path, frame)
    assert_same(frame, decode(stored, source))
    assert (stored.format, stored.type, stored.rows) == ("pandas", "table", len(frame))


@pytest.mark.parametrize("case", PICKLED)
def test_frames_that_arrow_would_change_come_back_exactly_all_the_same(
    case: str, tmp_path: Path
) -> None:
    frame = PICKLED[case]()
    stored, source = store(tmp_path, frame)
    assert_same(frame, decode(stored, source))
    assert (stored.type, stored.rows) == ("table", len(frame))
