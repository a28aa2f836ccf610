"""Objects of all kinds by what is in them, functions by code, models by what they learned."""

from __future__ import annotations

import functools
import operator
import pickle
import random
import threading
import time
from collections.abc import Callable
from functools import cached_property, partial
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from jupyter_blocks.compare import compare

IN_BOTH = "{} in the notebook, {} in the pipeline"
X, Y = make_classification(60, 5, random_state=0)


class Model:
    """A class as notebooks have them."""

    def __init__(self, **learned: Any) -> None:
        self.__dict__.update(learned)


class Slotted:
    """One without a dictionary, with a private name."""

    __slots__ = ("__secret", "size")

    def __init__(self, size: int, secret: int) -> None:
        self.size = size
        self.__secret = secret


class Lazy:
    """Keeps what it was asked for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._cache: dict[str, int] = {}

    @cached_property
    def double(self) -> int:
        return self.size * 2


class Reduced:
    """Says itself what it is made from."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lock = threading.Lock()

    def __reduce__(self) -> Any:
        return Reduced, (self.size,)


class Lax:
    """Equal to all of its kind, says it."""

    __module__ = "__main__"

    def __init__(self, size: int) -> None:
        self.size = size

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Broken:
    """Whatever it is asked, it raises."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("no way")


def own(name: str, source: str, module: str = "__main__", **captured: Any) -> FunctionType:
    """A function as a notebook, or a module of the pipeline, has it."""
    names: dict[str, Any] = {"__name__": module}
    if captured:
        outer = "".join(f"    {word} = {word}_\n" for word in captured)
        inner = source.replace("\n", "\n    ")
        arguments = ", ".join(f"{word}_" for word in captured)
        exec(f"def outer({arguments}):\n{outer}    {inner}\n    return {name}", names)
        made: FunctionType = names["outer"](*captured.values())
    else:
        exec(source, names)
        made = names[name]
    return made


def cyclic(value: int) -> Model:
    model = Model(value=value)
    model.itself = model
    return model


def asked(lazy: Lazy) -> Lazy:
    """The same, after somebody has looked at it."""
    assert lazy.double
    lazy._cache["x"] = 1
    return lazy


DOUBLE = "def double(x, by=2):\n    total = [x * by for _ in range(3)]\n    return sum(total)"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(object, id="object"),
        pytest.param(lambda: Model(weights=np.arange(3.0)), id="attributes"),
        pytest.param(lambda: Slotted(1, 2), id="slots"),
        pytest.param(lambda: cyclic(1), id="cycle"),
        pytest.param(lambda: Reduced(1), id="reduced"),
        pytest.param(lambda: random.Random(1), id="Random"),
        pytest.param(lambda: Model(rng=np.random.default_rng(3)), id="generator inside"),
        pytest.param(lambda: own("double", DOUBLE), id="function"),
        pytest.param(lambda: partial(own("double", DOUBLE), by=3), id="partial"),
        pytest.param(lambda: own("f", "f = lambda x: x + 1"), id="lambda"),
        pytest.param(lambda: len, id="builtin"),
        pytest.param(lambda: [1].append, id="method of a builtin"),
        pytest.param(lambda: functools, id="module"),
        pytest.param(lambda: Model(a=1).__init__, id="method"),
        pytest.param(lambda: operator.itemgetter(1), id="itemgetter"),
        pytest.param(lambda: iter([1, 2]), id="iterator of a list"),
        pytest.param(lambda: pd.DataFrame.mean, id="function of a library"),
    ],
)
def test_the_same_made_twice_is_equal(make: Callable[[], Any]) -> None:
    """By what is in it."""
    verdict = compare(make(), make())
    assert verdict.outcome == "equal", verdict.detail


@pytest.mark.parametrize(
    ("one", "other", "detail"),
    [
        (Model(a=1), Model(a=2), ".a: " + IN_BOTH.format(1, 2)),
        (Model(a=1), Model(b=1), "only the notebook's has .a"),
        (Model(), Model(b=1), "only the pipeline's has .b"),
        (Slotted(1, 2), Slotted(1, 3), "._Slotted__secret: " + IN_BOTH.format(2, 3)),
        (Lax(1), Lax(2), ".size: " + IN_BOTH.format(1, 2)),
        (cyclic(1), cyclic(2), ".value: " + IN_BOTH.format(1, 2)),
        (Reduced(1), Reduced(2), "its arguments: [0]: " + IN_BOTH.format(1, 2)),
        (len, sum, IN_BOTH.format("len", "sum")),
        (functools, operator, IN_BOTH.format("functools", "operator")),
        (
            Model,
            Slotted,
            IN_BOTH.format(
                "tests.compare.test_objects.Model", "tests.compare.test_objects.Slotted"
            ),
        ),
        (
            own("f", "def f(x):\n    return x + 1"),
            own("f", "def f(x):\n    return x + 2"),
            "function f has other code in the pipeline",
        ),
        (
            own("f", "def f(x, y=1):\n    return x"),
            own("f", "def f(x, y=2):\n    return x"),
            "its defaults: [0]: " + IN_BOTH.format(1, 2),
        ),
        (
            own("f", "def f():\n    return n", n=1),
            own("f", "def f():\n    return n", n=2),
            "what it has captured: ['n']: " + IN_BOTH.format(1, 2),
        ),
        (partial(max, 1), partial(max, 2), ".args: [0]: " + IN_BOTH.format(1, 2)),
    ],
)
def test_differences_are_found_and_placed(one: Any, other: Any, detail: str) -> None:
    """The attribute, and both values."""
    verdict = compare(one, other)
    assert (verdict.outcome, verdict.detail) == ("different", detail)


def test_what_was_only_looked_at_is_the_same() -> None:
    """A value that is kept from when it was asked for is no difference."""
    assert compare(asked(Lazy(2)), Lazy(2)).outcome == "equal"
    assert compare(Lazy(2), asked(Lazy(2))).outcome == "equal"


def test_a_global_of_the_notebook_may_be_a_local_of_the_block() -> None:
    """The function is the same, wherever it finds the name."""
    source = "def f(x):\n    return [x + n for n in (limit, len([x]))]"
    in_notebook = own("f", source)
    in_block = own("f", source, "jupyter_blocks_project.transformer.clean", limit=3)
    assert compare(in_notebook, in_block).outcome == "equal"
    source = "def f(x):\n    def g(y):\n        return y + limit\n    return g(x)"
    in_notebook = own("f", source)
    in_block = own("f", source, "jupyter_blocks_project.transformer.clean", limit=3)
    assert compare(in_notebook, in_block).outcome != "different"


@pytest.mark.parametrize(
    ("make", "detail"),
    [
        (
            lambda: (x for x in ()),
            "generator cannot be taken apart: cannot pickle 'generator' object",
        ),
        (threading.Lock, "_thread.lock cannot be taken apart: cannot pickle '_thread.lock' object"),
        (
            lambda: Model(a=1, lock=threading.Lock()),
            (
                ".lock: _thread.lock cannot be taken apart: cannot pickle '_thread.lock' object; "
                "all else is equal"
            ),
        ),
        (Broken, "tests.Broken cannot be taken apart: no way"),
    ],
)
def test_what_cannot_be_compared_is_said(make: Callable[[], Any], detail: str) -> None:
    """With the reason; it never counts as equal."""
    verdict = compare(make(), make())
    assert (verdict.outcome, verdict.detail) == ("not_comparable", detail)


MODELS: dict[str, Callable[[], Any]] = {
    "linear": LinearRegression,
    "logistic": LogisticRegression,
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "forest": lambda: RandomForestClassifier(5, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=5, random_state=0),
    "forest with generator": lambda: RandomForestClassifier(
        3, random_state=np.random.RandomState(2)
    ),
    "vectors": SVC,
    "neighbours": KNeighborsClassifier,
    "clusters": lambda: KMeans(2, random_state=0, n_init=1),
    "pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "columns": lambda: make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(), [2])]),
    ),
    "search": lambda: GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_learned_twice_are_equal(name: str) -> None:
    """They learned the same; how long it took does not count."""
    one, other = (MODELS[name]().fit(X, Y) for _ in range(2))
    verdict = compare(one, other)
    assert verdict.outcome == "equal", verdict.detail


@pytest.mark.parametrize("name", MODELS)
def test_models_that_learned_from_other_data_differ(name: str) -> None:
    """Also by one value of a thousand."""
    other = X.copy()
    other[0] += 2
    verdict = compare(MODELS[name]().fit(X, Y), MODELS[name]().fit(other, Y))
    assert verdict.outcome == "different"
    assert verdict.detail.startswith("."), verdict.detail


def test_what_a_model_was_given_counts_too() -> None:
    """Its parameters are attributes like others; untrained is not trained."""
    verdict = compare(LogisticRegression(C=1.0), LogisticRegression(C=2.0))
    assert verdict.detail == ".C: 1.0 in the notebook, 2.0 in the pipeline"
    verdict = compare(LinearRegression().fit(X, Y), LinearRegression())
    assert verdict.detail == "only the notebook's has .coef_"


def test_words_of_a_text_model() -> None:
    """A vocabulary is a mapping like others."""
    one, other = (TfidfVectorizer().fit(texts) for texts in (["a word"], ["another word"]))
    assert compare(one, other).outcome == "different"
    assert compare(one, TfidfVectorizer().fit(["a word"])).outcome == "equal"


def test_results_of_statsmodels() -> None:
    """By their data and what was estimated, whether or not somebody has looked at a summary."""
    formulas = pytest.importorskip("statsmodels.formula.api")
    table = pd.DataFrame({"x": X[:, 0] ** 2 + 1, "y": X[:, 1]})
    one, other = (formulas.ols("y ~ np.log(x)", table).fit() for _ in range(2))
    assert one.summary()
    verdict = compare(one, other)
    assert verdict.outcome != "different", verdict.detail
    assert compare(other, formulas.ols("y ~ np.log(x)", table).fit()).outcome == "equal"
    third = formulas.ols("y ~ np.log(x)", table.assign(y=table.y * 2)).fit()
    assert compare(one, third).outcome == "different"


def test_a_summary_says_when_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of one model are alike whenever they were made; those of two models are not."""
    formulas = pytest.importorskip("statsmodels.formula.api")
    table = pd.DataFrame({"x": X[:, 0], "y": X[:, 1] ** 2})
    one = formulas.ols("y ~ x", table).fit().summary()
    then = time.localtime(0)
    monkeypatch.setattr(time, "localtime", lambda *_: then)
    again = formulas.ols("y ~ x", table).fit().summary()
    assert str(one) != str(again)
    assert compare(one, again).outcome == "equal"
    other = formulas.ols("y ~ x", table.assign(y=-table.y)).fit().summary()
    assert compare(one, other).outcome == "different"


@pytest.mark.parametrize(
    ("module", "outcome"), [("linearmodels.iv", "equal"), ("helpers", "different")]
)
def test_when_a_library_fitted_a_model_is_no_difference(module: str, outcome: str) -> None:
    """What it learned is; and what classes of the notebook remember is theirs to say."""
    results = type("Results", (Model,), {"__module__": module})
    first, second = (results(_datetime=pd.Timestamp(day), params=[1.5]) for day in ("2024", "2025"))
    assert compare(first, second).outcome == outcome
    other = results(_datetime=first._datetime, params=[2.5])
    assert compare(first, other).outcome == "different"


def test_distributions_are_alike_wherever_the_global_stream_stands() -> None:
    """They hold that stream, which is no part of what they are; their arguments are."""
    stats = pytest.importorskip("scipy.stats")
    here = pickle.loads(pickle.dumps(stats.norm(0, 1)))
    np.random.random()
    there = pickle.loads(pickle.dumps(stats.norm(0, 1)))
    assert compare(here, there).outcome == "equal"
    assert compare(here, stats.norm(0, 2)).outcome == "different"
