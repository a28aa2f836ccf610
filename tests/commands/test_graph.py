"""`jupyter blocks graph`."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.commandline import blocks
from tests.notebooks import notebook

CELLS = (
    ("loader:load", "x = 1"),
    ("transformer:clean", "y = x + 1", {"executor": "local_python"}),
    ("exporter:save", "print(x, y)"),
)


def test_text(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every block with its lane."""
    answer = blocks(capsys, "graph", ran, "pipe")
    assert answer.code == 0
    assert [line.split()[-2] for line in answer.out.splitlines()[1:]] == [
        "load",
        "total",
        "bad",
        "after",
    ]


def test_json(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The promised shape."""
    document = blocks(capsys, "graph", ran, "--json").document
    assert document["pipeline"] == "pipe"
    assert document["blocks"][1] == {
        "name": "total",
        "type": "transformer",
        "upstream": ["load"],
        "executor": "local_python",
    }


def test_a_notebook_is_only_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its graph is that of the pipeline it would become, and nothing is written."""
    path = notebook(tmp_path, *CELLS)
    before = blocks(capsys, "graph", path, "--json").document
    assert [entry["name"] for entry in before["blocks"]] == ["load", "clean", "save"]
    assert before["blocks"][2]["upstream"] == ["load", "clean"]
    assert [file.name for file in tmp_path.iterdir()] == ["demo.ipynb"]
    blocks(capsys, "export", path)
    assert blocks(capsys, "graph", tmp_path, "demo", "--json").document == before


def test_svg(ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, or into a file."""
    answer = blocks(capsys, "graph", ran, "--svg")
    assert ElementTree.fromstring(answer.out).get("role") == "img"
    file = tmp_path / "pipe.svg"
    written = blocks(capsys, "graph", ran, "--svg", file)
    assert (written.code, written.out) == (0, "")
    assert written.err == f"Wrote {file}: 4 blocks.\n"
    assert file.read_text("utf-8") == answer.out


def test_one_form_at_a_time(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SVG is not JSON."""
    answer = blocks(capsys, "graph", ran, "--svg", "x.svg", "--json")
    assert answer.code == 2
    assert answer.document["error"]["message"] == "--svg and --json exclude each other."


def test_mistakes_of_a_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are reported as by export."""
    path = notebook(tmp_path, ("loader:load", "x = missing"))
    answer = blocks(capsys, "graph", path)
    assert answer.code == 2
    assert "demo.ipynb, cell 1, line 1" in answer.err
