"""`jupyter blocks runs` and `status`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commandline import blocks
from tests.projects import block, write_project


def test_lists_runs(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people a line each, for programs a document."""
    answer = blocks(capsys, "runs", "--project", ran)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].split() == ["run", "pipeline", "status", "started", "ago", "time"]
    assert lines[1].split()[2:4] == ["pipe", "failed"]
    (record,) = blocks(capsys, "runs", "--project", ran, "--json").document["runs"]
    assert set(record) == {"run_id", "pipeline", "status", "started_at", "finished_at", "holder"}
    assert (record["pipeline"], record["status"], record["holder"]) == ("pipe", "FAILED", None)


def test_selects_runs(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By pipeline and number."""
    for words, count in (["--pipeline", "other"], 0), (["--limit", "0"], 0), (["--limit", "5"], 1):
        answer = blocks(capsys, "runs", "--project", ran, "--json", *words)
        assert len(answer.document["runs"]) == count


def test_nothing_was_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said on stderr: there is no result."""
    write_project(tmp_path / "project", [block("load")])
    answer = blocks(capsys, "runs", "--project", tmp_path / "project")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "Nothing has been run in project 'project' yet.\n"


def test_the_project_of_the_folder(
    ran: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Commands about runs are for the project one is in."""
    monkeypatch.chdir(ran / "transformers")
    assert blocks(capsys, "status", "last").code == 0
    monkeypatch.chdir(tmp_path)
    answer = blocks(capsys, "status", "last")
    assert answer.code == 2
    assert "You are not in a project. Go to the folder of a project, or name it" in answer.err


def test_status(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its blocks, its parameters, and what went wrong."""
    answer = blocks(capsys, "status", "last", "--project", ran)
    assert answer.code == 0
    assert "parameters: month=1\n" in answer.out
    assert "✗  bad    FAILED" in answer.out
    assert "Block 'bad' failed after 2 tries\n  ValueError: no luck" in answer.out
    document = blocks(capsys, "status", "last", "--project", ran, "--json").document
    assert document["blocks"]["bad"]["attempts"] == 2
    by_prefix = blocks(capsys, "status", document["run_id"][:10], "--project", ran, "--json")
    assert by_prefix.document == document


def test_unknown_run(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and how to find the right one."""
    answer = blocks(capsys, "status", "1999", "--project", ran)
    assert answer.code == 2
    assert "There is no run '1999' in this project. `jupyter blocks runs` lists them." in answer.err
