"""`jupyter blocks clean`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

import jupyter_blocks
from jupyter_blocks.commands.clean import parse_age, parse_size
from tests.commandline import blocks
from tests.projects import block, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with three runs."""
    root = write_project(tmp_path / "project", [block("load", "return 1")]).root
    for _ in range(3):
        jupyter_blocks.run("pipe", root)
    return root


def runs(project: Path) -> list[str]:
    """Runs that have stored outputs."""
    return sorted(path.name for path in (project / ".variables/pipelines/pipe/runs").iterdir())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("12h", 43_200), ("30d", 2_592_000), ("1.5w", 907_200)],
)
def test_ages(text: str, seconds: float) -> None:
    """A number and a unit."""
    assert parse_age(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("100", 100), ("500MB", 500_000_000), ("10GB", 10**10), ("1.5 tb", 1_500_000_000_000)],
)
def test_sizes(text: str, size: int) -> None:
    """A number and a unit, powers of 1000."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "d", "30", "30x", "-1d"])
def test_wrong_ages(text: str) -> None:
    """What is no age is not guessed at."""
    with pytest.raises(ArgumentTypeError, match="write it like 12h"):
        parse_age(text)


@pytest.mark.parametrize("text", ["", "GB", "ten", "5XB"])
def test_wrong_sizes(text: str) -> None:
    """Nor is what is no size."""
    with pytest.raises(ArgumentTypeError, match="write it like 500MB"):
        parse_size(text)


def test_something_must_be_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no default for deleting."""
    answer = blocks(capsys, "clean", "--project", project)
    assert answer.code == 2
    assert "Say what may go. Use --older-than 30d" in answer.err
    assert len(runs(project)) == 3


def test_a_dry_run_deletes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lists what would go."""
    before = runs(project)
    answer = blocks(capsys, "clean", "--keep", "1", "--dry-run", "--project", project)
    assert answer.code == 0
    assert "Would delete 2 runs" in answer.out
    assert sum(run in answer.out for run in before) == 2
    assert runs(project) == before


def test_deletes_old_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The latest outputs stay, whatever the limits."""
    newest = blocks(capsys, "show", project, "--json").document["outputs"][0]["run_id"]
    answer = blocks(capsys, "clean", "--max-size", "0", "--project", project, "--json")
    assert answer.code == 0
    assert len(answer.document["deleted"]) == 2
    assert runs(project) == [newest]
    assert jupyter_blocks.load(project, "pipe", "load") == 1
    assert "Deleted 0 runs" in blocks(capsys, "clean", "--keep", "1", "--project", project).out
