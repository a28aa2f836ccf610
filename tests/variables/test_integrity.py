"""What is damaged is found and named: when it is read, and by a check of the whole store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_blocks.errors import CorruptVariableError
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore
from tests.variables.stored import commit, write


@pytest.fixture
def store(tmp_path: Path) -> VariableStore:
    return VariableStore(tmp_path)


def file(store: VariableStore, key: str) -> Path:
    path = store.storage.path(key)
    assert path is not None
    return path


def test_a_sound_store_has_no_problems(store: VariableStore) -> None:
    """Nor have attempts that were never committed, whatever they left."""
    commit(store, {"a": np.arange(10), "n": 1})
    late = write(store, {"a": np.arange(10)}, attempt_id="late")
    file(store, f"{late.prefix}/out/a.npy").write_bytes(b"half")
    assert store.verify() == []


Damage = Callable[[VariableStore, Manifest], Path]


def _manifest(store: VariableStore, manifest: Manifest) -> Path:
    path = file(store, f"{manifest.prefix}.manifest.json")
    path.write_bytes(path.read_bytes() + b" ")
    return path


def _no_manifest(store: VariableStore, manifest: Manifest) -> Path:
    path = file(store, f"{manifest.prefix}.manifest.json")
    path.unlink()
    return path


def _preview(store: VariableStore, manifest: Manifest) -> Path:
    path = file(store, f"{manifest.prefix}/preview.json")
    path.write_bytes(path.read_bytes()[:-1])
    return path


def _object(store: VariableStore, manifest: Manifest) -> Path:
    path = file(store, f"{manifest.prefix}/out/a.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    return path


def _commit(store: VariableStore, _manifest: Manifest) -> Path:
    (entry,) = [e for e in store.storage.entries() if e.key.endswith("commit.json")]
    path = file(store, entry.key)
    path.unlink()
    path.write_bytes(b"{")
    return path


DAMAGE: dict[str, tuple[Damage, str, str]] = {
    "manifest changed": (_manifest, "damaged-manifest", "its sha256 differs"),
    "manifest gone": (_no_manifest, "damaged-manifest", "There is no object"),
    "preview cut": (_preview, "damaged-object", "bytes long"),
    "object changed": (_object, "damaged-object", "its sha256 differs"),
    "commit torn": (_commit, "torn-pointer", "counts as not there"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_each_damage_is_one_problem(store: VariableStore, case: str) -> None:
    """With the file, the block and what to do; the other blocks have none."""
    manifest = commit(store, {"a": np.arange(10)}, block="bad")
    commit(store, {"a": np.arange(10)}, block="good")
    damage, code, text = DAMAGE[case]
    if code == "torn-pointer":
        store.storage.delete("pipelines/flights/runs/20260101-000000-aaaaa/good")
        store.storage.delete("pipelines/flights/latest/good.json")
    path = damage(store, manifest)
    (problem,) = store.verify()
    assert problem.code == code
    assert file(store, str(problem.path)) == path
    assert text in problem.message
    assert "again" in problem.hint
    assert problem.severity == ("warning" if code == "torn-pointer" else "error")
    assert code == "torn-pointer" or problem.block == "bad"


def _polars_frame() -> Any:
    polars = pytest.importorskip("polars")
    return polars.DataFrame({"a": range(1000), "s": ["x"] * 1000})


def _figure() -> Any:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.subplots().plot([1, 2, 3])
    return figure


DAMAGED: dict[str, Any] = {
    "table": pd.DataFrame({"a": np.arange(1000), "s": [str(n) for n in range(1000)]}),
    "large table": pd.DataFrame({"a": np.arange(100_000)}),
    "mixed table": pd.DataFrame({"a": np.arange(50_000), "o": [1, "a"] * 25_000}),
    "series": pd.Series(np.arange(1000), index=[f"k{n}" for n in range(1000)]),
    "Arrow table": pa.table({"a": np.arange(1000)}),
    "polars frame": _polars_frame(),
    "figure": _figure(),
    "array": np.arange(100_000),
    "object": {"array": np.arange(100_000), "set": frozenset([1])},
    "text": "x" * 10_000,
    "bytes": b"x" * 10_000,
    "json": list(range(10_000)),
}


@pytest.mark.parametrize("damage", ["flip", "cut", "grow", "empty", "delete"])
@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_object_is_named_and_not_read(
    store: VariableStore, case: str, damage: str
) -> None:
    """Every byte counts: in each object of the value, at both ends and in between."""
    manifest = commit(store, {"value": DAMAGED[case]})
    for item in manifest.outputs["value"].objects:
        path = store.storage.path(f"{manifest.prefix}/{item.key}")
        assert path is not None
        good = path.read_bytes()
        for position in {0, len(good) // 3, len(good) - 1}:
            _damage(path, good, damage, position)
            with pytest.raises(CorruptVariableError, match=f"{path.name}' (is|was)"):
                store.load(manifest, "value")
            (problem,) = store.verify()
            assert (problem.code, problem.path) == (
                "damaged-object",
                f"{manifest.prefix}/{item.key}",
            )
            assert problem.block == "load"
        path.write_bytes(good)
    assert store.verify() == []
    store.load(manifest, "value")


def _damage(path: Path, good: bytes, damage: str, position: int) -> None:
    """One way in which a file goes bad."""
    if damage == "delete":
        path.unlink(missing_ok=True)
        return
    flipped = bytes([good[position] ^ 1])
    path.write_bytes(
        {
            "flip": good[:position] + flipped + good[position + 1 :],
            "cut": good[:position],
            "grow": good + b"x",
            "empty": b"",
        }[damage]
    )


def test_without_verification_sizes_are_checked_all_the_same(store: VariableStore) -> None:
    """A file that was cut short is never mapped."""
    manifest = commit(store, {"value": np.arange(100_000)})
    path = store.storage.path(f"{manifest.prefix}/out/value.npy")
    assert path is not None
    os.truncate(path, 1000)
    with pytest.raises(CorruptVariableError, match="is 1000 bytes long, but 800128 were written"):
        store.load(manifest, "value", verify=False)
