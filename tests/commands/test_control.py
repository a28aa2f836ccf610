"""`jupyter blocks attach` and `cancel`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commandline import blocks, shell, start
from tests.projects import block, write_project


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A run whose second block waits for the file `flag`."""
    flag = tmp_path / "flag"
    slow = f"import time, pathlib\nprint('begun', flush=True)\nflag = pathlib.Path({str(flag)!r})\n"
    slow += "while not flag.exists():\n    time.sleep(0.02)\nprint('done')"
    root = tmp_path / "project"
    write_project(
        root, [block("load"), block("slow", slow, ["load"]), block("end", upstream=["slow"])]
    )
    process = start("run", root)
    assert process.stderr
    for line in process.stderr:
        if "begun" in line:
            break
    yield root, process
    flag.touch()
    process.communicate(timeout=60)


def test_cancel(running: tuple[Path, subprocess.Popen[str]]) -> None:
    """Asks, waits, says what happened; the run itself ends with 130."""
    root, process = running
    answer = shell("cancel", "last", "--project", root)
    assert answer.code == 0
    assert answer.out.endswith("has stopped.\n")
    assert answer.err.startswith("Asked pid ")
    process.communicate(timeout=60)
    assert process.returncode == 130

    again = shell("cancel", "last", "--project", root, "--json")
    assert again.code == 0
    assert again.document["status"] == "CANCELLED"
    assert again.document["detail"].endswith("had ended before: cancelled.")


def test_cancel_when_nobody_drives_it(running: tuple[Path, subprocess.Popen[str]]) -> None:
    """A run whose dispatcher died cannot be stopped, and says so."""
    root, process = running
    process.kill()
    process.wait()
    answer = shell("cancel", "last", "--project", root)
    assert answer.code == 0
    assert "Nobody drives run" in answer.out


def test_attach_follows_to_the_end(
    running: tuple[Path, subprocess.Popen[str]], tmp_path: Path
) -> None:
    """What happened already, what happens, the same report and exit code."""
    root, process = running
    attached = start("attach", "last", "--project", root)
    assert attached.stderr
    seen = ""
    for line in attached.stderr:
        seen += line
        if "slow | begun" in line:
            break
    assert "It is driven by pid" in seen
    assert "ok       load" in seen
    (tmp_path / "flag").touch()
    out, err = attached.communicate(timeout=60)
    assert attached.returncode == 0
    assert "slow | done" in err
    assert "pipe succeeded in" in out
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_attach_to_a_run_that_has_ended(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is reported, with its exit code."""
    answer = blocks(capsys, "attach", "last", "--project", ran)
    assert answer.code == 1
    assert "pipe failed in" in answer.out
    assert "Block 'bad' failed" in answer.err
    document = blocks(capsys, "attach", "last", "--project", ran, "--json").document
    assert document["status"] == "FAILED"
