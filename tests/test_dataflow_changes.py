"""Promises of `dataflow`: what a cell may change in place, and which names share an object."""

from __future__ import annotations

import pytest

from jupyter_blocks.dataflow import analyze
from tests.flowcases import Case, cases, check, found


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
    Case("plot_acf(s, lags=20);", reads="plot_acf s"),
    Case("anova_lm(small, large)", reads="anova_lm small large"),
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


def test_what_a_model_has_learned_is_no_method_that_changes_it() -> None:
    """`model.coef_` is handed to a function as a value, `items.append` to be called."""
    assert found("y = np.dot(X, model.coef_)").changes == ""
    assert found("y = map(items.append, rows)").changes == "items"


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


@pytest.mark.parametrize(
    ("source", "pairs"),
    [
        ("a = df", "a-df"),
        ("a = f()\nb = a", "a-b b-a"),
        ("a = b = f()", "a-b b-a"),
        ("both = [train, test]", "both-train both-test"),
        ("d = {}\nd['a'] = df", "d-df"),
        ("a = f()\nb = a.copy()", ""),
        ("a = df\ndf = f()", ""),
        ("a = df['x']", ""),
        ("a = df['x']\nb = a", "a-b b-a"),
        ("a = df\nif c:\n    del df", "a-df"),
        ("n = 1\nm = n", ""),
        ("a = df\ndel a", ""),
        ("a, b = f()", ""),
    ],
)
def test_names_that_share_one_object_at_the_end(source: str, pairs: str) -> None:
    """They are two objects once they left the block; parts of objects are not reported."""
    assert " ".join("-".join(pair) for pair in analyze(source).aliases) == pairs


@pytest.mark.parametrize(
    ("source", "pairs"),
    [
        ("c.append(a)", "c-a"),
        ("c['x'] = [1, a]", "c-a"),
        ("c.append(1)", ""),
        ("c = []\nc.append(a)", ""),
        ("d = c.copy()", ""),
    ],
)
def test_what_names_from_before_are_given_to_hold(source: str, pairs: str) -> None:
    """Whether they hold it depends on what they are, which the caller may know."""
    assert " ".join("-".join(pair) for pair in analyze(source).holds) == pairs


@pytest.mark.parametrize(
    ("source", "deep"),
    [
        ("c.append(a)", ()),
        ("c[0] = a", ()),
        ("c[0].append(a)", ("c",)),
        ("for item in c:\n    item.sort()", ("c",)),
    ],
)
def test_changes_of_what_is_inside(source: str, deep: tuple[str, ...]) -> None:
    """A container that gets longer leaves what it holds as it is."""
    flow = analyze(source)
    assert flow.deep_changes == deep
    assert "c" in flow.changes


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("    t['x'] = 1\n    return t", "t"),
        ("    return t.copy()", ""),
        ("    t = list(t)\n    return t", ""),
        ("    if t:\n        return t", ""),
        ("    if t:\n        return t\n    return []", ""),
        ("    yield t", ""),
    ],
)
def test_functions_that_give_back_what_they_were_given(body: str, given: str) -> None:
    """On every way, as the very object."""
    (definition,) = analyze(f"def f(t):\n{body}").definitions
    assert definition.gives_back == given


def test_methods_that_change_their_object() -> None:
    """Those that set or fill something of it, and those that call one of them."""
    source = """
class Box:
    def __init__(self):
        self.items = []
    def add(self, item):
        self.items.append(item)
        return len(self.items)
    def add_twice(self, item):
        first = self.add(item)
        return first + self.add(item)
    def size(self):
        return len(self.items)
"""
    (definition,) = analyze(source).definitions
    assert definition.changing_methods == {"add", "add_twice"}
    known = {"Box": definition}
    assert analyze("n = box.add(1)", known=known).changes == ("box",)
    assert analyze("n = box.size()", known=known).changes == ()
