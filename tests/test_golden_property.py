"""The golden rule for notebooks nobody thought of: equal values, or a refusal.

Small notebooks are generated: plain cells that bind, change, delete and share lists, functions that
do the same, setup and parameters. Where the notebook runs and export accepts it, every output of
the blocks is the notebook's value.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.notebook import read_notebook
from tests.golden import NotebookFailedError, assert_same, run_both
from tests.notebooks import Source, notebook

NAMES = ("a", "b", "c")
START: tuple[Source, ...] = (
    ("", "import copy, random\nfrom numpy import random as npr"),
    ("imports", "BASE = [7]\ndef helper(v):\n    return [*v, *BASE, n]"),
    ("parameters", "n = 2"),
    ("loader:seeds", "random.seed(1)\nnpr.seed(1)\nrng = random.Random(0)"),
    ("loader:start", "a = [1]\nb = [2, 3]\nc = []"),
)

names = st.sampled_from(NAMES)


def filled(template: str) -> st.SearchStrategy[str]:
    """Sources made from a template whose fields `{x}` and `{y}` are names."""
    fields = {key: names for key in "xy" if f"{{{key}}}" in template}
    return st.fixed_dictionaries(fields).map(lambda chosen: template.format(**chosen))


statements = st.one_of(
    *map(
        filled,
        (
            "{x} = [4, n]",
            "{x} = {y} + [5]",
            "{x} = {y}",
            "{x} = helper({y})",
            "{x} = copy.copy({y})",
            "{x} = sorted({y}, key=lambda v: v + len({x}))",
            "{x} += {y}",
            "{x}.append(len({y}))",
            "{x}[:0] = {y}[:2]",
            "{x} = [v for v in {y} if v not in {x}]",
            "for i in [*{x}, 1]:\n    {y} = [i]",
            "if len({x}) > 2:\n    {y} = [9]",
            "if len({x}) > 2:\n    {y} = [9]\nelse:\n    {y} = [8]",
            "while len({x}) < 3:\n    {x}.append(0)",
            "try:\n    {x} = [{y}[2]]\nexcept IndexError:\n    {x} = {y}[:1]",
            "with open('/dev/null') as file:\n    {x} = [file.read(), *{y}]",
            "def f(v):\n    return v + {x}\n{y} = f([1])",
            "def g(v, w={x}):\n    v.append(len(w))\ng({y})",
            "def grow(v):\n    v.append(0)\n    return list(v)\n{x} = grow({y})",
            "class Box:\n    held = {x}\n{y} = Box.held + [6]",
            "del {x}\n{x} = [0]",
            "n = n + 1",
            "BASE.append(1)",
            "max = max([1, *{x}])\n{x} = [max]\ndel max",
            "import json; {x} = json.loads(json.dumps({y}))",
            "len({x})",
            "({x} := {y} + [3])",
            "{x}",
            "min({x} + {y} + [0])",
            "abs = abs(3)",
            "{x} = [random.randrange(99), *{y}]",
            "{x}.append(int(npr.randint(99)))",
            "random.shuffle({x})",
            "random.seed(len({x}))",
            "if len({x}) > 2:\n    npr.seed(2)",
            "def draw(v):\n    v.append(random.random())\n    return npr.rand()\n{x} = [draw({y})]",
            "{x} = [rng.random(), *{y}]",
            "rng = random.Random(len({x}))",
        ),
    )
)
cells = st.lists(statements, min_size=1, max_size=4).map("\n".join)
tags = st.sampled_from(["transformer", "transformer", "exporter", "custom", "continue", ""])
notebooks = st.lists(st.tuples(tags, cells), min_size=1, max_size=5)


@given(notebooks)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_blocks_compute_what_the_notebook_computes_or_export_refuses(
    generated: list[tuple[str, str]],
) -> None:
    """Whatever is bound, changed, shared or deleted where, whoever draws random numbers."""
    with tempfile.TemporaryDirectory() as folder:
        path = notebook(Path(folder), *START, *generated)
        draft = analyze_notebook(read_notebook(path))
        assume(draft.is_valid)
        try:
            golden = run_both(path)
        except NotebookFailedError:
            assume(False)
            raise
        warned = {problem.code for problem in draft.problems}
        assume("changed-by-untagged" not in warned)
        assert_same(golden)
