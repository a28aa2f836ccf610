"""A project without a notebook opens as one, and exporting that gives the same blocks."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from jupyter_blocks.errors import ProjectError
from jupyter_blocks.export import export_notebook
from jupyter_blocks.project import open_project
from jupyter_blocks.unexport import notebook_from_pipeline
from tests.golden import assert_same, run_both
from tests.notebooks import notebook
from tests.projects import block, write_project

BLOCKS = (
    block("join", "return [*left, *right]", ["left", "right"]),
    block("left", "return [1]", retry_config={"retries": 2}),
    block("right", "return [2]", executor_type="k8s"),
    block("save", "print(join)", ["join"], kind="data_exporter"),
)


def test_each_block_becomes_a_cell(tmp_path: Path) -> None:
    """A title, the variables, then the blocks in an order in which they can run."""
    project = write_project(tmp_path, BLOCKS, variables={"n": 1, "name": "x"})
    document = notebook_from_pipeline(project, project.pipeline("pipe"))
    nbformat.validate(document)
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    cells = document["cells"]
    assert "".join(cells[0]["source"]) == "# pipe"
    decorators = "data_exporter, data_loader, transformer"
    assert "".join(cells[1]["source"]) == f"from jupyter_blocks.decorators import {decorators}"
    assert "".join(cells[2]["source"]) == "n = 1\nname = 'x'"
    assert [cell["metadata"]["tags"] for cell in cells[1:]] == [
        ["imports"],
        ["parameters"],
        ["loader:left"],
        ["loader:right"],
        ["transformer:join", "upstream:left", "upstream:right"],
        ["exporter:save", "upstream:join"],
    ]
    assert "".join(cells[5]["source"]).startswith("@transformer\ndef join(left, right, **kwargs):")
    assert cells[3]["metadata"]["jupyter_blocks"]["retries"]["retries"] == 2
    assert cells[4]["metadata"]["jupyter_blocks"] == {"executor": "k8s"}
    assert document["metadata"]["jupyter_blocks"] == {"pipeline": "pipe"}
    assert document == notebook_from_pipeline(project, project.pipeline("pipe"))


def test_the_notebook_exports_to_the_same_pipeline(tmp_path: Path) -> None:
    """The blocks, their order and what they compute."""
    project = write_project(tmp_path / "mage", BLOCKS)
    document = notebook_from_pipeline(project, project.pipeline("pipe"))
    path = tmp_path / "again" / "pipe.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(document), "utf-8")
    golden = run_both(path)
    assert_same(golden)
    assert golden.pipeline["join"] == {"join": [1, 2]}
    old, new = project.pipeline("pipe"), open_project(path.parent).pipeline("pipe")
    assert {item.name: item.upstream for item in new.blocks} == {
        item.name: item.upstream for item in old.blocks
    }
    assert new.block("left").retry == old.block("left").retry


def test_names_that_no_tag_can_hold_are_made_so(tmp_path: Path) -> None:
    """Mage allows more; the edges follow."""
    project = write_project(
        tmp_path,
        (block("Load All"), block("load_all"), block("clean-up", "return 1", ["Load All"])),
    )
    cells = notebook_from_pipeline(project, project.pipeline("pipe"))["cells"]
    assert [cell["metadata"]["tags"] for cell in cells[2:]] == [
        ["loader:load_all"],
        ["loader:load_all_2"],
        ["transformer:clean_up", "upstream:load_all"],
    ]


def test_an_exported_pipeline_has_its_notebook(tmp_path: Path) -> None:
    """While it is there, it is the one to open; without it, the blocks come back."""
    path = notebook(tmp_path, ("loader:a", "x = 1"), ("exporter:b", "print(x)"))
    export_notebook(path)
    project = open_project(tmp_path)
    with pytest.raises(ProjectError, match=r"exported from demo\.ipynb"):
        notebook_from_pipeline(project, project.pipeline("demo"))
    path.unlink()
    cells = notebook_from_pipeline(project, project.pipeline("demo"))["cells"]
    assert "".join(cells[2]["source"]).startswith(
        "from jupyter_blocks.decorators import data_loader"
    )


def test_a_block_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With its block."""
    project = write_project(tmp_path, BLOCKS)
    pipeline = project.pipeline("pipe")
    (tmp_path / "data_loaders/left.py").write_bytes(b"\xff")
    with pytest.raises(ProjectError, match=r"data_loaders/left\.py of block 'left'"):
        notebook_from_pipeline(project, pipeline)
