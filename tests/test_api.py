"""The Python API does what the command line does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import jupyter_blocks
from jupyter_blocks import RunResult
from jupyter_blocks.errors import (
    BlockFailedError,
    UsageError,
    ValidationError,
    VariableNotFoundError,
)
from tests.notebooks import notebook
from tests.projects import block, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three blocks that work and two that do not."""
    specs = [
        block("load", "import pandas as pd\nreturn pd.DataFrame({'n': [1, 2, kwargs['top']]})"),
        block("total", "return int(load.n.sum())", ["load"]),
        block("bad", "raise ValueError('no luck')", ["load"]),
        block("after", upstream=["bad"]),
    ]
    write_project(tmp_path / "project", specs, variables={"top": 3})
    return tmp_path / "project"


def test_runs_and_loads(project: Path) -> None:
    """A run has a result for each block; what is stored comes back as a fresh value."""
    result = jupyter_blocks.run("pipe", project, {"top": 4}, to_block="total")
    assert isinstance(result, RunResult)
    assert (result.ok, result.status, result.pipeline) == (True, "SUCCEEDED", "pipe")
    assert result.blocks["total"]["status"] == "SUCCEEDED"
    assert result.blocks["bad"]["status"] == "SKIPPED"
    assert jupyter_blocks.load(project, "pipe", "total") == 7
    table = jupyter_blocks.load(project, "pipe", "load")
    pd.testing.assert_frame_equal(table, pd.DataFrame({"n": [1, 2, 4]}))
    table["n"] = 0
    assert jupyter_blocks.load(project, "pipe", "load")["n"].sum() == 7


def test_a_failed_block_is_told_by_the_result(project: Path) -> None:
    """As `subprocess.run` tells of an exit code."""
    result = jupyter_blocks.run("pipe", project)
    assert not result.ok
    statuses = {name: entry["status"] for name, entry in result.blocks.items()}
    assert statuses == {
        "load": "SUCCEEDED",
        "total": "SUCCEEDED",
        "bad": "FAILED",
        "after": "UPSTREAM_FAILED",
    }
    assert result.blocks["bad"]["error"]["type"] == "ValueError"


def test_check_raises(project: Path) -> None:
    """With `check=True` a failed block raises, with the place and the user's own frames."""
    with pytest.raises(
        BlockFailedError, match=r"Block 'bad' failed\n  ValueError: no luck"
    ) as info:
        jupyter_blocks.run("pipe", project, check=True)
    assert "transformers/bad.py, line" in str(info.value)
    assert (info.value.pipeline, info.value.block) == ("pipe", "bad")


def test_resumes(project: Path) -> None:
    """What the run finished is kept."""
    first = jupyter_blocks.run("pipe", project)
    write_project(
        project,
        [
            block("load", "raise SystemError"),
            block("total", "raise SystemError", ["load"]),
            block("bad", "return 1", ["load"]),
            block("after", "return bad + 1", ["bad"]),
        ],
        variables={"top": 3},
    )
    second = jupyter_blocks.run("pipe", project, resume="last")
    assert second.ok
    assert second.run_id == first.run_id
    assert second.blocks["load"]["status"] == "CACHED"
    assert jupyter_blocks.load(project, "pipe", "after") == 2


def test_runs_a_notebook(tmp_path: Path) -> None:
    """It is exported first."""
    notebook(tmp_path, ("loader:load", "a, b = 1, 2"), ("transformer:add", "c = a + b"))
    assert jupyter_blocks.run("demo.ipynb", tmp_path).ok
    assert jupyter_blocks.load(tmp_path, "demo", "add") == 3
    assert jupyter_blocks.load(tmp_path, "demo", "load", "b") == 2
    with pytest.raises(UsageError, match=r"'load' has 2 outputs: a, b\. Name one of them\."):
        jupyter_blocks.load(tmp_path, "demo", "load")


def test_mistakes_are_raised_before_anything_runs(project: Path) -> None:
    """Each as the error that names what is wrong and what there is."""
    with pytest.raises(UsageError, match="no pipeline 'pip'"):
        jupyter_blocks.run("pip", project)
    with pytest.raises(UsageError, match="no block 'laod'"):
        jupyter_blocks.run("pipe", project, blocks=["laod"])
    with pytest.raises(ValidationError, match="reads 'load', which has no stored outputs"):
        jupyter_blocks.run("pipe", project, blocks="total")
    with pytest.raises(VariableNotFoundError, match="'total' of pipeline 'pipe' has no stored"):
        jupyter_blocks.load(project, "pipe", "total")
    with pytest.raises(UsageError, match="no block 'laod'"):
        jupyter_blocks.load(project, "pipe", "laod")


def test_nothing_is_printed(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What blocks write goes to their logs."""
    write_project(project, [block("load", "print('hello')\nreturn 1")])
    jupyter_blocks.run("pipe", project)
    assert capfd.readouterr() == ("", "")


def test_as_a_one_liner(project: Path) -> None:
    """The line of the documentation works in any folder, in a process of its own."""
    code = (
        "import jupyter_blocks; "
        "r = jupyter_blocks.run('pipe', project_path='.', runtime_vars={'top': 1}); print(r.status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("FAILED\n", "")
