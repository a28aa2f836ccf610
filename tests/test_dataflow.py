"""Promises of `dataflow`: what a cell reads and binds, construct by construct."""

from __future__ import annotations

import sys

import pytest

from jupyter_blocks.dataflow import Use, analyze, is_builtin
from tests.flowcases import Case, cases, check, found


@cases(
    Case("x = 1", binds="x"),
    Case("x = y", reads="y", binds="x"),
    Case("df = df.dropna()", reads="df", binds="df"),
    Case("n += 1", reads="n", binds="n"),
    Case("x = 1\nx += y", reads="y", binds="x"),
    Case("x = 1\ny = x", binds="x y"),
    Case("y = x\nx = 1", reads="x", binds="y x"),
    Case("x = 1\ny = 2\nx = 3", binds="y x"),
    Case("a, (b, *c) = d", reads="d", binds="a b c"),
    Case("a, b = b, a", reads="b a", binds="a b"),
    Case("a = b = c", reads="c", binds="a b"),
    Case("[a, b] = c", reads="c", binds="a b"),
    Case("x: int = y", reads="y", binds="x"),
    Case("x: Frame = 1", reads="Frame", binds="x"),
    Case("x: Frame", reads="Frame"),
    Case("b + a + c", reads="b a c"),
    Case("f'{a:>{b}} {c!r}'", reads="a b c"),
    Case("x[i], y.z", reads="x i y"),
    Case("print(len(x))", reads="x"),
    Case("x = 'y'", binds="x"),
    Case("_ = f(x)", reads="f x", binds="_", changes="x"),
)
def test_order_within_the_cell(case: Case) -> None:
    """A name is read from before only if it is not bound yet at that point."""
    check(case)


@cases(
    Case("if c:\n    x = 1", reads="c", maybe_binds="x"),
    Case("if c:\n    x = 1\nprint(x)", reads="c", maybe_reads="x", maybe_binds="x"),
    Case("if c:\n    x = 1\nelse:\n    x = 2\nx", reads="c", binds="x"),
    Case("if c:\n    x = 1\nelse:\n    raise E\nx", reads="c E", binds="x"),
    Case("if c:\n    x = 1\nelif d:\n    x = 2\nx", reads="c d", maybe_reads="x", maybe_binds="x"),
    Case("if c:\n    print(x)\nx = 1", reads="c x", binds="x"),
    Case("if True:\n    x = 1\nelse:\n    x = y\nx", binds="x"),
    Case("if 0:\n    x = y", ""),
    Case("x = 1 if c else y", reads="c y", binds="x"),
    Case("for i in xs:\n    t = i\nt", reads="xs", maybe_reads="t", maybe_binds="i t"),
    Case("for i in xs:\n    pass\ni", reads="xs", maybe_reads="i", maybe_binds="i"),
    Case("for i in (1, 2):\n    t = i\nt", binds="i t"),
    Case("for i in range(3):\n    t = i\ni, t", binds="i t"),
    Case("for i in range(n):\n    t = i", reads="n", maybe_binds="i t"),
    Case("for a.b in c: pass", reads="c a", changes="a"),
    Case("for x in x:\n    y = x", reads="x", maybe_binds="x y"),
    Case("for i in (1,):\n    if c:\n        break\n    t = 1\nt", "c", "t", "i", "t"),
    Case("for i in (1,):\n    if c:\n        continue\n    t = 1\nt", "c", "t", "i", "t"),
    Case("for i in xs:\n    x = 1\n    break\nelse:\n    x = 2\nx", "xs", "", "x", "i"),
    Case("for i in xs:\n    s = s + i", reads="xs s", maybe_binds="i s"),
    Case("while c:\n    x = 1\nx", reads="c", maybe_reads="x", maybe_binds="x"),
    Case("while True:\n    x = 1\n    if x:\n        break\nx", binds="x"),
    Case("while (x := f()):\n    y = x\nx", reads="f", binds="x", maybe_binds="y"),
    Case("while c:\n    c = f(c)\nelse:\n    y = 1\ny", "c f", "", "y", "c"),
    Case("with open(p) as f:\n    t = f.read()\nt", reads="p", binds="f t"),
    Case("with a as (b, c), d:\n    pass", reads="a d", binds="b c", changes="a d"),
    Case("with suppress(E):\n    x = 1\nx", "suppress E", "x", "", "x"),
    Case("assert c, m", reads="c m"),
)
def test_names_that_are_bound_on_some_ways_only(case: Case) -> None:
    """What is bound on one way may have to come from before, and may be bound afterwards."""
    check(case)


