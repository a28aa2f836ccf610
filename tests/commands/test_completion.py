"""`jupyter blocks completion`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commandline import blocks


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script that names the program, and that the shell can read where it is installed."""
    answer = blocks(capsys, "completion", shell)
    assert answer.code == 0
    assert "jupyter-blocks" in answer.out
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(answer.out)
        subprocess.run([shell, "-n", str(script)], check=True)


def test_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    """The error lists those there are."""
    answer = blocks(capsys, "completion", "tcsh")
    assert answer.code == 2
    assert "'bash'" in answer.err
