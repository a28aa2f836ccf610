"""Which names are arrays for certain, and which expressions are views of them."""

from __future__ import annotations

import ast

import pytest

from jupyter_blocks.binding.arraykinds import Kind, itself, kind_of, sliced, viewed
from jupyter_blocks.binding.arrayshapes import dimensions

KINDS = {
    "a": Kind.ARRAY,
    "line": Kind.ARRAY,
    "i": Kind.NUMBER,
    "model": Kind.ESTIMATOR,
    "rng": Kind.GENERATOR,
}
SHAPES = {"a": 2, "line": 1}
MODULES = {"np": "numpy", "pd": "pandas", "Ridge": "sklearn.linear_model", "svm": "sklearn"}


def parsed(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("np.zeros((2, 3))", Kind.ARRAY),
        ("np.random.rand(3)", Kind.ARRAY),
        ("np.arange(6).reshape(2, 3)", Kind.ARRAY),
        ("np.random.default_rng(0)", Kind.GENERATOR),
        ("rng.normal(size=3)", Kind.ARRAY),
        ("a", Kind.ARRAY),
        ("a.T", Kind.ARRAY),
        ("2 * a", Kind.ARRAY),
        ("x", None),
        ("[1, 2]", Kind.CONTAINER),
        ("{name: 1 for name in x}", Kind.CONTAINER),
        ("dict(x=1)", Kind.CONTAINER),
        ("pd.read_csv('x')", Kind.TABLE),
        ("pd.read_csv('x').dropna()", Kind.TABLE),
        ("pd.to_datetime(x)", None),
        ("x + 1", None),
        ("3", Kind.NUMBER),
        ("2 * i", Kind.NUMBER),
        ("i / 2", None),
        ("a + i", Kind.ARRAY),
        ("Ridge(alpha=2)", Kind.ESTIMATOR),
        ("svm.SVC().fit(a, line)", Kind.ESTIMATOR),
        ("model.fit(a, line)", Kind.ESTIMATOR),
        ("model.predict(a)", None),
    ],
)
def test_what_is_an_array_for_certain(source: str, kind: Kind | None) -> None:
    """Only what the code itself says counts."""
    assert kind_of(parsed(source), KINDS, lambda name: MODULES.get(name, "")) is kind


@pytest.mark.parametrize(
    ("source", "base"),
    [
        ("a[1:3]", "a"),
        ("a[:, 0]", "a"),
        ("a[..., -1:]", "a"),
        ("a.T[1:]", "a"),
        ("a.reshape(2, 3)", ""),
        ("a.swapaxes(0, 1)", "a"),
        ("a[[1, 2]]", ""),
        ("a[a > 1]", ""),
        ("a[0]", ""),
        ("a[:n]", ""),
        ("a[1:].copy()", ""),
        ("x[1:3]", ""),
    ],
)
def test_what_is_a_view_for_certain(source: str, base: str) -> None:
    """Of arrays, cut with numbers that are written out."""
    assert viewed(parsed(source), KINDS) == base


@pytest.mark.parametrize(
    ("source", "base"),
    [
        ("a[0]", "a"),
        ("a[-1]", "a"),
        ("a[0, 1]", ""),
        ("line[0]", ""),
        ("np.asarray(a)", "a"),
        ("np.asarray(a, dtype=float)", ""),
        ("np.ravel(a)", ""),
        ("np.transpose(a, (1, 0))", "a"),
        ("np.asarray(x)", ""),
        ("a['age']", "a"),
        ("a[1:][0]", "a"),
        ("a[i]", ""),
        ("a[mask]", ""),
        ("x[0]", ""),
    ],
)
def test_a_row_is_a_view_where_the_dimensions_are_known(source: str, base: str) -> None:
    """An element is a number; what a variable picks out is left to the cell that knows it."""
    assert viewed(parsed(source), KINDS, SHAPES) == base


@pytest.mark.parametrize(
    ("source", "base"),
    [("a[i]", "a"), ("a[:n]", "a"), ("a[mask]", ""), ("a[i, i]", ""), ("line[i]", "")],
)
def test_what_only_the_cell_can_say_again(source: str, base: str) -> None:
    """A row whose number is in a variable is a view all the same; a mask makes a copy."""
    assert sliced(parsed(source), KINDS, SHAPES) == base


@pytest.mark.parametrize(
    ("source", "name"),
    [("a", "a"), ("model.fit(a, line)", "model"), ("model.predict(a)", ""), ("x.fit(a)", "")],
)
def test_what_gives_the_object_itself(source: str, name: str) -> None:
    """Only a model of a package whose `fit` certainly does."""
    assert itself(parsed(source), KINDS) == name


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("np.zeros((2, 3))", 2),
        ("np.zeros(3)", 1),
        ("np.zeros(n)", None),
        ("np.ones(shape=(1, 2, 3))", 3),
        ("np.arange(6).reshape(2, 3)", 2),
        ("np.arange(6).reshape((2, -1))", 2),
        ("np.arange(6).reshape(shape)", None),
        ("np.array([[1, 2], [3, 4]])", 2),
        ("np.array([-1.5, 2])", 1),
        ("np.array([x, y])", None),
        ("np.array(rows)", None),
        ("np.eye(3)", 2),
        ("np.linspace(0, 1)", 1),
        ("np.random.rand(3, 4)", 2),
        ("np.random.rand(*shape)", None),
        ("np.random.randint(10, size=(3, 4))", 2),
        ("np.random.normal(0, 1, (3, 4))", 2),
        ("np.random.normal(0, 1, n)", None),
        ("np.random.random((3, 3))", 2),
        ("rng.normal(size=5)", 1),
        ("a.T", 2),
        ("a.ravel()", 1),
        ("a[0]", 1),
        ("a[:, 0]", 1),
        ("a[:, None]", 3),
        ("a[mask]", None),
        ("a['age']", 2),
        ("2 * a + 1", 2),
        ("a + x", None),
        ("a.sum(axis=0)", None),
        ("x", None),
    ],
)
def test_how_many_dimensions_an_array_has(source: str, count: int | None) -> None:
    """Known only where the text says it."""
    assert dimensions(parsed(source), SHAPES, lambda name: MODULES.get(name, "")) == count
