"""How many dimensions an array certainly has, as far as the code itself says it.

`a[0]` of an array of two dimensions is a view of a row, which shares its data; of one dimension it
is a number, which does not. Only what is written out counts: a shape in brackets, nested lists.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from jupyter_blocks.wordsets import word_set

__all__ = ["dimensions"]

_ONE = word_set("arange bincount geomspace linspace logspace")
_TWO = word_set("diagflat eye identity tri vander")
_BY_SHAPE = word_set("empty full ones zeros")
_BY_SIZES = word_set("rand randn")
_DRAWS = word_set(
    """beta binomial exponential gamma integers laplace lognormal normal poisson randint random
    random_integers random_sample standard_normal uniform"""
)
_FIRST_IS_SIZE = word_set("random random_sample standard_normal")
_LITERALS = word_set("array asanyarray asarray")
_SAME = word_set("T abs astype clip copy imag real round sort transpose")
_FLAT = word_set("flat flatten ravel")


def dimensions(
    node: ast.expr, known: Mapping[str, int], module_of: Callable[[str], str]
) -> int | None:
    """The number of dimensions of the array an expression gives; none if that is not certain.

    `known` has those of names. Of what is no array the answer means nothing.
    """
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=inner, attr=name):
            return _kept(name, dimensions(inner, known, module_of))
        case ast.Subscript(value=inner, slice=index):
            return _indexed(dimensions(inner, known, module_of), index)
        case ast.BinOp(left=left, right=right):
            return _broadcast(
                dimensions(left, known, module_of), dimensions(right, known, module_of)
            )
        case ast.Constant(value=int() | float()):
            return 0
        case ast.UnaryOp(operand=inner):
            return dimensions(inner, known, module_of)
        case ast.Call(func=ast.Attribute(attr=method, value=owner)):
            if _is_numpy(owner, module_of):
                return _made(method, node)
            if method in _DRAWS:
                return _drawn(method, node)
            return _derived(method, node, dimensions(owner, known, module_of))
    return None


def _is_numpy(node: ast.expr, module_of: Callable[[str], str]) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and module_of(node.id).partition(".")[0] == "numpy"


def _made(function: str, call: ast.Call) -> int | None:
    """Of what a function of numpy gives."""
    if function in _ONE:
        return 1
    if function in _TWO:
        return 2
    if function in _BY_SHAPE:
        return _length(_argument(call, 0, "shape"))
    if function in _BY_SIZES:
        return None if any(isinstance(item, ast.Starred) for item in call.args) else len(call.args)
    if function in _LITERALS:
        return _depth(call.args[0]) if call.args else None
    return _drawn(function, call) if function in _DRAWS else None


def _drawn(function: str, call: ast.Call) -> int | None:
    """Of random numbers: as the size says; without one it is a number."""
    size = _argument(call, 0 if function in _FIRST_IS_SIZE else 2, "size")
    if size is None:
        is_plain = all(isinstance(item, ast.Constant) for item in call.args)
        return 0 if is_plain and not call.keywords else None
    return _length(size)


def _derived(method: str, call: ast.Call, owner: int | None) -> int | None:
    """Of what a method gives of an array."""
    if method == "reshape":
        shape = call.args[0] if len(call.args) == 1 else ast.Tuple(call.args)
        is_plain = not call.keywords and call.args
        return _length(shape) if is_plain else None
    return _kept(method, owner)


def _kept(name: str, owner: int | None) -> int | None:
    if name in _FLAT:
        return 1
    return owner if name in _SAME else None


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[place] if len(call.args) > place else None


def _length(shape: ast.expr | None) -> int | None:
    """Of `(2, n)` it is two, of a number one; a name may be either."""
    if isinstance(shape, ast.Tuple | ast.List):
        is_known = not any(isinstance(item, ast.Starred) for item in shape.elts)
        return len(shape.elts) if is_known else None
    is_number = isinstance(shape, ast.Constant | ast.UnaryOp)
    return 1 if is_number else None


def _depth(node: ast.expr) -> int | None:
    """Of `[[1, 2], [3, 4]]` it is two; what a name stands for may be anything."""
    if isinstance(node, ast.List | ast.Tuple) and node.elts:
        inner = _depth(node.elts[0])
        return None if inner is None else inner + 1
    if isinstance(node, ast.UnaryOp):
        return _depth(node.operand)
    return 0 if isinstance(node, ast.Constant) else None


def _indexed(owner: int | None, index: ast.expr) -> int | None:
    """Of `a[0, 1:]`: numbers take a dimension away, slices and fields keep it, None adds one."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    change = 0
    for part in parts:
        if isinstance(part, ast.Slice):
            continue
        number = part.operand if isinstance(part, ast.UnaryOp) else part
        if not isinstance(number, ast.Constant):
            return None
        if number.value is None:
            change += 1
        elif number.value is not ... and not isinstance(number.value, str):
            change -= 1
    return None if owner is None else max(owner + change, 0)


def _broadcast(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
