"""From what a user names to a pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_blocks.errors import UsageError, ValidationError
from jupyter_blocks.opening import locate_target, open_target, read_draft
from tests.notebooks import notebook
from tests.projects import block, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one pipeline."""
    return write_project(tmp_path / "project", [block("load")]).root


def test_a_project(project: Path) -> None:
    """By its folder, with or without the pipeline, or by the pipeline's name inside it."""
    for target, pipeline, cwd in (
        (str(project), None, "/"),
        (str(project), "pipe", "/"),
        ("pipe", None, project),
        (".", None, project),
    ):
        opened = open_target(target, pipeline, cwd)
        assert (opened.project.root, opened.pipeline.name) == (project, "pipe")
        assert locate_target(target, pipeline, cwd)[1] == "pipe"


def test_a_notebook_is_exported(tmp_path: Path) -> None:
    """What is opened is what the notebook says now."""
    path = notebook(tmp_path, ("loader:load", "x = 1"))
    assert [b.name for b in open_target("demo.ipynb", cwd=tmp_path).pipeline.blocks] == ["load"]
    notebook(tmp_path, ("loader:load", "x = 1"), ("transformer:add", "y = x + 1"))
    opened = open_target(str(path))
    assert [b.name for b in opened.pipeline.blocks] == ["load", "add"]
    assert opened.project.root == tmp_path


def test_locating_writes_nothing(tmp_path: Path) -> None:
    """A notebook that was never exported has no pipeline yet, and stays without."""
    path = notebook(tmp_path, ("loader:load", "x = 1"), pipeline="daily")
    with pytest.raises(UsageError, match=r"demo\.ipynb has not been exported yet\. Run it first"):
        locate_target(str(path))
    assert [file.name for file in tmp_path.iterdir()] == ["demo.ipynb"]
    open_target(str(path))
    project, name = locate_target(str(path))
    assert (project.root, name) == (tmp_path, "daily")


def test_a_broken_notebook_can_still_be_looked_up(tmp_path: Path) -> None:
    """Its stored results are there, whatever is being changed in it."""
    path = notebook(tmp_path, ("loader:load", "x = 1"))
    open_target(str(path))
    notebook(tmp_path, ("loader:load", "x = missing"))
    assert locate_target(str(path))[1] == "demo"
    with pytest.raises(ValidationError, match="missing"):
        open_target(str(path))
    with pytest.raises(ValidationError, match="missing"):
        read_draft(path)


def test_warnings_are_handed_on(project: Path) -> None:
    """Of the project and of the pipeline."""
    (project / "metadata.yaml").write_text("name: {{ env_var('NOT_SET_ANYWHERE') }}\n")
    warnings = open_target(str(project)).warnings
    assert [problem.code for problem in warnings] == ["unset-variable"]
