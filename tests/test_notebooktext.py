"""Writing into a notebook changes what was asked for, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from jupyter_blocks.errors import UsageError
from jupyter_blocks.notebook import parse_notebook
from jupyter_blocks.notebooktext import replace_file, resourced, retagged

NOTEBOOK = Path("demo.ipynb")
SCRIPT = Path("demo.py")


@pytest.mark.parametrize("indent", [1, 2, 4])
@pytest.mark.parametrize("end", ["", "\n"])
def test_only_tags_change(indent: int, end: str) -> None:
    """Layout, order of keys and characters of the file stay."""
    document = {
        "nbformat": 4,
        "cells": [{"source": ["ü\n"], "metadata": {}, "cell_type": "code"}],
        "metadata": {"z": 1, "a": 2.50},
    }
    text = json.dumps(document, indent=indent, ensure_ascii=False) + end
    written = retagged(text.encode(), NOTEBOOK, {1: "loader:x"}).decode()
    tags = json.dumps({"tags": ["loader:x"]}, indent=indent)
    lines = tags.replace("\n", "\n" + " " * 3 * indent)
    assert written == text.replace('"metadata": {},', f'"metadata": {lines},')


def test_numbers_marks_and_line_ends_stay() -> None:
    """A byte order mark, CRLF, 2.50 and escapes."""
    text = (
        '{"nbformat": 4,\r\n "cells": [{"cell_type": "code", "source": "\\u00fc",\r\n'
        '"metadata": {"n": 2.50, "tags": ["a"]}}]}'
    )
    written = retagged(b"\xef\xbb\xbf" + text.encode(), NOTEBOOK, {1: "b"})
    assert written == b"\xef\xbb\xbf" + text.replace('["a"]', '["a", "b"]').encode()


def test_a_cell_without_metadata_gets_some() -> None:
    """Old tools leave it out."""
    data = b'{"cells": [{"cell_type": "code", "source": "x"}], "nbformat": 4}'
    assert parse_notebook(retagged(data, NOTEBOOK, {1: "a"}), NOTEBOOK).cells[0].tags == ("a",)


@pytest.mark.parametrize(
    ("before", "after"),
    [('"x = 1"', '"y = 2\\nz = 3"'), ('["x = 1"]', '["y = 2\\n", "z = 3"]'), ("[]", None)],
)
def test_code_keeps_its_form(before: str, after: str | None) -> None:
    """One text, or a list of lines."""
    data = f'{{"cells": [{{"cell_type": "code", "source": {before}}}], "nbformat": 4}}'
    written = resourced(data.encode(), NOTEBOOK, {1: "y = 2\nz = 3"}).decode()
    assert parse_notebook(written.encode(), NOTEBOOK).cells[0].source == "y = 2\nz = 3"
    if after:
        assert written == data.replace(before, after)


def test_the_cells_of_an_older_format() -> None:
    """In version 3 they lie in worksheets, and code is called input; both stay so."""
    sheets = [{"cells": [{"cell_type": "heading", "level": 2, "source": ["Data"]}]}, {"cells": []}]
    sheets[1]["cells"] = [{"cell_type": "code", "input": ["x = 1"], "metadata": {}}]
    data = json.dumps({"worksheets": sheets, "nbformat": 3, "metadata": {}}).encode()
    written = resourced(retagged(data, NOTEBOOK, {2: "loader:x"}), NOTEBOOK, {2: "x = 2"})
    (cell,) = json.loads(written)["worksheets"][1]["cells"]
    assert cell["metadata"] == {"tags": ["loader:x"]}
    assert cell["input"] == ["x = 2"]
    heading, code = parse_notebook(written, NOTEBOOK).cells
    assert (heading.kind, heading.source) == ("markdown", "## Data")
    assert (code.source, code.tags) == ("x = 2", ("loader:x",))


def test_the_oldest_format_has_no_room() -> None:
    """It says what to do."""
    with pytest.raises(UsageError, match="Open and save it in JupyterLab"):
        retagged(b'{"cells": [{}], "nbformat": 1}', NOTEBOOK, {1: "a"})


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_python_file_keeps_its_line_ends(end: str, last: str, mark: bytes) -> None:
    """And its last line, with or without one."""
    text = f"# %%{end}x = 'ü'{end}# %%{end}y = 2{last and end}"
    data = mark + text.encode()
    tagged = retagged(data, SCRIPT, {1: "loader:x"})
    assert tagged == data.replace(b"# %%", b'# %% tags=["loader:x"]', 1)
    changed = resourced(data, SCRIPT, {2: "y = 3\nz = 4"})
    assert changed == data.replace(b"y = 2", f"y = 3{end}z = 4".encode())


def test_a_python_file_keeps_its_encoding() -> None:
    """As its first line says."""
    data = "# coding: latin-1\n# %%\nx = 'ü'\n".encode("latin-1")
    assert resourced(data, SCRIPT, {1: "x = 'üü'"}) == data.replace(b"\xfc", b"\xfc\xfc")


def test_tags_that_are_no_list_are_not_written_over() -> None:
    """They may mean something to somebody."""
    with pytest.raises(UsageError, match="not a list"):
        retagged(b"# %% tags=loader\n", SCRIPT, {1: "a"})


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Its mode stays, and so does a link to it."""
    path, link = tmp_path / "a.ipynb", tmp_path / "link.ipynb"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert sorted(os.listdir(tmp_path)) == ["a.ipynb", "link.ipynb"]  # noqa: PTH208
