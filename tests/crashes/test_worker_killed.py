"""A worker that is killed while it stores takes its own attempt with it, and nothing else.

The block itself arms its process: the kill comes at one step after the other of what the worker
does from then on - making folders, writing files, giving them their names, reporting. Every third
step is taken, all with `BLOCKS_CRASH_POINTS=all`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_blocks.api import run
from jupyter_blocks.project import Project
from jupyter_blocks.variables.store import VariableStore
from tests.projects import block, write_project

ALL = os.environ.get("BLOCKS_CRASH_POINTS") == "all"
MOST_STEPS = 60
ARM = """
import builtins, io, os, pathlib, signal, socket
mark, at = pathlib.Path({mark!r}), {at}
if not mark.exists():
    mark.touch()
    steps = pathlib.Path({steps!r}).open("a", buffering=1)
    count = 0
    def around(owner, name, matters=lambda *args, **keys: True):
        original = getattr(owner, name)
        def wrapped(*args, **keys):
            global count
            if not matters(*args, **keys):
                return original(*args, **keys)
            for when in ("before", "after"):
                count += 1
                print(when, name, file=steps)
                if count == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                if when == "before":
                    result = original(*args, **keys)
            return result
        setattr(owner, name, wrapped)
    for name in ("link", "mkdir", "rename", "replace", "unlink", "write"):
        around(os, name)
    around(os, "open", lambda path, flags, *args, **keys: flags & os.O_CREAT)
    around(io, "open", lambda file, mode="r", *args, **keys: set(mode) & set("wax+"))
    builtins.open = io.open
"""
VALUES = {
    "number": "7",
    "table": "__import__('pandas').DataFrame({'a': [1.5, 2.5], 'b': ['x', 'y']})",
}


@pytest.mark.parametrize("kind", VALUES)
def test_each_step_of_storing(tmp_path: Path, kind: str) -> None:
    """One block is tried again, whichever was stored just then; everything is stored, and once."""
    crashes = 0
    for at in range(1, MOST_STEPS, 1 if ALL else 3):
        project = armed(tmp_path / str(at), at, VALUES[kind])
        done = run("pipe", project.root)
        assert done.ok, (at, done.blocks)
        attempts = {name: entry["attempts"] for name, entry in done.blocks.items()}
        store = VariableStore(project.variables_root)
        assert set(store.blocks("pipe")) == set(attempts)
        for name, manifest in store.blocks("pipe").items():
            store.load(manifest, "output_0")
            assert manifest == store.committed("pipe", done.run_id, name)
        again = sum(attempts.values()) - len(attempts)
        if not again:
            break
        assert again == 1, (at, attempts)
        crashes += 1
    else:
        pytest.fail("there are more steps than this test looks at")
    assert crashes > 1, "the worker was hardly ever killed"


def armed(folder: Path, at: int, value: str) -> Project:
    """A chain whose worker is killed at step `at` after its second block has begun."""
    folder.mkdir()
    mark, steps = str(folder / "mark"), str(folder / "steps")
    code = f"global count\n{ARM.format(mark=mark, at=at, steps=steps)}return {value}"
    retried = {"retry_config": {"retries": 1}}
    return write_project(
        folder / "p",
        [
            block("load", "return 1", **retried),
            block("armed", code, ["load"], **retried),
            block("use", "return len(str(armed))", ["armed"], **retried),
        ],
    )
