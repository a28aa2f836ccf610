"""What is kept of cells between two analyses makes them fast, and changes no answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_blocks.binding import NotebookPipeline, analyze_notebook, parsed
from jupyter_blocks.binding.parsed import parsed_cell
from jupyter_blocks.binding.recent import Recent
from jupyter_blocks.binding.statements import Statement, asked_once, cut
from jupyter_blocks.dataflow import Definition, analyze
from jupyter_blocks.notebook import parse_notebook
from tests.notebooks import Source, notebook_document


def analyzed(cells: Sequence[Source]) -> NotebookPipeline:
    """The pipeline that the cells describe."""
    data = json.dumps(notebook_document(*cells)).encode()
    return analyze_notebook(parse_notebook(data, Path("nowhere/demo.ipynb")))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Recent[tuple[str, bool], parsed.ParsedCell]:
    """Cells are kept, and at first there are none."""
    empty: Recent[tuple[str, bool], parsed.ParsedCell] = Recent(10_000)
    monkeypatch.setattr(parsed, "_KEPT", empty)
    return empty


# what is kept

CHANGES = ("functions", "def fix(df):\n    df['a'] = 1")
LOOKS = ("functions", "def fix(df):\n    return df['a']")
LOAD = ("loader:load", "import pandas as pd\ndf = pd.DataFrame({'a': [1]})")
USES = ("transformer:use", "fix(df)\nb = df['a'] + 1")
TYPED = ("transformer:use", "b: Table = df + 1")
SHOWS = ("exporter:show", "print(df, b)")

EDITS: dict[str, tuple[Sequence[Source], Sequence[Source]]] = {
    "a function of another cell changes what it does": (
        (CHANGES, LOAD, USES, SHOWS),
        (LOOKS, LOAD, USES, SHOWS),
    ),
    "a function of another cell goes": ((CHANGES, LOAD, USES, SHOWS), (LOAD, USES, SHOWS)),
    "a cell above sets the name that a cell reads": (
        (LOAD, ("transformer:more", "c = 2"), ("exporter:show", "print(b)")),
        (LOAD, ("transformer:more", "b = 2"), ("exporter:show", "print(b)")),
    ),
    "cells change places": ((LOAD, USES, SHOWS), (USES, LOAD, SHOWS)),
    "annotations become lazy": (
        (LOAD, TYPED, SHOWS),
        (("imports", "from __future__ import annotations"), LOAD, TYPED, SHOWS),
    ),
    "a cell becomes a block": ((LOAD, ("", "b = df + 1"), SHOWS), (LOAD, USES, SHOWS)),
    "a function that stays in its block reads other data": (
        (LOAD, ("transformer:m", "k = 1\ndef f():\n    return k"), ("exporter", "print(f())")),
        (LOAD, ("transformer:m", "k = 1\ndef f():\n    return df"), ("exporter", "print(f())")),
    ),
}


@pytest.mark.parametrize(("before", "after"), EDITS.values(), ids=EDITS)
def test_an_analysis_does_not_depend_on_the_one_before(
    before: Sequence[Source], after: Sequence[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an edit the answer is that of a process which never saw the notebook before."""
    monkeypatch.setattr(parsed, "_KEPT", Recent(0))
    fresh = [analyzed(before), analyzed(after)]
    monkeypatch.setattr(parsed, "_KEPT", Recent(10_000))
    assert [analyzed(before), analyzed(after)] == fresh
    assert [analyzed(before), analyzed(after)] == fresh
    assert fresh[0] != fresh[1]


@pytest.mark.usefixtures("kept")
def test_the_same_text_is_parsed_once() -> None:
    """A cell that nobody edited costs nothing; another text, or lazy annotations, are others."""
    cell = parsed_cell("x: int = 1", lazy_annotations=False)
    assert parsed_cell("x: int = 1", lazy_annotations=False) is cell
    assert parsed_cell("x: int = 1", lazy_annotations=True) is not cell
    assert parsed_cell("x: int = 2", lazy_annotations=False) is not cell
    assert cell.flow({}) is cell.flow({})


