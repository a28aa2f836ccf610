"""Python files with cells: what jupytext, VS Code and Spyder write is read, and written back."""

# ruff: noqa: E501 - input and outcome side by side

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.errors import ValidationError
from jupyter_blocks.notebook import parse_notebook, read_notebook
from jupyter_blocks.percent import commented, read_marker, read_percent
from jupyter_blocks.percentedit import percent_text, with_sources, with_tags
from jupyter_blocks.unexport import notebook_from_pipeline
from tests.projects import block, write_project

HEADER = """\
#!/usr/bin/env python
# -*- coding: utf-8 -*-
# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   jupyter_blocks:
#     pipeline: daily
# ---
"""


def cells(text: str) -> list[tuple[str, str]]:
    """Kind and source of each cell."""
    return [(cell.kind, "\n".join(cell.lines)) for cell in read_percent(text.split("\n")).cells]


# reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# %%\nx = 1\n", [("code", "x = 1")]),
        ("#%%\nx = 1\n# %%\n\ny = 2\n\n\n# %%", [("code", "x = 1"), ("code", "\ny = 2"), ("code", "")]),
        ("import os\n\n# %%\nx = 1", [("code", "import os"), ("code", "x = 1")]),
        ("\n\n# %% A title\nx = 1", [("code", "x = 1")]),
        ("# %% [markdown]\n# # Title\n#\n# text\n", [("markdown", "# Title\n\ntext")]),
        ('# %% [md]\n"""\n# Title\n"""\n', [("markdown", "# Title")]),
        ("# %% [raw]\n# a: b\n", [("raw", "a: b")]),
        ("# %%% deeper\nx = 1", [("code", "x = 1")]),
        ("# In[3]:\nx = 1\n# <codecell>\ny = 2", [("code", "x = 1"), ("code", "y = 2")]),
        ('# %%\ns = """\n# %% no cell\n# %time no magic\n"""', [("code", 's = """\n# %% no cell\n# %time no magic\n"""')]),
        ("# %%\nq = 'it\\'s' # don't \"\"\"\n# %%\ny = 2", [("code", "q = 'it\\'s' # don't \"\"\""), ("code", "y = 2")]),
        ("# %%time\nx = 1", [("code", "%%time\nx = 1")]),
        ("# %%\n# %%time\nx = 1", [("code", "%%time\nx = 1")]),
        ('# %% language="bash" magic_args="-s"\n# ls\n', [("code", "%%bash -s\nls")]),
        ('# %% active="ipynb"\n# print(1)\n', [("code", "print(1)")]),
        ('# %% active="py"\nprint(1)\n', [("raw", "print(1)")]),
        ('# %% tags=["active-py"]\nprint(1)\n', [("raw", "print(1)")]),
    ],
)  # fmt: skip
def test_cells(text: str, expected: list[tuple[str, str]]) -> None:
    """Markers, titles, kinds; nothing inside a string is a marker."""
    assert cells(text) == expected


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("# %time x = f()", "%time x = f()"),
        ("#%matplotlib inline", "%matplotlib inline"),
        ("    # %timeit f()", "    %timeit f()"),
        ("# !ls -l", "!ls -l"),
        ("# files = !ls", "files = !ls"),
        ("# ?print", "?print"),
        ("# print?", "print?"),
        ("# ls", "ls"),
    ],
)
def test_magics_are_comments_in_the_file(line: str, code: str) -> None:
    """And are written as such."""
    assert cells(f"# %%\n{line}\nx = 1")[0][1] == f"{code}\nx = 1"
    assert read_percent(["# %%", *commented([code])]).cells[0].lines == (code,)


@pytest.mark.parametrize(
    "line", ["# a comment", "# 5 % 3", "# x = 1", "# ls = 3", "# what is it ?"]
)
def test_comments_stay_comments(line: str) -> None:
    """Only what is a magic is one."""
    assert cells(f"# %%\n{line}")[0][1] == line


def test_a_magic_goes_on_over_lines() -> None:
    """As far as its backslashes."""
    text = "# %%\n# !ls \\\n# -l\n# a comment"
    assert cells(text)[0][1] == "!ls \\\n-l\n# a comment"