@cases(
    Case("try:\n    x = f()\nexcept E:\n    x = 1\nx", reads="f E", binds="x"),
    Case("try:\n    x = f()\nexcept E:\n    pass\nx", "f E", "x", "", "x"),
    Case("try:\n    f()\n    x = 1\nexcept E:\n    x\nelse:\n    y = x", "f E", "x", "", "x y"),
    Case("try:\n    x = f()\nexcept E:\n    raise\nx", reads="f E", binds="x"),
    Case("try:\n    x = f()\nfinally:\n    y = 1\nx, y", reads="f", binds="x y"),
    Case("try:\n    raise E\nfinally:\n    x", reads="E x"),
    Case("try:\n    f()\nexcept E as e:\n    print(e)\ne", reads="f E e"),
    Case("try:\n    raise E\nexcept E as e:\n    x = e", reads="E", binds="x", deletes="e"),
    Case("try:\n    df\nexcept NameError:\n    df = 1", "", "df", "", "df"),
    Case("try:\n    import a\nexcept ImportError:\n    a = None\na", binds="a"),
    Case("try:\n    x = 1\nexcept* E as e:\n    y = 2\nx", "E", "x", "", "x y"),
    Case("match p:\n    case 1: x = 1\nx", "p", "x", "", "x"),
    Case("match p:\n    case 1: x = 1\n    case _: x = 2\nx", reads="p", binds="x"),
    Case("match p:\n    case [a, *b]: pass", reads="p", maybe_binds="a b"),
    Case("match p:\n    case {'k': v, **rest}: v", reads="p", maybe_binds="rest v"),
    Case("match p:\n    case C(x=a) | a: pass\na", reads="p C", binds="a"),
    Case("match p:\n    case Color.RED: pass", reads="p Color"),
    Case("match p:\n    case (1 | 2) as n if n > k: n", "p k", "", "", "n"),
    Case("match p:\n    case {k.a: 1}: pass", reads="p k"),
)
def test_exceptions_and_patterns(case: Case) -> None:
    """A `try` body may stop anywhere; captures are bound where the pattern matched."""
    check(case)


@cases(
    Case("(y := f(x))\ny", reads="f x", binds="y"),
    Case("a and (y := 1)\ny", "a", "y", "", "y"),
    Case("(y := 1) and y", binds="y"),
    Case("1 if (y := c) else y", reads="c", binds="y"),
    Case("[y := x for x in xs]\ny", "xs", "y", "", "y"),
    Case("[y for x in xs if (y := x)]", reads="xs", maybe_binds="y"),
    Case("[x for x in xs]\nx", reads="xs x"),
    Case("[x * k for x in xs if x > m]", reads="xs m k"),
    Case("{x: y for x, y in xs}", reads="xs"),
    Case("[y for x in xs for y in x]", reads="xs"),
    Case("[x for x in x]", reads="x"),
    Case("sum(x for x in xs)", reads="xs"),
    Case("[[y + x for y in x] for x in xs]", reads="xs"),
    Case("[f for f in fs if [f for f in f]]", reads="fs"),
    Case("f = lambda x, k=k: x + k + m", reads="k", binds="f"),
    Case("xs.map(lambda x: x + (lambda y: y + x + z)(1))", reads="xs z", changes=""),
    Case("f = lambda: x\nx = 1", binds="f x"),
    Case("f = lambda: x\nf()", reads="x", binds="f"),
    Case("f, g = lambda: x, 1", reads="x", binds="f g"),
    Case("g = (x for _ in xs)", reads="xs x", binds="g"),
    Case("[lambda: x for x in xs]", reads="xs"),
    Case("await f(x)", reads="f x", changes="x"),
    Case("async with a() as b:\n    pass", reads="a", binds="b"),
    Case("async for x in xs:\n    y = x", reads="xs", maybe_binds="x y"),
    Case("[x async for x in xs]", reads="xs"),
)
def test_comprehensions_lambdas_and_walrus(case: Case) -> None:
    """Variables of comprehensions and lambdas are their own; `:=` binds in the cell."""
    check(case)


