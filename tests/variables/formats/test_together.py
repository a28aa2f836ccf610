"""Outputs that share objects or memory come back sharing them, and as they were by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.errors import CorruptVariableError
from jupyter_blocks.variables.formats.sharing import copies_on_write
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore


def stored(root: Path, values: dict[str, Any], number: int = 1) -> tuple[VariableStore, Manifest]:
    """A store with an attempt whose outputs all go together; the manifest as it is read again."""
    store = VariableStore(root)
    names = {"pipeline": "p", "run_id": "r", "block": "b", "attempt_id": f"a{number}"}
    about = {**names, "together": list(values)}
    manifest = store.write(store.prefix(**names), values, about)
    return store, Manifest.from_json(manifest.as_json())


def again(root: Path, values: dict[str, Any], number: int = 1) -> dict[str, Any]:
    store, manifest = stored(root, values, number)
    return store.load_together(manifest, list(values))


def views() -> dict[str, dict[str, Any]]:
    small = np.arange(12.0).reshape(3, 4)
    large = np.arange(100_000.0)
    people = np.zeros(3, dtype=[("age", "i4"), ("height", "f8")])
    mixed = np.array([1, "a", None, [1]], dtype=object)
    order = np.asfortranarray(small.copy())
    cube = np.zeros((2, 3, 4)).transpose(1, 0, 2).copy(order="K")
    wave = np.zeros(3, complex)
    return {
        "a row": {"whole": small, "part": small[1]},
        "a column backwards": {"whole": small, "part": small[::-1, 2]},
        "more than 64 kB": {"whole": large, "part": large[::-7]},
        "a field": {"whole": people, "part": people["height"]},
        "objects": {"whole": mixed, "part": mixed[::-1]},
        "columns after columns": {"whole": order, "part": order[1]},
        "axes in another order": {"whole": cube, "part": cube[0]},
        "real numbers of complex ones": {"whole": wave, "part": wave.real},
    }


@pytest.mark.parametrize("case", views())
def test_a_view_stays_a_view(case: str, tmp_path: Path) -> None:
    """Of the same memory, with the same shape, however often it is stored."""
    values = views()[case]
    for number in (1, 2):
        before = values["whole"].tolist()
        values = again(tmp_path, values, number)
        assert values["whole"].tolist() == before
        values["part"][..., 0] = 70 + number
        assert values["whole"].tolist() != before


def test_objects_are_the_same_objects(tmp_path: Path) -> None:
    """Elements, attributes, the object itself under two names."""
    rows: list[Any] = [{"a": 1}, {"b": 2}]
    values = again(tmp_path, {"rows": rows, "first": rows[0], "same": rows, "held": {"x": rows}})
    values["first"]["k"] = 5
    assert values["rows"] == [{"a": 1, "k": 5}, {"b": 2}]
    assert values["same"] is values["rows"]
    assert values["held"]["x"] is values["rows"]


def test_what_is_apart_stays_apart(tmp_path: Path) -> None:
    """Equal values are not the same values."""
    one = np.arange(3)
    values = again(tmp_path, {"one": one, "other": one.copy(), "rows": [[1], [1]]})
    values["one"][0] = 9
    values["rows"][0].append(2)
    assert values["other"].tolist() == [0, 1, 2]
    assert values["rows"] == [[1, 2], [1]]


def test_tables_that_copy_on_write_share_nothing(tmp_path: Path) -> None:
    """Their own count of who shares memory would not know of it."""
    table = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    values = again(tmp_path, {"table": table, "column": table["x"], "held": {"table": table}})
    assert values["held"]["table"] is values["table"]
    values["table"].loc[0, "x"] = 50
    assert values["column"].tolist() == ([1, 2] if copies_on_write() else [50, 2])


@pytest.mark.parametrize(
    "values",
    [
        {"number": 1, "rows": [1]},
        {"element": np.float64(1.5), "whole": np.arange(3)},
        {"text": "a", "nothing": None},
    ],
)
def test_nothing_is_stored_twice_where_nothing_can_be_shared(
    values: dict[str, Any], tmp_path: Path
) -> None:
    """Numbers and text are copies wherever they are."""
    store, manifest = stored(tmp_path, values)
    assert manifest.together is None
    assert store.load_together(manifest, list(values)) == {}


def test_one_name_alone_is_read_from_its_own_files(tmp_path: Path) -> None:
    """Who needs one value does not read the others."""
    rows = [[1], [2]]
    store, manifest = stored(tmp_path, {"rows": rows, "first": rows[0]})
    assert store.load_together(manifest, ["rows"]) == {}
    assert store.load(manifest, "rows") == rows


def test_damage_is_noticed(tmp_path: Path) -> None:
    """As that of any other object."""
    rows = [[1], [2]]
    store, manifest = stored(tmp_path, {"rows": rows, "first": rows[0]})
    assert manifest.together is not None
    (item,) = manifest.together.objects
    assert item in manifest.objects
    path = tmp_path / manifest.prefix / item.key
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(CorruptVariableError, match="sha256"):
        store.load_together(manifest, ["rows", "first"])