@pytest.mark.parametrize(
    ("text", "kind", "metadata"),
    [
        ("", "code", {}),
        ("A title", "code", {}),
        ('tags=["loader:x"]', "code", {"tags": ["loader:x"]}),
        ("tags=['loader:x']", "code", {"tags": ["loader:x"]}),
        ('Load it tags=["a", "b"] name="c d"', "code", {"tags": ["a", "b"], "name": "c d"}),
        ('{"tags": ["a"], "n": 1}', "code", {"tags": ["a"], "n": 1}),
        ('Title {"tags": ["a"]}', "code", {"tags": ["a"]}),
        ('[markdown] tags=["a"]', "markdown", {"tags": ["a"]}),
        ('x={"a": {"b": [1, 2]}} y=null z=true', "code", {"x": {"a": {"b": [1, 2]}}, "y": None, "z": True}),
        ("tags=loader", "code", {"tags": "loader"}),
        ("a == b", "code", {}),
    ],
)  # fmt: skip
def test_the_text_behind_the_marker(text: str, kind: str, metadata: dict[str, Any]) -> None:
    """Title, kind, and metadata as JSON or Python."""
    marker = read_marker(text)
    assert (marker.kind, marker.metadata) == (kind, metadata)


def test_the_header_is_metadata_of_the_notebook() -> None:
    """Its other keys are a raw cell, as in the notebook that jupytext pairs it with."""
    read = read_percent(f"{HEADER}\n# %%\nx = 1".split("\n"))
    assert read.metadata["jupyter_blocks"] == {"pipeline": "daily"}
    assert [cell.kind for cell in read.cells] == ["code"]
    text = HEADER.replace("# jupyter:", "# title: Daily\n# jupyter:")
    read = read_percent(f"{text}\n# %%\nx = 1".split("\n"))
    assert [(cell.kind, cell.lines[1]) for cell in read.cells[:1]] == [("raw", "title: Daily")]


def test_a_file_is_a_notebook(tmp_path: Path) -> None:
    """With tags and settings of its cells, whatever its line ends and encoding are."""
    path = tmp_path / "flow.py"
    path.write_bytes(
        b'\xef\xbb\xbf# %% Load tags=["loader:x"] jupyter_blocks={"timeout": 5}\r\nx = \'\xc3\xbc\'\r\n'
    )
    cell = read_notebook(path).cells[0]
    assert (cell.number, cell.ref, cell.tags, cell.source) == (1, "#1", ("loader:x",), "x = 'ü'")
    assert cell.metadata["jupyter_blocks"] == {"timeout": 5}
    path.write_bytes("# coding: latin-1\n# %%\nx = 'ü'\n".encode("latin-1"))
    assert read_notebook(path).code_cells[-1].source == "x = 'ü'"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("x = 1\n", "not-a-notebook", "no line begins with '# %%'"),
        ("", "not-a-notebook", "Write '# %%' above each cell"),
        (
            "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       format_name: light\n# ---\n\n# +\nx = 1\n",
            "not-a-notebook",
            "jupytext --to py:percent flow.py",
        ),
        ("# ---\n# jupyter: [\n# ---\n# %%\nx = 1", "bad-notebook", "header is not YAML"),
        ("# ---\n# jupyter:\n#   kernelspec:\n#     language: R\n# ---\n# %%\n", "not-python", "R"),
        ("# coding: nonsense\n# %%\n", "not-a-notebook", "not text"),
    ],
)
def test_what_is_no_notebook_says_so(text: str, code: str, said: str) -> None:
    """A script has no cells."""
    with pytest.raises(ValidationError) as caught:
        parse_notebook(text.encode(), Path("flow.py"))
    assert [problem.code for problem in caught.value.problems] == [code]
    assert said in str(caught.value)


def test_tags_that_are_no_list_are_a_problem_of_their_cell() -> None:
    """It says how to write them."""
    read = parse_notebook(b"# %% tags=loader\nx = 1", Path("flow.py"))
    assert [(problem.code, problem.cell) for problem in read.problems] == [("bad-tags", 1)]
    assert 'tags=["loader"]' in read.problems[0].hint


