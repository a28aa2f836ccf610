"""Whatever is cut off, and whenever, the last good values are what readers see."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.errors import (
    CorruptVariableError,
)
from jupyter_blocks.variables.store import VariableStore
from tests.variables.stored import commit, write


@pytest.fixture
def store(tmp_path: Path) -> VariableStore:
    return VariableStore(tmp_path / ".variables")


def run() -> str:
    """The run that `commit` writes to unless told otherwise."""
    return "20260101-000000-aaaaa"


def test_an_attempt_that_was_cut_off_can_be_run_again(store: VariableStore) -> None:
    """What it left is never read and never written over."""
    folder = store.prefix("flights", run(), "load", "first")
    left = [f"{folder}/out/frame.arrow", f"{folder}/out/array.npy", f"{folder}/preview.json"]
    for key in left:
        store.storage.create(key, b"half")
    frame = pd.DataFrame({"a": [1, 2]})
    manifest = commit(store, {"frame": frame, "array": np.arange(3)})
    pd.testing.assert_frame_equal(store.load(manifest, "frame"), frame)
    assert store.load(manifest, "array").tolist() == [0, 1, 2]
    assert store.preview(manifest, "frame")["rows"] == 2
    assert [store.storage.read(key) for key in left] == [b"half"] * 3


@pytest.mark.parametrize("half", [b"", b'{"version":1,"pipel', b"[]", b'{"version":1}'])
def test_half_a_manifest_counts_as_not_there(store: VariableStore, half: bytes) -> None:
    """Another worker may store the attempt."""
    folder = store.prefix("flights", run(), "load", "first")
    store.storage.create(f"{folder}.manifest.json", half)
    with pytest.raises(CorruptVariableError):
        store.manifest("flights", run(), "load", "first")
    manifest = commit(store, {"n": 1})
    assert store.latest("flights", "load") == manifest


@pytest.mark.parametrize("half", [b"", b'{"version":1,"pipel', b"[]", b'{"version":1}', b"1"])
def test_half_a_commit_counts_as_not_there(store: VariableStore, half: bytes) -> None:
    """A power cut may leave one."""
    manifest = write(store, {"n": 1})
    key = f"pipelines/flights/runs/{run()}/load/commit.json"
    store.storage.create(key, half)
    store.storage.create("pipelines/flights/latest/load.json", half)
    assert store.committed("flights", run(), "load") is None
    assert store.latest("flights", "load") is None
    assert store.blocks("flights") == {}
    store.commit(manifest)
    assert store.latest("flights", "load") == store.committed("flights", run(), "load") == manifest


KILLED = """
import os, sys, threading
import numpy as np, pandas as pd
from jupyter_blocks.variables.store import VariableStore
from tests.variables.stored import commit
store = VariableStore(sys.argv[1])
frame = pd.DataFrame({"a": np.arange(200_000)})
commit(store, {"frame": frame, "n": 0}, run_id="20260101-000000-aaaaa")
print("ready", flush=True)
for number in range(1, 10_000):
    frame["a"] = number
    commit(store, {"frame": frame, "n": number}, run_id=f"20260102-{number:06}-aaaaa")
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.05, 0.11])
def test_a_kill_at_any_moment_leaves_the_last_good_values(tmp_path: Path, delay_s: float) -> None:
    """All of them of one attempt, and none of them damaged."""
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    threading.Event().wait(delay_s)
    writer.kill()
    writer.communicate(timeout=60)
    store = VariableStore(tmp_path)
    manifest = store.latest("flights", "load")
    assert manifest is not None
    number = store.load(manifest, "n")
    expected = np.arange(200_000) if number == 0 else np.full(200_000, number)
    assert (store.load(manifest, "frame")["a"].to_numpy() == expected).all()
    assert store.verify() == []


def test_a_full_disk_leaves_the_last_good_values(tmp_path: Path) -> None:
    """The text says what could not be written, for which block, and how to make room."""
    script = (
        "import resource, sys; import numpy as np\n"
        "from jupyter_blocks.variables.store import VariableStore\n"
        "from jupyter_blocks.errors import VariableError\n"
        "from tests.variables.stored import commit\n"
        "store = VariableStore(sys.argv[1])\n"
        "commit(store, {'value': np.zeros(1000)}, run_id='20260101-000000-a')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "for value in (np.ones(100_000), {'a': np.ones(100_000)}, 'x' * 200_000, [1.5] * 90_000):\n"
        "    try: commit(store, {'value': value}, run_id='20260102-000000-a')\n"
        "    except VariableError as error: print(error)\n"
    )
    done = subprocess.check_output([sys.executable, "-c", script, str(tmp_path)], text=True)
    lines = done.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("Block 'load', output 'value': ") for line in lines)
    assert all("could not be written: File too large" in line for line in lines)
    store = VariableStore(tmp_path)
    manifest = store.latest("flights", "load")
    assert manifest is not None
    assert store.load(manifest, "value").sum() == 0
    assert not list(store.storage.entries("pipelines/flights/runs/20260102-000000-a"))
    assert store.verify() == []
