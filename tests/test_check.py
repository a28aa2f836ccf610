"""`check`: real notebooks and the pipelines made from them, run and compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_blocks.check import CheckResult, check_notebook
from jupyter_blocks.errors import ValidationError
from tests.notebooks import notebook

TOTAL = """
@transformer
def total(table, *, factor):
    return {"sum": int(table.n.sum()), "factor": factor}
"""


def names(entries: tuple[object, ...]) -> list[tuple[str, str]]:
    """Block and output of each entry."""
    return [(entry.block, entry.name) for entry in entries]  # type: ignore[attr-defined]


def check(tmp_path: Path, *cells: tuple[str, str]) -> CheckResult:
    """Check a notebook of these cells."""
    return check_notebook(notebook(tmp_path, *cells))


def test_every_output_of_every_block_is_compared(tmp_path: Path) -> None:
    """Plain and decorated blocks, parameters, helpers, files beside the notebook."""
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n3\n")
    result = check(
        tmp_path,
        ("imports", "import pandas as pd\nfrom jupyter_blocks.decorators import transformer"),
        ("parameters", "factor = 2"),
        ("functions", "def scaled(table):\n    return table * factor"),
        ("loader:load", "numbers = pd.read_csv('numbers.csv')\nname = 'n'"),
        ("transformer:scale", "table = scaled(numbers)\ntable[name] += 1"),
        ("transformer:total", TOTAL),
        ("", "table = None  # after the blocks; what they gave was taken before"),
    )
    assert result.ok
    assert names(result.equal) == [
        ("load", "numbers"),
        ("load", "name"),
        ("scale", "table"),
        ("total", "total"),
    ]
    assert list(tmp_path.glob("**/metadata.yaml")) == []


def test_differences_are_found(tmp_path: Path) -> None:
    """A value that depends on the process is not the same in the pipeline."""
    result = check(
        tmp_path,
        ("loader:load", "import os\npid = os.getpid()\nsame = 1"),
        ("exporter:save", "print(pid, same)"),
    )
    assert not result.ok
    assert names(result.equal) == [("load", "same")]
    (entry,) = result.different
    assert (entry.block, entry.name) == ("load", "pid")
    assert entry.detail.endswith("in the pipeline")


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    """It is not counted as equal, and does not fail the check."""
    result = check(
        tmp_path,
        ("functions", "class Model:\n    weight = 0"),
        ("loader:fit", "model = Model()\nmodel.weight = 3"),
        ("exporter:save", "print(model.weight)"),
    )
    assert result.ok
    (entry,) = result.not_comparable
    assert (entry.block, entry.name) == ("fit", "model")
    assert entry.detail == "Model has no notion of equality"


def test_a_block_that_fails_in_the_pipeline(tmp_path: Path) -> None:
    """It and what reads it are listed with the reason; other values are compared all the same."""
    flag = tmp_path / "ran"
    source = (
        f"import pathlib\nflag = pathlib.Path({str(flag)!r})\n"
        "assert not flag.exists(), 'second time'\nflag.touch()\nx = 1"
    )
    result = check(
        tmp_path,
        ("loader:good", "y = 1"),
        ("loader:once", source),
        ("transformer:after", "z = x + y"),
    )
    assert names(result.equal) == [("good", "y")]
    assert names(result.failed) == [("once", "x"), ("after", "z")]
    assert result.failed[0].detail == "failed in the pipeline: AssertionError: second time"


def test_a_notebook_that_fails(tmp_path: Path) -> None:
    """The cell is named, the traceback is kept, and everything counts as failed."""
    result = check(tmp_path, ("loader:load", "x = 1"), ("transformer:broken", "y = x / 0"))
    assert not result.ok
    assert result.error == "cell 2: ZeroDivisionError: division by zero"
    assert names(result.failed) == [("load", "x"), ("broken", "y")]
    assert any("ZeroDivisionError" in line for line in result.log)


def test_a_notebook_with_mistakes_is_refused(tmp_path: Path) -> None:
    """As export does, before anything runs."""
    path = notebook(tmp_path, ("transformer:clean", "y = missing + 1"))
    with pytest.raises(ValidationError, match="missing"):
        check_notebook(path)


def test_sensors_are_taken_as_satisfied(tmp_path: Path) -> None:
    """The notebook does not wait either."""
    result = check(
        tmp_path,
        ("sensor:wait", "from pathlib import Path\nPath('never').exists()"),
        ("loader:load upstream:wait", "x = 1"),
    )
    assert result.ok
    assert names(result.equal) == [("load", "x")]


def test_shown_values_and_seeded_numbers(tmp_path: Path) -> None:
    """A last expression is an output; random numbers are the same where they are seeded."""
    result = check(
        tmp_path,
        ("imports", "import numpy as np"),
        ("loader:draw", "np.random.seed(1)\nfirst = np.random.rand(3)"),
        ("transformer:more", "np.random.seed(2)\nsecond = first + np.random.rand(3)\nsecond.sum()"),
    )
    assert result.ok, result.as_json()
    assert ("draw", "first") in names(result.equal)
    assert ("more", "output_0") in names(result.equal)


def test_json_has_the_promised_shape(tmp_path: Path) -> None:
    """Four lists of entries with block, name and detail."""
    document = check(tmp_path, ("loader:load", "x = 1")).as_json()
    assert document == {
        "equal": [{"block": "load", "name": "x", "detail": ""}],
        "different": [],
        "not_comparable": [],
        "failed": [],
    }
