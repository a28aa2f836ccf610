"""Promises of `dataflow`: what a cell reads, binds and may change, construct by construct."""

from __future__ import annotations

import ast
import sys
import warnings
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

from jupyter_blocks.dataflow import (
    Definition,
    Expression,
    ImportedName,
    Use,
    analyze,
    is_builtin,
)


@dataclass(frozen=True)
class Case:
    """A cell, and names in the order in which they are expected. Builtins are left out."""

    source: str
    reads: str = ""
    maybe_reads: str = ""
    binds: str = ""
    maybe_binds: str = ""
    changes: str = ""
    deletes: str = ""


def found(source: str, **options: Any) -> Case:
    """The case that the analysis finds."""
    flow = analyze(source, **options)
    return Case(
        source,
        reads=" ".join(use.name for use in flow.reads if not is_builtin(use.name)),
        maybe_reads=" ".join(use.name for use in flow.maybe_reads if not is_builtin(use.name)),
        binds=" ".join(flow.binds),
        maybe_binds=" ".join(flow.maybe_binds),
        changes=" ".join(flow.changes),
        deletes=" ".join(flow.deletes),
    )


def check(case: Case) -> None:
    assert found(case.source) == case


def cases(*listed: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", listed, ids=lambda case: case.source)


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
    Case("f = lambda x, k=k: x + k + m", reads="k m", binds="f"),
    Case("xs.map(lambda x: x + (lambda y: y + x + z)(1))", reads="xs z", changes=""),
    Case("f = lambda: x\nx = 1", maybe_reads="x", binds="f x"),
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


@cases(
    Case("df['x'] = 1", reads="df", changes="df"),
    Case("df['x'] += y", reads="y df", changes="df"),
    Case("cfg.a.b = 1", reads="cfg", changes="cfg"),
    Case("df.loc[mask, 'x'] = 1", reads="df mask", changes="df"),
    Case("df.index.name = 'a'", reads="df", changes="df"),
    Case("df.columns = names", reads="names df", changes="df"),
    Case("del df['x']", reads="df", changes="df"),
    Case("del cfg.a", reads="cfg", changes="cfg"),
    Case("df.drop(columns='x', inplace=True)", reads="df", changes="df"),
    Case("d = df.drop(columns='x', inplace=flag)", reads="df flag", binds="d", changes="df"),
    Case("df.drop(columns='x', inplace=False)", reads="df"),
    Case("np.add(a, b, out=c)", reads="np a b c", changes="np c"),
    Case("x = np.add(a, b, out=(c,))", reads="np a b c", binds="x", changes="np c"),
    Case("lst.append(1)", reads="lst", changes="lst"),
    Case("results[k].append(v)", reads="results k v", changes="results"),
    Case("model.fit(X)", reads="model X", changes="model"),
    Case("ax.plot(x)", reads="ax x", changes="ax"),
    Case("axes[0].hist(x)", reads="axes x", changes="axes"),
    Case("obj.step.go()", reads="obj", changes="obj"),
    Case("clean(df)", reads="clean df", changes="df"),
    Case("clean(df['a'], x=cfg.b)", reads="clean df cfg", changes="df cfg"),
    Case("clean(*dfs, **options)", reads="clean dfs options", changes="dfs options"),
    Case("clean([a, b])", reads="clean a b", changes="a b"),
    Case("clean(df, inplace=True)", reads="clean df", changes="df"),
    Case("random.shuffle(x)", reads="random x", changes="random x"),
    Case("np.random.shuffle(df.values)", reads="np df", changes="np df"),
    Case("heapq.heappush(h, 1)", reads="heapq h", changes="heapq h"),
    Case("setattr(cfg, 'a', 1)", reads="cfg", changes="cfg"),
    Case("next(it)", reads="it", changes="it"),
    Case("x = next(it)", reads="it", binds="x", changes="it"),
    Case("a if c else lst.append(1)", reads="c a lst", changes="lst"),
    Case("c and lst.append(1)", reads="c lst", changes="lst"),
    Case("[lst.append(x) for x in xs]", reads="xs lst", changes="lst"),
    Case("[clean(x) for x in xs]", reads="xs clean", changes="xs"),
    Case("x.add_(1)", reads="x", changes="x"),
)
def test_what_may_change_a_value_in_place(case: Case) -> None:
    """Stores into a value, methods and functions called for their effect, `inplace`, `out`."""
    check(case)


@cases(
    Case("result = model.fit(X, y)", reads="model X y", binds="result", changes="model"),
    Case("Z = scaler.fit_transform(X)", reads="scaler X", binds="Z", changes="scaler"),
    Case("x = lst.pop()", reads="lst", binds="x", changes="lst"),
    Case("d.setdefault('a', []).append(1)", reads="d", changes="d"),
    Case("x = rng.normal(size=3)", reads="rng", binds="x", changes="rng"),
    Case("x = simulate(rng)", reads="simulate rng", binds="x", changes="rng"),
    Case("x = df.sample(3, random_state=rng)", reads="df rng", binds="x", changes="rng"),
    Case("[x for x in xs if not (x in seen or seen.add(x))]", reads="xs seen", changes="seen"),
    Case("y = f(df)", reads="f df", binds="y"),
    Case("y = df.dropna().reset_index()", reads="df", binds="y"),
    Case("y = df.add_prefix('a')", reads="df", binds="y"),
)
def test_methods_that_change_although_their_result_is_used(case: Case) -> None:
    """`y = f(df)` is taken as pure; fitting, popping, drawing random numbers is not."""
    check(case)


@cases(
    Case("print(df)", reads="df"),
    Case("display(df, df2)", reads="df df2"),
    Case("assert_frame_equal(a, b)", reads="assert_frame_equal a b"),
    Case("accuracy_score(y, p)", reads="accuracy_score y p"),
    Case("df.head()", reads="df"),
    Case("df.describe();", reads="df"),
    Case("df['a'].value_counts()", reads="df"),
    Case("df.plot(x='a')", reads="df"),
    Case("df.plot.bar()", reads="df"),
    Case("df['a'].str.upper()", reads="df"),
    Case("df.groupby('a').boxplot()", reads="df"),
    Case("df.to_csv('a.csv')", reads="df"),
    Case("model.predict(X)", reads="model X"),
    Case("sorted(xs)", reads="xs"),
    Case("df", reads="df"),
    Case("import numpy as np\nnp.random.seed(0)", binds="np"),
)
def test_looking_at_a_value_does_not_change_it(case: Case) -> None:
    """Printing, drawing a table, and methods known to be pure leave values alone."""
    check(case)


@cases(
    Case("a = df\na['x'] = 1", reads="df", binds="a", changes="df"),
    Case("a = df.copy()\na['x'] = 1", reads="df", binds="a"),
    Case("a = df['x']\na[0] = 1", reads="df", binds="a", changes="df"),
    Case("a = df[['x']]\na['y'] = 1", reads="df", binds="a"),
    Case("a = df[df.x > 1]\na['y'] = 1", reads="df", binds="a"),
    Case("a = x if c else y\na.append(1)", reads="c x y", binds="a", changes="x y"),
    Case("a = b or c\na.append(1)", reads="b c", binds="a", changes="b c"),
    Case("(a := b).append(1)", reads="b", binds="a", changes="b"),
    Case("for row in rows:\n    row['x'] = 1", "rows", "", "", "row", "rows"),
    Case("for i, row in enumerate(rows):\n    row['x'] = i", "rows", "", "", "i row", "rows"),
    Case("for k, v in d.items():\n    v.append(k)", "d", "", "", "k v", "d"),
    Case("for a, b in zip(x, y):\n    a.b = 1", "x y", "", "", "a b", "x y"),
    Case("for d in [a, b]:\n    d['x'] = 1", "a b", "", "d", "", "a b"),
    Case("both = [a, b]\nfor d in both:\n    d.x = 1", "a b", "", "both", "d", "a b"),
    Case("d = {'a': df}\nd['a']['x'] = 1", reads="df", binds="d", changes="df"),
    Case("d = {}\nd['a'] = df\nd['a']['x'] = 1", reads="df", binds="d", changes="df"),
    Case("l = []\nl.append(df)\nl[0]['x'] = 1", reads="df", binds="l", changes="df"),
    Case("c = list(rows)\nc.append(1)", reads="rows", binds="c"),
    Case("c = list(rows)\nc[0]['x'] = 1", reads="rows", binds="c", changes="rows"),
    Case("c = list(df.columns)\nc.remove('x')", reads="df", binds="c"),
    Case("n = df.shape[0]\nn += 1", reads="df", binds="n"),
    Case("b = a\nb += [1]", reads="a", binds="b", changes="a"),
    Case("m = model.fit(X)\nm.tune()", reads="model X", binds="m", changes="model"),
    Case("p = a\nfor x in xs:\n    p.x = 1\n    p = b", "a xs b", "", "p", "x", "a b"),
    Case("a, b = x, y\nb.append(1)", reads="x y", binds="a b", changes="y"),
    Case("first, *rest = rows\nrest[0].x = 1", "rows", "", "first rest", "", "rows"),
    Case("with lock as l:\n    l.n = 1", reads="lock", binds="l", changes="lock"),
    Case("match p:\n    case [a, _]: a.x = 1", "p", "", "", "a", "p"),
    Case("df = df.copy()\ndf['x'] = 1", reads="df", binds="df"),
    Case("v = df.values.reshape(-1)\nv[0] = 1", reads="df", binds="v", changes="df"),
)
def test_a_change_through_another_name_is_a_change(case: Case) -> None:
    """Aliases, elements, views and containers are followed; copies are copies."""
    check(case)


@cases(
    Case("def f(d):\n    d['x'] = 1\ny = f(df)", reads="df", binds="f y", changes="df"),
    Case("def f(d):\n    d = d.copy()\n    d['x'] = 1\ny = f(df)", reads="df", binds="f y"),
    Case("def f(a, b):\n    b.append(a)\nf(x, y)", reads="x y", binds="f", changes="y"),
    Case("def f(a, b):\n    b.append(a)\nf(b=x, a=y)", reads="x y", binds="f", changes="x"),
    Case("def f(*ds):\n    for d in ds: d.x = 1\nf(x, y)", reads="x y", binds="f", changes="x y"),
    Case("def f(d):\n    return d.head()\nf(df)", reads="df", binds="f"),
    Case("def f(): log.append(1)\nf()", reads="log", binds="f", changes="log"),
    Case("def f(): log.append(1)", binds="f"),
    Case("def f(x, acc=log): acc.append(x)\nf(1)", reads="log", binds="f", changes="log"),
    Case("def f(r):\n    r['x'] = 1\nz = df.apply(f)", reads="df", binds="f z", changes="df"),
    Case("z = df.apply(lambda r: r.pop('x'))", reads="df", binds="z", changes="df"),
    Case("f = g\nfor x in xs:\n    f(y)\n    def f(d): d.x = 1", "g xs y", "", "f", "x", "y"),
    Case("def f(d):\n    def g(): d.x = 1\n    g()\ny = f(df)", "df", "", "f y", "", "df"),
    Case(
        "if c:\n    def f(d): d.x = 1\nelse:\n    f = g\ny = f(df)", "c g df", "", "f y", "", "df"
    ),
)
def test_functions_of_the_cell_are_known_by_what_they_change(case: Case) -> None:
    """A call changes those arguments, and those globals, that the function changes."""
    check(case)


def test_functions_of_earlier_cells_are_known_if_they_are_given() -> None:
    """Their definitions replace the guess, in both directions."""
    definitions = analyze("def show(d): print(d)\ndef mark(a, *, t): t['x'] = a").definitions
    known = {definition.name: definition for definition in definitions}
    assert found("show(df)").changes == "df"
    assert found("show(df)", known=known).changes == ""
    assert found("y = mark(1, t=df)").changes == ""
    assert found("y = mark(1, t=df)", known=known).changes == "df"
    assert found("def g(d): return mark(2, t=d)\ny = g(df)", known=known).changes == "df"
    assert found("rows.map(show)\npool.submit(show)", known=known).changes == "pool"


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
        changes=frozenset({"log"}),
        parameters=("a", "b", "c"),
        changed_parameters=frozenset({"a"}),
    )


