"""`jupyter blocks start`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from jupyter_blocks.commands.start import lab_command
from tests.commandline import blocks
from tests.notebooks import notebook


def test_opens_the_notebook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JupyterLab takes the place of the command, on the folder, with the options behind `--`."""
    notebook(tmp_path, name="b.ipynb")
    notebook(tmp_path, name="a.ipynb")
    started: list[list[str]] = []

    class Replaced(Exception):
        """`os.execv` does not come back."""

    def execv(_path: str, words: list[str]) -> None:
        started.append(words)
        raise Replaced

    monkeypatch.setattr(os, "execv", execv)
    blocks(capsys, "start", tmp_path, "--", "--no-browser", "--port", "8899")
    root = f"--ServerApp.root_dir={tmp_path}"
    options = ["--no-browser", "--port", "8899"]
    expected = [sys.executable, "-m", "jupyterlab", str(tmp_path / "a.ipynb"), root, *options]
    assert started == [expected]


def test_a_folder_without_notebooks(tmp_path: Path) -> None:
    """The folder itself is opened."""
    assert lab_command(tmp_path, [])[3] == str(tmp_path)


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    answer = blocks(capsys, "start", tmp_path / "nowhere")
    assert answer.code == 2
    assert "There is no folder" in answer.err
