"""What was changed in a block file comes back into its cell, or is shown; never is it lost."""

# ruff: noqa: E501 - input and outcome side by side

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_blocks.blockfile import without_header
from jupyter_blocks.errors import UsageError, ValidationError
from jupyter_blocks.export import export_notebook
from jupyter_blocks.flowback import flow_back
from jupyter_blocks.notebook import read_notebook
from tests.notebooks import Source, notebook

CELLS: tuple[Source, ...] = (
    ("imports", "import math\n\ndef half(x):\n    # halves\n    return x / 2"),
    ("parameters", "n = 3"),
    ("loader:load", "%time xs = list(range(n))\n# all\nys = [1]\ntext = '''a\n  b\n'''"),
    ("transformer:clean", "zs = []\nfor x in xs:\n    zs.append(half(x))"),
    ("transformer:clean", "# second\nws = [z + 1 for z in zs]"),
    ("transformer:sum_up", "import json\ntotal = sum(ws)\nprint(text)\njson.dumps(ws) + str(1)"),
    ("test:clean", "assert len(ws) >= 0"),
    ("transformer:last", "@transformer\ndef last(ws, limit=2):\n    return ws[:limit]"),
)
LOAD, CLEAN, SUM_UP = "data_loaders/load.py", "transformers/clean.py", "transformers/sum_up.py"
LAST, HELPERS = "transformers/last.py", "helpers/demo.py"
Edit = tuple[str, str, str]
"""File, text to replace, new text."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A notebook that was exported."""
    path = notebook(tmp_path, *CELLS)
    assert export_notebook(path).is_ok
    return path


def edit(folder: Path, *edits: Edit) -> None:
    for name, old, new in edits:
        text = (folder / name).read_text("utf-8")
        assert old in text, text
        (folder / name).write_text(text.replace(old, new), "utf-8")


def change_cell(path: Path, old: str, new: str) -> None:
    edit(path.parent, (path.name, json.dumps(old)[1:-1], json.dumps(new)[1:-1]))


def sources(path: Path) -> list[str]:
    return [cell.source for cell in read_notebook(path).cells]


def changed(path: Path, edits: Sequence[Edit]) -> dict[int, tuple[str, str]]:
    """Edit files, bring it back; cell -> what it was, what it is. Nothing has drifted after it."""
    before = sources(path)
    edit(path.parent, *edits)
    result = flow_back(path, path.parent)
    assert result.is_ok, (result.problems, result.conflicts)
    assert not export_notebook(path, check=True).has_drifted
    pairs = zip(before, sources(path), strict=True)
    return {
        number: (one, other) for number, (one, other) in enumerate(pairs, start=1) if one != other
    }


@pytest.mark.parametrize(
    ("edits", "cell", "old", "new"),
    [
        ([(LOAD, "ys = [1]", "ys = [1, 2]")], 3, "ys = [1]", "ys = [1, 2]"),
        ([(LOAD, "range(n)", "range(n + 1)")], 3, "range(n)", "range(n + 1)"),
        ([(LOAD, "  b\n", "  b\n    c\nd\n")], 3, "  b\n", "  b\n    c\nd\n"),
        ([(LOAD, "    # all\n", "")], 3, "# all\n", ""),
        ([(CLEAN, "z + 1", "z + 2")], 5, "z + 1", "z + 2"),
        ([(CLEAN, "half(x))\n", "half(x))\n    print(zs)\n")], 4, "half(x))", "half(x))\nprint(zs)"),
        ([(CLEAN, "    # second", "    zs = zs[:2]\n    # second")], 5, "# second", "zs = zs[:2]\n# second"),
        ([(CLEAN, "    zs = []", '    """What."""\n    zs = []')], 4, "zs = []", '"""What."""\nzs = []'),
        ([(CLEAN, "[z + 1 for z in zs]", "[\n        z + 1\n        for z in zs\n    ]")], 5, "[z + 1 for z in zs]", "[\n    z + 1\n    for z in zs\n]"),
        ([(CLEAN, "    return ws", "    # done\n    return ws")], 5, "in zs]", "in zs]\n# done"),
        ([(CLEAN, "return ws", "return ws[1:]")], 5, "in zs]", "in zs]\nws = ws[1:]"),
        ([(LOAD, '"text": text', '"text": text.upper()')], 3, "b\n'''", "b\n'''\ntext = text.upper()"),
        ([(CLEAN, "@transformer", "LIMIT = 5\n\n\n@transformer")], 4, "zs = []", "LIMIT = 5\nzs = []"),
        ([(SUM_UP, "str(1)", "str(2)")], 6, "str(1)", "str(2)"),
        ([(SUM_UP, "return json.dumps(ws) + str(1)", "out = json.dumps(ws)\n    return out")], 6, "json.dumps(ws) + str(1)", "out = json.dumps(ws)\nout"),
        ([(SUM_UP, "(ws, text)", "(ws, text, ys)"), (SUM_UP, "sum(ws)", "sum(ws) + sum(ys)")], 6, "sum(ws)", "sum(ws) + sum(ys)"),
        ([(SUM_UP, "sum(ws)", "sum(ws) + sum(ys)")], 6, "sum(ws)", "sum(ws) + sum(ys)"),
        ([(SUM_UP, "    print(text)\n", "")], 6, "print(text)\n", ""),
        ([(CLEAN, ">= 0", "> 0")], 7, ">= 0", "> 0"),
        ([(LAST, "ws[:limit]", "ws[: limit + 1]")], 8, "ws[:limit]", "ws[: limit + 1]"),
        ([(LAST, "limit=2", "limit=3")], 8, "limit=2", "limit=3"),
        ([(HELPERS, "x / 2", "x // 2")], 1, "x / 2", "x // 2"),
        ([(HELPERS, "# halves", "# halves it")], 1, "# halves", "# halves it"),
        ([(CLEAN, "import math", "import math as m\nimport math")], 4, "zs = []", "import math as m\nzs = []"),
    ],
)  # fmt: skip
def test_a_change_goes_to_its_cell(
    path: Path, edits: list[Edit], cell: int, old: str, new: str
) -> None:
    """Body, strings, ends of functions, tests, helpers: what export has added stays out of it."""
    before = sources(path)[cell - 1]
    assert changed(path, edits) == {cell: (before, before.replace(old, new, 1))}


