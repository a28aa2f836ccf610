"""Notebooks with blocks of the same names live side by side in one project."""

from __future__ import annotations

import shutil
from pathlib import Path

from jupyter_blocks.export import export_notebook
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.project import open_project
from jupyter_blocks.run import RunState
from tests.notebooks import notebook

CELLS = [("loader", "n = 1"), ("transformer:twice", "m = n * 2")]


def run(root: Path, pipeline: str) -> RunState:
    project = open_project(root)
    launch = prepare(project, project.pipeline(pipeline), RunRequest())
    with launch.dispatcher() as dispatcher:
        return dispatcher.run()


def test_a_copy_of_a_notebook_gets_files_of_its_own(tmp_path: Path) -> None:
    """The copy's blocks get a folder of their own; both run, neither touches the other."""
    first = notebook(tmp_path, *CELLS, name="first.ipynb")
    assert not export_notebook(first).problems
    before = (tmp_path / "transformers/twice.py").read_bytes()
    copy = Path(shutil.copy(first, tmp_path / "copy.ipynb"))
    result = export_notebook(copy)
    assert not result.problems
    assert "transformers/copy/twice.py" in [file.path for file in result.files]
    assert (tmp_path / "transformers/twice.py").read_bytes() == before
    for pipeline in ("first", "copy"):
        state = run(tmp_path, pipeline)
        assert state.outcome() == "SUCCEEDED"
    again = export_notebook(copy)
    assert {file.state for file in again.files} == {"unchanged"}


def test_the_place_is_taken_over_when_the_other_notebook_is_gone(tmp_path: Path) -> None:
    """A renamed notebook leaves nothing behind in the second place."""
    first = notebook(tmp_path, *CELLS, name="first.ipynb")
    export_notebook(first)
    copy = Path(shutil.copy(first, tmp_path / "copy.ipynb"))
    export_notebook(copy)
    first.unlink()
    result = export_notebook(copy)
    assert not result.problems
    assert not (tmp_path / "transformers/copy").exists()
    assert "from copy.ipynb" in (tmp_path / "transformers/twice.py").read_text("utf-8")
