"""Promises of `dataflow`: imports, definitions, constants, calls, and what is not Python."""

from __future__ import annotations

import ast
import sys
import warnings
from types import FrameType
from typing import Any

import pytest

from jupyter_blocks.dataflow import Definition, Expression, ImportedName, Use, analyze


def test_imports_keep_their_text() -> None:
    """One entry per name, with the statement as written and one that imports this name alone."""
    flow = analyze(
        "import os; from x import (  # two\n    a as b,\n    c,\n)\nif d:\n    import e.f"
    )
    statement = "from x import (  # two\n    a as b,\n    c,\n)"
    assert flow.imports == (
        ImportedName("os", "import os", 1, "os", True, "import os"),
        ImportedName("b", statement, 1, "x", True, "from x import a as b"),
        ImportedName("c", statement, 1, "x", True, "from x import c"),
        ImportedName("e", "import e.f", 6, "e.f", False, "import e.f"),
    )


def test_star_imports_and_relative_imports() -> None:
    """A star import binds nothing that could be known here."""
    flow = analyze("from os.path import *\nfrom ..tools import clean")
    assert [(found.name, found.module) for found in flow.star_imports] == [("*", "os.path")]
    assert [(found.name, found.module) for found in flow.imports] == [("clean", "..tools")]
    assert flow.binds == ("clean",)


def test_imports_inside_functions_are_not_the_cells() -> None:
    """They bind names of the function."""
    assert analyze("def f():\n    import os\n    return os").imports == ()


def test_definitions_say_what_they_need() -> None:
    """Free names as a whole, those needed to define, parameters, and what calls change."""
    source = (
        "@cache(maxsize=SIZE)\n@other.wraps\ndef f(a, /, b=START, *rest, c: Kind, **more):\n"
        "    a['x'] = LIMIT\n    log.append(f(b))\n    return [k for k in a]\n"
    )
    (definition,) = analyze(source, start_line=3).definitions
    assert definition == Definition(
        name="f",
        kind="function",
        line=3,
        end_line=8,
        free=frozenset({"cache", "SIZE", "other", "START", "Kind", "LIMIT", "log"}),
        decorators=("cache", "other.wraps"),
        needed_to_define=frozenset({"cache", "SIZE", "other", "START", "Kind"}),
        needed_to_call=frozenset({"LIMIT", "log"}),
        changes=frozenset({"log"}),
        parameters=("a", "b", "c"),
        changed_parameters=frozenset({"a"}),
        gives_parts=frozenset({"a"}),
    )


def test_classes_say_what_they_need() -> None:
    """Bases and body at once, methods when they are called."""
    source = "class A(Base):\n    size = SIZE\n    def grow(self):\n        return A(size, LIMIT)"
    (definition,) = analyze(source).definitions
    assert (definition.kind, definition.line, definition.end_line) == ("class", 1, 4)
    assert definition.free == {"Base", "SIZE", "size", "LIMIT"}
    assert definition.needed_to_define == {"Base", "SIZE"}


def test_only_top_level_definitions_are_listed_and_the_last_of_a_name() -> None:
    """A function under a condition cannot be moved away."""
    flow = analyze("if c:\n    def f(): pass\ndef g(): return 1\ndef g(): return x")
    assert [(found.name, sorted(found.free)) for found in flow.definitions] == [("g", ["x"])]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\ndf", Expression(2, 2, 0, 2, "df", False)),
        ("df.head()", Expression(1, 1, 0, 9, None, False)),
        ("x = 1; df ;  # show", Expression(1, 1, 7, 9, "df", True)),
        ("(df\n  .head()\n)  # ;", Expression(1, 3, 0, 1, None, False)),
        ("é = 'ü'; ñ;", Expression(1, 1, 9, 10, "ñ", True)),
        ("df  # comment\n\n;", None),
        ("x = 1", None),
        ("if c:\n    df", None),
        ("", None),
    ],
)
def test_the_last_expression(source: str, expected: Expression | None) -> None:
    """What a notebook shows, with its place in characters, and whether a `;` hides it."""
    if source.endswith("\n;"):
        with pytest.raises(SyntaxError):
            analyze(source)
    else:
        assert analyze(source).last_expression == expected