@cases(
    Case("def f(a):\n    return a + b", binds="f"),
    Case("def f(a):\n    return a + b\nf(1)", reads="b", binds="f"),
    Case("def f():\n    return b\nb = 1\nf()", binds="f b"),
    Case("def f():\n    return b\nf()\nb = 1", reads="b", binds="f b"),
    Case("def f():\n    return b\nxs.map(f)\nb = 1", "xs", "b", "f b"),
    Case("def f():\n    return b\ng = f\nxs.map(g)", reads="b xs", binds="f g"),
    Case("def f():\n    return g()\ndef g():\n    return f(), b\nf()", reads="b", binds="f g"),
    Case("def f(n):\n    return f(n - 1)", binds="f"),
    Case("def f(a, *b, c, **d):\n    return a, b, c, d\nf(1)", binds="f"),
    Case("def f(a=b, *, c=d): pass", reads="b d", binds="f"),
    Case("def f(a: T) -> R: pass", reads="T R", binds="f"),
    Case("@dec(k)\ndef f(): pass", reads="dec k", binds="f"),
    Case("@dec\ndef f(): return x", reads="dec x", binds="f"),
    Case("@lru_cache\ndef f(): return x", reads="lru_cache", binds="f"),
    Case(
        "def f():\n    x = 1\n    def g():\n        return x + y\n    return g\nf()", "y", "", "f"
    ),
    Case("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\nf()", binds="f"),
    Case("def f():\n    print(x)\n    x = 1\nf()", binds="f"),
    Case("def f():\n    [x := 1 for _ in y]\n    return x\nf()", reads="y", binds="f"),
    Case("def f():\n    for a in b:\n        pass\n    return a\nf()", reads="b", binds="f"),
    Case("def f():\n    import a.b\n    return a, c\nf()", reads="c", binds="f"),
    Case("def f():\n    try: pass\n    except E as e: return e\nf()", reads="E", binds="f"),
    Case("def f(p):\n    match p:\n        case [a, *b]: return a, b, c\nf(1)", "c", "", "f"),
    Case("def f():\n    return x\n    return y\nf()", reads="x", binds="f"),
    Case("def f():\n    global n\n    n = 1", binds="f"),
    Case("def f():\n    global n\n    n = 1\nf()", binds="f", maybe_binds="n"),
    Case("def f():\n    global n\n    n += 1\nf()", reads="n", binds="f", maybe_binds="n"),
    Case("def f():\n    return [x for x in y]\nf()", reads="y", binds="f"),
    Case("async def f():\n    return await g()\nawait f()", reads="g", binds="f"),
    Case("def f(): return b\nf = 1\nf", binds="f"),
    Case("if c:\n    def f(): return b\nf()", "c b", "f", "", "f"),
)
def test_functions_read_globals_when_they_are_called(case: Case) -> None:
    """What a function needs is read where it is called or handed on, as things stand there."""
    check(case)


@cases(
    Case("class A:\n    x = y", reads="y", binds="A"),
    Case("class A(B, metaclass=M):\n    pass", reads="B M", binds="A"),
    Case("class A:\n    x = 1\n    def f(self):\n        return x", binds="A"),
    Case("class A:\n    x = 1\n    def f(self):\n        return x\nA()", reads="x", binds="A"),
    Case("class A:\n    x = 1\n    y = x", binds="A"),
    Case("class A:\n    x = x", reads="x", binds="A"),
    Case("class A:\n    n = 1\n    xs = [n for _ in ys]", reads="ys n", binds="A"),
    Case("class A:\n    xs = ys\n    zs = [x for x in xs]", reads="ys", binds="A"),
    Case("class A:\n    def f(self, x=k): pass", reads="k", binds="A"),
    Case("class A:\n    def f(self):\n        return super().f(__class__)\nA()", binds="A"),
    Case("class A:\n    x: T = 1", reads="T", binds="A"),
    Case("class A:\n    class B:\n        y = x\n    z = B", reads="x", binds="A"),
    Case("class A:\n    if c:\n        x = 1\n    y = x", reads="c x", binds="A"),
    Case("class A:\n    def f(self): return A", binds="A"),
    Case("@dataclass\nclass A:\n    x: int = 1", reads="dataclass", binds="A"),
    Case("class A:\n    name = __qualname__", binds="A"),
    Case("class A:\n    f = lambda self: k", reads="k", binds="A"),
)
def test_the_names_of_a_class_are_not_seen_by_its_methods(case: Case) -> None:
    """Names of a class body belong to the body, not to methods or comprehensions in it."""
    check(case)


