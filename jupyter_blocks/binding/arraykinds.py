"""Which names certainly are numpy arrays, and which expressions certainly are views of one.

A slice of an array shares its data; a slice of a list or of a table does not. Only what the code
itself says is taken as certain.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

__all__ = ["Kind", "kind_of", "sliced", "viewed"]


class Kind(StrEnum):
    """What a name certainly stands for."""

    ARRAY = "array"
    GENERATOR = "generator"
    """A random generator of numpy, whose methods give arrays."""


_GENERATORS = frozenset(("Generator", "RandomState", "default_rng"))
_VIEW_METHODS = frozenset(
    ("diagonal", "ravel", "reshape", "squeeze", "swapaxes", "transpose", "view")
)
_VIEW_ATTRIBUTES = frozenset(("T", "flat", "imag", "real"))
_COPIES = frozenset(
    ("astype", "clip", "copy", "cumsum", "dot", "flatten", "repeat", "round", "take")
)


def kind_of(
    node: ast.expr, kinds: Mapping[str, Kind], module_of: Callable[[str], str]
) -> Kind | None:
    """What the value of an expression certainly is, if the `kinds` of names are these."""
    match node:
        case ast.Name(id=name):
            return kinds.get(name)
        case ast.Call(func=ast.Attribute(attr=method, value=owner)):
            return _call(method, owner, kinds, module_of)
        case ast.BinOp(left=left, right=right):
            found = (kind_of(left, kinds, module_of), kind_of(right, kinds, module_of))
            return Kind.ARRAY if Kind.ARRAY in found else None
    return Kind.ARRAY if sliced(node, kinds) else None


def sliced(node: ast.expr, kinds: Mapping[str, Kind]) -> str:
    """The array of which `node` is a view, be its ends numbers or variables; empty if none."""
    if isinstance(node, ast.Subscript) and _has_slices(node.slice):
        return _array(node.value, kinds)
    return viewed(node, kinds)


def viewed(node: ast.expr, kinds: Mapping[str, Kind]) -> str:
    """The array of which an expression is a view for certain; empty if it is none."""
    match node:
        case ast.Subscript(value=inner, slice=index) if _is_slice(index):
            return _array(inner, kinds)
        case ast.Attribute(value=inner, attr=name) if name in _VIEW_ATTRIBUTES:
            return _array(inner, kinds)
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _VIEW_METHODS:
            return _array(inner, kinds)
    return ""


def _call(
    method: str, owner: ast.expr, kinds: Mapping[str, Kind], module_of: Callable[[str], str]
) -> Kind | None:
    if _root_module(owner, module_of) == "numpy":
        return Kind.GENERATOR if method in _GENERATORS else Kind.ARRAY
    kind = kind_of(owner, kinds, module_of)
    if kind is Kind.GENERATOR:
        return Kind.ARRAY
    return Kind.ARRAY if kind and method in (_COPIES | _VIEW_METHODS) else None


def _root_module(node: ast.expr, module_of: Callable[[str], str]) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return module_of(node.id).partition(".")[0] if isinstance(node, ast.Name) else ""


def _array(node: ast.expr, kinds: Mapping[str, Kind]) -> str:
    if isinstance(node, ast.Name):
        return node.id if kinds.get(node.id) is Kind.ARRAY else ""
    return viewed(node, kinds)


def _is_slice(index: ast.expr) -> bool:
    """`1:3`, `:, 0`, `..., 2`: numpy gives a view for these."""
    parts: Sequence[ast.expr] = index.elts if isinstance(index, ast.Tuple) else [index]
    return any(isinstance(part, ast.Slice) for part in parts) and all(map(_is_plain, parts))


def _has_slices(index: ast.expr) -> bool:
    """`:n`, `1:n, 0`: the ends of a slice are numbers whatever they are called."""
    parts: Sequence[ast.expr] = index.elts if isinstance(index, ast.Tuple) else [index]
    others = [part for part in parts if not isinstance(part, ast.Slice)]
    return len(others) < len(parts) and all(map(_is_plain, others))


def _is_plain(part: ast.expr) -> bool:
    if isinstance(part, ast.Slice):
        ends = (part.lower, part.upper, part.step)
        return all(end is None or _is_number(end) for end in ends)
    return _is_number(part) or (isinstance(part, ast.Constant) and part.value in (None, ...))


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int)
