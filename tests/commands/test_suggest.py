"""`jupyter blocks suggest`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.commandline import blocks
from tests.notebooks import notebook
from tests.suggestcases import FILES, NOTEBOOKS

CELLS = (
    ("", "import json"),
    ("", "rows = json.loads(open('data.json').read())"),
    ("markdown", "# Ü"),
    ("", "total = sum(rows)"),
    ("", "open('out.txt', 'w').write(str(total))"),
)


def test_proposes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tag and a reason for each cell; the notebook stays as it is."""
    path = notebook(tmp_path, *CELLS)
    before = path.read_bytes()
    answer = blocks(capsys, "suggest", path)
    assert answer.code == 0
    assert [line.split()[0] for line in answer.out.splitlines()[:5]] == ["cell", "1", "2", "4", "5"]
    assert "transformer:" in answer.out
    assert f"jupyter blocks suggest {path} --apply" in answer.out
    assert path.read_bytes() == before
    document = blocks(capsys, "suggest", path, "--json").document
    assert [entry["cell"] for entry in document["proposals"]] == [1, 2, 4, 5]
    assert all(entry["tag"] and entry["reason"] for entry in document["proposals"])
    assert document["applied"] is False


def test_applied_tags_make_a_pipeline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is proposed can be exported and run; a second look proposes nothing."""
    path = notebook(tmp_path, *CELLS)
    (tmp_path / "data.json").write_text("[1, 2]")
    answer = blocks(capsys, "suggest", path, "--apply")
    assert answer.code == 0
    assert "Added 4 tags to demo.ipynb." in answer.out
    assert blocks(capsys, "run", path).code == 0
    assert (tmp_path / "out.txt").read_text() == "3"
    again = blocks(capsys, "suggest", path, "--apply")
    assert "There is nothing to add" in again.out


def test_existing_tags_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Own tags are kept, tags of other tools too."""
    path = notebook(tmp_path, ("loader:mine hide-input", "x = 1"), ("hide-output", "y = x + 1"))
    blocks(capsys, "suggest", path, "--apply")
    cells = json.loads(path.read_text())["cells"]
    assert cells[0]["metadata"]["tags"] == ["loader:mine", "hide-input"]
    assert cells[1]["metadata"]["tags"][0] == "hide-output"
    assert len(cells[1]["metadata"]["tags"]) == 2


def test_tags_of_a_python_file_go_behind_its_markers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else changes; what is proposed can be exported and run."""
    text = (
        "import json\r\n\r\n# %% Read it\r\nrows = json.loads(open('data.json').read())\r\n"
        "# %% [markdown]\r\n# # Ü\r\n#%%\r\ntotal = sum(rows)\r\n# %%\r\n"
        "open('out.txt', 'w').write(str(total))"
    )
    path = tmp_path / "flow.py"
    path.write_bytes(text.encode())
    (tmp_path / "data.json").write_text("[1, 2]")
    assert blocks(capsys, "suggest", path, "--apply").code == 0
    written = re.sub(r' tags=\["[a-z_:]+"\]', "", path.read_bytes().decode())
    assert written == f"# %%\r\n{text}"
    assert blocks(capsys, "run", path).code == 0
    assert (tmp_path / "out.txt").read_text() == "3"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_applied_proposals_check_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The pipeline that is proposed computes what the notebook computes."""
    for file, text in FILES.items():
        (tmp_path / file).write_text(text)
    path = notebook(tmp_path, *NOTEBOOKS[name])
    assert blocks(capsys, "suggest", path, "--apply").code == 0
    answer = blocks(capsys, "check", path, "--json")
    assert answer.code == 0, (answer.out, answer.err)
    assert answer.document["equal"]


def test_what_export_will_refuse_is_announced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason, before and after the tags are written; what can be exported says nothing."""
    path = notebook(tmp_path, ("", "x = [1]"), ("", "def f():\n    global x\n    x = 2\nf()"))
    for options in ((), ("--apply",)):
        answer = blocks(capsys, "suggest", path, *options)
        assert answer.code == 0
        said = answer.out.partition("Export will refuse the notebook even with these tags:\n")[2]
        assert said.startswith("- demo.ipynb, cell 2, line 2: 'global x' writes a variable")
    (problem,) = blocks(capsys, "suggest", path, "--json").document["problems"]
    assert (problem["code"], problem["cell"]) == ("global-statement", 2)
    refused = blocks(capsys, "export", path)
    assert (refused.code, "'global x'" in refused.err) == (2, True)
    fine = notebook(tmp_path, *CELLS, name="fine.ipynb")
    assert "Export will refuse" not in blocks(capsys, "suggest", fine).out


def test_that_nothing_will_be_exported_is_announced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A notebook may hold nothing that a block could run."""
    path = notebook(tmp_path, ("", "!ls"))
    assert "No cell has a block tag" in blocks(capsys, "suggest", path).out


def test_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to say about a notebook of texts."""
    path = notebook(tmp_path, ("markdown", "# Title"))
    assert blocks(capsys, "suggest", path).out == "demo.ipynb has no code cells.\n"