@cases(
    Case("del x", reads="x", deletes="x"),
    Case("x = 1\ndel x", deletes="x"),
    Case("del x\nx = 1", reads="x", binds="x"),
    Case("del x, (y, z)", reads="x y z", deletes="x y z"),
    Case("if c:\n    del x\nx", reads="c x"),
    Case("x = 1\nif c:\n    del x", reads="c", maybe_binds="x"),
    Case("import a.b.c", binds="a"),
    Case("import a.b as c", binds="c"),
    Case("from x import (a as b, c)\nb(c)", binds="b c", changes=""),
    Case("from x import *\ny", reads="y"),
    Case("global x\nx = 1", binds="x"),
)
def test_deleting_and_importing(case: Case) -> None:
    """Imports bind names; a deleted name is gone."""
    check(case)


def test_a_function_called_top_has_locals() -> None:
    """The standard `symtable` takes the scope of `top` for a module; this analysis does not."""
    source = (
        "def top(df, n=5, column='tip'):\n    part = df.sort_values(column)\n    return part[-n:]"
    )
    flow = analyze(f"{source}\ntop(tips)")
    assert [use.name for use in flow.reads] == ["tips"]
    assert flow.definitions[0].free == frozenset()
    assert analyze("class top:\n    x = 1\n    y = x").reads == ()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("def f[T: B](x: T) -> C: return x, y", ["C"]),
        ("class A[T](Base[T]):\n    x: T\n    def f(self, y: T) -> T: return T", ["Base"]),
        ("type Pair[T] = tuple[T, Item]", ["Item"]),
    ],
)
def test_type_parameters_belong_to_their_definition(source: str, reads: list[str]) -> None:
    """`T` is nobody's input, and its bound is evaluated only when somebody asks for it."""
    names = [use.name for use in analyze(source).reads if not is_builtin(use.name)]
    assert sorted(names) == sorted(reads)


def test_each_use_names_the_line_where_it_is() -> None:
    """Lines count from `start_line`; what a function reads is where the function reads it."""
    flow = analyze("x = 1\n\ndef f():\n    return a\n\nf() + b\na", start_line=11)
    assert flow.reads == (Use("a", 14), Use("b", 16))


def test_names_that_may_be_deleted_are_told_apart() -> None:
    """`if c: del x` leaves `x` bound as before, or not at all."""
    assert analyze("if c:\n    del x").maybe_deletes == ("x",)
    assert analyze("del x").maybe_deletes == ()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("smf.ols('y ~ np.sin(x1)', data)", "y np sin x1"),
        ("df.query('x > @limit and y')", "x limit y"),
        ("df.query('flag')", "flag"),
        ("eval('total')", "total"),
        ("globals()['total']", "total"),
        ("duckdb.sql('select * from flights')", "select flights"),
        ("f'{a} ~ b'", "b"),
        ("query = f'select x from t where y = {y}'", "select x t where y"),
        ("df['flights']", ""),
        ("x = 'flights'", ""),
        ("x = {'a = b': 1}", ""),
        ("print('number = of flights')", ""),
        ("ax.set_title('a = b')", ""),
        ("'''a = b'''", ""),
        ("def f():\n    '''a = b'''", ""),
        ("pd.read_csv('data/flights.csv')", ""),
    ],
)
def test_soft_reads(source: str, names: str) -> None:
    """Identifiers of strings that are code; not labels, column names, texts or paths."""
    assert " ".join(use.name for use in analyze(source).soft_reads) == names


def test_long_sums_are_no_problem() -> None:
    """A query put together from a thousand pieces is ordinary."""
    assert found(" + ".join(["a"] * 900)).reads == "a"


def test_functions_that_call_each_other_cost_little() -> None:
    """Each function is looked into once per state, not once per path."""
    lines = [f"def f{n}(): return f{n + 1}() + f{n + 1}() + g{n + 1}()" for n in range(50)]
    lines += [f"def g{n}(): return f{n}()" for n in range(51)]
    assert found("\n".join([*lines, "def f50(): return y, f0()", "f0()"])).reads == "y"


def test_builtins_are_told_apart() -> None:
    """They are reported like other names, since an earlier cell may bind them."""
    assert analyze("sum(x)").reads == (Use("sum", 1), Use("x", 1))
    assert all(map(is_builtin, ("print", "display", "get_ipython", "__name__", "NameError")))
    assert not any(map(is_builtin, ("_", "np", "x")))
