"""Whole runs whose variables lie in object storage: nothing but the setting is different."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pandas as pd
import pytest

import jupyter_blocks
from jupyter_blocks.journal import Journal
from jupyter_blocks.project import open_project
from jupyter_blocks.runlog import LogTail, log_of
from jupyter_blocks.variables.store import VariableStore
from tests.commandline import blocks
from tests.places import REMOTE, Servers, use
from tests.projects import block, write_project


@pytest.fixture(params=REMOTE)
def project(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    services: Servers,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    uri = use(request.param, uuid.uuid4().hex, services, monkeypatch)
    table = "import pandas as pd\nprint('loading')\nreturn pd.DataFrame({'n': range(200_000)})"
    return write_project(
        tmp_path / "project",
        [
            block("load", table),
            block("double", "load['n'] *= 2\nprint('doubled')\nreturn load", ["load"]),
            block("total", "return int(double['n'].sum())", ["double"]),
        ],
        settings={"remote_variables_dir": uri},
    ).root


def test_a_pipeline_runs_on_object_storage(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run, load, show, logs, verify, clean: and nothing is left in the project folder."""
    first = jupyter_blocks.run("pipe", project)
    assert first.ok, first.blocks
    assert jupyter_blocks.load(project, "pipe", "total") == 200_000 * 199_999
    double = jupyter_blocks.load(project, "pipe", "double")
    pd.testing.assert_frame_equal(double, pd.DataFrame({"n": range(0, 400_000, 2)}))
    assert not (project / ".variables").exists()

    shown = blocks(capsys, "show", project, "pipe", "double", "--json").document
    assert (shown["type"], shown["rows"], shown["sample"][1]) == ("table", 200_000, {"n": 2})
    shown = blocks(capsys, "show", project, "pipe", "--json").document
    assert "total" in str(shown)
    logs = blocks(capsys, "logs", "last", "--project", project)
    assert "loading" in logs.out
    assert "doubled" in logs.out

    assert jupyter_blocks.run("pipe", project, changed=True).ok
    time.sleep(1.1)  # S3 gives the times of objects in seconds
    assert jupyter_blocks.run("pipe", project).ok
    assert blocks(capsys, "repair", "--project", project).code == 0
    store = VariableStore(open_project(project).variables_root)
    assert store.verify() == []
    assert len(store.runs("pipe")) > 1
    cleaned = blocks(capsys, "clean", "--project", project, "--keep", "1")
    assert cleaned.code == 0, cleaned.err
    assert first.run_id not in store.runs("pipe")
    assert jupyter_blocks.load(project, "pipe", "total") == 200_000 * 199_999


def test_the_log_of_a_worker_that_died_can_be_read(project: Path) -> None:
    """What it wrote in its last second is still on this machine."""
    file = project / "data_loaders/load.py"
    file.write_text(
        "@data_loader\ndef load(**kwargs):\n    import os, time\n    print('sent', flush=True)\n"
        "    time.sleep(2.5)\n    print('last words', flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    done = jupyter_blocks.run("pipe", project)
    assert done.blocks["load"]["status"] == "FAILED"
    opened = open_project(project)
    store = VariableStore(opened.variables_root)
    with Journal(opened.state_dir) as journal:
        attempt = next(e.attempt_id for _, e in journal.events(done.run_id) if e.attempt_id)
    log = log_of(store, "pipe", done.run_id, "load", attempt)
    assert [line.text for line in LogTail(log).finish()] == ["sent", "last words"]
    sent = store.storage.read(
        f"{store.prefix('pipe', done.run_id, 'load', attempt)}.log.000001.jsonl"
    )
    assert b"sent" in sent
