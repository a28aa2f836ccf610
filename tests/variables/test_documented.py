"""The page about stored values: its code works, and what it says of formats is so."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import re
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_blocks.variables.formats import registry
from tests.commandline import shell
from tests.notebooks import notebook
from tests.variables.stored import store

PAGE = Path(__file__).parent.parent.parent / "docs" / "values.md"
CODE = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
Pair = namedtuple("Pair", "x y")


def test_a_format_of_another_package_is_used_from_end_to_end(tmp_path: Path) -> None:
    """By a notebook that imports it; the file is what the package wrote."""
    (tmp_path / "tracks.py").write_text(CODE[-1], "utf-8")
    path = notebook(
        tmp_path,
        ("imports", "from tracks import Track"),
        ("loader:walk", "walk = Track([(0.0, 1.0), (2.0, 3.5)])"),
        ("transformer:far", "far = max(x for x, _ in walk.points)"),
        ("exporter:out", "print(far, type(walk).__name__)"),
        name="walks.ipynb",
    )
    ran = shell("run", path.name, "--json", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.document["blocks"]["walk"]["outputs"]["walk"]["type"] == "track"
    (file,) = tmp_path.glob(".variables/**/walk.track")
    assert file.read_text("utf-8") == "0.0 1.0\n2.0 3.5"
    preview = shell("show", path.name, "walk", "--json", cwd=tmp_path).document
    assert "2" in json.dumps(preview)
    again = shell("run", path.name, "--changed", "--json", cwd=tmp_path).document
    assert {each["status"] for each in again["blocks"].values()} == {"CACHED"}


def test_a_format_is_found_by_a_process_that_never_heard_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the manifest alone."""
    (tmp_path / "tracks.py").write_text(CODE[-1], "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    tracks: Any = importlib.import_module("tracks")
    stored, _ = store(tmp_path / "store", tracks.Track([(1.0, 2.0)]))
    for table in (registry._registered, registry._FORMATS):
        for name in [name for name in table if name.startswith("tracks.")]:
            del table[name]  # type: ignore[attr-defined]
    (tmp_path / "output.json").write_text(json.dumps(stored.as_json()))
    code = (
        "import json\n"
        "from pathlib import Path\n"
        "from jupyter_blocks.variables.formats import Source, decode\n"
        "from jupyter_blocks.variables.manifest import StoredOutput\n"
        "from jupyter_blocks.variables.storage import LocalStorage\n"
        "stored = StoredOutput.from_json(json.loads(Path('output.json').read_text()))\n"
        "source = Source(LocalStorage(Path('store')), 'attempt', stored.objects, verify=True)\n"
        "print(decode(stored, source))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "Track(points=[(1.0, 2.0)])"


def _frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


FORMATS: dict[str, tuple[Callable[[], Any], str]] = {
    # what the page names -> a value, and the format it says
    "numbers": (lambda: [1, 10**400, 1.5, float("nan"), 1 + 2j, True, None], "json"),
    "dates": (lambda: {dt.date(2026, 1, 1): Decimal("1.10"), (1, 2): {3}}, "json"),
    "numpy scalars": (lambda: np.int8(1), "json"),
    "text": (lambda: "ä", "text"),
    "bytes": (lambda: bytearray(b"x"), "bytes"),
    "zero-dimensional": (lambda: np.array(3), "npy"),
    "structured": (lambda: np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), "npy"),
    "memory order": (lambda: np.asfortranarray(np.ones((2, 3))), "npy"),
    "categories": (lambda: _frame(a=pd.Categorical(["x", "y"], ordered=True)), "pandas"),
    "zones": (lambda: _frame(a=pd.to_datetime(["2026-01-01"], utc=True)), "pandas"),
    "Arrow dtypes": (
        lambda: _frame(a=pd.Series([[1]], dtype=pd.ArrowDtype(pa.list_(pa.int8())))),
        "pandas",
    ),
    "a text index": (lambda: _frame(a=[1, 2]).set_axis(["x", "y"]), "pandas"),
    "tables of pyarrow": (lambda: pa.table({"a": [1]}), "arrow"),
    "several index levels": (lambda: _frame(a=[1], b=[2], c=[3]).set_index(["a", "b"]), "pickle"),
    "periods": (lambda: _frame(a=pd.period_range("2026", periods=2, freq="M")), "pickle"),
    "sparse": (lambda: _frame(a=pd.arrays.SparseArray([0, 0, 1])), "pickle"),
    "mixed cells": (lambda: _frame(a=[1, "x"]), "pickle"),
    "other column labels": (lambda: pd.DataFrame([[1, 2]]), "pickle"),
    "object arrays": (lambda: np.array([1, "x"], object), "pickle"),
    "masked arrays": (lambda: np.ma.array([1, 2], mask=[0, 1]), "pickle"),
    "namedtuples": (lambda: Pair(1, 2), "pickle"),
    "lambdas": (lambda: lambda x: x + 1, "pickle"),
}


@pytest.mark.parametrize("case", FORMATS)
def test_values_take_the_format_that_the_page_names(case: str, tmp_path: Path) -> None:
    """Another program finds what it is told to find."""
    make, expected = FORMATS[case]
    stored, _ = store(tmp_path, make())
    assert stored.format == expected
