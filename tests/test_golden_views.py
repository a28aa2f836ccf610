"""The golden rule for names that share something: views, elements, containers, closures, models.

In a notebook a change through one name is seen through all. Blocks load what they read, and must
load names that share something so that they go on sharing it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import jupyter_blocks
from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.errors import ValidationError
from jupyter_blocks.export import export_notebook
from jupyter_blocks.notebook import read_notebook
from jupyter_blocks.project import open_project
from tests.golden import assert_same, run_both
from tests.notebooks import Source, notebook

IMPORTS = """
import copy
import random
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris
"""

SHARED: dict[str, tuple[str, ...]] = {
    "a row whose number is a variable": (
        """
            a = np.arange(6).reshape(2, 3)
            i = 1
        """,
        "r = a[i]",
        "r += 1",
        "s = a.tolist()",
    ),
    "the array of such a row": (
        """
            a = np.arange(6).reshape(2, 3)
            i = 1
        """,
        "r = a[i]",
        "a += 1",
        "s = r.tolist()",
    ),
    "a row of what a function gives": (
        """
            def f(x):
                return x[1:]
        """,
        "a = np.arange(6).reshape(2, 3)",
        "r = f(a)[0]",
        "r += 1",
        "s = a.tolist()",
    ),
    "a function that gives a row": (
        """
            def f(x):
                return x[0]
        """,
        "a = np.arange(6).reshape(2, 3)",
        "r = f(a)",
        "r[0] = 100",
        "s = a.tolist()",
    ),
    "a function that gives a view under a name of its own": (
        """
            def f(x):
                y = x.T
                return y
        """,
        "a = np.arange(6).reshape(2, 3)",
        "r = f(a)",
        "r[0] = 100",
        "s = a.tolist()",
    ),
    "a function that gives two rows": (
        """
            def f(x):
                return (x[0], x[1])
        """,
        "a = np.arange(6).reshape(2, 3)",
        "r, q = f(a)",
        "r[0] = 100",
        "s = (a.tolist(), q.tolist())",
    ),
    "an array in a dict, by a variable key": (
        """
            m = {'x': np.zeros(3)}
            k = 'x'
        """,
        "row = m[k]",
        "row += 1",
        "s = m['x'].sum()",
    ),
    "a row that a later cell of the same block changes": (
        """
            a = np.arange(6).reshape(2, 3)
            i = 1
        """,
        "r = a[i]",
        "continue: r += 1",
        "s = a.tolist()",
    ),
    "a list in a list": (
        "rows = [[1], [2]]",
        "first = rows[0]",
        "first.append(3)",
        "n = [len(x) for x in rows]",
    ),
    "a dict in a list": (
        "rows = [{'a': 1}]",
        "first = rows[0]",
        "first['x'] = 3",
        "n = [len(x) for x in rows]",
    ),
    "what a loop leaves in its variable": (
        "rows = [{'a': 1}, {'b': 1}]",
        """
            for r in rows:
                r['n'] = 1
        """,
        "r['z'] = 2",
        "n = [sorted(x) for x in rows]",
    ),
    "the same with numbers": (
        "rows = [{'a': 1}, {'b': 1}]",
        """
            for i, r in enumerate(rows):
                pass
        """,
        "r['z'] = 2",
        "n = [sorted(x) for x in rows]",
    ),
    "the same over the items of a dict": (
        "rows = {'u': {'a': 1}, 'v': {'b': 1}}",
        """
            for k, r in rows.items():
                pass
        """,
        "r['z'] = 2",
        "n = [sorted(x) for x in rows.values()]",
    ),
    "a selection of lists": (
        "rows = [[1], [2]]",
        "big = [r for r in rows if r[0] > 1]",
        "big[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "lists in another order": (
        "rows = [[2], [1]]",
        "ordered = sorted(rows)",
        "ordered[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "a copy of a list of lists": (
        "rows = [[2], [1]]",
        "c = rows.copy()",
        "c[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "a list of the lists of another one": (
        "rows = [[2], [1]]",
        "c = list(rows)",
        "c[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "a slice of a list of lists": (
        "rows = [[2], [1]]",
        "c = rows[:]",
        "c[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "a copy by the module": (
        "rows = [[2], [1]]",
        "c = copy.copy(rows)",
        "c[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "a deep copy": (
        "rows = [[2], [1]]",
        "c = copy.deepcopy(rows)",
        "c[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "lists with a star": (
        "rows = [[2], [1]]",
        "c = [*rows, [5]]",
        "c[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "two lists of lists, joined": (
        "rows = [[2], [1]]",
        "c = rows + [[5]]",
        "c[0].append(9)",
        "n = [list(x) for x in rows]",
    ),
    "two dicts, joined": (
        "d = {'a': [1]}",
        "e = d | {'b': [2]}",
        "e['a'].append(9)",
        "n = len(d['a'])",
    ),
    "a list that holds one list three times": (
        "z = [0]",
        "rows = [z] * 3",
        "z.append(1)",
        "n = [len(x) for x in rows]",
    ),
    "a dict made with keywords": (
        "a = [1]",
        "d = dict(a=a)",
        "d['a'].append(9)",
        "n = len(a)",
    ),
    "an element that is taken out": (
        """
            d = [[1], [2]]
            e = d[0]
        """,
        "x = d.pop(0)",
        "x.append(9)",
        "n = len(e)",
    ),
    "an element by get": (
        "d = {'a': [1]}",
        "x = d.get('a')",
        "x.append(9)",
        "n = len(d['a'])",
    ),
    "a list that took over elements": (
        """
            a = [[1]]
            b = []
        """,
        "b.extend(a)",
        "b[0].append(9)",
        "n = len(a[0])",
    ),
    "a dict of pairs": (
        "a = [[1], [2]]",
        "d = dict(zip('xy', a))",
        "d['x'].append(9)",
        "n = len(a[0])",
    ),
    "the largest of some lists": (
        "rows = [[2], [1]]",
        "m = max(rows, key=lambda r: r[0])",
        "m.append(9)",
        "n = [list(x) for x in rows]",
    ),
    "the first of some lists": (
        "rows = [[2], [1]]",
        "m = next((r for r in rows if r[0] == 1))",
        "m.append(9)",
        "n = [list(x) for x in rows]",
    ),
    "dicts in groups": (
        "rows = [{'k': 1}, {'k': 2}]",
        """
            by = {}
            for r in rows:
                by.setdefault(r['k'], []).append(r)
        """,
        "by[1][0]['z'] = 1",
        "n = [sorted(r) for r in rows]",
    ),
    "dicts by their numbers": (
        "rows = [{'k': 1}, {'k': 2}]",
        "by = {r['k']: r for r in rows}",
        "by[1]['z'] = 1",
        "n = [sorted(r) for r in rows]",
    ),
    "a loop from the end": (
        "rows = [[1], [2]]",
        """
            for r in reversed(rows):
                pass
        """,
        "r.append(1)",
        "n = [len(x) for x in rows]",
    ),
    "an attribute that is an array": (
        "iris = load_iris()",
        "X = iris.data",
        "X[0] = 99",
        "s = float(iris.data.sum())",
    ),
    "an array turned round": (
        """
            def mk():
                return np.ones((2, 3))
        """,
        "a = mk()",
        "t = a.T",
        "t[0] = 7",
        "s = float(a.sum())",
    ),
    "an array in one row": (
        """
            def mk():
                return np.ones((2, 3))
        """,
        "a = mk()",
        "t = a.ravel()",
        "t[0] = 7",
        "s = float(a.sum())",
    ),
    "an array as an array": (
        """
            def mk():
                return np.ones((2, 3))
        """,
        "a = mk()",
        "t = np.asarray(a)",
        "t[0] = 7",
        "s = float(a.sum())",
    ),
    "an array with one more dimension": (
        """
            def mk():
                return np.ones(3)
        """,
        "a = mk()",
        "t = np.atleast_2d(a)",
        "t[0] = 7",
        "s = float(a.sum())",
    ),
    "functions of numpy that give views": (
        """
            def mk():
                return np.ones((2, 3))
        """,
        "a = mk()",
        """
            t = np.ravel(a)
            u = np.transpose(a)
            v = np.reshape(a, (3, 2))
            w = np.squeeze(a)
        """,
        """
            t[0] = 7
            u[1] = 4
            v[2] = 9
            w[0, 0] = -1
        """,
        "s = float(a.sum())",
    ),
    "an array in two parts": (
        """
            def mk():
                return np.ones((4, 3))
        """,
        "a = mk()",
        "p, q = np.split(a, 2)",
        "p[0] = 7",
        "s = float(a.sum())",
    ),
    "more functions of numpy that give views": (
        """
            def mk():
                return np.ones((4, 4))
        """,
        "a = mk()",
        """
            d = np.moveaxis(a, 0, 1)
            e = np.expand_dims(a, 0)
            f = a[np.newaxis]
            g = np.flip(a)
            h = np.rollaxis(a, 1)
        """,
        """
            d[0] = 7
            e[0, 1] = 4
            f[0, 2] = 9
            g[0, 0] = -1
            h[0, 1] = 33
        """,
        "s = a.tolist()",
    ),
    "an array that is copied": (
        """
            def mk():
                return np.ones(3)
        """,
        "a = mk()",
        "t = np.array(a)",
        "t[0] = 7",
        "s = float(a.sum())",
    ),
    "a loop over rows": (
        """
            def mk():
                return np.ones((2, 2))
        """,
        "a = mk()",
        """
            for row in a:
                pass
        """,
        "row[0] = 7",
        "s = float(a.sum())",
    ),
    "a table made of an array": (
        "a = np.ones((2, 2))",
        "df = pd.DataFrame(a, columns=list('xy'))",
        "a[0] = 7",
        "s = float(df['x'].sum())",
    ),
    "a column of a table, and the table is written to": (
        "df = pd.DataFrame({'a': [1.0, 2]})",
        "s = df['a']",
        "df.loc[0, 'a'] = 9",
        "t = float(s.sum())",
    ),
    "elements under names of their own": (
        "a = [[1], [2]]",
        "b, c = a",
        "b.append(5)",
        "n = ([len(x) for x in a], len(c))",
    ),
    "elements behind a star": (
        "a = [[1], [2], [3]]",
        "b, *c = a",
        "c[0].append(5)",
        "n = [len(x) for x in a]",
    ),
    "elements of elements": (
        "a = [[[1], [2]], [3]]",
        "(b, c), d = a",
        "b.append(5)",
        "n = len(a[0][0])",
    ),
    "an element with a name on the way": (
        "a = [[1]]",
        """
            if (b := a[0]):
                pass
        """,
        "b.append(1)",
        "n = len(a[0])",
    ),
    "through a tuple and out again": (
        "a = [1]",
        "b = (a,)",
        "c, = b",
        "c.append(3)",
        "n = (a, b)",
    ),
    "one of two lists": (
        """
            a = [1]
            b = [2]
            f = 1
        """,
        "c = a if f else b",
        "c.append(3)",
        "n = (a, b)",
    ),
    "the first that is not empty": (
        """
            a = [1]
            b = [2]
        """,
        "c = [] or a",
        "c.append(3)",
        "n = (a, b)",
    ),
    "a method that gives its object": (
        """
            class M:
                def __init__(self):
                    self.n = 0
                def fit(self, x):
                    self.n += x
                    return self
                def partial_fit(self, x):
                    self.n += x
                    return self
        """,
        "model = M()",
        "fitted = model.fit(3)",
        "model.partial_fit(4)",
        "k = fitted.n",
    ),
    "an attribute of it": (
        """
            class M:
                def __init__(self):
                    self.n = 0
                def fit(self, x):
                    self.n += x
                    return self
        """,
        "model = M()",
        "fitted = model.fit(3)",
        "model.n = 9",
        "k = fitted.n",
    ),
    "a method of any name that gives its object": (
        """
            class M:
                def __init__(self):
                    self.n = 0
                def grow(self, x):
                    self.n += x
                    return self
        """,
        "model = M()",
        "fitted = model.grow(3)",
        "fitted.grow(4)",
        "k = model.n",
    ),
    "a result that holds its model": (
        """
            class R:
                def __init__(self, m):
                    self.model = m
            class M:
                def __init__(self):
                    self.n = 0
                def run(self):
                    return R(self)
        """,
        "m = M()",
        "r = m.run()",
        "m.n = 5",
        "k = r.model.n",
    ),
    "a method that gives a list of its object": (
        """
            class M:
                def __init__(self):
                    self.items = []
                def get_items(self):
                    return self.items
        """,
        "m = M()",
        "r = m.get_items()",
        "r.append(5)",
        "k = len(m.items)",
    ),
    "a method that gives an element": (
        """
            class M:
                def __init__(self):
                    self.items = [[1]]
                def first(self):
                    return self.items[0]
        """,
        "m = M()",
        "r = m.first()",
        "r.append(5)",
        "k = len(m.items[0])",
    ),
    "a property": (
        """
            class M:
                def __init__(self):
                    self.items = [[1]]
                @property
                def first(self):
                    return self.items[0]
        """,
        "m = M()",
        "r = m.first",
        "r.append(5)",
        "k = len(m.items[0])",
    ),
    "an object that keeps what it was made of": (
        """
            class M:
                def __init__(self, x):
                    self.x = x
        """,
        "a = [1]",
        "m = M(a)",
        "a.append(5)",
        "k = len(m.x)",
    ),
    "a dataclass": (
        """
            @dataclass
            class M:
                x: list
        """,
        "a = [1]",
        "m = M(x=a)",
        "m.x.append(5)",
        "k = len(a)",
    ),
    "a method that keeps what it was given": (
        """
            class M:
                def set(self, x):
                    self.x = x
        """,
        """
            a = [1]
            m = M()
        """,
        "m.set(a)",
        "a.append(5)",
        "k = len(m.x)",
    ),
    "a method that adds it to a list": (
        """
            class M:
                def __init__(self):
                    self.x = []
                def register(self, x):
                    self.x.append(x)
        """,
        """
            a = [1]
            m = M()
        """,
        "m.register(a)",
        "a.append(5)",
        "k = len(m.x[0])",
    ),
    "a function that puts one into the other": (
        """
            def put(box, x):
                box['k'] = x
        """,
        """
            a = [1]
            m = {}
        """,
        "put(m, a)",
        "a.append(5)",
        "k = len(m['k'])",
    ),
    "a copy of an object": (
        """
            class M:
                def __init__(self):
                    self.x = [1]
        """,
        "m = M()",
        "c = copy.copy(m)",
        "c.x.append(4)",
        "k = len(m.x)",
    ),
    "a function that holds a list and adds to it": (
        """
            def adder(items):
                def add(v):
                    items.append(v)
                    return len(items)
                return add
        """,
        "items = []",
        "add = adder(items)",
        "n = add(1)",
        "k = len(items)",
    ),
    "a function that holds a list and reads it": (
        """
            def reader(items):
                def get():
                    return len(items)
                return get
        """,
        "items = []",
        "get = reader(items)",
        "items.append(1)",
        "k = get()",
    ),
    "a function with an argument filled in": (
        """
            def size(items):
                return len(items)
        """,
        "items = []",
        "get = partial(size, items)",
        "items.append(1)",
        "k = get()",
    ),
    "a method under a name": (
        "items = []",
        "put = items.append",
        "put(1)",
        "k = len(items)",
    ),
    "a table in a dict": (
        "df = pd.DataFrame({'a': [1]})",
        "d = {'df': df}",
        "df['x'] = 1",
        "k = list(d['df'].columns)",
    ),
    "tables in a list": (
        """
            df = pd.DataFrame({'a': [1]})
            dg = df.copy()
        """,
        "ds = [df, dg]",
        """
            for x in ds:
                x['n'] = 2
        """,
        "k = (list(df.columns), list(dg.columns))",
    ),
    "a generator of numpy": (
        "rng = np.random.default_rng(1)",
        "a = rng.random()",
        "b = rng.random()",
        "c = rng.integers(5)",
    ),
    "a generator given to a function": (
        """
            def draw(g):
                return g.random()
        """,
        "g = np.random.default_rng(1)",
        "a = draw(g)",
        "b = draw(g)",
    ),
    "a generator of Python": (
        "r = random.Random(1)",
        "a = r.expovariate(1)",
        "b = r.betavariate(1, 2)",
        "c = r.random()",
    ),
    "any method of a generator": (
        "r = np.random.default_rng(1)",
        "a = (r.beta(1, 2), r.gamma(2), r.standard_t(4))",
        "b = (r.laplace(), r.geometric(0.3))",
        "c = r.random()",
    ),
    "a sample of a generator": (
        "r = random.Random(1)",
        "a = r.sample(range(9), 3)",
        "b = r.random()",
    ),
    "a dict that makes what it is asked for": (
        "d = defaultdict(list)",
        "x = d['k']",
        "x.append(1)",
        "n = dict(d)",
    ),
}

APART: dict[str, tuple[str, ...]] = {
    "a column that is set leaves the columns taken before": (
        "df = pd.DataFrame({'a': [1, 2]})",
        "s = df['a']",
        "df['b'] = 3",
        "n = int(s.sum())",
    ),
    "a list that grows leaves its elements": (
        "rows = [[1], [2]]",
        "first = rows[0]",
        "rows.append([3])",
        "n = len(first)",
    ),
    "a copy of an array": (
        "a = np.arange(3)",
        "b = a.copy()",
        "b[0] = 5",
        "n = int(a.sum())",
    ),
    "a selection of a table": (
        "df = pd.DataFrame({'a': [1, 2], 'b': [3, 4]})",
        "part = df[['a']]",
        "part['c'] = 1",
        "n = df.shape",
    ),
    "an attribute that is set leaves what others took": (
        "class Box: pass",
        "box = Box()\nbox.items = [1]",
        "items = box.items",
        "box.name = 'x'",
        "n = len(items)",
    ),
}
"""Nothing is stored twice, and no block takes what it does not need."""


def cells(case: tuple[str, ...]) -> tuple[Source, ...]:
    """Cells with tags: definitions are functions, all else are blocks."""
    found: list[Source] = [("imports", IMPORTS)]
    for source in case:
        is_definition = source.strip().startswith(("def ", "class ", "@"))
        tag = "functions" if is_definition else "transformer"
        tag = "continue" if source.startswith("continue: ") else tag
        found.append((tag, source.removeprefix("continue: ")))
    return tuple(found)


@pytest.mark.parametrize("case", [*SHARED, *APART])
def test_a_change_is_seen_through_every_name(case: str, tmp_path: Path) -> None:
    """Every stored output of the pipeline is the value the notebook has at that point."""
    golden = run_both(notebook(tmp_path, *cells({**SHARED, **APART}[case])))
    assert_same(golden)
    assert not [item for item in golden.draft.problems if item.code == "alias"]


@pytest.mark.parametrize("case", APART)
def test_what_cannot_part_is_not_kept_together(case: str, tmp_path: Path) -> None:
    """A block takes and gives what its cells need."""
    path = notebook(tmp_path, *cells(APART[case]))
    pipeline = analyze_notebook(read_notebook(path))
    assert not [block.name for block in pipeline.blocks if block.together]


def test_a_real_run_computes_the_same(tmp_path: Path) -> None:
    """The store keeps together what metadata.yaml says, for every way of running."""
    path = notebook(tmp_path, *cells(SHARED["a row whose number is a variable"]))
    assert export_notebook(path).is_ok
    pipeline = open_project(tmp_path).pipeline("demo")
    assert [block.binding.together for block in pipeline.blocks if block.binding] == [
        (),
        ("a", "r"),
        (),
        (),
    ]
    assert jupyter_blocks.run("demo", tmp_path).ok
    assert jupyter_blocks.load(tmp_path, "demo", "transformer_4") == [[0, 1, 2], [4, 5, 6]]


def test_only_outputs_can_be_stored_together(tmp_path: Path) -> None:
    """Whoever edits metadata.yaml by hand is told."""
    path = notebook(tmp_path, *cells(SHARED["a row whose number is a variable"]))
    assert export_notebook(path).is_ok
    metadata = tmp_path / "pipelines" / "demo" / "metadata.yaml"
    text = metadata.read_text("utf-8")
    metadata.write_text(text.replace("together: [a, r]", "together: [a, q]"), "utf-8")
    with pytest.raises(ValidationError, match=r"'q' in 'together' .* is not one of its outputs"):
        open_project(tmp_path).pipeline("demo")


def test_outputs_that_have_to_be_stored_together_are_stale_if_they_are_not(tmp_path: Path) -> None:
    """The code of a block may be the same when a later cell makes the difference."""
    before = cells(("rows = [[1], [2]]\nfirst = rows[0]", "n = len(rows[0]) + len(first)"))
    after = (*before[:-1], ("transformer", "first.append(5)"), before[-1])
    assert export_notebook(path := notebook(tmp_path, *before)).is_ok
    assert jupyter_blocks.run("demo", tmp_path).ok
    assert export_notebook(notebook(tmp_path, *after)).is_ok
    assert path.exists()
    assert jupyter_blocks.run("demo", tmp_path, changed=True).ok
    assert jupyter_blocks.load(tmp_path, "demo", "transformer_3") == 4


def test_the_result_of_a_decorated_block_cannot_go_on(tmp_path: Path) -> None:
    """It is a value of its own wherever it is read: whoever changes it under two names is told."""
    decorated = """
    from jupyter_blocks.decorators import data_loader
    @data_loader
    def load():
        return [1]
    """
    blocks = (
        ("loader", decorated),
        ("transformer", "again = load"),
        ("transformer", "again.append(2)"),
        ("transformer", "n = len(load)"),
    )
    problems = analyze_notebook(read_notebook(notebook(tmp_path, *blocks))).problems
    assert [(item.code, item.cell) for item in problems] == [("alias", 4)]
