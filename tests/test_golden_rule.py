"""The golden rule: the exported blocks compute what the notebook computes.

Each case is a notebook. It is run from top to bottom in one namespace and exported; its block files
are executed one by one on pickled inputs. Every output has to be the notebook's value.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import assert_same, run_both
from tests.notebooks import Source, notebook

TABLE = "import pandas as pd\ndf = pd.DataFrame({'a': [3, None, 1], 'b': ['x', 'y', 'z']})"

CASES: dict[str, tuple[Source, ...]] = {
    "a chain of values": (
        ("loader", "x = 2"),
        ("transformer", "y = x * 10\nunused = y"),
        ("exporter", "y + 1\nz = y - 1\nz"),
    ),
    "a name bound again": (
        ("loader", TABLE),
        ("transformer", "df = df.dropna()"),
        ("transformer", "df = df.assign(c=df['a'] * 2)"),
        ("exporter", "df"),
    ),
    "a column set in a cell of its own": (
        ("loader", TABLE),
        ("transformer", "df['c'] = df['a'].fillna(0)"),
        ("transformer", "total = df['c'].sum()"),
    ),
    "an index set in place, read by two": (
        ("loader", TABLE),
        ("transformer", "df.index = ['r', 's', 't']"),
        ("transformer", "first = df.loc['r', 'b']"),
        ("transformer", "last = df.loc['t', 'b']"),
    ),
    "a list that grows": (
        ("loader", "xs = [1]"),
        ("transformer", "xs.append(2)"),
        ("transformer", "xs.extend(x + 1 for x in list(xs))"),
        ("exporter", "n = len(xs)"),
    ),
    "an unknown function called for its effect": (
        ("functions", "def grow(xs):\n    xs.append(len(xs))"),
        ("loader", "xs = []"),
        ("transformer", "grow(xs)"),
        ("transformer", "grow(xs)\ny = list(xs)"),
    ),
    "an augmented assignment": (
        ("loader", "n = 1"),
        ("transformer", "n += 1"),
        ("transformer", "n *= 5"),
        ("exporter", "n"),
    ),
    "an array changed through out=": (
        ("imports", "import numpy as np"),
        ("loader", "a = np.arange(3.0)"),
        ("transformer", "np.add(a, 1, out=a)"),
        ("transformer", "s = float(a.sum())"),
    ),
    "a function of one cell of a block, called in the next": (
        ("loader:a", "n = len('abc')"),
        ("transformer:b", "k = 1"),
        ("continue", "def f():\n    return n + k"),
        ("continue", "y = f()"),
    ),
    "a helper below a function that stays in its block": (
        ("loader:a", "x = 1"),
        ("continue", "def f():\n    return g(x)"),
        ("functions", "def g(v):\n    return v + 1"),
        ("continue", "y = f()"),
    ),
    "functions of a block that call each other": (
        ("loader:a", "n = [1]"),
        ("transformer:b", "def f():\n    return [*n, *g()]\ndef g():\n    return [len(m)]"),
        ("continue", "m = [5]"),
        ("continue", "y = list(map(lambda call: call(), [f, g]))"),
    ),
    "a module imported again inside a block": (
        ("imports", "import math as m"),
        ("loader:a", "x = m.pi"),
        ("continue", "import math as m\ny = m.e + x"),
    ),
    "several outputs": (
        ("loader:both", "x, y = 1, 2\nz = 3"),
        ("transformer", "w = y + z"),
        ("transformer", "v = x + w"),
    ),
    "a value that is only shown": (
        ("loader", "x = [3, 1, 2]"),
        ("transformer", "sorted(\n    x,\n    reverse=True,\n)"),
    ),
    "a shown value with a semicolon and a comment": (
        ("loader", "x = [3, 1, 2]"),
        ("transformer", "y = x[0]; y + 1;  # not shown"),
        ("exporter", "z = x; z  # shown"),
    ),
    "a tuple that is shown": (("loader", "x = 1\nx, x + 1"),),
    "parameters": (
        ("parameters", "month = 3\nnames: list = ['a', 'b']\nrate = -0.5"),
        ("loader", "rows = [(n, month) for n in names]"),
        ("transformer", "k = len(rows) * rate"),
    ),
    "a parameter read by a function": (
        ("parameters", "factor = 3"),
        ("functions", "def scale(x):\n    return x * factor"),
        ("loader", "y = scale(2)"),
    ),
    "a parameter bound again": (
        ("parameters", "month = 3"),
        ("loader", "a = month"),
        ("transformer", "month = month + 1"),
        ("transformer", "b = month * a"),
    ),
    "constants and functions of a setup cell": (
        ("imports", "from pathlib import Path\n\nROOT = Path('data')\nLIMIT = 2\n"),
        ("", "def short(xs):\n    '''First ones.'''\n    return xs[:LIMIT]"),
        ("loader", "xs = short([1, 2, 3])\nname = (ROOT / 'x.csv').as_posix()"),
        ("exporter", "len(xs) + LIMIT, name"),
    ),
    "a function defined in a block, used by a later one": (
        ("loader", "# Twice as much.\ndef twice(x):\n    return 2 * x\n\ny = twice(2)"),
        ("transformer", "z = twice(y)"),
    ),
    "a block called as its function": (
        ("loader", "raw = [1, -1]"),
        ("transformer", "def clean(xs):\n    return [x for x in xs if x > 0]\n\nok = clean(raw)"),
    ),
    "a function over the data of its block": (
        ("loader", "base = 10\nstep = 2"),
        (
            "transformer",
            """
            offset = 5
            def shifted(x):
                def inner():
                    return base + offset
                return x + inner()
            def twice(x):
                return 2 * shifted(x)
            y = [twice(i) for i in range(step)]
            """,
        ),
    ),
    "functions that call each other": (
        (
            "functions",
            """
            def even(n):
                return True if n == 0 else odd(n - 1)

            def odd(n):
                return False if n == 0 else even(n - 1)
            """,
        ),
        ("loader", "answer = even(10), odd(7)"),
    ),
    "a class whose instances travel": (
        (
            "functions",
            """
            from dataclasses import dataclass

            @dataclass
            class Point:
                x: int
                y: int = 0

                def moved(self, dx):
                    return Point(self.x + dx, self.y)
            """,
        ),
        ("loader", "p = Point(1)"),
        ("transformer", "q = p.moved(3)\nxs = [q.x, p.x]"),
        ("exporter", "total = sum(xs)"),
    ),
    "a class defined in a block": (
        (
            "loader",
            "class Box:\n    def __init__(self, v):\n        self.v = v\n\nvalue = Box(4).v",
        ),
        ("transformer", "w = Box(value).v"),
    ),
    "decorators and defaults": (
        (
            "functions",
            """
            import functools

            LIMIT = 4

            @functools.lru_cache(maxsize=None)
            def fib(n, stop=LIMIT):
                return n if n < 2 else fib(n - 1) + fib(n - 2)
            """,
        ),
        ("loader", "x = fib(20)"),
    ),
    "comprehensions, lambdas and walrus": (
        ("loader", "xs = [1, 2, 3]\nk = 2"),
        (
            "transformer",
            "f = lambda v, k=k: v * k\nys = [f(x) for x in xs if (last := x) > 1]\nm = max(ys)",
        ),
        ("exporter", "last + m"),
    ),
    "match": (
        ("loader", "event = {'kind': 'move', 'to': (1, 2)}\nx = 0"),
        (
            "transformer",
            """
            match event:
                case {'kind': 'move', 'to': (x, y)}:
                    note = 'moved'
                case _:
                    x, y, note = 0, 0, 'nothing'
            """,
        ),
        ("exporter", "note, x, y"),
    ),
    "with and try": (
        ("imports", "import io"),
        (
            "loader",
            """
            with io.StringIO('a,b') as f:
                text = f.read()
            try:
                n = int(text)
            except ValueError as error:
                n = len(str(error)) * 0 + 7
            """,
        ),
        ("transformer", "words = text.split(',') * n"),
    ),
    "a loop and what it leaves": (
        ("loader", "xs = [4, 5]"),
        ("transformer", "for i, x in enumerate(xs):\n    y = x * 2"),
        ("exporter", "i, x, y"),
    ),
    "the same loop variable in two blocks": (
        ("loader", "xs = [1, 2]\nfor i in xs:\n    pass"),
        ("transformer", "ys = []\nfor i in xs:\n    ys.append(i)"),
        ("exporter", "len(ys)"),
    ),
    "bound on one way only, and before": (
        ("loader", "n = 1\nflag = False"),
        ("transformer", "if flag:\n    n = 2"),
        ("exporter", "m = n + 1"),
    ),
    "bound on one way only, a parameter before": (
        ("parameters", "n = 4"),
        ("loader", "if n > 10:\n    n = 10"),
        ("exporter", "m = n + 1"),
    ),
    "del in its own block": (
        ("loader", "tmp = [1, 2]\nxs = list(tmp)\ndel tmp"),
        ("transformer", "tmp = 5\ny = xs + [tmp]"),
    ),
    "a builtin bound again": (
        ("loader", "xs = [3, 4]"),
        ("transformer", "sum = sum(xs)\nlist = [sum]"),
        ("transformer", "n = list[0] + sum"),
    ),
    "an imported name bound again": (
        ("imports", "import json\nfrom math import floor"),
        ("loader", "json = json.dumps([1])\nfloor = floor(2.5)"),
        ("transformer", "x = json * floor"),
    ),
    "blocks with the names of their data": (
        ("loader:flights", "flights = [1, 2]"),
        ("transformer:sum", "sum([*flights, 3])"),
        ("transformer:print", "n = len(flights)"),
        ("transformer:lambda", "m = n + 1"),
    ),
    "text over several lines": (
        (
            "loader",
            '''
            who = "you"
            text = """first
              second
            third"""
            shown = f"""
            {who:>6} {
                who + 'x'
            }
                end"""
            code = "a \\
            b"
            rows = [
                1,
              2,
            ]
            if True:
                inner = """
            no indent
                """
            ''',
        ),
        ("transformer", "n = len(text), len(shown), len(code)\ninner"),
    ),
    "tabs, form feeds and odd line ends": (
        ("loader", "if True:\n\tx = 1\n\ty = 2\n\x0cz = 'a\x0cb'\r\nw = 4"),
        ("exporter", "x + y + w + len(z)"),
    ),
    "magics": (
        ("imports", "%matplotlib inline\nimport math"),
        ("loader", "%%time\nx = math.floor(2.5)"),
        ("transformer", "%time y = x + 1\n%config InlineBackend.figure_format = 'retina'"),
        ("exporter", "y"),
    ),
    "await": (
        ("imports", "import asyncio"),
        ("functions", "async def fetch(n):\n    await asyncio.sleep(0)\n    return n"),
        ("loader", "x = await fetch(3)\nxs = [await fetch(i) for i in range(2)]"),
        ("transformer", "y = x + len(xs)"),
    ),
    "import *": (
        ("imports", "from math import *\nfrom os.path import *"),
        ("loader", "x = floor(pi) + len(join('a', 'b'))"),
        ("transformer", "y = ceil(x / 2)"),
    ),
    "two imports of one name": (
        ("imports", "import datetime"),
        ("loader", "a = datetime.datetime(2013, 1, 1).year"),
        (
            "transformer",
            "from datetime import datetime, timedelta\nb = datetime(2014, 1, a % 9).day",
        ),
        ("transformer", "import datetime\nc = datetime.date(2015, 1, b).year"),
    ),
    "imports inside blocks": (
        (
            "loader",
            "import os; x = os.sep\nfrom json import (\n    dumps,\n    loads,\n); y = dumps(x)",
        ),
        ("transformer", "z = loads(y); import math  # late\nw = math.floor(2.5)"),
        ("exporter", "z * w"),
    ),
    "imports with a fallback": (
        ("imports", "try:\n    import ujson_missing as json\nexcept ImportError:\n    import json"),
        (
            "loader",
            "try:\n    import tomllib\nexcept ImportError:\n    tomllib = 0\nx = json.dumps([1])",
        ),
        ("exporter", "json.loads(x), tomllib.loads('a = 1')"),
    ),
    "from __future__": (
        ("imports", "from __future__ import annotations\nimport math"),
        ("functions", "def f(x: Unknown) -> Missing:\n    return x"),
        ("loader", "y: Nothing = f(3)"),
    ),
    "a cell that continues a block": (
        ("loader:load", "x = 1"),
        ("continue", "y = x + 1"),
        ("transformer", "z = x + y"),
        ("continue", "z = z * 2\nz"),
    ),
    "cells of one name, another block between": (
        ("loader:load", "x = 1"),
        ("loader:other", "z = 5"),
        ("loader:load", "y = x + 1"),
        ("transformer", "w = x + y + z"),
    ),
    "decorated blocks": (
        ("imports", "from jupyter_blocks.decorators import data_loader, test, transformer"),
        ("parameters", "n = 3"),
        ("loader:numbers", "@data_loader\ndef load(n):\n    return list(range(n))"),
        (
            "",
            """
            # Twice as much.
            @transformer
            def doubled(numbers, factor=2):
                return [scaled(x, factor) for x in numbers]

            def scaled(x, factor):
                return x * factor

            @test
            def is_even(output, *args):
                assert all(x % 2 == 0 for x in output)
            """,
        ),
        ("exporter", "total = sum(doubled)\ntotal"),
    ),
    "a decorated block among plain ones": (
        ("imports", "import jupyter_blocks.decorators"),
        ("loader", "xs = [1, 2]\nlimit = 1"),
        (
            "",
            """
            @jupyter_blocks.decorators.transformer
            def small(xs, *, limit):
                return [x for x in xs if x <= limit]
            """,
        ),
        ("transformer", "small.append(9)"),
        ("exporter", "len(small)"),
    ),
    "a query that names a variable": (
        ("loader", TABLE),
        ("loader", "limit = 2"),
        ("transformer", "few = df.query('a < @limit')"),
        ("exporter", "pd.eval('limit + 1'), len(few)"),
    ),
    "options of libraries": (
        ("", "import pandas as pd\npd.set_option('display.max_rows', 7)"),
        ("loader", "n = pd.get_option('display.max_rows')"),
        ("exporter", "n + pd.options.display.max_rows"),
    ),
    "a main guard": (
        (
            "loader",
            "def main():\n    return 3\n\nif __name__ == '__main__':\n    # run\n    x = main()",
        ),
        ("transformer", "y = x"),
    ),
    "a constant that a block changes": (
        ("imports", "import json\nCONFIG = {'a': 1}"),
        ("loader", "before = dict(CONFIG)"),
        ("transformer", "CONFIG['b'] = 2"),
        ("exporter", "before, CONFIG"),
    ),
    "assertions in a test cell": (
        ("parameters", "least = 1"),
        ("functions", "def check(x):\n    assert x"),
        ("loader:load", "xs = [1, 2]\nn = len(xs)"),
        ("test:load", "import math\nm = n + 0\nfor x in xs:\n    check(math.floor(x) >= least)"),
        ("test:load", "assert n == 2"),
        ("exporter", "xs"),
    ),
    "tags of Kale": (
        ("pipeline-parameters", "n = 2"),
        ("step:load", "xs = [1] * n"),
        ("step:work prev:load", "ys = xs * 2"),
        ("step:save prev:work", "print(len(ys))"),
    ),
    "a cell that is skipped": (
        ("loader", "x = 1"),
        ("skip", "x = 100\nraise RuntimeError"),
        ("transformer", "y = x"),
    ),
    "a look at the data between blocks": (
        ("loader", TABLE),
        ("", "import json\ndf.describe()\nprint(json.dumps(list(df['b'])))"),
        ("transformer", "text = json.dumps(len(df))"),
    ),
    "annotations": (
        ("loader", "n: int = 1\nm: str\nm = 'a'"),
        ("transformer", "k: 'float' = n / 2\nm: str = m * 2"),
        ("exporter", "k, m"),
    ),
    "names and text in other alphabets": (
        ("loader", "größe = {'ключ': 'é'}; größe  # Größe"),
        ("transformer", "x = größe['ключ'] * 2; import json; y = json.dumps(x)"),
    ),
    "display": (
        ("functions", "def show(x):\n    return display"),
        ("loader", "x = 1\nshow(x)\nokay = True"),
        ("transformer", "y = okay if display else x"),
    ),
    "a generator used in its block": (
        ("loader", "k = 2; gen = (i * k for i in range(3))\nxs = [*gen]"),
        ("exporter", "xs"),
    ),
    "a function redefined in each block": (
        ("loader", "def f(x):\n    return x + 1\n\na = f(1)"),
        ("transformer", "def f(x):\n    return x * 10\n\nb = f(a)"),
        ("exporter", "b"),
    ),
    "a sensor and an order": (
        ("imports", "from pathlib import Path"),
        ("sensor:ready", "folder = Path('.')\nfolder.exists();"),
        ("loader:load upstream:ready", "x = 1"),
        ("exporter", "x"),
    ),
    "a comment directive": (
        ("", "#| block: loader:first\n# The first.\nx = 1"),
        ("", "#| block: transformer:second, upstream:first\ny = 2"),
        ("", "# | block: exporter\ny"),
    ),
    "a name no cell sets, looked up under conditions that do not hold": (
        ("loader", "try:\n    x = [1, 2]\nexcept SomeError:\n    x = []"),
        ("transformer", "y = old_name(x) if x == 3 else len(x)"),
        ("transformer", "if not x:\n    y = old_name(x)\nz = y + 1"),
    ),
    "a name set under a condition, and read under none": (
        ("loader", "x = [1, 2]\nif len(x) > 1:\n    best = max(x)"),
        ("transformer", "y = best + 1"),
    ),
    "a nested function that reads a later value": (
        ("loader", "rate = 2"),
        ("transformer", "def f(x):\n    return x * rate\nrate = 3\ny = f(1)"),
        ("exporter", "y + rate"),
    ),
    "settings that say what changes": (
        ("functions", "def fill(d):\n    d['x'] = 1\n    return d"),
        ("loader", "d = {}"),
        ("transformer", "e = fill(d)", {"changes": ["d"]}),
        ("exporter", "d, e"),
    ),
    "only comments": (("loader", "x = 1"), ("transformer upstream:loader_1", "# nothing to do")),
}


@pytest.mark.parametrize("case", CASES)
def test_the_pipeline_computes_what_the_notebook_computes(case: str, tmp_path: Path) -> None:
    """Every stored output of the pipeline is the value the notebook has at that point."""
    assert_same(run_both(notebook(tmp_path, *CASES[case])))


@pytest.mark.parametrize("case", ["parameters", "a parameter read by a function"])
def test_parameters_given_for_a_run_take_effect(case: str, tmp_path: Path) -> None:
    """Other values of the parameters have the same effect in blocks and in functions."""
    given = {"month": 5, "names": ["z"], "rate": 2.0, "factor": 11}
    golden = run_both(notebook(tmp_path, *CASES[case]), given)
    assert_same(golden)
    assert golden.pipeline["loader_1"] in ({"rows": [("z", 5)]}, {"y": 22})


def test_the_same_notebook_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two exports of every case are equal, byte for byte."""
    for number, cells in enumerate(CASES.values()):
        texts = []
        for copy in ("one", "two"):
            folder = tmp_path / copy / str(number)
            run_both(notebook(folder, *cells))
            files = sorted(folder.rglob("*.py")) + sorted(folder.glob("pipelines/*/*.yaml"))
            texts.append({file.relative_to(folder): file.read_bytes() for file in files})
        assert texts[0] == texts[1]
