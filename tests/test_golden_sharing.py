"""The golden rule where cells share more than values: functions over globals, and objects.

In a notebook a function sees the globals of the moment it is called, and two names may stand for
one object. Blocks have copies of their own and must come to the same, or export must refuse.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.notebook import read_notebook
from tests.golden import assert_same, run_both
from tests.notebooks import Source, notebook

NUMPY = ("imports", "import numpy as np")
ARRAY = ("loader", "a = np.arange(6)")
T = "transformer"

FUNCTIONS: dict[str, tuple[Source, ...]] = {
    "a function that reads data of its block, used by others": (
        ("loader", "k = 2\ndef scaled(v):\n    return v * k"),
        (T, "y = scaled(1)"),
        (T, "z = y + scaled(3)"),
    ),
    "data set after the function, and set again": (
        (T, "def f():\n    return x + 1"),
        ("loader", "x = 3"),
        (T, "y = f()"),
        (T, "x = 40"),
        (T, "z = y + f()"),
    ),
    "a function that needs another one that reads data": (
        (T, "def f():\n    return x + 1"),
        (T, "def g():\n    return f() * 2"),
        ("loader", "x = 3"),
        (T, "y = g()"),
        (T, "z = y + g()"),
    ),
    "a block that sets what the function reads": (
        (T, "x = 1\ndef f():\n    return x + 1"),
        (T, "x = 10\ny = f()"),
        (T, "z = y + f()"),
    ),
    "a function that changes a list of the notebook": (
        (T, "log = []\ndef f(v):\n    log.append(v)\n    return v"),
        (T, "y = f(2)"),
        (T, "f(3)"),
        (T, "n = len(log) + y"),
    ),
    "a function that remembers what it computed": (
        (
            "loader",
            """
            memo = {}
            def fib(n):
                if n < 2:
                    return n
                if n not in memo:
                    memo[n] = fib(n - 1) + fib(n - 2)
                return memo[n]
            """,
        ),
        (T, "y = fib(20)"),
        (T, "n = len(memo) + y"),
    ),
    "a function handed to another": (
        ("loader", "k = 2\ndef f(v):\n    return v * k"),
        (T, "y = list(map(f, [1, 2]))"),
        (T, "z = y"),
    ),
    "a function in a query": (
        ("imports", "import pandas as pd"),
        ("loader", "k = 2\ndef f(v):\n    return v * k\ndf = pd.DataFrame({'a': [1, 2]})"),
        (T, "s = df.eval('a + @f(1)')"),
        (T, "t = s + 1"),
    ),
    "a function defined twice": (
        ("loader", "# One more.\ndef f(v):\n    return v + 1"),
        (T, "y = f(1)"),
        (T, "def f(v):\n    return v + 2"),
        (T, "z = f(1) + y"),
    ),
    "a default that reads data": (
        ("loader", "k = 2"),
        (T, "def f(v, k=k):\n    return v * k"),
        (T, "y = f(1)"),
    ),
    "a function of a parameter that a block sets": (
        ("parameters", "month = 3"),
        (T, "def f(v):\n    return v * month"),
        (T, "y = f(2)"),
        (T, "month = 5"),
        (T, "z = f(2) + y"),
    ),
    "a lambda with a name": (
        ("imports", "import math"),
        ("loader", "root = lambda v: math.sqrt(v); k = 3"),
        (T, "y = root(4.0) + k"),
    ),
    "a lambda sees what the notebook sets later": (
        ("loader", "k = 1\nf = lambda v: v + k"),
        (T, "k = 2"),
        (T, "y = f(1)"),
    ),
    "a lambda that is another one later": (
        ("loader", "f = lambda v: v + 1\na = f(1)\nf = lambda v: v + 2\nb = f(1)"),
        (T, "c = f(1) + a + b"),
    ),
    "a function that draws from a seeded stream": (
        NUMPY,
        ("loader", "np.random.seed(3)"),
        (T, "k = 2\ndef f():\n    return np.random.rand() * k"),
        (T, "y = f()"),
        (T, "z = f() + y + np.random.rand()"),
    ),
    "a function that writes a file, and a block that reads it": (
        ("imports", "from pathlib import Path"),
        ("loader", "text = 'x'\ndef save():\n    Path('made.txt').write_text(text)"),
        (T, "save()"),
        (T, "y = Path('made.txt').read_text()"),
    ),
    "the cells of one block": (
        ("loader", "x = 1"),
        ("transformer", "def f():\n    return x"),
        ("continue", "y = f()"),
        (T, "z = y"),
    ),
    "a class that is written as a call": (
        ("imports", "from collections import namedtuple"),
        ("loader", "Point = namedtuple('Point', ['x', 'y'])"),
        (T, "p = Point(1, 2)\ntotal = p.x + p.y"),
        (T, "again = Point(total, 1)._asdict()"),
    ),
}

CLASSES: dict[str, tuple[Source, ...]] = {
    "a class that reads data": (
        ("loader", "k = 3"),
        (T, "class C:\n    def f(self):\n        return k"),
        (T, "x = C().f()"),
        (T, "c = C()"),
        (T, "y = c.f(), isinstance(c, C), type(c) is C"),
    ),
    "a class defined again": (
        ("loader", "class C:\n    def f(self):\n        return 1"),
        (T, "old = C()\nx = old.f()"),
        (T, "class C:\n    def f(self):\n        return 2"),
        (T, "y = C().f(), old.f(), isinstance(old, C)"),
    ),
    "a class below another one": (
        ("loader", "k = 3"),
        (T, "class C:\n    def f(self):\n        return k"),
        (T, "class D(C):\n    def g(self):\n        return self.f() + 1"),
        (T, "y = D().g(), isinstance(D(), C)"),
    ),
    "classes that need each other, defined again": (
        ("loader", "class A:\n    def m(self):\n        return B()\nclass B:\n    n = 1"),
        (T, "x = A().m().n"),
        (T, "class A:\n    def m(self):\n        return B()\nclass B:\n    n = 2"),
        (T, "y = A().m().n"),
    ),
    "an attribute of a class, set in a cell of its own": (
        ("loader", "class C:\n    n = 0"),
        (T, "x = C.n"),
        (T, "class C:\n    n = 1"),
        (T, "C.n = 7"),
        (T, "y = C.n"),
    ),
    "classes with one base, both changed afterwards": (
        ("loader", "class A:\n    n = 0\nclass B(A):\n    pass\nclass C(A):\n    pass"),
        (T, "class A:\n    n = 1\nclass B(A):\n    pass\nclass C(A):\n    pass"),
        (T, "B.m = 2\nC.m = 3"),
        (T, "y = B.m, C.m, B.n"),
    ),
    "a default that is a generator, advanced beside": (
        ("imports", "import random"),
        ("loader", "rng = random.Random(1)"),
        (T, "def draw(g=rng):\n    return g.random()"),
        (T, "x = [draw(), rng.random(), draw()]"),
    ),
    "a default that reads data which is set again": (
        ("loader", "k = 2"),
        (T, "def f(v, k=k):\n    return v * k"),
        (T, "k = 5"),
        (T, "y = f(k)"),
    ),
    "what a function gave, when what it read is set again": (
        ("loader", "k = 2\ndef f():\n    return k\nx = f()"),
        (T, "k = 5"),
        (T, "y = x + k"),
    ),
}

OBJECTS: dict[str, tuple[Source, ...]] = {
    "a list under two names": (
        ("loader", "a = [1]\nb = a"),
        (T, "b.append(2)"),
        (T, "n = len(a) + len(b)"),
    ),
    "two names set at once": (("loader", "a = b = [1]"), (T, "b.append(2)"), (T, "n = len(a)")),
    "changed through both names": (
        ("loader", "a = [1]"),
        (T, "b = a"),
        (T, "b.append(2)"),
        (T, "a.append(3)\nn = len(b)"),
        (T, "m = n + len(a)"),
    ),
    "a table under two names, one of them set again": (
        ("imports", "import pandas as pd"),
        ("loader", "df = pd.DataFrame({'a': [1, 2, None]})"),
        (T, "kept = df"),
        (T, "df['c'] = 3"),
        (T, "df = df.dropna()"),
        (T, "df.insert(2, 'd', 4)"),
        (T, "shapes = df.shape, kept.shape"),
    ),
    "the second name set again": (
        ("loader", "a = [1]"),
        (T, "b = a"),
        (T, "b.append(2)"),
        (T, "b = [7]"),
        (T, "b.append(3)"),
        (T, "c = [a, b]"),
    ),
    "the first name deleted": (
        ("loader", "a = [1]"),
        (T, "b = a"),
        (T, "b.append(1)"),
        (T, "del a"),
        (T, "c = b + [2]"),
    ),
    "a number under two names": (
        ("loader", "n = 1"),
        (T, "m = n"),
        (T, "m += 1"),
        (T, "both = m, n"),
    ),
    "a list made longer in place": (
        ("loader", "a = [1]"),
        (T, "b = a"),
        (T, "c = b"),
        (T, "c += [2]"),
        (T, "every = a, b, c"),
    ),
    "a view of an array is changed": (
        NUMPY,
        ARRAY,
        (T, "b = a[:3]"),
        (T, "b[0] = 99"),
        (T, "s = int(a.sum())"),
        (T, "t = s + int(b.sum())"),
    ),
    "an array with a view is changed": (
        NUMPY,
        ARRAY,
        (T, "b = a[:3]"),
        (T, "a[0] = 99"),
        (T, "s = int(b.sum())"),
    ),
    "a view of a view": (
        NUMPY,
        ("loader", "a = np.arange(6).reshape(2, 3)"),
        (T, "b = a.T"),
        (T, "c = b[0:2]"),
        (T, "c += 10"),
        (T, "s = int(a.sum() + b.sum())"),
    ),
    "a view of an array that is made anew": (
        NUMPY,
        ARRAY,
        (T, "b = a[:3]"),
        (T, "a = a + 1"),
        (T, "a[0] = 50"),
        (T, "s = int(b.sum() + a.sum())"),
    ),
    "a copy of a part": (
        NUMPY,
        ARRAY,
        (T, "b = a[:3].copy()"),
        (T, "b[0] = 99"),
        (T, "s = int(a.sum())"),
    ),
    "a row of an array, which is changed": (
        NUMPY,
        ("loader", "a = np.zeros((2, 3))"),
        (T, "r = a[0]"),
        (T, "a[0, 1] = 9"),
        (T, "s = float(r.sum())"),
    ),
    "a row is changed": (
        NUMPY,
        ("loader", "a = np.array([[1, 2], [3, 4]])"),
        (T, "r = a[-1]"),
        (T, "r += 10"),
        (T, "s = int(a.sum())"),
        (T, "t = s + int(r.sum())"),
    ),
    "an element of an array is a number": (
        NUMPY,
        ("loader", "a = np.arange(4)\nb = np.ones((2, 2))"),
        (T, "x = a[0]\ny = b[0, 1]"),
        (T, "a[0] = 9\nb[0, 1] = 8"),
        (T, "s = x + y + a.sum() + b.sum()"),
    ),
    "a column of a structured array": (
        NUMPY,
        ("loader", "a = np.zeros(3, dtype=[('age', 'i4'), ('height', 'f8')])"),
        (T, "ages = a['age']"),
        (T, "ages[0] = 50"),
        (T, "s = int(a['age'].sum() + ages.sum())"),
    ),
    "a method that changes its object, asked for its result": (
        (
            "functions",
            """
            class Account:
                def __init__(self):
                    self.balance = 0
                def deposit(self, amount):
                    self.balance += amount
                    return self.balance
                def twice(self, amount):
                    first = self.deposit(amount)
                    return first + self.deposit(amount)
            """,
        ),
        ("loader", "account = Account()\nfirst = account.deposit(1)"),
        (T, "second = [account.deposit(2) for _ in range(2)]"),
        (T, "third = account.twice(3)"),
        (T, "last = first, second, third, account.balance"),
    ),
    "a table by groups, and the table changed": (
        ("imports", "import pandas as pd"),
        ("loader", "df = pd.DataFrame({'k': ['x', 'x', 'y'], 'n': [1, 2, 3]})"),
        (T, "groups = df.groupby('k')\ncolumn = groups['n'].sum().tolist()"),
        (T, "df['n'] = 10"),
        (T, "sums = groups['n'].sum().tolist(), column"),
    ),
    "what a function was given and gives back": (
        (
            "functions",
            """
            def with_total(table, name='total'):
                if name not in table:
                    table[name] = 1
                return table
            """,
        ),
        ("loader", "first = {'a': 1}"),
        (T, "second = with_total(first)"),
        (T, "second['b'] = 2"),
        (T, "both = sorted(first), sorted(second)"),
    ),
    "what a function was given and gives a copy of": (
        ("functions", "def grown(items):\n    items = list(items)\n    return items"),
        ("loader", "first = [1]"),
        (T, "second = grown(first)"),
        (T, "second.append(2)"),
        (T, "both = first, second"),
    ),
    "a method that is handed to another function": (
        ("loader", "found = []"),
        (T, "done = list(map(found.append, [1, 2]))"),
        (T, "n = len(found)"),
    ),
    "places of an array that numpy writes to": (
        NUMPY,
        ("loader", "a = np.zeros(4)"),
        (T, "np.put(a, [0], [4])"),
        (T, "np.add.at(a, [0, 0], 1)"),
        (T, "s = float(a.sum())"),
    ),
    "a generator that is given to a library": (
        ("imports", "import numpy as np\nfrom sklearn.model_selection import train_test_split"),
        ("loader", "r = np.random.RandomState(0)\nstart = 1"),
        (T, "parts = train_test_split([1, 2, 3, 4], random_state=r)"),
        (T, "y = float(r.normal())"),
    ),
    "a function that counts its calls": (
        (
            "functions",
            """
            def counter():
                n = 0
                def up():
                    nonlocal n
                    n += 1
                    return n
                return up
            """,
        ),
        ("loader", "up = counter()\nfirst = up()"),
        (T, "second = up()"),
        (T, "third = up() + up()"),
    ),
    "a default that is not changed": (
        ("functions", "def f(v, found=[]):\n    return [*found, v]"),
        (T, "x = f(1)"),
        (T, "y = f(2)"),
    ),
    "a list that each object makes for itself": (
        (
            "functions",
            """
            class Bag:
                items = []
                def __init__(self):
                    self.items = []
                def add(self, item):
                    self.items.append(item)
            """,
        ),
        (T, "one = Bag()"),
        (T, "one.add(1)"),
        (T, "two = Bag()\nn = len(one.items), len(two.items)"),
    ),
    "a table copies what it is given": (
        ("imports", "import pandas as pd"),
        ("loader", "p = [1, 2, 3]\ndf = pd.DataFrame({'x': p})\ndf['p'] = p"),
        (T, "p.append(4)"),
        (T, "s = int(df['p'].sum()) + len(p)"),
    ),
    "a list of numbers": (
        ("loader", "kept = []\nn = 1"),
        (T, "kept.append(n)"),
        (T, "n += 1"),
        (T, "s = sum(kept) + n"),
    ),
    "a function over a name that is imported again from elsewhere": (
        (T, "import math as m\ndef root(v):\n    return m.sqrt(v)"),
        (T, "x = root(4)"),
        (T, "import cmath as m"),
        (T, "y = x, root(-4)"),
    ),
    "a fitted model under two names": (
        ("imports", "import numpy as np\nfrom sklearn.linear_model import Ridge"),
        ("loader", "X = np.eye(3)\ny = np.array([1.0, 2.0, 4.0])"),
        (T, "model = Ridge()"),
        (T, "fitted = model.fit(X, y)"),
        (T, "again = model.fit(X, 2 * y)"),
        (T, "model.set_params(alpha=3)"),
        (T, "s = fitted.coef_.tolist(), again.coef_.tolist(), fitted.alpha"),
    ),
    "a slice of a list is a copy": (
        ("loader", "a = [1, 2, 3]"),
        (T, "b = a[:2]"),
        (T, "b[0] = 99"),
        (T, "s = sum(a)"),
    ),
    "a container holds the changed object": (
        ("loader", "a = [1]"),
        (T, "c = [a]"),
        (T, "a.append(5)"),
        (T, "n = len(c[0])"),
    ),
    "an object in a container is changed": (
        ("loader", "a = [1]"),
        (T, "c = {'x': a}"),
        (T, "c['x'].append(5)"),
        (T, "n = len(a)"),
    ),
    "a view outlives the array that was changed": (
        NUMPY,
        ARRAY,
        (T, "b = a[:3]"),
        (T, "a[0] = 5"),
        (T, "a = a + 1"),
        (T, "s = b.sum()"),
    ),
    "a view whose end only its own cell knows": (
        NUMPY,
        ("loader", "a = np.arange(6)\nn = 3"),
        (T, "b = a[:n]"),
        (T, "b[0] = 9"),
        (T, "a"),
    ),
    "a list was given the changed object in another cell": (
        ("loader", "c = []\na = [1]"),
        (T, "c.append(a)"),
        (T, "c.append([7])"),
        (T, "a.append(5)"),
        (T, "n = len(c[0])"),
    ),
    "a row whose number only its own cell knows": (
        NUMPY,
        ("loader", "a = np.zeros((2, 3))\ni = 1"),
        (T, "r = a[i]"),
        (T, "r[0] = 9"),
        (T, "s = a.sum()"),
    ),
    "a step of a chain of models, which fits it": (
        (
            "imports",
            """
                import numpy as np
                from sklearn.linear_model import Ridge
                from sklearn.pipeline import make_pipeline
                """,
        ),
        ("loader", "X = np.eye(3)\ny = np.array([1.0, 2.0, 4.0])\nmodel = Ridge()"),
        (T, "chain = make_pipeline(model)"),
        (T, "chain.fit(X, y)"),
        (T, "s = model.coef_"),
    ),
}

REFUSED: dict[str, tuple[tuple[Source, ...], str, str]] = {
    "a class over a name that is imported again from elsewhere": (
        (
            (T, "import math as m\nclass A:\n    def f(self):\n        return m.pi"),
            (T, "x = A().f()"),
            (T, "import cmath as m"),
            (T, "y = A().f()"),
        ),
        "conflicting-imports",
        "which cells 1 and 3 import from different places",
    ),
    "an object of a class that reads what is set again": (
        (
            ("loader", "k = 2\nclass C:\n    def f(self):\n        return k\nc = C()"),
            (T, "k = 5"),
            (T, "y = c.f()"),
        ),
        "late-global",
        "reads 'k'. After that",
    ),
    "an object of a class that is changed afterwards": (
        (
            ("loader", "class C:\n    n = 0"),
            (T, "class C:\n    n = 1"),
            (T, "c = C()"),
            (T, "C.n = 7"),
            (T, "y = c.n"),
        ),
        "late-global",
        "sets 'C'",
    ),
    "a class whose attribute is a list that is changed": (
        (
            ("loader", "xs = [1]"),
            (T, "class C:\n    held = xs"),
            (T, "xs.append(2)"),
            (T, "n = len(C.held)"),
        ),
        "nested-function",
        "which reads 'xs'. After that block 'transformer_2'",
    ),
    "a default that is a list that is changed": (
        (
            ("loader", "xs = [1]"),
            (T, "def f(v=xs):\n    return len(v)"),
            (T, "xs.append(2)"),
            (T, "n = f()"),
        ),
        "nested-function",
        "which reads 'xs'. After that block 'transformer_2'",
    ),
    "a lambda in a list": (
        (("loader", "k = 2\nfs = [lambda: k]"), (T, "k = 5"), (T, "y = fs[0]()")),
        "late-global",
        "reads 'k'. After that",
    ),
    "a default that is a list which is made longer": (
        (
            ("functions", "def f(v, found=[]):\n    found.append(v)\n    return list(found)"),
            (T, "x = f(1)"),
            (T, "y = f(2)"),
        ),
        "shared-state",
        "changes the default of 'found'",
    ),
    "a list of the class that its objects make longer": (
        (
            (
                "functions",
                "class Bag:\n    items = []\n    def add(self, v):\n        self.items.append(v)",
            ),
            (T, "one = Bag()\none.add(1)"),
            (T, "n = len(Bag().items)"),
        ),
        "shared-state",
        "changes the attribute 'items'",
    ),
    "a class that counts its objects by their class": (
        (
            (
                "functions",
                "class P:\n    n = 0\n    def __init__(self):\n        type(self).n += 1",
            ),
            (T, "p = P()"),
            (T, "q = P()"),
        ),
        "shared-state",
        "changes the attribute 'n'",
    ),
    "a class that counts in a method of its own": (
        (
            (
                "functions",
                "class P:\n    n = 0\n    @classmethod\n    def up(cls):\n        cls.n += 1",
            ),
            (T, "P.up()"),
            (T, "m = P.n"),
        ),
        "shared-state",
        "changes the attribute 'n'",
    ),
    "a class that counts its objects": (
        (
            ("loader", "class P:\n    n = 0\n    def __init__(self):\n        P.n += 1"),
            (T, "p = P()"),
            (T, "q = P()"),
        ),
        "shared-state",
        "changes an attribute of 'P' itself",
    ),
}


@pytest.mark.parametrize("case", [*FUNCTIONS, *CLASSES, *OBJECTS])
def test_the_pipeline_computes_what_the_notebook_computes(case: str, tmp_path: Path) -> None:
    """Every stored output of the pipeline is the value the notebook has at that point."""
    cells = {**FUNCTIONS, **CLASSES, **OBJECTS}[case]
    assert_same(run_both(notebook(tmp_path, *cells)))


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_copy_can_do_is_refused(case: str, tmp_path: Path) -> None:
    """With the reason, before anything runs."""
    cells, code, text = REFUSED[case]
    pipeline = analyze_notebook(read_notebook(notebook(tmp_path, *cells)))
    found = [problem for problem in pipeline.problems if problem.severity == "error"]
    assert [problem.code for problem in found][:1] == [code]
    assert text in found[0].message


def test_siblings_in_a_container_do_not_share(tmp_path: Path) -> None:
    """A change of one element leaves the other elements alone, and needs no word."""
    cells = (
        ("loader", "a = [1]\nb = [2]\nboth = [a, b]"),
        (T, "a.append(5)"),
        (T, "n = len(b)"),
    )
    assert not analyze_notebook(read_notebook(notebook(tmp_path, *cells))).problems


def test_a_step_may_be_used_in_two_chains_of_models(tmp_path: Path) -> None:
    """Each chain fits it anew; it goes on with both of them."""
    models = """
    from sklearn.linear_model import LinearRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    """
    cells = (
        ("imports", models),
        ("loader", "X = [[1.0], [2.0]]\ny = [1.0, 3.0]\nscaler = StandardScaler()"),
        (T, "first = make_pipeline(scaler, Ridge())"),
        (T, "first.fit(X, y)"),
        (T, "second = make_pipeline(scaler, LinearRegression())"),
    )
    pipeline = analyze_notebook(read_notebook(notebook(tmp_path, *cells)))
    assert not pipeline.problems
    assert {tuple(sorted(block.together)) for block in pipeline.blocks} == {(), ("first", "scaler")}
