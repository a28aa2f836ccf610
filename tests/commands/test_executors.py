"""`jupyter blocks executors`."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import jupyter_blocks.executors.table
from jupyter_blocks.executors.table import ExecutorEntry
from tests.commandline import blocks

MISSING = ExecutorEntry(
    "moon",
    "moon_backend:Executor",
    "the far side",
    install="pip install moon-backend",
    requires=("moon_backend",),
)
BROKEN = ExecutorEntry("broken", "jupyter_blocks.executors.table:nothing", "nothing")


@pytest.fixture
def more(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, ExecutorEntry]:
    """Two more executors: one that is not installed, one that cannot be loaded."""
    table = dict(jupyter_blocks.executors.table.EXECUTORS)
    table |= {"moon": MISSING, "broken": BROKEN}
    monkeypatch.setattr(jupyter_blocks.executors.table, "EXECUTORS", table)
    return table


@pytest.mark.usefixtures("more")
def test_lists_executors(capsys: pytest.CaptureFixture[str]) -> None:
    """What there is, what is missing, how to install it."""
    answer = blocks(capsys, "executors")
    assert answer.code == 0
    assert "local_python  available" in answer.out
    assert "needs moon_backend: pip install moon-backend" in answer.out


@pytest.mark.usefixtures("more")
def test_checks_executors(capsys: pytest.CaptureFixture[str]) -> None:
    """Each is opened; one that does not work makes the exit code 1."""
    answer = blocks(capsys, "executors", "--check", "--json")
    assert answer.code == 1
    states = {entry["name"]: entry["state"] for entry in answer.document["executors"]}
    assert states == {"broken": "failed", "local_python": "works", "moon": "missing"}


def test_one_executor(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name; an unknown one is an error that lists them."""
    (entry,) = blocks(capsys, "executors", "local_python", "--json").document["executors"]
    assert set(entry) == {"name", "state", "about", "settings", "source", "detail"}
    answer = blocks(capsys, "executors", "mainframe")
    assert answer.code == 2
    assert "Unknown executor 'mainframe'. Available: local_python" in answer.err