def test_several_files_and_cells_at_once(path: Path) -> None:
    """Each change to its own cell; a cell may get some from two files."""
    edits = [
        (CLEAN, "zs = []", "zs = [0]"),
        (CLEAN, "z + 1", "z + 9"),
        (HELPERS, "x / 2", "x / 4"),
        (HELPERS, "import math", "import math as math"),
    ]
    assert sorted(changed(path, edits)) == [1, 4, 5]
    assert sources(path)[0].startswith("import math as math\n\ndef half(x):")


def test_a_new_function_goes_to_the_cell_and_from_there_to_the_helpers(path: Path) -> None:
    """With what is written in and above it."""
    function = 'def twice(x):\n    """Doc."""\n\n    return 2 * x  # so\n\n\n'
    edits = [
        (SUM_UP, "@transformer", f"{function}@transformer"),
        (SUM_UP, "sum(ws)", "twice(sum(ws))"),
    ]
    assert changed(path, edits)[6][1].startswith(f"{function}import json\ntotal = twice(")
    assert "def twice(x):" in (path.parent / HELPERS).read_text("utf-8")


def test_layout_of_the_file_alone_changes_no_cell(path: Path) -> None:
    """Blank lines, a signature on several lines, sorted imports; the file is exported again."""
    edits = [
        (SUM_UP, "    total", "\n\n    total"),
        (SUM_UP, "(ws, text)", "(\n    ws,\n    text,\n)"),
        (SUM_UP, "import math\nimport json", "import json\nimport math"),
    ]
    assert changed(path, edits) == {}


def test_an_import_that_others_need_stays(path: Path) -> None:
    """And that is said; one of the block's own cell goes."""
    edit(path.parent, (CLEAN, "import math\n", ""))
    result = flow_back(path, path.parent)
    assert result.is_ok
    assert "'import math' stays" in result.notes[0]
    assert sources(path)[0].startswith("import math")
    text = "import json\n"
    assert 6 in changed(path, [(SUM_UP, text, ""), (SUM_UP, "json.dumps(ws)", "str(ws)")])
    assert text not in sources(path)[5]


def test_without_writing_nothing_is_written(path: Path) -> None:
    """The answer is the same."""
    edit(path.parent, (CLEAN, "z + 1", "z + 2"))
    before = {file: file.read_bytes() for file in path.parent.rglob("*.*") if file.is_file()}
    result = flow_back(path, path.parent, write=False)
    assert [(cell.number, cell.files) for cell in result.cells] == [(5, (CLEAN,))]
    assert b"z + 2" in result.data
    assert {file: file.read_bytes() for file in before} == before


def test_nothing_was_edited(path: Path) -> None:
    """Nothing to do."""
    result = flow_back(path, path.parent)
    assert (result.edited, result.cells, result.files) == ((), (), ())


def test_only_the_changed_lines_of_the_notebook_change(path: Path) -> None:
    """Outputs, ids and layout stay."""
    before = path.read_text("utf-8")
    edit(path.parent, (CLEAN, "z + 1", "z + 2"))
    flow_back(path, path.parent)
    assert path.read_text("utf-8") == before.replace("z + 1", "z + 2")


# both sides