# writing


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("# %%", '# %% tags=["t:x"]'),
        ("#%%  ", '#%% tags=["t:x"]'),
        ("# %% A title", '# %% A title tags=["t:x"]'),
        ('# %% name="a"', '# %% name="a" tags=["t:x"]'),
        ('# %% tags=["slow"] name="a"', '# %% tags=["slow", "t:x"] name="a"'),
        ("# %% tags=[]", '# %% tags=["t:x"]'),
        ('# %% Load {"n": 1}', '# %% Load {"n": 1, "tags": ["t:x"]}'),
        ('# %% {"tags": ["ü"]}', '# %% {"tags": ["ü", "t:x"]}'),
        ("# In[3]:", '# %% tags=["t:x"]'),
    ],
)
def test_a_tag_goes_behind_the_marker(marker: str, expected: str) -> None:
    """All other lines stay as they are; reading gives the tag back."""
    lines = ["import os  ", "", marker, "x = 1", "", "# %%", "y"]
    changed = with_tags(lines, {2: "t:x"})
    assert changed == [*lines[:2], expected, *lines[3:]]
    assert read_percent(changed).cells[1].metadata["tags"][-1] == "t:x"


def test_a_cell_above_the_first_marker_gets_one() -> None:
    """Below header and blank lines."""
    lines = [*HEADER.rstrip().split("\n"), "", "import os", "# %%", "x"]
    changed = with_tags(lines, {1: "imports", 2: "loader:x"})
    assert changed[-4:] == ['# %% tags=["imports"]', "import os", '# %% tags=["loader:x"]', "x"]
    assert changed[:-4] == lines[:-3]


def test_code_goes_where_the_cell_is() -> None:
    """Lines that stay are not touched; magics are comments."""
    lines = ["# %%", "#%time x = 1", "y = 2", "", "", "# %% next", "z = 3"]
    changed = with_sources(lines, {1: "%time x = 1\n%time y = 3\nw = 4", 2: "z = 4"})
    assert changed == [
        "# %%",
        "#%time x = 1",
        "# %time y = 3",
        "w = 4",
        "",
        "",
        "# %% next",
        "z = 4",
    ]
    lines = ['# %% active="ipynb"', "# x = 1"]
    assert with_sources(lines, {1: "x = 1\ny = 2"}) == [*lines, "# y = 2"]


def test_a_whole_notebook_is_written_and_read_back(tmp_path: Path) -> None:
    """Cells, tags, settings and magics."""
    project = write_project(
        tmp_path, (block("a", "return '''x\n# %% y\n'''"), block("b", "return a", ["a"])), variables={"n": 1}
    )  # fmt: skip
    document = notebook_from_pipeline(project, project.pipeline("pipe"))
    document["cells"][1]["source"] = ["%matplotlib inline\n", "import os"]
    read = parse_notebook(percent_text(document).encode(), Path("x.py"))
    assert [(cell.kind, cell.source, cell.metadata) for cell in read.cells] == [
        (cell["cell_type"], "".join(cell["source"]), cell["metadata"]) for cell in document["cells"]
    ]
    assert read.metadata == document["metadata"]


def test_problems_have_the_line_of_the_file(tmp_path: Path) -> None:
    """As editors know it, beside cell and line; a cell as a whole has its first line."""
    path = tmp_path / "flow.py"
    path.write_text("import os\n\n# %% tags=['loder:a']\n# %% tags=['loader:b']\nx = 1\ny = nope\n")
    found = analyze_notebook(read_notebook(path)).problems
    assert [(problem.line, problem.file_line) for problem in found] == [(None, 4), (2, 6)]
    assert str(found[1]).startswith("flow.py:6, cell 3, line 2: ")


def test_a_key_of_a_notebook_file_is_no_line_of_it() -> None:
    """Files of others may hold anything."""
    data = b'{"cells": [{"cell_type": "code", "source": "x", "first_line": 3}], "nbformat": 4}'
    assert parse_notebook(data, Path("x.ipynb")).cells[0].first_line is None
