"""How a cell changes values in place: what of them it writes to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_blocks.binding.statements import Statement, asked_once
from jupyter_blocks.dataflow.mutation import method_changes
from jupyter_blocks.wordsets import word_set

__all__ = ["cell_writes", "overwritten_names"]

_FILLING = word_set(
    """add append appendleft clear discard drop drop_duplicates dropna extend extendleft insert pop
    popitem popleft push put remove rename rename_axis reset_index set_axis set_index setdefault
    sort_index sort_values update"""
)
"""Methods that give their object other parts, and leave alone those that it has."""
_INDEXERS = frozenset(("at", "flat", "iat", "iloc", "loc", "values"))


def overwritten_names(statements: Sequence[Statement]) -> frozenset[str]:
    """Names of values whose parts may be written to, as by `a[0] = 1`, which changes views of `a`.

    Not those of which only a named part is replaced, or a part is added.
    """
    return frozenset().union(*map(_overwritten, statements))


@asked_once
def _overwritten(statement: Statement) -> frozenset[str]:
    return frozenset(name for node in statement.nodes for name in _overwritten_by(node))


def _overwritten_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=index, ctx=ast.Store() | ast.Del()):
            if not _names_columns(index):
                yield name
        case ast.AugAssign(target=target):
            yield _root(target)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            if method not in _FILLING and (method_changes(method) or _is_in_place(node)):
                yield name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))):
            if method not in _FILLING:
                yield name


def cell_writes(statements: Sequence[Statement]) -> frozenset[str]:
    """Names of tables, or parts of tables, whose cells may be written to in place.

    To set a column, to add or to drop one leaves the memory of the others alone.
    """
    return frozenset().union(*map(_written, statements))


@asked_once
def _written(statement: Statement) -> frozenset[str]:
    return frozenset(name for node in statement.nodes for name in _written_by(node))


def _written_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Subscript(value=owner, slice=index, ctx=ast.Store() | ast.Del()):
            is_part = isinstance(owner, ast.Subscript) or (
                isinstance(owner, ast.Attribute) and owner.attr in _INDEXERS
            )
            if is_part or not _names_columns(index):
                yield _root(owner)
        case ast.AugAssign(target=target):
            yield _root(target)
        case ast.Call(func=ast.Attribute(value=owner, attr=method)):
            if _is_in_place(node) and method not in _FILLING:
                yield _root(owner)
        case ast.keyword(arg="out", value=value):
            yield _root(value)


def _names_columns(index: ast.expr) -> bool:
    """`"a"`, `["a", "b"]`."""
    parts = index.elts if isinstance(index, ast.List) else [index]
    return all(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)


def _is_in_place(call: ast.Call) -> bool:
    return any(
        keyword.arg == "inplace"
        and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        for keyword in call.keywords
    )


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
