"""`jupyter blocks export`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commandline import blocks
from tests.notebooks import notebook

CELLS = (("loader:load", "x = 1"), ("transformer:clean", "y = x + 1"))
FILES = ["data_loaders/load.py", "pipelines/demo/metadata.yaml", "transformers/clean.py"]


def test_writes_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Says which; doing it again writes none."""
    path = notebook(tmp_path, *CELLS)
    answer = blocks(capsys, "export", path)
    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()[1:4]] == [
        ["written", file] for file in FILES
    ]
    assert f"Pipeline 'demo' in {tmp_path}: 3 of 3 files written." in answer.out
    assert "0 of 3 files written" in blocks(capsys, "export", path).out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The promised shape."""
    document = blocks(capsys, "export", notebook(tmp_path, *CELLS), "--json").document
    assert (document["pipeline"], document["project"]) == ("demo", str(tmp_path))
    assert [file["path"] for file in document["files"]] == FILES
    assert {file["state"] for file in document["files"]} == {"written"}
    assert document["problems"] == []


def test_to_another_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under another name."""
    path = notebook(tmp_path / "notebooks", *CELLS)
    project = tmp_path / "project"
    answer = blocks(capsys, "export", path, "--project", project, "--pipeline", "daily")
    assert answer.code == 0
    assert (project / "pipelines" / "daily" / "metadata.yaml").is_file()
    assert [file.name for file in path.parent.iterdir()] == ["demo.ipynb"]


def test_check_shows_drift(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a diff where a file is not what the notebook says; nothing is written."""
    path = notebook(tmp_path, *CELLS)
    assert blocks(capsys, "export", path, "--check").code == 1
    assert not (tmp_path / "transformers").exists()
    blocks(capsys, "export", path)
    answer = blocks(capsys, "export", path, "--check")
    assert (answer.code, answer.out.splitlines()[-1]) == (
        0,
        "The files are what the notebook says.",
    )
    notebook(tmp_path, CELLS[0], ("transformer:clean", "y = x + 2"))
    answer = blocks(capsys, "export", path, "--check")
    assert answer.code == 1
    assert "-    y = x + 1\n+    y = x + 2\n" in answer.out
    assert "differs    transformers/clean.py" in answer.out


def test_edited_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They stay, unless --force says otherwise."""
    path = notebook(tmp_path, *CELLS)
    blocks(capsys, "export", path)
    file = tmp_path / "transformers" / "clean.py"
    text = file.read_text()
    file.write_text(text.replace("x + 1", "x + 9"))
    answer = blocks(capsys, "export", path)
    assert answer.code == 2
    assert "transformers/clean.py was edited by hand" in answer.err
    assert "x + 9" in file.read_text()
    assert blocks(capsys, "export", path, "--force").code == 0
    assert file.read_text() == text


def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them at once, each on a line with cell and line."""
    path = notebook(tmp_path, ("loader:load", "x = a"), ("loader:load2", "y = b"))
    answer = blocks(capsys, "export", path, "--json")
    assert answer.code == 2
    assert [problem["cell"] for problem in answer.document["error"]["problems"]] == [1, 2]


def test_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was left out on purpose is said on stderr."""
    path = notebook(tmp_path, ("loader:load", "%matplotlib inline\nx = 1"))
    answer = blocks(capsys, "export", path)
    assert answer.code == 0
    assert answer.err.startswith("note: cell 1, line 1: ")
