"""What people publish as pipelines: they compute what the notebook computes, or say why not.

See `corpus` for the notebooks and what is expected of each.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jupyter_blocks.blockfile import without_header
from jupyter_blocks.errors import ProjectError
from jupyter_blocks.project import open_project
from jupyter_blocks.unexport import notebook_from_pipeline
from tests.commandline import blocks
from tests.corpus import CORPUS, EACH, FOLDER, SUGGESTED, exported, tagged

WAYS = [(name, way) for name in CORPUS for way in (EACH, SUGGESTED)]
REFUSED = [(name, way) for name, way in WAYS if way in CORPUS[name].refused]
TAKEN = [pair for pair in WAYS if pair not in REFUSED]
CHECKED = [(name, way) for name, way in TAKEN if way in CORPUS[name].checked]


def lines(text: str) -> list[str]:
    """The lines of a file of code, without its header and those between functions."""
    return [line for line in without_header(text).split("\n") if line.strip()]


def test_every_notebook_of_the_corpus_is_tested() -> None:
    """And nothing is expected of one that is gone."""
    assert {path.name for path in FOLDER.iterdir()} == set(CORPUS)


@pytest.mark.parametrize(("name", "way"), CHECKED)
def test_the_pipeline_computes_what_the_notebook_computes(
    name: str, way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every output of every block, exactly; what cannot be compared is known, with the reason."""
    expected = CORPUS[name]
    for module in expected.needs:
        pytest.importorskip(module)
    answer = blocks(capsys, "check", tagged(name, tmp_path, way), "--json")
    found = answer.document
    assert (found.get("failed"), found.get("different")) == ([], []), answer.err
    assert answer.code == 0
    incomparable = {entry["name"]: entry["detail"] for entry in found["not_comparable"]}
    assert incomparable.items() <= expected.incomparable.items()


@pytest.mark.parametrize(("name", "way"), REFUSED)
def test_what_is_refused_is_refused_with_its_reason(
    name: str, way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with its cell, its line, and what to do; nothing of it is run."""
    answer = blocks(capsys, "check", tagged(name, tmp_path, way), "--json")
    assert answer.code == 2
    assert answer.document["error"]["message"] == CORPUS[name].refused[way]


@pytest.mark.parametrize(("name", "way"), TAKEN)
def test_a_notebook_made_from_the_project_exports_to_the_same_files(
    name: str, way: str, tmp_path: Path
) -> None:
    """When the notebook is gone: the same blocks with the same code; or it is said why not."""
    path = tagged(name, tmp_path, way)
    before = exported(path)
    path.unlink()
    project = open_project(tmp_path)
    (pipeline,) = map(project.pipeline, project.pipelines())
    if way in CORPUS[name].gone:
        with pytest.raises(ProjectError, match=re.escape(CORPUS[name].gone[way])):
            notebook_from_pipeline(project, pipeline)
        return
    made = path.with_suffix(".ipynb")
    made.write_text(json.dumps(notebook_from_pipeline(project, pipeline)), "utf-8")
    after = exported(made)
    assert after.keys() == before.keys()
    for file, text in before.items():
        # Functions of different cells may come in another order.
        order = sorted if file.startswith("helpers/") else list
        assert order(lines(after[file])) == order(lines(text)), file
