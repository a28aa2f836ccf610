"""`jupyter blocks notebook`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_blocks.notebook import read_notebook
from tests.commandline import blocks
from tests.notebooks import notebook
from tests.projects import block, write_project

CELLS = (("loader:load", "x = 1"), ("transformer:clean", "y = x + 1"))
CLEAN = "transformers/clean.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A hand-written project."""
    specs = [block("load", "return 2"), block("double", "return load * 2", ["load"])]
    return write_project(tmp_path / "project", specs).root


@pytest.fixture
def exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A notebook whose block file was edited by hand after its export."""
    path = notebook(tmp_path, *CELLS)
    assert blocks(capsys, "export", path).code == 0
    file = tmp_path / CLEAN
    file.write_text(file.read_text("utf-8").replace("x + 1", "x + 2"), "utf-8")
    return path


# a notebook that is made


@pytest.mark.parametrize("name", ["pipe.ipynb", "pipe.py"])
def test_writes_a_notebook(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """One cell for each block; it is a notebook that runs as a pipeline again."""
    path = tmp_path / "new" / name
    path.parent.mkdir()
    answer = blocks(capsys, "notebook", project, "-o", path)
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == f"Wrote {path}: 2 blocks of pipeline 'pipe'.\n"
    assert blocks(capsys, "run", path).code == 0
    assert blocks(capsys, "show", path, "double", "--json").document["value"] == 4
    assert blocks(capsys, "graph", path, "--json").document["pipeline"] == "pipe"


def test_on_stdout(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `-`."""
    assert blocks(capsys, "notebook", project, "pipe", "-o", "-").document["nbformat"] == 4


def test_a_new_notebook_needs_a_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer proposes one."""
    answer = blocks(capsys, "notebook", project)
    assert answer.code == 2
    assert "-o pipe.ipynb" in answer.err


def test_existing_files_stay(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is overwritten."""
    path = notebook(tmp_path, ("", "mine = 1"))
    before = json.loads(path.read_text())
    answer = blocks(capsys, "notebook", project, "-o", path)
    assert answer.code == 2
    assert "exists already" in answer.err
    assert json.loads(path.read_text()) == before


# the notebook that is there


def test_brings_changes_back(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows them, changes the cell and exports it; both sides agree then."""
    answer = blocks(capsys, "notebook", exported)
    assert answer.code == 0
    assert "-y = x + 1\n+y = x + 2\n" in answer.out
    assert "Brought 1 edited file back into 1 cell of demo.ipynb" in answer.out
    assert [cell.source for cell in read_notebook(exported).cells] == ["x = 1", "y = x + 2"]
    assert blocks(capsys, "export", exported, "--check").code == 0
    answer = blocks(capsys, "notebook", exported.parent, "demo")
    assert (answer.code, answer.out) == (
        0,
        "No file was edited by hand: demo.ipynb has it all.\n",
    )


def test_check_only_looks(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 where there is something to bring back."""
    before = exported.read_bytes()
    answer = blocks(capsys, "notebook", exported, "--check")
    assert answer.code == 1
    assert "+y = x + 2" in answer.out
    assert exported.read_bytes() == before
    assert blocks(capsys, "notebook", exported).code == 0
    assert blocks(capsys, "notebook", exported, "--check").code == 0


def test_into_another_file(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The notebook itself and the block files stay."""
    before = exported.read_bytes()
    path = exported.parent / "other.ipynb"
    assert blocks(capsys, "notebook", exported, "-o", path).code == 0
    assert read_notebook(path).cells[1].source == "y = x + 2"
    assert exported.read_bytes() == before
    assert blocks(capsys, "notebook", exported, "-o", "other.py").code == 2


def test_a_conflict_is_shown(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three versions between marks, what to do, and exit code 1."""
    exported.write_text(exported.read_text("utf-8").replace("x + 1", "x + 3"), "utf-8")
    answer = blocks(capsys, "notebook", exported)
    assert answer.code == 1
    assert answer.out.rstrip().split("\n") == [
        "<<<<<<< demo.ipynb, cell 2",
        "y = x + 3",
        "||||||| as exported",
        "y = x + 1",
        "=======",
        "y = x + 2",
        f">>>>>>> {CLEAN}",
    ]
    assert "export --force" in answer.err
    assert "notebook --force" in answer.err
    document = blocks(capsys, "notebook", exported, "--json").document
    assert document["conflicts"][0]["base"] == ["y = x + 1"]
    assert blocks(capsys, "notebook", exported, "--force").code == 0
    assert read_notebook(exported).cells[1].source == "y = x + 2"


def test_what_has_no_place_is_refused(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With file and line."""
    file = exported.parent / CLEAN
    file.write_text(file.read_text("utf-8").replace("def clean(x)", "def clean(x, z=1)"), "utf-8")
    answer = blocks(capsys, "notebook", exported)
    assert answer.code == 2
    assert f"{CLEAN}, line 9" in answer.err
    document = blocks(capsys, "notebook", exported, "--json").document
    assert document["problems"][0]["code"] == "cannot-flow-back"


def test_json(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was changed, as one document."""
    document = blocks(capsys, "notebook", exported, "--json").document
    assert document["edited"] == [CLEAN]
    assert [cell["number"] for cell in document["cells"]] == [2]
    assert document["conflicts"] == document["problems"] == []
