"""Whether code only looks at values, or only names types.

A cell that looks at the beginning of a value, its shape, its type, helps the reader of a notebook.
A pipeline keeps a preview of every value, so that the cell adds nothing to it.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Sequence

from jupyter_blocks.dataflow import is_builtin
from jupyter_blocks.suggest.vocabulary import GLANCE_ATTRIBUTES, GLANCE_METHODS, GLANCES

__all__ = ["is_alias", "is_glance"]

_FIXED = ast.Constant | ast.Slice | ast.Tuple | ast.List | ast.UnaryOp | ast.USub | ast.Load

_TYPE_MAKERS = frozenset(("Enum", "NewType", "ParamSpec", "TypeVar", "namedtuple"))


def is_alias(value: ast.expr, types: Container[str]) -> bool:
    """Whether an expression is a type or a function, and no data; `types` are names of such."""
    match value:
        case ast.Name(id=name):
            return name in types or is_builtin(name)
        case ast.Attribute(value=ast.Constant(value=str())):
            return True
        case ast.Attribute(value=owner):
            return is_alias(owner, types)
        case ast.Subscript(value=generic, slice=index):
            return is_alias(generic, types) and _is_type(index, types)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_type(left, types) and _is_type(right, types)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=[]):
            return name in _TYPE_MAKERS and all(_is_type(argument, types) for argument in args)
    return False


def _is_type(node: ast.expr, types: Container[str]) -> bool:
    """Whether it is a type or a part of one: `int`, `None`, `"Node"`, `[int, str]`."""
    if isinstance(node, ast.Tuple | ast.List):
        return all(_is_type(part, types) for part in node.elts)
    return isinstance(node, ast.Constant) or is_alias(node, types)


def is_glance(node: ast.AST) -> bool:
    """Whether a statement or expression does nothing but look at something."""
    match node:
        case ast.Expr(value=value) | ast.Starred(value=value) | ast.FormattedValue(value=value):
            return is_glance(value)
        case ast.For(iter=source, body=body, orelse=rest):
            return is_glance(source) and _all(body) and _all(rest)
        case ast.Name() | ast.Constant() | ast.Pass():
            return True
        case ast.Attribute(value=value, attr=attribute):
            return attribute in GLANCE_ATTRIBUTES and is_glance(value)
        case ast.Subscript(value=value, slice=index):
            return is_glance(value) and _is_fixed(index)
        case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts):
            return _all(parts)
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod(), right=values):
            return is_glance(values)
        case ast.Call():
            return _is_glance_call(node)
    return False


def _is_glance_call(call: ast.Call) -> bool:
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    match call.func:
        case ast.Name(id=name):
            return name in GLANCES and _all(arguments)
        case ast.Attribute(value=ast.Constant(value=str()), attr="format"):
            return _all(arguments)
        case ast.Attribute(value=value, attr=name):
            return name in GLANCE_METHODS and is_glance(value) and _all(arguments)
    return False


def _is_fixed(index: ast.expr) -> bool:
    """Whether an index is written out: numbers, texts, slices and lists of them."""
    return all(isinstance(part, _FIXED) for part in ast.walk(index))


def _all(nodes: Sequence[ast.AST]) -> bool:
    return all(is_glance(node) for node in nodes)
