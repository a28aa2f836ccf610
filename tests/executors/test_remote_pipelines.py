"""Whole runs with blocks on this machine and on others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import jupyter_blocks.executors.table
import jupyter_blocks.runner
from jupyter_blocks.api import run
from jupyter_blocks.errors import ValidationError
from jupyter_blocks.executors.base import ExecutorContext, Reason
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.executors.table import ExecutorEntry
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.project import Project
from jupyter_blocks.run import RunStatus
from jupyter_blocks.testing.containers import ContainerHost, worker_image
from jupyter_blocks.testing.remote_contract import GOOD_IMAGE
from jupyter_blocks.variables.store import VariableStore
from tests.commandline import blocks
from tests.executors.processcloud import ProcessBackend, ProcessCloud
from tests.projects import block, write_project

CLOUDS: list[ProcessCloud] = []


def open_process(context: ExecutorContext) -> RemoteExecutor:
    """The executor `process`, for the table."""
    return RemoteExecutor(ProcessBackend(CLOUDS[-1]), context)


Write = Callable[..., Project]


@pytest.fixture
def write(
    tmp_path: Path, s3_variables: str, role: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Write]:
    """Writes a project whose variables are in S3, with the executor `process` at hand."""
    root = tmp_path / "shop"
    host = ContainerHost({GOOD_IMAGE: worker_image()}, role, [root])
    CLOUDS.append(ProcessCloud(host))
    entry = ExecutorEntry("process", f"{__name__}:open_process", "processes", "process_config")
    table = {**jupyter_blocks.executors.table.EXECUTORS, "process": entry}
    monkeypatch.setattr(jupyter_blocks.executors.table, "EXECUTORS", table)

    def written(
        *specs: dict[str, Any], process_config: dict[str, Any] | None = None, **keys: Any
    ) -> Project:
        settings = {
            "remote_variables_dir": s3_variables,
            "process_config": process_config or {"image": GOOD_IMAGE},
        }
        return write_project(root, specs, settings=settings, **keys)

    yield written
    host.close()
    CLOUDS.pop()


def test_one_run_on_several_machines(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block runs where it is told to; values go from one to the other."""
    project = write(
        block("load", "import pandas as pd\nreturn pd.DataFrame({'a': [1, 2, 3]})"),
        block("far", "return load.assign(b=load.a * 2)", ["load"], executor_type="process"),
        block("back", "return int(far.b.sum())", ["far"]),
        block("again", "return back + 1", ["back"], executor_type="process"),
    )
    done = run("pipe", project.root)
    assert done.ok, done.blocks
    assert {name: it["executor"] for name, it in done.blocks.items()} == {
        "load": "local_python",
        "far": "process",
        "back": "local_python",
        "again": "process",
    }
    store = VariableStore(project.variables_root)
    assert store.load(store.blocks("pipe")["again"], "output_0") == 13
    assert CLOUDS[-1].jobs() == 2
    answer = blocks(capsys, "show", project.root, "far")
    assert answer.code == 0
    assert "6" in answer.out


