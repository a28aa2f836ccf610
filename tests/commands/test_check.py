"""`jupyter blocks check`."""

from __future__ import annotations

import re
from pathlib import Path

import pexpect
import pytest

from tests.check.checking import IN_A_KERNEL
from tests.commandline import blocks, terminal
from tests.notebooks import notebook


def test_equal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each output, and the verdict; what is being done goes to the other stream."""
    path = notebook(tmp_path, ("loader:load", "x = [1, 2]"), ("transformer:add", "y = sum(x)"))
    answer = blocks(capsys, "check", path)
    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()[1:3]] == [
        ["✓", "equal", "load", "x"],
        ["✓", "equal", "add", "y"],
    ]
    assert answer.out.endswith("The pipeline computes what the notebook computes: 2 equal.\n")
    assert answer.err.splitlines()[0] == "Running demo.ipynb from top to bottom ..."


def test_different(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; where the difference begins is said once more at the end."""
    path = notebook(
        tmp_path,
        ("loader:load", IN_A_KERNEL),
        ("transformer:add", "y = in_a_kernel + 1"),
        ("exporter:save", "print(y)"),
    )
    answer = blocks(capsys, "check", path)
    assert answer.code == 1
    assert answer.out.endswith(
        "The pipeline does not compute what the notebook computes: 2 different.\n"
        "The differences begin in block 'load' (cell 1, line 2).\n"
    )


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four lists; each entry has block, name and detail, and what else is known of it."""
    path = notebook(
        tmp_path,
        ("loader:load", f"{IN_A_KERNEL}same = 1\nimport uuid\nid_ = uuid.uuid4()"),
        ("transformer:add", "y = in_a_kernel + same"),
        ("exporter:save", "print(y, id_)"),
    )
    answer = blocks(capsys, "check", path, "--json")
    assert answer.code == 1
    varies = "the notebook itself gives another value each time: random numbers without a seed"
    assert answer.document == {
        "equal": [{"block": "load", "name": "same", "detail": ""}],
        "different": [
            {
                "block": "load",
                "name": "in_a_kernel",
                "detail": "cell 1, line 2: True in the notebook, False in the pipeline",
                "cell": 1,
                "line": 2,
            },
            {
                "block": "add",
                "name": "y",
                "detail": "follows from 'in_a_kernel' of 'load': 2 in the notebook, 1 in the "
                "pipeline",
                "follows_from": ["load.in_a_kernel"],
            },
        ],
        "not_comparable": [
            {"block": "load", "name": "id_", "detail": f"{varies} (cell 1, line 5 draws)"}
        ],
        "failed": [],
    }


def test_a_notebook_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cell and its traceback are shown."""
    path = notebook(tmp_path, ("loader:load", "x = 1 / 0"))
    answer = blocks(capsys, "check", path)
    assert answer.code == 1
    assert "error: The notebook does not run to its end: cell 1: ZeroDivisionError" in answer.err
    assert answer.out.endswith(
        "Nothing was compared: the notebook itself does not run to its end.\n"
    )


def test_a_python_file_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cell is found by its line in the file."""
    path = tmp_path / "flow.py"
    path.write_text('# %% [markdown]\n# text\n\n# %% tags=["loader:load"]\nx = 1 / 0\n')
    answer = blocks(capsys, "check", path)
    assert "cell 2 (from line 5 on): ZeroDivisionError" in answer.err


def test_nothing_that_can_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not said that the pipeline computes the same."""
    path = notebook(tmp_path, ("loader:load", "import os\nx = os.urandom(4)"))
    answer = blocks(capsys, "check", path)
    assert answer.code == 0
    assert "The pipeline runs, but nothing of it can be compared: 1 not comparable." in answer.out


def test_what_cannot_be_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each output is listed once: by what is wrong with its value."""
    cells = ("import threading\nlock = threading.Lock()", "free = not lock.locked()")
    path = notebook(tmp_path, ("loader:a", cells[0]), ("transformer:b", cells[1]))
    failed = blocks(capsys, "check", path, "--json").document["failed"]
    assert [(entry["block"], entry["name"]) for entry in failed] == [("a", "lock"), ("b", "free")]
    assert failed[0]["detail"].startswith("Block 'a': output 'lock' cannot be stored: it is a lock")


def test_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cell that fails and is not needed is no reason to fail, but worth a line."""
    path = notebook(tmp_path, ("loader:load", "x = 1"), ("skip", "1 / 0"))
    answer = blocks(capsys, "check", path)
    assert answer.code == 0
    assert "warning: Cell 2 has the tag 'skip' and fails: ZeroDivisionError" in answer.err


def test_progress_on_a_terminal(tmp_path: Path) -> None:
    """One line that is written again and again, and is gone at the end."""
    path = notebook(tmp_path, ("loader:load", "x = 1"), ("exporter:save", "print(x)"))
    child = terminal("check", path)
    child.expect(pexpect.EOF)
    shown = re.split(r"\r\x1b\[2K", child.before)
    assert "Running demo.ipynb from top to bottom: cell 2 of 2" in shown
    assert "Comparing: value 1 of 1" in shown
    assert "computes what the notebook computes: 1 equal." in shown[-1]
    assert "\n" not in "".join(shown[1:-1])


def test_a_notebook_with_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2: there is nothing to compare yet."""
    assert blocks(capsys, "check", notebook(tmp_path, ("loader:load", "x = gone"))).code == 2
    assert blocks(capsys, "check", tmp_path / "none.ipynb").code == 2
