"""`jupyter blocks check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commandline import blocks
from tests.notebooks import notebook


def test_equal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each output, and the verdict."""
    path = notebook(tmp_path, ("loader:load", "x = [1, 2]"), ("transformer:add", "y = sum(x)"))
    answer = blocks(capsys, "check", path)
    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()[1:3]] == [
        ["✓", "equal", "load", "x"],
        ["✓", "equal", "add", "y"],
    ]
    assert answer.out.endswith("The pipeline computes what the notebook computes: 2 equal.\n")


def test_different(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; the JSON document has the promised shape."""
    path = notebook(tmp_path, ("loader:load", "import os\npid = os.getpid()"))
    answer = blocks(capsys, "check", path, "--json")
    assert answer.code == 1
    assert set(answer.document) == {"equal", "different", "not_comparable", "failed"}
    (entry,) = answer.document["different"]
    assert set(entry) == {"block", "name", "detail"}
    assert "does not compute" in blocks(capsys, "check", path).out


def test_a_notebook_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cell and its traceback are shown."""
    path = notebook(tmp_path, ("loader:load", "x = 1 / 0"))
    answer = blocks(capsys, "check", path)
    assert answer.code == 1
    assert "error: The notebook does not run to its end: cell 1: ZeroDivisionError" in answer.err


def test_a_notebook_with_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2: there is nothing to compare yet."""
    assert blocks(capsys, "check", notebook(tmp_path, ("loader:load", "x = gone"))).code == 2
    assert blocks(capsys, "check", tmp_path / "none.ipynb").code == 2
