"""`jupyter blocks notebook`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commandline import blocks
from tests.notebooks import notebook
from tests.projects import block, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A hand-written project."""
    specs = [block("load", "return 2"), block("double", "return load * 2", ["load"])]
    return write_project(tmp_path / "project", specs).root


def test_writes_a_notebook(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One cell for each block; it is a notebook that runs as a pipeline again."""
    path = tmp_path / "new" / "pipe.ipynb"
    path.parent.mkdir()
    answer = blocks(capsys, "notebook", project, "-o", path)
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == f"Wrote {path}: 2 blocks of pipeline 'pipe'.\n"
    assert blocks(capsys, "run", path).code == 0
    assert blocks(capsys, "show", path, "double", "--json").document["value"] == 4


def test_on_stdout(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `-`."""
    assert blocks(capsys, "notebook", project, "pipe", "-o", "-").document["nbformat"] == 4


def test_existing_files_stay(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is overwritten."""
    path = notebook(tmp_path, ("", "mine = 1"))
    before = json.loads(path.read_text())
    answer = blocks(capsys, "notebook", project, "-o", path)
    assert answer.code == 2
    assert "exists already" in answer.err
    assert json.loads(path.read_text()) == before


def test_a_notebook_is_one_already(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to make."""
    answer = blocks(capsys, "notebook", notebook(tmp_path), "-o", "x.ipynb")
    assert answer.code == 2
    assert "is a notebook already" in answer.err