def test_both_sides_changed_one_cell(path: Path) -> None:
    """All three versions are shown, and nothing is written."""
    edit(path.parent, (LOAD, "ys = [1]", "ys = [2]"), (CLEAN, "z + 1", "z + 2"))
    change_cell(path, "ys = [1]", "ys = [3]")
    before = {file: file.read_bytes() for file in path.parent.rglob("*.*") if file.is_file()}
    result = flow_back(path, path.parent)
    assert not result.is_ok
    (conflict,) = result.conflicts
    assert (conflict.path, conflict.cell) == (LOAD, 3)
    assert conflict.base is not None
    versions = [conflict.base, conflict.notebook, conflict.file]
    assert [lines[2] for lines in versions] == ["ys = [1]", "ys = [3]", "ys = [2]"]
    assert {file: file.read_bytes() for file in before} == before


def test_a_cell_that_is_gone(path: Path) -> None:
    """What was changed in its file is shown."""
    edit(path.parent, (CLEAN, "z + 1", "z + 2"))
    change_cell(path, "# second\n", "")
    change_cell(path, "ws = [z + 1 for z in zs]", "")
    change_cell(path, "zs = []\n", "ws = zs = []\n")
    (conflict,) = flow_back(path, path.parent).conflicts
    assert "ws = [z + 2 for z in zs]" in conflict.file
    assert conflict.notebook == ()


def test_the_files_win_by_force(path: Path) -> None:
    """And only where they were edited."""
    edit(path.parent, (LOAD, "ys = [1]", "ys = [2]"))
    change_cell(path, "ys = [1]", "ys = [3]")
    change_cell(path, "z + 1", "z + 5")
    assert flow_back(path, path.parent, force=True).is_ok
    assert "ys = [2]" in sources(path)[2]
    assert "z + 5" in sources(path)[4]
    assert not export_notebook(path, check=True).has_drifted


def test_the_notebook_wins_by_force_of_export(path: Path) -> None:
    """The other way out."""
    edit(path.parent, (LOAD, "ys = [1]", "ys = [2]"))
    change_cell(path, "ys = [1]", "ys = [3]")
    assert export_notebook(path, force=True).is_ok
    assert flow_back(path, path.parent).edited == ()


def test_different_cells_of_one_block_are_merged(path: Path) -> None:
    """File and notebook each keep their change."""
    edit(path.parent, (CLEAN, "z + 1", "z + 2"))
    change_cell(path, "zs = []", "zs = [5]")
    assert flow_back(path, path.parent).is_ok
    text = (path.parent / CLEAN).read_text("utf-8")
    assert "zs = [5]" in text
    assert "z + 2" in text


def test_the_same_change_on_both_sides_is_none(path: Path) -> None:
    """Export sees that as well."""
    edit(path.parent, (LOAD, "ys = [1]", "ys = [2]  # two"))
    change_cell(path, "ys = [1]", "ys = [2]  # two")
    assert flow_back(path, path.parent, write=False).cells == ()
    assert export_notebook(path).is_ok
    assert not export_notebook(path, check=True).has_drifted


def test_cells_may_move_and_lose_their_ids(path: Path) -> None:
    """Numbers of cells change when one is put above; the code tells which is which."""
    shutil.rmtree(path.parent)
    path = notebook(path.parent, *CELLS, ids=False)
    export_notebook(path)
    edit(path.parent, (CLEAN, "z + 1", "z + 2"), (HELPERS, "x / 2", "x / 3"))
    notebook(path.parent, ("markdown", "# New"), *CELLS, ids=False)
    result = flow_back(path, path.parent)
    assert [cell.number for cell in result.cells] == [2, 6]
    assert not export_notebook(path, check=True).has_drifted


def test_how_it_was_exported_may_be_unknown(path: Path) -> None:
    """In another clone: a change of the file alone is told, one of both sides is a conflict."""
    shutil.rmtree(path.parent / ".blocks")
    assert 5 in changed(path, [(CLEAN, "z + 1", "z + 2")])
    shutil.rmtree(path.parent / ".blocks")
    edit(path.parent, (CLEAN, "z + 2", "z + 3"))
    change_cell(path, "zs = []", "zs = [5]")
    conflicts = flow_back(path, path.parent).conflicts
    assert {conflict.cell for conflict in conflicts} == {4, 5}
    assert all(conflict.base is None for conflict in conflicts)