@pytest.mark.usefixtures("kept")
def test_unused_functions_of_other_cells_do_not_matter() -> None:
    """The data flow of a cell is kept until a function changes that the cell names."""
    cell = parsed_cell("fix(df)", lazy_annotations=False)
    fix = analyze("def fix(df): df['a'] = 1").definitions[0]
    other = analyze("def other(df): df['a'] = 1").definitions[0]
    flow = cell.flow({"fix": fix})
    assert cell.flow({"fix": fix, "other": other}) is flow
    assert cell.flow({}) is not flow


def test_many_analyses_at_once_agree(kept: object) -> None:
    """Threads of a server share what is kept."""
    notebooks = [cells for pair in EDITS.values() for cells in pair] * 3
    alone = [analyzed(cells) for cells in notebooks]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(analyzed, notebooks)) == alone


def test_what_is_not_python_is_refused_every_time() -> None:
    """A mistake is no answer to keep."""
    for _ in range(2):
        with pytest.raises(SyntaxError, match="outside function"):
            parsed_cell("return 1", lazy_annotations=False)


# a part of a cell

CUTS = (
    "import os\nx = os.name",
    "import os; x = os.name",
    "x = 1; import os\ny = os.name",
    "from os import (\n    name,\n    path,\n)\nprint(name)\n",
    "x = '''\nimport os\n'''; import os; print(x, os)",
    "import os  # for the name\n# and more\nprint(os.name);",
    "ä = 'ö'; import os; print(ä, os.name)\nä",
    "import os\n\n\ndef f(a: int = os.sep) -> str:\n    return os.path\nf()",
)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("source", CUTS)
def test_the_rest_of_a_cell_means_what_its_text_means(source: str, lazy: bool) -> None:
    """Nodes are taken over from the whole cell; the answer is that for the text that is left."""
    cell = parsed_cell(source, lazy_annotations=lazy)
    imports = [statement for statement in cell.statements if statement.kind.is_import]
    rest = "\n".join(line or "" for line in cut(cell.analyzed, imports))
    assert cell.flow({}, imports) == analyze(rest)


def test_functions_are_known_as_python_spells_them() -> None:
    """`ﬁx` with a ligature is the function `fix`."""
    known: dict[str, Definition] = {"fix": analyze("def fix(df): df['a'] = 1").definitions[0]}
    cell = parsed_cell("y = ﬁx(df)", lazy_annotations=False)
    assert cell.flow(known).changes == analyze("y = fix(df)", known=known).changes == ("df",)


def test_a_question_is_asked_once() -> None:
    """What the statement alone decides is worked out once for each statement."""
    asked: list[int] = []

    @asked_once
    def first_line(statement: Statement) -> int:
        asked.append(statement.first)
        return statement.first

    statements = parsed_cell("once = 1\ntwice = 2", lazy_annotations=False).statements
    assert [first_line(item) for item in (*statements, *statements)] == [1, 2, 1, 2]
    assert asked == [1, 2]


# how much is kept


def test_what_was_not_asked_for_longest_goes_first() -> None:
    """The weight of what is kept stays below the limit."""
    kept: Recent[str, int] = Recent(10)
    kept.put("a", 1, 4)
    kept.put("b", 2, 4)
    assert kept.get("a") == 1
    kept.put("c", 3, 4)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)


def test_a_value_put_again_counts_once() -> None:
    """Its weight is the last one."""
    kept: Recent[str, int] = Recent(10)
    for weight in (9, 9, 5):
        kept.put("a", weight, weight)
    kept.put("b", 0, 5)
    assert (kept.get("a"), kept.get("b")) == (5, 0)


def test_what_is_too_heavy_is_not_kept() -> None:
    """Nor does anything else go for it."""
    kept: Recent[str, int] = Recent(10)
    kept.put("b", 2, 10)
    kept.put("a", 1, 11)
    assert (kept.get("a"), kept.get("b")) == (None, 2)
