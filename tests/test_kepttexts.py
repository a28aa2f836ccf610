"""What is kept from one look at a notebook to the next is never older than the notebook."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks import exportplan, kepttexts
from jupyter_blocks.binding import analyze_notebook, askedpython
from jupyter_blocks.export import ExportResult, export_notebook
from jupyter_blocks.notebook import read_notebook
from tests.notebooks import notebook

LOAD = ("loader:load", "a = [1]")
USE = ("transformer:use", "b = [*a, 2]")


def text_of(result: ExportResult, path: str) -> str:
    return next(file.text for file in result.files if file.path == path)


def test_equal_parameters_that_are_written_in_other_ways_are_other_texts(tmp_path: Path) -> None:
    """1, True and 1.0 are equal in Python, not in a file."""
    for number, value in enumerate(("1", "True", "1.0", "True")):
        path = notebook(
            tmp_path / str(number),
            ("parameters", f"limit = {value}"),
            ("", "@loader\ndef load():\n    return limit"),
        )
        text = text_of(export_notebook(path), "data_loaders/load.py")
        assert f"limit = {value}  # parameter" in text


def test_texts_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit of one block makes one text."""
    made: list[str] = []
    make = kepttexts.block_text

    def counted(block: Any, **names: str) -> str:
        made.append(block.name)
        return make(block, **names)

    monkeypatch.setattr(kepttexts, "block_text", counted)
    edited = ("transformer:use", "b = [*a, 3]")
    export_notebook(notebook(tmp_path, LOAD, USE, name="once.ipynb"), check=True)
    export_notebook(notebook(tmp_path, LOAD, edited, name="once.ipynb"), check=True)
    assert made == ["load", "use", "use"]


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again as soon as it was changed, even if its size stays."""
    monkeypatch.setattr(exportplan, "_SURELY_OLD_NS", 0)
    path = notebook(tmp_path, LOAD, USE)
    export_notebook(path)
    file = tmp_path / "transformers" / "use.py"
    read: list[str] = []
    really = exportplan._read
    monkeypatch.setattr(exportplan, "_read", lambda name: read.append(name) or really(name))  # type: ignore[func-returns-value]

    def state() -> str:
        found = {each.path: each.state for each in export_notebook(path, check=True).files}
        return found["transformers/use.py"]

    assert state() == state() == "unchanged"
    assert read.count(str(file)) <= 1
    time.sleep(0.05)  # the clock of a file system ticks every few milliseconds
    file.write_text(file.read_text().replace("2]", "9]"))
    assert state() == "edited"


def test_star_imports_start_a_process_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For an installed module; a module beside the notebook is looked at each time."""
    started: list[str] = []
    run = subprocess.run

    def counted(command: list[str], **options: Any) -> Any:
        started.append(json.loads(command[-1])["module"])
        return run(command, **options)

    monkeypatch.setattr(askedpython, "_installed", {})
    monkeypatch.setattr(askedpython.subprocess, "run", counted)
    (tmp_path / "tools.py").write_text("def first():\n    return 1\n")
    path = notebook(
        tmp_path,
        ("", "from posixpath import *\nfrom tools import *"),
        ("loader:load", "a = [first(), join('a', 'b')]"),
    )
    assert analyze_notebook(read_notebook(path)).is_valid
    (tmp_path / "tools.py").write_text("def another():\n    return 1\n")
    assert not analyze_notebook(read_notebook(path)).is_valid
    assert started == ["posixpath", "tools", "tools"]
