"""Stored files are open: other programs read them without this package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.variables.store import VariableStore
from tests.variables.stored import commit


@pytest.fixture
def store(tmp_path: Path) -> VariableStore:
    return VariableStore(tmp_path / ".variables")


READERS = {
    "table": "import pyarrow as pa; value = pa.ipc.open_file(pa.memory_map(path)).read_all()"
    "; print(value.column('a').to_pylist())",
    "array": "import numpy as np; print(np.load(path, mmap_mode='r').tolist())",
    "items": "import json; print(json.load(open(path))[:3])",
    "text": "print(open(path, encoding='utf-8').read()[:3])",
    "object": "import pickle; print(pickle.load(open(path, 'rb')))",
}


@pytest.mark.parametrize("name", READERS)
def test_other_programs_read_the_files_without_us(store: VariableStore, name: str) -> None:
    """With what is installed anywhere."""
    manifest = commit(
        store,
        {
            "table": pd.DataFrame({"a": [1, 2, 3]}, index=["x", "y", "z"]),
            "array": np.array([1, 2, 3]),
            "items": list(range(1, 2000)),
            "text": "abc" * 1000,
            "object": pd.Timestamp("2020-01-01"),
        },
    )
    path = store.storage.path(f"{manifest.prefix}/{manifest.outputs[name].objects[0].key}")
    script = f"path = {str(path)!r}; {READERS[name]}"
    said = subprocess.check_output([sys.executable, "-c", script], text=True).strip()
    assert said in ("[1, 2, 3]", "abc", "2020-01-01 00:00:00")
