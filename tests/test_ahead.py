"""Blocks that start while the outputs of the one before are being published."""

from __future__ import annotations

from pathlib import Path

from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.project import Project
from jupyter_blocks.run import EventKind, RunEvent, RunState
from jupyter_blocks.variables.manifest import Pointer, commit_key
from jupyter_blocks.variables.store import VariableStore
from tests.projects import block, write_project


def run(project: Project, taken: str = "") -> tuple[RunState, list[RunEvent]]:
    """A run and its events; of block `taken` somebody else has published an attempt before."""
    launch = prepare(project, project.pipeline("pipe"), RunRequest(max_workers=1))
    run_id = launch.plan.run_id
    if taken:
        other = Pointer("pipe", taken, run_id, "other", "0" * 64, 0.0)
        launch.store.storage.create(commit_key("pipe", run_id, taken), other.dump())
    events: list[RunEvent] = []
    with launch.dispatcher(lambda _state, event: events.append(event)) as dispatcher:
        return dispatcher.run(), events


def test_the_next_block_starts_before_success_is_told(tmp_path: Path) -> None:
    """The worker is busy again while the dispatcher publishes; success is told after that."""
    project = write_project(
        tmp_path, [block("load", "return 20"), block("double", "return load * 2", ["load"])]
    )
    state, events = run(project)
    told = [(str(event.kind), event.block) for event in events if event.block]
    assert told.index((EventKind.SUBMITTING, "double")) < told.index(
        (EventKind.BLOCK_FINISHED, "load")
    )
    assert {str(each.status) for each in state.blocks.values()} == {"SUCCEEDED"}


def test_what_started_on_outputs_that_could_not_be_published_is_stopped(tmp_path: Path) -> None:
    """Nothing of it counts: the run goes on as if it had never started."""
    slow = "import time\ntime.sleep(600)\nreturn load"
    blocks = [
        block("load", "return 20"),
        block("slow", slow, ["load"]),
        block("apart", "return 1"),
    ]
    project = write_project(tmp_path, blocks)
    state, _ = run(project, taken="load")
    assert {name: str(each.status) for name, each in state.blocks.items()} == {
        "load": "FAILED",
        "slow": "UPSTREAM_FAILED",
        "apart": "SUCCEEDED",
    }
    assert "has committed the attempt other already" in state.blocks["load"].reason
    store = VariableStore(project.variables_root)
    assert store.latest("pipe", "slow") is None
    assert not state.active


def test_a_small_block_leaves_one_folder_and_two_files(tmp_path: Path) -> None:
    """Making files takes longer than all the rest of a block that does nothing."""
    project = write_project(tmp_path, [block("load", "return 20")])
    state, _ = run(project)
    home = tmp_path / ".variables/pipelines/pipe/runs" / state.plan.run_id / "load"
    attempt = state.blocks["load"].attempt_id
    assert {path.name for path in home.iterdir()} == {f"{attempt}.manifest.json", "commit.json"}
    commit, latest = home / "commit.json", tmp_path / ".variables/pipelines/pipe/latest/load.json"
    assert commit.samefile(latest)
