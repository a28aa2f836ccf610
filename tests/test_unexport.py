"""A project without a notebook opens as one, and exporting that gives the same blocks."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from jupyter_blocks.blockfile import without_header
from jupyter_blocks.errors import ProjectError
from jupyter_blocks.export import export_notebook
from jupyter_blocks.percentedit import percent_text
from jupyter_blocks.project import open_project
from jupyter_blocks.unexport import notebook_from_pipeline, settings_left_out
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


CELLS = (
    ("imports", "import math\nfrom pathlib import Path\n\nimport pandas as pd"),
    ("functions", "LIMIT = 2\n\n\ndef half(x):\n    # halves\n    return x / n"),
    ("parameters", "n = 3"),
    ("sensor:wait", "Path('.').exists()"),
    ("loader:load upstream:wait", "xs = list(range(n))\n\nys = [1]\ntext = '''a\n  b\n'''"),
    ("transformer:clean", "import json\n\nzs = [half(x) for x in xs]"),
    ("transformer:clean", "# more\nws = zs[:LIMIT]", {"retries": 2}),
    ("test:clean", "assert len(ws) >= 0"),
    ("transformer:last", "@transformer\ndef last(ws, text):\n    return json.dumps(ws) + text"),
    ("exporter:save", "print(last)\nlen(last)"),
)


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".py", ".yaml") and ".blocks" not in path.parts
    }


@pytest.mark.parametrize("suffix", [".ipynb", ".py"])
def test_a_notebook_that_is_gone_comes_back(tmp_path: Path, suffix: str) -> None:
    """Plain cells with their ids, tags and settings: exported, the files are the same."""
    path = notebook(tmp_path, *CELLS)
    assert export_notebook(path).is_ok
    before = contents(tmp_path)
    path.unlink()
    project = open_project(tmp_path)
    document = notebook_from_pipeline(project, project.pipeline("demo"))
    nbformat.validate(document)
    if suffix == ".ipynb":
        path.write_text(json.dumps(document), "utf-8")
        assert not export_notebook(path, check=True).has_drifted
        assert contents(tmp_path) == before
        tags = [cell["metadata"].get("tags") for cell in document["cells"][1:]]
        assert sorted(map(str, tags)) == sorted(str(cell[0].split()) for cell in CELLS)
        return
    path = tmp_path / "demo.py"
    path.write_text(percent_text(document), "utf-8")
    assert export_notebook(path).is_ok
    after = contents(tmp_path)
    assert after.keys() - before.keys() == {"demo.py"}
    for name in before:
        assert without_header(after[name]) == without_header(before[name]) or "yaml" in name


def test_setup_that_became_part_of_a_block_stands_above_all_blocks(tmp_path: Path) -> None:
    """Options and constants beside a seed, which export puts into the first block that draws."""
    setup = "import random\nimport warnings\n\nwarnings.simplefilter('ignore')"
    setup += "\nBEFORE = 3\nrandom.seed(1)"
    path = notebook(
        tmp_path,
        ("imports", setup),
        ("loader:load", "xs = [random.__name__, BEFORE]"),
        ("transformer:draw", "import math\nys = [math.floor(9 * random.random()), BEFORE, *xs]"),
        ("functions", "def twice(x):\n    return 2 * x"),
        ("exporter:show", "print(twice(ys[0]))"),
        ("test:draw", "assert ys"),
    )
    assert export_notebook(path).is_ok
    files = {file: without_header(file.read_text()) for file in tmp_path.rglob("*.py")}
    path.unlink()
    project = open_project(tmp_path)
    document = notebook_from_pipeline(project, project.pipeline("demo"))
    assert not any("@" in "".join(cell["source"]) for cell in document["cells"])
    path.write_text(json.dumps(document))
    assert export_notebook(path, force=True).is_ok
    assert {file: sorted(without_header(file.read_text()).split("\n")) for file in files} == {
        file: sorted(text.split("\n")) for file, text in files.items()
    }


def test_settings_a_notebook_has_no_place_for_are_said(tmp_path: Path) -> None:
    """All others come along."""
    specs = [
        block("load", "return 1", configuration={"a": 1}),
        block("use", "return 2", ["load"], timeout=5),
    ]
    project = write_project(tmp_path, specs, concurrency_config={"block_run_limit": 2})
    assert settings_left_out(project.pipeline("pipe")) == [
        "'concurrency_config' of the pipeline",
        "'configuration' of block 'load'",
    ]


def test_edited_files_of_a_notebook_that_is_gone_become_cells(tmp_path: Path) -> None:
    """With what was edited."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    file = tmp_path / "transformers/clean.py"
    file.write_text(file.read_text("utf-8").replace("    # more", "    # more\n    zs = zs[::-1]"))
    edited = file.read_text("utf-8")
    path.unlink()
    project = open_project(tmp_path)
    path.write_text(json.dumps(notebook_from_pipeline(project, project.pipeline("demo"))), "utf-8")
    assert export_notebook(path).is_ok
    assert without_header(file.read_text("utf-8")) == without_header(edited)


def test_files_that_cannot_be_plain_cells_stay_functions(tmp_path: Path) -> None:
    """The helpers come along."""
    path = notebook(tmp_path, *CELLS[:3], ("loader:a", "x = half(3)"), ("exporter:b", "print(x)"))
    export_notebook(path)
    file = tmp_path / "data_loaders/a.py"
    edited = file.read_text("utf-8").replace(
        "x = half(3)", "if n:\n        return 1\n    x = half(3)"
    )
    file.write_text(edited, "utf-8")
    path.unlink()
    project = open_project(tmp_path)
    document = notebook_from_pipeline(project, project.pipeline("demo"))
    sources = ["".join(cell["source"]) for cell in document["cells"]]
    assert any("def half(x):" in source for source in sources)
    assert any("@data_loader\ndef a(" in source for source in sources)
    assert not any("from helpers" in source for source in sources)


def test_a_block_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With its block."""
    project = write_project(tmp_path, BLOCKS)
    pipeline = project.pipeline("pipe")
    (tmp_path / "data_loaders/left.py").write_bytes(b"\xff")
    with pytest.raises(ProjectError, match=r"data_loaders/left\.py of block 'left'"):
        notebook_from_pipeline(project, pipeline)
