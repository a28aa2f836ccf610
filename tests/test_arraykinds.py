"""Which names are arrays for certain, and which expressions are views of them."""

from __future__ import annotations

import ast

import pytest

from jupyter_blocks.binding.arraykinds import Kind, kind_of, viewed

KINDS = {"a": Kind.ARRAY, "rng": Kind.GENERATOR}
MODULES = {"np": "numpy", "pd": "pandas"}


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
        ("[1, 2]", None),
        ("pd.read_csv('x')", None),
        ("x + 1", None),
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
        ("a.reshape(2, 3)", "a"),
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