def test_a_failure_elsewhere_is_told_like_one_here(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the line of the block file, the log, and what it means for the blocks below."""
    project = write(
        block("load", "print('so far')\nraise ValueError('no month')", executor_type="process"),
        block("use", "return load", ["load"]),
    )
    answer = blocks(capsys, "run", project.root)
    assert answer.code == 1
    assert "ValueError: no month" in answer.err
    assert "data_loaders/load.py" in answer.err
    assert "/tmp" not in answer.err.replace(str(project.root.parent), "")
    assert "so far" in blocks(capsys, "logs", "last", "load", "--project", project.root).out


def test_a_resumed_run_follows_what_still_runs(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dispatcher ended between submit and result; nothing is started twice."""
    project = write(
        block(
            "slow",
            f"import pathlib, time\nmark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
            "mark.open('a').write('x')\n"
            f"while not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.05)\n"
            "return 7",
            executor_type="process",
        ),
        block("use", "return slow + 1", ["slow"]),
    )

    def end(self: RemoteExecutor, handles: Any) -> Any:
        if (tmp_path / "mark").exists():
            raise SystemExit("the dispatcher ends")
        return observe(self, handles)

    observe = RemoteExecutor.observe
    with monkeypatch.context() as patched:
        patched.setattr(RemoteExecutor, "observe", end)
        with pytest.raises(SystemExit):
            run("pipe", project.root)
    (tmp_path / "go").touch()
    done = run("pipe", project.root, resume="last")
    assert done.ok, done.blocks
    assert done.blocks["slow"]["attempts"] == 1
    assert CLOUDS[-1].jobs() == 1
    assert (tmp_path / "mark").read_text("utf-8") == "x"
    store = VariableStore(project.variables_root)
    assert store.load(store.blocks("pipe")["use"], "output_0") == 8


def test_a_storm_changes_nothing_but_the_time(write: Write) -> None:
    """Calls that are refused cost no attempt, and no block runs twice."""
    project = write(*[block(f"b{n}", f"return {n}", executor_type="process") for n in range(6)])
    CLOUDS[-1].fail(8, 503)
    CLOUDS[-1].fail(3, 500, when="create", done=True)
    done = run("pipe", project.root)
    assert done.ok, done.blocks
    assert {entry["attempts"] for entry in done.blocks.values()} == {1}
    assert CLOUDS[-1].jobs() == 6


def test_a_machine_that_is_lost_is_replaced(write: Write, tmp_path: Path) -> None:
    """From a budget of its own; the block has no retries."""
    mark = tmp_path / "mark"
    project = write(
        block(
            "unlucky",
            f"import pathlib, time\nmark = pathlib.Path({str(mark)!r})\n"
            "first = not mark.exists()\nmark.touch()\n"
            "if first: time.sleep(600)\nreturn 1",
            executor_type="process",
        )
    )
    cloud = CLOUDS[-1]

    def take_away() -> None:
        while not mark.exists():
            time.sleep(0.02)
        (attempt,) = cloud.running
        cloud.lose(attempt)

    thread = threading.Thread(target=take_away)
    thread.start()
    done = run("pipe", project.root)
    thread.join()
    assert done.ok, done.blocks
    assert done.blocks["unlucky"]["attempts"] == 2
    assert cloud.jobs() == 2


def test_what_is_wrong_for_all_blocks_is_said_once(write: Write) -> None:
    """Before anything has run; what concerns one block names it."""
    project = write(
        *[block(f"b{n}", executor_type="process") for n in range(3)],
        block("odd", executor_type="process", executor_config={"secrets": {"A": "hunter2"}}),
    )
    settings = project.root / "metadata.yaml"
    settings.write_text(
        settings.read_text("utf-8").replace("process_config:", "process_config:\n  code: sent"),
        "utf-8",
    )
    with pytest.raises(ValidationError) as raised:
        run("pipe", project.root)
    common, own = raised.value.problems
    assert "'code' must be bundle or image, not 'sent'" in common.message
    assert common.block is None
    assert "no reference to a secret" in own.message
    assert own.block == "odd"
    assert CLOUDS[-1].jobs() == 0


def test_a_platform_without_room_is_asked_again(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run says what it waits for; no attempt of the block is used up."""
    monkeypatch.setitem(jupyter_blocks.runner._PAUSES_S, Reason.NO_CAPACITY, 0.01)
    project = write(block("far", "return 3", executor_type="process", timeout=30))
    CLOUDS[-1].fail(3, 507, when="create")
    launch = prepare(project, project.pipeline("pipe"), RunRequest())
    told: list[str] = []
    with launch.dispatcher(lambda state, _event: told.append(state.blocks["far"].reason)) as it:
        state = it.run()
    assert state.status is RunStatus.SUCCEEDED
    assert state.blocks["far"].attempts == 1
    assert "process could not start it: 507 trouble; tried again in 0.01 s" in told


def test_a_platform_that_never_has_room_is_given_up(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `start_timeout_s`, for good: retries are for blocks that have begun."""
    monkeypatch.setitem(jupyter_blocks.runner._PAUSES_S, Reason.NO_CAPACITY, 0.05)
    retry = {"retries": 5, "delay": 60}
    settings = {"image": GOOD_IMAGE, "start_timeout_s": 0.3}
    project = write(
        block("far", "return 3", executor_type="process", retry_config=retry),
        process_config=settings,
    )
    CLOUDS[-1].fail(1000, 507, when="create")
    done = run("pipe", project.root, check=False)
    assert not done.ok
    assert "no machine had room for it within 0.3 s: 507 trouble" in done.blocks["far"]["reason"]
    assert CLOUDS[-1].jobs() == 0
