"""A run has one dispatcher, however many are started, and however long it was not heard of."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.project import Project
from jupyter_blocks.variables.store import VariableStore
from tests.commandline import start
from tests.projects import block, write_project

AT_ONCE = 8
HELD = 75


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Its second block waits for the file `go`, and each tells when it runs."""
    tell = f"import pathlib, time\npathlib.Path({str(tmp_path / 'ledger')!r}).open('a')"
    wait = f"while not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.02)\n"
    return write_project(
        tmp_path / "p",
        [
            block("load", f"{tell}.write('load\\n')\nreturn 1"),
            block("slow", f"{tell}.write('slow\\n')\n{wait}return load + 1", ["load"]),
            block("use", f"{tell}.write('use\\n')\nreturn slow + 1", ["slow"]),
        ],
    )


@pytest.fixture
def interrupted(project: Project, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A dispatcher that was stopped in the middle of the second block."""
    with start("run", project.root) as process:
        deadline = time.monotonic() + 60
        while ledger(tmp_path) != ["load", "slow"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)
        yield process
        process.kill()


def ledger(tmp_path: Path) -> list[str]:
    path = tmp_path / "ledger"
    return path.read_text("utf-8").split() if path.exists() else []


def test_a_stopped_dispatcher_still_holds_its_run(
    project: Project, interrupted: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Nobody takes over from a process that may wake up; it ends the run when it does."""
    with start("run", project.root, "--resume", "last") as second:
        _, err = second.communicate(timeout=60)
    assert second.returncode == HELD
    assert f"pid {interrupted.pid}" in err
    (tmp_path / "go").touch()
    interrupted.send_signal(signal.SIGCONT)
    interrupted.communicate(timeout=60)
    assert interrupted.returncode == 0
    assert ledger(tmp_path) == ["load", "slow", "use"]


def test_of_many_that_take_over_one_does(
    project: Project, interrupted: subprocess.Popen[str], tmp_path: Path
) -> None:
    """The others say who has the run, and touch nothing."""
    os.kill(interrupted.pid, signal.SIGKILL)
    interrupted.communicate(timeout=60)
    started = [start("run", project.root, "--resume", "last") for _ in range(AT_ONCE)]
    deadline = time.monotonic() + 120
    while sum(process.poll() is None for process in started) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (tmp_path / "go").touch()
    said = [process.communicate(timeout=60)[1] for process in started]
    codes = sorted(process.returncode for process in started)
    assert codes == [0, *[HELD] * (AT_ONCE - 1)], said
    assert ledger(tmp_path) == ["load", "slow", "slow", "use"]
    store = VariableStore(project.variables_root)
    assert store.load(store.blocks("pipe")["use"], "output_0") == 3
