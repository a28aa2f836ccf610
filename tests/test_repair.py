"""Making a project whole again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import jupyter_blocks
from jupyter_blocks.errors import ProjectError, RunHeldError
from jupyter_blocks.journal import Journal
from jupyter_blocks.project import Project, open_project
from jupyter_blocks.repair import repair_project
from jupyter_blocks.run import BlockStatus, RunStatus
from tests.projects import block, write_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one run: two blocks done, one failed, one not run."""
    specs = [
        block("load", "return list(range(5000))"),
        block("total", "return sum(load)", ["load"]),
        block("bad", "raise ValueError('no luck')", ["load"]),
        block("after", upstream=["bad"]),
    ]
    write_project(tmp_path / "project", specs)
    jupyter_blocks.run("pipe", tmp_path / "project")
    return open_project(tmp_path / "project")


def journal_file(project: Project) -> Path:
    return project.state_dir / "journal.db"


def statuses(project: Project) -> dict[str, BlockStatus]:
    """Of the blocks of the last run, as the journal has them."""
    with Journal(project.state_dir) as journal:
        state = journal.state(journal.find("last").run_id)
    return {name: entry.status for name, entry in state.blocks.items()}


def test_a_lost_journal_is_rebuilt(project: Project) -> None:
    """With the state of each block, its outputs and its error; the run can be resumed."""
    with Journal(project.state_dir) as journal:
        before = journal.find("last")
        documents = journal.state(before.run_id).as_json()
    for file in project.state_dir.glob("journal.db*"):
        file.unlink()
    report = repair_project(project)
    assert report.restored == (before.run_id,)
    assert (report.known, report.moved, report.problems) == (0, None, ())
    with Journal(project.state_dir) as journal:
        after = journal.find("last")
        assert (after.run_id, after.pipeline, after.status) == (before.run_id, "pipe", "FAILED")
        assert journal.state(after.run_id).as_json() == documents
    write_project(
        project.root,
        [
            block("load", "raise SystemError"),
            block("total", "raise SystemError", ["load"]),
            block("bad", "return len(load)", ["load"]),
            block("after", "return bad", ["bad"]),
        ],
    )
    assert jupyter_blocks.run("pipe", project.root, resume="last").ok
    assert jupyter_blocks.load(project.root, "pipe", "after") == 5000


def test_a_damaged_journal_is_kept_aside(project: Project) -> None:
    """Somebody may want to look at it; the new one knows the runs."""
    for file in project.state_dir.glob("journal.db-*"):
        file.unlink()
    journal_file(project).write_bytes(b"not a database" * 1000)
    with pytest.raises(ProjectError, match="`jupyter blocks repair` rebuilds it"):
        Journal(project.state_dir)
    report = repair_project(project)
    assert report.moved is not None
    assert report.moved.read_bytes().startswith(b"not a database")
    assert len(report.restored) == 1
    assert statuses(project)["total"] is BlockStatus.SUCCEEDED


def test_a_run_that_was_cut_off_is_entered_as_such(project: Project) -> None:
    """Without a result, what it committed counts, and it can be gone on with."""
    store = Path(project.variables_root)
    (result,) = store.glob("pipelines/pipe/runs/*/result.json")
    result.unlink()
    for file in project.state_dir.glob("journal.db*"):
        file.unlink()
    repair_project(project)
    with Journal(project.state_dir) as journal:
        assert journal.find("last").status is RunStatus.INTERRUPTED
    assert statuses(project) == {
        "load": BlockStatus.SUCCEEDED,
        "total": BlockStatus.SUCCEEDED,
        "bad": BlockStatus.WAITING,
        "after": BlockStatus.WAITING,
    }


def test_a_sound_project_stays_as_it_is(project: Project) -> None:
    """Repairing what is whole changes nothing, however often."""
    before = statuses(project)
    for _ in range(2):
        report = repair_project(project)
        assert (report.restored, report.known, report.moved) == ((), 1, None)
    assert statuses(project) == before


def test_damaged_outputs_are_named(project: Project) -> None:
    """Each with the block to run again; nothing is deleted."""
    store = Path(project.variables_root)
    manifest = next(store.glob("pipelines/pipe/runs/*/load/*.manifest.json"))
    data = manifest.read_bytes()
    manifest.write_bytes(data.replace(b"5000", b"5001") if b"5000" in data else data + b" ")
    report = repair_project(project)
    assert [problem.block for problem in report.problems if problem.severity == "error"] == ["load"]
    assert "Run block 'load' again." in str(report.problems[0])
    assert manifest.exists()


def test_a_plan_that_cannot_be_read_is_told(project: Project) -> None:
    """The other runs are entered all the same."""
    jupyter_blocks.run("pipe", project.root, to_block="total")
    store = Path(project.variables_root)
    first = sorted(store.glob("pipelines/pipe/runs/*/plan.json"))[0]
    first.write_text('{"blocks": [], "surprise": 1}')
    for file in project.state_dir.glob("journal.db*"):
        file.unlink()
    report = repair_project(project)
    assert len(report.restored) == 1
    assert [problem.code for problem in report.problems] == ["unreadable-run"]


def test_not_while_a_run_goes_on(project: Project) -> None:
    """The journal is in use then."""
    with (
        Journal(project.state_dir) as journal,
        journal.hold("run-1"),
        pytest.raises(RunHeldError, match="Run run-1 goes on"),
    ):
        repair_project(project)


def test_a_newer_journal_is_left_alone(project: Project) -> None:
    """It is not damaged; this version only cannot read it."""
    with closing(sqlite3.connect(journal_file(project))) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(ProjectError, match="Update jupyter-blocks"):
        repair_project(project)
    assert journal_file(project).exists()
