"""`jupyter blocks repair`."""

from __future__ import annotations

from pathlib import Path

import pytest

import jupyter_blocks
from tests.commandline import blocks
from tests.projects import block, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one run."""
    root = write_project(tmp_path / "project", [block("load", "return list(range(9999))")]).root
    jupyter_blocks.run("pipe", root)
    return root


def test_a_sound_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Says that there was nothing to do."""
    answer = blocks(capsys, "repair", "--project", project)
    assert answer.code == 0
    assert answer.out == (
        "1 run in the journal, nothing to do for them.\nAll stored outputs are whole.\n"
    )


def test_a_lost_journal(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Afterwards the run is listed again."""
    for file in (project / ".blocks").glob("journal.db*"):
        file.unlink()
    answer = blocks(capsys, "repair", "--project", project, "--json")
    assert answer.code == 0
    assert len(answer.document["restored"]) == 1
    listed = blocks(capsys, "runs", "--project", project, "--json").document["runs"]
    assert [run["run_id"] for run in listed] == answer.document["restored"]


def test_damaged_outputs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and which block to run again."""
    manifest = next((project / ".variables").glob("**/*.manifest.json"))
    manifest.write_bytes(manifest.read_bytes() + b" ")
    answer = blocks(capsys, "repair", "--project", project)
    assert answer.code == 1
    assert "Run block 'load' again." in answer.err
    assert "Some stored outputs are damaged" in answer.out
