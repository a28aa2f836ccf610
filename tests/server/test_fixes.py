"""Fixes of one click, tried: with its new tag the notebook does not have the problem any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.notebook import parse_notebook
from jupyter_blocks.server.fixes import fixes_of

Cell = tuple[str, str]
"""Tags, with blanks between them, and source."""

LOAD = ("loader:load", "a = 1")
CASES: dict[str, tuple[list[Cell], str, list[str]]] = {
    "an untagged cell that a block needs": (
        [LOAD, ("", "b = a + 1\nb = b * 2"), ("exporter:write", "print(b)")],
        "left-out-name",
        ["Tag cell 2 as transformer", "Join cell 2 to the block above"],
    ),
    "constants that a block needs": (
        [("", "limit = 3"), ("loader:load", "a = limit")],
        "left-out-name",
        ["Tag cell 1 as parameters", "Tag cell 1 as setup"],
    ),
    "constants and a block's value": (
        [LOAD, ("", "k = 3"), ("", "b = a + 1"), ("exporter:write", "print(k)")],
        "left-out-name",
        ["Tag cell 2 as parameters", "Tag cell 2 as setup"],
    ),
    "two blocks of one name": (
        [LOAD, ("transformer:load hide", "b = a")],
        "duplicate-block",
        ["Rename cell 2 to 'load_2'"],
    ),
    "a name that no block can have": (
        [("loader:Load-All", "a = 1"), ("exporter:write", "print(a)")],
        "bad-name",
        ["Rename cell 1 to 'load_all'"],
    ),
    "more of a block that is not there": (
        [("continue", "a = 1"), ("exporter:write", "print(a)")],
        "continue-without-block",
        ["Tag cell 1 as transformer"],
    ),
    "an order without a block": (
        [LOAD, ("upstream:load", "b = 1")],
        "upstream-without-block",
        ["Tag cell 2 as transformer"],
    ),
}


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_a_fix_mends_what_it_is_for(case: str) -> None:
    """Every fix that is offered takes the problem away, and tags of others stay."""
    cells, code, labels = CASES[case]
    notebook, problems, names = _analyzed(cells)
    problem = next(problem for problem in problems if problem.code == code)
    fixes = fixes_of(problem, notebook, names)
    assert [fix.label for fix in fixes] == labels
    for fix in fixes:
        changed = list(cells)
        tags, source = changed[fix.cell - 1]
        kept = [tag for tag in tags.split() if tag.startswith("upstream:") or tag == "hide"]
        changed[fix.cell - 1] = (" ".join([*kept, fix.tag]), source)
        assert code not in {found.code for found in _analyzed(changed)[1]}, fix


def test_no_fix_where_code_has_to_change() -> None:
    """A name that nothing sets is for the user to set."""
    notebook, problems, names = _analyzed([("loader:load", "a = nothing")])
    assert [problem.code for problem in problems] == ["undefined-name"]
    assert fixes_of(problems[0], notebook, names) == []


def _analyzed(cells: list[Cell]) -> tuple[Any, Any, list[str]]:
    document = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {"tags": tags.split()},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, (tags, source) in enumerate(cells)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    notebook = parse_notebook(json.dumps(document).encode(), Path("shop.ipynb"))
    draft = analyze_notebook(notebook)
    return notebook, draft.problems, [block.name for block in draft.blocks]