# what has no place in a cell


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([(SUM_UP, "(ws, text)", "(ws, text, more=1)")], "'def sum_up(ws, text, more=1):' is not from a cell"),
        ([(CLEAN, "@transformer", "@data_exporter")], "type and name of a block are in its tag"),
        ([(CLEAN, "return ws", "return ws  # all")], "no cell can hold 'return ws  # all'"),
        ([(CLEAN, "    return ws\n", "")], "is not from a cell"),
        ([(CLEAN, "z + 1", "z +")], "not valid Python"),
        ([(CLEAN, "z + 1", "z + nothing")], "the notebook would have mistakes"),
        ([(CLEAN, "    zs = []", "    if xs is None:\n        return 1\n    zs = []")], "mistakes"),
    ],
)  # fmt: skip
def test_what_no_cell_can_hold_is_refused(path: Path, edits: list[Edit], said: str) -> None:
    """With the place in the file; nothing is written."""
    before = path.read_bytes()
    edit(path.parent, *edits)
    result = flow_back(path, path.parent)
    assert not result.is_ok
    assert result.problems[0].code == "cannot-flow-back"
    assert said in str(result.problems[0])
    assert path.read_bytes() == before
    assert edits[0][2] in (path.parent / edits[0][0]).read_text("utf-8")


def test_mistakes_of_the_notebook_come_first(path: Path) -> None:
    """They have nothing to do with the files."""
    change_cell(path, "zs = []", "zs = = []")
    with pytest.raises(ValidationError, match="cell 4"):
        flow_back(path, path.parent)


def test_the_pipeline_may_have_another_name(path: Path) -> None:
    """The one that was exported is meant."""
    shutil.rmtree(path.parent / "pipelines")
    export_notebook(path, pipeline="daily", force=True)
    edit(path.parent, (CLEAN, "z + 1", "z + 2"))
    assert flow_back(path, path.parent).pipeline == "daily"
    assert "z + 2" in sources(path)[4]
    assert not export_notebook(path, pipeline="daily", check=True).has_drifted


def test_of_several_pipelines_one_must_be_named(path: Path) -> None:
    """Export left two."""
    shutil.copytree(path.parent / "pipelines/demo", path.parent / "pipelines/a")
    (path.parent / "pipelines/demo").rename(path.parent / "pipelines/b")
    with pytest.raises(UsageError, match="exported as a, b"):
        flow_back(path, path.parent)


# kinds of notebooks


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_python_file_with_cells(tmp_path: Path, end: str) -> None:
    """Only the changed line is written; magics stay comments."""
    text = '# %% tags=["loader:load"]\n# %time xs = [1]\n\n# %% tags=["transformer:t"]\nxs + [2]\n'
    path = tmp_path / "flow.py"
    path.write_bytes(text.replace("\n", end).encode())
    assert export_notebook(path).is_ok
    edit(tmp_path, (LOAD, "xs = [1]", "xs = [1, 2]"), ("transformers/t.py", "[2]", "[3]"))
    assert flow_back(path, tmp_path).is_ok
    expected = text.replace("xs = [1]", "xs = [1, 2]").replace("[2]\n", "[3]\n")
    assert path.read_bytes() == expected.replace("\n", end).encode()


def test_an_indented_cell_stays_indented(tmp_path: Path) -> None:
    """IPython takes the indentation of the first line off."""
    path = tmp_path / "demo.ipynb"
    cell = {
        "cell_type": "code",
        "source": "\tif 1:\n\t\ty = 2\n\ty",
        "metadata": {"tags": ["loader:a"]},
    }
    path.write_text(json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 4}))
    export_notebook(path)
    edit(tmp_path, ("data_loaders/a.py", "y = 2", "y = 3\n    \tz = 1"))
    flow_back(path, tmp_path)
    assert sources(path) == ["\tif 1:\n\t\ty = 3\n\t\tz = 1\n\ty"]


# every edit


LINES = st.sampled_from(
    ["a = 1", "# said", "", "xs = xs", "print(1)", "import os", "return ws", "    q = 2", "'''", "x +"]
)  # fmt: skip


def told(text: str) -> Counter[str]:
    """The lines that are not export's, however they are indented."""
    lines = (line.strip() for line in without_header(text).split("\n"))
    written = ("import", "from", "return", "def ", "@", "pass")
    return Counter(line for line in lines if line and not line.startswith(written))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_edit_is_lost(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever is done to a file: it is in the notebook afterwards, or everything is as before."""
    path = notebook(tmp_path_factory.mktemp("edits"), *CELLS)
    export_notebook(path)
    file = path.parent / data.draw(st.sampled_from([CLEAN, SUM_UP, LOAD, HELPERS, LAST]))
    lines = file.read_text("utf-8").split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith("# digest")) + 1
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(start, len(lines) - 1))
        if data.draw(st.booleans()):
            lines.pop(index)
        else:
            lines.insert(index, data.draw(st.sampled_from(["", "    "])) + data.draw(LINES))
    edited = "\n".join(lines)
    file.write_text(edited, "utf-8")
    before = path.read_bytes()
    result = flow_back(path, path.parent)
    if result.is_ok:
        assert not export_notebook(path, check=True).has_drifted
        assert told(file.read_text("utf-8")) == told(edited)
        again = flow_back(path, path.parent)
        assert again.edited == ()
    else:
        assert path.read_bytes() == before
        assert file.read_text("utf-8") == edited
