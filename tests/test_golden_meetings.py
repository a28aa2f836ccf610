"""The golden rule where values meet again, and where names show what others hold.

An element put back into its own list, views inside one value, `d.keys()`, iterators, figures and
axes: each cell a block of its own. The values are those of the notebook, or export refuses.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.notebook import read_notebook
from tests.golden import assert_same, run_both
from tests.notebooks import Source, notebook

IMPORTS = """
import numpy as np
from collections import ChainMap
import matplotlib.pyplot as plt
def push(rows, item):
    rows.append(item)
def draw(ax, y):
    ax.plot(y)
    return ax
"""

SAME: dict[str, tuple[str, ...]] = {
    "an element put back into its own list": (
        "rows = [[1], [2]]",
        "rows.append(rows[0])",
        "rows[0].append(9)",
        "r = str(rows)",
    ),
    "the same, with a name in another block": (
        "rows = [[1], [2]]",
        "item = rows[0]",
        "rows.append(item)",
        "rows[0].append(9)",
        "r = str(rows)",
    ),
    "put back by a function": (
        "rows = [[1], [2]]",
        "item = rows[0]",
        "push(rows, item)",
        "last = rows[-1]",
        "last.append(9)",
        "r = str(rows)",
    ),
    "put into a new list": (
        "rows = [[1], [2]]",
        "item = rows[0]",
        "rows = [item] + rows",
        "rows[1].append(9)",
        "r = str(rows)",
    ),
    "a list and its element in another one": (
        "rows = [[1], [2]]",
        "item = rows[0]",
        "both = [rows, item]",
        "both[1].append(9)",
        "r = str(both[0])",
    ),
    "an array and its view in one dict": (
        "a = np.zeros(4)",
        "v = a[:2]",
        "d = {'a': a, 'v': v}",
        "d['a'][0] = 5",
        "r = d['v'].tolist()",
    ),
    "a view that only a dict has": (
        "d = {'a': np.zeros(3)}",
        "d['b'] = d['a'][:2]",
        "d['a'][0] = 5",
        "r = d['b'].tolist()",
    ),
    "a name for what the other name was": (
        "a = np.arange(4)",
        "b = a",
        "a = a[::-1]",
        "a += 1",
        "r = b.tolist()",
    ),
    "a loop variable that goes on": (
        "d = {'a': [1]}",
        "for k, v in d.items():\n    v.append(2)",
        "d['x'] = [1]",
        "v.append(3)",
        "r = str(d)",
    ),
    "the keys of a dict that grows": (
        "d = {'a': 1}",
        "k = d.keys()",
        "d['x'] = 1",
        "r = list(k)",
    ),
    "its items": ("d = {'a': 1}", "k = d.items()", "d['x'] = 1", "r = sorted(k)"),
    "a list of its keys": ("d = {'a': 1}", "k = list(d.keys())", "d['x'] = 1", "r = list(k)"),
    "a chain of dicts": ("d = {'a': 1}", "c = ChainMap(d)", "d['x'] = 1", "r = sorted(c)"),
    "axes drawn on by their name": (
        "fig, ax = plt.subplots()",
        "ax.plot([1, 2])",
        "ax.set_title('x')",
        "r = [(a.get_title(), len(a.lines)) for a in fig.axes]",
    ),
    "each of several axes": (
        "fig, axes = plt.subplots(1, 2)",
        "for ax in axes:\n    ax.plot([1, 2])",
        "ax.set_title('second')",
        "r = [a.get_title() for a in axes], [len(a.lines) for a in fig.axes]",
    ),
    "axes of a figure, a line of the axes": (
        "fig = plt.figure()",
        "ax = fig.add_subplot()",
        "line, = ax.plot([1, 2])",
        "line.set_ydata([3, 4])",
        "r = [list(one.get_ydata()) for a in fig.axes for one in a.lines]",
    ),
    "axes that a function draws on": (
        "fig, ax = plt.subplots()",
        "draw(ax, [1, 2])",
        "out = draw(ax, [3, 4])",
        "r = len(ax.lines), len(out.lines), len(fig.axes[0].lines)",
    ),
    "labels of axes": (
        "fig, ax = plt.subplots()",
        "plt.setp(ax.get_xticklabels(), rotation=45)",
        "r = ax.get_xticklabels()[0].get_rotation()",
    ),
}

REFUSED: dict[str, tuple[str, tuple[str, ...], int]] = {
    "an iterator over a list that grows": (
        "alias",
        ("xs = [1, 2]", "it = iter(xs)", "xs.append(3)", "r = list(it)"),
        5,
    ),
    "a generator over a list that grows": (
        "alias",
        ("xs = [1, 2]", "it = (x for x in xs)", "xs.append(3)", "r = list(it)"),
        5,
    ),
    "axes that pyplot is to go on with": (
        "figure-crosses",
        ("fig, ax = plt.subplots()", "plt.sca(ax)\nplt.plot([1])"),
        3,
    ),
}


def cells(sources: tuple[str, ...]) -> tuple[Source, ...]:
    """Imports, and a block for each source."""
    return (("functions", IMPORTS), *(("transformer", source) for source in sources))


@pytest.mark.parametrize("case", SAME)
def test_what_meets_again_is_what_it_is_in_the_notebook(case: str, tmp_path: Path) -> None:
    """The last block sees each change, through whichever name it was made."""
    golden = run_both(notebook(tmp_path, *cells(SAME[case])))
    golden.notebook = {"last": golden.notebook[golden.draft.blocks[-1].name]}
    golden.pipeline = {"last": golden.pipeline[golden.draft.blocks[-1].name]}
    assert_same(golden)


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_block_can_go_on_with_is_refused(case: str, tmp_path: Path) -> None:
    """With the cell that reads it, before anything runs."""
    code, sources, cell = REFUSED[case]
    problems = analyze_notebook(read_notebook(notebook(tmp_path, *cells(sources)))).problems
    errors = [(item.code, item.cell) for item in problems if item.severity == "error"]
    assert errors == [(code, cell)]


def test_what_meets_and_is_not_changed_needs_nothing(tmp_path: Path) -> None:
    """No names go on together, and nothing is said."""
    sources = ("rows = [[1], [2]]", "item = rows[0]", "rows.append(item)", "r = str(rows)")
    pipeline = analyze_notebook(read_notebook(notebook(tmp_path, *cells(sources))))
    assert not pipeline.problems
    assert not any(block.together for block in pipeline.blocks)