def test_classes_say_what_they_need() -> None:
    """Bases and body at once, methods when they are called."""
    source = "class A(Base):\n    size = SIZE\n    def grow(self):\n        return A(size, LIMIT)"
    (definition,) = analyze(source).definitions
    assert (definition.kind, definition.line, definition.end_line) == ("class", 1, 4)
    assert definition.free == {"Base", "SIZE", "size", "LIMIT"}
    assert definition.needed_to_define == {"Base", "SIZE"}


@pytest.mark.parametrize(
    ("source", "is_final"),
    [
        ("def f(d): d.x = 1", True),
        ("def f(): pass\ndef f(d): d.x = 1", True),
        ("def f(d): d.x = 1\nf = vectorize(f)", False),
        ("def f(d): d.x = 1\nif c:\n    def f(d): pass", False),
        ("def f(d): d.x = 1\ndel f", False),
        ("class f: pass", True),
        ("class f: pass\nf = wrap(f)", False),
    ],
)
def test_a_definition_says_whether_its_name_still_means_it(source: str, is_final: bool) -> None:
    """A function that was wrapped or replaced is not the one that later cells call."""
    (definition,) = analyze(source).definitions
    assert definition.is_final is is_final
    changes = "df" if is_final and definition.kind == "function" else ""
    assert found("y = f(df)", known={"f": definition}).changes == changes


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


@pytest.mark.parametrize(
    ("source", "pairs"),
    [
        ("a = df", "a-df"),
        ("a = f()\nb = a", "a-b"),
        ("a = b = f()", "a-b"),
        ("both = [train, test]", "both-train both-test"),
        ("d = {}\nd['a'] = df", "d-df"),
        ("a = f()\nb = a.copy()", ""),
        ("a = df\ndf = f()", ""),
        ("a = df['x']", ""),
        ("a = df['x']\nb = a", "a-b"),
        ("a = df\nif c:\n    del df", "a-df"),
        ("n = 1\nm = n", ""),
        ("a = df\ndel a", ""),
        ("a, b = f()", ""),
    ],
)
def test_names_that_share_one_object_at_the_end(source: str, pairs: str) -> None:
    """They are two objects once they left the block; parts of objects are not reported."""
    assert " ".join("-".join(pair) for pair in analyze(source).aliases) == pairs


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
