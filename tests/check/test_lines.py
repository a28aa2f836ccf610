"""Lines that set or change a name, lines where chance comes in."""

from __future__ import annotations

import pytest

from jupyter_blocks.check.lines import (
    Setting,
    chances,
    imported_modules,
    left_as_found,
    settings_of,
    shown_line,
    uses_of,
)


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("x = 1\ny = 2\nx = 3", [Setting(1), Setting(3)]),
        (
            "x['a'] = 1\nx.loc[rows, 'b'] = 2\nx.index = 3",
            [Setting(1, "a"), Setting(2, "b"), Setting(3, "index")],
        ),
        ("x[name] = 1\nx += 1\nx: int = 2", [Setting(1), Setting(2), Setting(3)]),
        ("a, (x, *b) = f()\n[*x] = 1, 2", [Setting(1), Setting(2)]),
        ("for x in y:\n    pass\nelse:\n    x = 1", [Setting(1), Setting(4)]),
        ("with f() as x:\n    x.append(1)", [Setting(1), Setting(2)]),
        (
            "try:\n    x = 1\nexcept E:\n    x = 2\nfinally:\n    x = 3",
            [Setting(2), Setting(4), Setting(6)],
        ),
        ("match y:\n    case 1:\n        x = 1", [Setting(3)]),
        ("if (x := f()) and True:\n    y = x", []),
        ("y = (x := 1)", [Setting(1)]),
        ("import x.y\nfrom z import w as x", [Setting(1), Setting(2)]),
        ("x.sort()\nx.a.append(1)\nclean(x)\nf(y, out=x)\nx", [Setting(n) for n in (1, 2, 3, 4)]),
        ("def f():\n    x = 1\ny = f(x)", []),
        ("def x(a):\n    if a:\n        return 1\n    return 2", [Setting(4)]),
        ("del x['a']", [Setting(1, "a")]),
        ("%time x = 1", [Setting(1)]),
        ("not python", []),
    ],
)
def test_settings(source: str, settings: list[Setting]) -> None:
    """In the order of the text; what a function does inside is its own."""
    assert list(settings_of(source, "x")) == settings


def test_uses() -> None:
    """The first line that changes a name, or else names it."""
    assert uses_of("y = f(x)\nx.append(1)", "x") == 2
    assert uses_of("\ny = f(x)", "x") == 2
    assert uses_of("y = 1", "x") is None


def test_the_shown_expression() -> None:
    """The last one, where there is one."""
    assert shown_line("x = 1\nx + (\n 1)") == 2
    assert shown_line("x = 1") is None
    assert shown_line("") is None


IMPORTS = imported_modules(
    [
        "import numpy as np, time, random, os.path",
        "from datetime import datetime\nfrom uuid import uuid4\nimport datetime as dt",
        "from sklearn.model_selection import train_test_split",
        "from numpy.random import default_rng",
    ]
)


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [
        ("x = 1\nnp.empty(3)", None, 2),
        ("np.zeros(3)", None, None),
        ("x = np.empty((2, 3))", "x", 1),
        ("x = np.empty(3)\nx[0] = 1", "x", None),
        ("x = np.empty(3)\nfill(x)", "x", None),
        ("x = np.empty(3)", "y", None),
        ("", None, None),
    ],
)
def test_memory_that_nobody_wrote_to(source: str, name: str | None, line: int | None) -> None:
    """Only where the cell does nothing else to the array."""
    assert left_as_found(source, name, {"np": "numpy"}) == line


def test_imports() -> None:
    """Names stand for dotted paths."""
    assert IMPORTS["np"] == "numpy"
    assert IMPORTS["os"] == "os"
    assert IMPORTS["datetime"] == "datetime.datetime"
    assert IMPORTS["default_rng"] == "numpy.random.default_rng"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = np.random.rand(3)", (1, "random", True)),
        ("np.random.seed(1)\ny = np.random.normal()", (2, "random", True)),
        ("default_rng()", (1, "random", True)),
        ("default_rng(42)", None),
        ("random.Random(1)", None),
        ("random.shuffle(xs)", (1, "random", True)),
        ("df.sample(3)", (1, "random", False)),
        ("df.sample(3, random_state=0)", None),
        ("train_test_split(X, y)", (1, "random", False)),
        ("model.fit(X)\ntime.time()", (2, "time", True)),
        ("datetime.now()", (1, "time", True)),
        ("dt.datetime.now()", (1, "time", True)),
        ("uuid4()", (1, "random", True)),
        ("id(x)", (1, "process", True)),
        ("f(g)(x)", None),
        ("x.mean()", None),
    ],
)
def test_chances(source: str, found: tuple[int, str, bool] | None) -> None:
    """What surely varies comes first."""
    first = next(chances(source, IMPORTS), None)
    assert (first and (first.line, first.what, first.is_sure)) == found
