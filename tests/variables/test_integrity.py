"""A check of the whole store names everything that is damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

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
    path = file(store, f"{manifest.prefix}/manifest.json")
    path.write_bytes(path.read_bytes() + b" ")
    return path


def _no_manifest(store: VariableStore, manifest: Manifest) -> Path:
    path = file(store, f"{manifest.prefix}/manifest.json")
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