@pytest.mark.parametrize(
    ("source", "constants"),
    [
        ("a = 1\nb = 'x'\nc: float = -2.5", {"a": 1, "b": "x", "c": -2.5}),
        ("a = [1, (2, None)]\nb = {'k': {3}}", {"a": [1, (2, None)], "b": {"k": {3}}}),
        ("a = b = 1", {"a": 1, "b": 1}),
        ("a = 1\na = 2\nb = 1\nb += 1", {}),
        ("a = []\na.append(1)\nb = a", {}),
        ("a = {}\nb = a\nb['x'] = 1", {}),
        ("a = 1\nif c:\n    a = 2", {}),
        ("if c:\n    a = 1", {}),
        ("a = 1\ndel a", {}),
        ("a = x\nb = 2 * 3\nc = f'{x}'\nd = -x\ne = [x]", {}),
        ("a = 1\ndef f():\n    global a\n    a = 2\nf()", {}),
        ("a, b = 1, 2", {}),
    ],
)
def test_constants(source: str, constants: dict[str, Any]) -> None:
    """Names bound once to a literal and not changed later: what a parameters cell may hold."""
    flow = analyze(source)
    assert flow.constants == constants
    assert set(flow.constant_lines) == set(constants)


def test_calls_are_listed_for_the_caller() -> None:
    """Plain names called outside functions; dotted names called or set anywhere."""
    flow = analyze(
        "np.random.seed(0)\nplt.rcParams['x'] = f(1)\npd.options.display.width = 9\n"
        "def g():\n    h(1)\n    pd.set_option('a', 1)\ng()\ntools.clean(df, x)"
    )
    assert flow.calls == ("f", "g")
    assert flow.attribute_calls == (
        ("np.random.seed", 1),
        ("plt.rcParams", 2),
        ("pd.options.display.width", 3),
        ("pd.set_option", 6),
        ("tools.clean", 8),
    )
    assert flow.module_changes == (("tools.clean", "df"), ("tools.clean", "x"))


def test_global_statements_and_await_are_noted() -> None:
    """The exporter refuses the one and runs the other in an event loop."""
    flow = analyze("def f():\n    global n, m\n    n = 1\nawait f()")
    assert flow.globals_declared == (Use("n", 2), Use("m", 2))
    assert flow.has_await
    assert not analyze("async def f():\n    await g()").has_await
    assert analyze("[x async for x in y]").has_await


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = = 1", 5),
        ("x = 1\nreturn x", 6),
        ("x\ny\nyield x", 7),
        ("break", 5),
        ("if x:\n    continue", 6),
        ("x = 'a\0b'", 5),
        ("f(" * 5000 + ")" * 5000, 5),
        ("-" * 3000 + "1", 5),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_not_python_is_a_syntax_error_with_its_line(source: str, line: int) -> None:
    """Also what only becomes valid when the cell is made a function, such as `return`."""
    with pytest.raises(SyntaxError) as caught:
        analyze(source, start_line=5)
    assert caught.value.lineno == line or "\0" in source or len(source) > 1000


def test_escapes_that_python_warns_about_are_not_our_business() -> None:
    """The kernel has told the user already."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert analyze("x = '\\d'").binds == ("x",)


CELL = """
flights["speed"] = flights["distance"] / flights["air_time"] * 60
by_carrier = flights.groupby("carrier").agg(speed=("speed", "mean")).reset_index()
for i, row in by_carrier.iterrows():
    if row["n"] > 100 and row["speed"] < limit:
        print(f"{row['carrier']}: {row['speed']:.1f}")
def label(x, unit="mph"):
    return f"{x:.0f} {unit}"
fig, ax = plt.subplots(figsize=(8, 4))
ax.bar(by_carrier["carrier"], by_carrier["speed"])
by_carrier.sort_values("speed", ascending=False).head(10)
"""


def test_the_walk_costs_a_few_calls_per_node() -> None:
    """Counted, not timed: it is linear in the size of the cell, with a small factor."""
    count = 0

    def note_call(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note_call)
    try:
        flow = analyze(CELL * 5)
    finally:
        sys.setprofile(None)
    assert flow.binds
    assert count < 8 * sum(1 for _ in ast.walk(ast.parse(CELL * 5)))
