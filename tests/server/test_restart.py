"""Runs outlive the server that started them, and the next one finds them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from jupyter_blocks.journal import Journal
from tests.projects import block, write_project
from tests.server.processes import Served, served

WAITS = "import time, pathlib\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)\nreturn 1"


def until(server: Served, project: str, run_id: str, *statuses: str) -> dict[str, Any]:
    """The state of the run once it has one of these statuses."""
    for _ in range(600):
        state: dict[str, Any] = server.ask(f"runs/{run_id}?project={project}")
        if state["status"] in statuses:
            return state
        time.sleep(0.1)
    raise AssertionError(state)


def driver(root: Path) -> str:
    with Journal(root / ".blocks") as journal:
        return journal.runs()[0].holder


def test_runs_go_on_and_the_next_server_has_them(tmp_path: Path) -> None:
    """It follows one to its end, and stops another and goes on with it, as if both were its own."""
    for name in ("followed", "stopped"):
        write_project(tmp_path / name, [block("a"), block("b", WAITS, ["a"])])
    with served(tmp_path) as first:
        followed, stopped = (
            first.ask("runs", {"project": name, "pipeline": "pipe"})["run_id"]
            for name in ("followed", "stopped")
        )
    holder = driver(tmp_path / "followed")
    assert holder
    with served(tmp_path) as second:
        assert until(second, "followed", followed, "RUNNING")["holder"] == holder
        (tmp_path / "followed" / "go").touch()
        state = until(second, "followed", followed, "SUCCEEDED", "FAILED", "INTERRUPTED")
        assert {each["status"] for each in state["blocks"].values()} == {"SUCCEEDED"}
        until(second, "stopped", stopped, "RUNNING")
        assert second.ask(f"runs/{stopped}/cancel", {"project": "stopped"})["cancelling"]
        until(second, "stopped", stopped, "CANCELLED")
        (tmp_path / "stopped" / "go").touch()
        second.ask(f"runs/{stopped}/resume", {"project": "stopped"})
        state = until(second, "stopped", stopped, "SUCCEEDED", "FAILED")
        assert state["status"] == "SUCCEEDED"
