"""`jupyter blocks executors`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import jupyter_blocks.executors.table
from jupyter_blocks.executors.base import ExecutorContext
from jupyter_blocks.executors.jobs import Finding
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.executors.table import ExecutorEntry
from jupyter_blocks.testing.containers import ContainerHost
from tests import places
from tests.commandline import blocks
from tests.executors.processcloud import ProcessBackend, ProcessCloud
from tests.projects import block, write_project

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
    table = {"local_python": jupyter_blocks.executors.table.EXECUTORS["local_python"]}
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
    assert set(entry) == {"name", "state", "about", "settings", "source", "detail", "findings"}
    answer = blocks(capsys, "executors", "mainframe")
    assert answer.code == 2
    assert "Unknown executor 'mainframe'. Available: ecs, gcp_cloud_run, k8s, local" in answer.err


class LookingBackend(ProcessBackend):
    """Says what it has seen."""

    def diagnose(self) -> list[Finding]:
        permission = Finding(
            "permission", is_good=False, detail="jobs: no", hint="Ask for the role 'runner'."
        )
        return [Finding("credentials", is_good=True, detail="as somebody"), permission]


def looking(context: ExecutorContext) -> RemoteExecutor:
    """An executor on other machines that looks around."""
    return RemoteExecutor(LookingBackend(ProcessCloud(ContainerHost({}))), context)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("local", [False, "in a folder of this machine", "remote_variables_dir"]),
        ("s3", [True, "can be written and read", ""]),
    ],
)
def test_what_an_executor_finds_is_told(
    kind: str,
    found: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each thing that was looked at, good or bad, and what to do; the store is looked at too."""
    entry = ExecutorEntry("process", f"{__name__}:looking", "processes")
    monkeypatch.setattr(jupyter_blocks.executors.table, "EXECUTORS", {"process": entry})
    with places.servers() as servers:
        settings = {}
        if kind == "s3":
            uri = places.use("s3", "checked", servers, monkeypatch)
            settings = {"remote_variables_dir": uri}
        project = write_project(tmp_path / "shop", [block("load")], settings=settings)
        where = ("process", "--check", "--project", project.root)
        answer = blocks(capsys, "executors", *where, "--json")
        text = " ".join(blocks(capsys, "executors", *where).out.split())
    assert answer.code == 1
    (document,) = answer.document["executors"]
    assert document["state"] == "failed"
    variables, credentials, permission = document["findings"]
    assert variables["is_good"] is found[0]
    assert str(found[1]) in variables["detail"]
    assert str(found[2]) in variables["hint"]
    assert (credentials["is_good"], permission["is_good"]) == (True, False)
    assert "process credentials good as somebody" in text
    assert "process permission bad jobs: no. Ask for the role 'runner'." in text
