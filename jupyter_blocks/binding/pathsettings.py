"""Statements that change where imports are looked for: `sys.path.append("..")` and its like."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from jupyter_blocks.dataflow.record import dotted_name

__all__ = ["PATH_CALLS", "is_path_setting", "names_for_path"]

PATH_CALLS = ("sys.path.append", "sys.path.insert", "sys.path.extend", "site.addsitedir")
"""Functions that add to the path."""
_CHANGES = (*PATH_CALLS, "sys.path.remove")


def is_path_setting(node: ast.AST) -> bool:
    """Whether a statement does nothing but change `sys.path`, perhaps under a condition.

    The imports below it rely on it: `if ROOT not in sys.path: sys.path.append(ROOT)`.
    """
    match node:
        case ast.Expr(value=ast.Call(func=function)):
            return dotted_name(function) in _CHANGES
        case ast.Assign(targets=targets):
            return all(map(_is_path, targets))
        case ast.AugAssign(target=target):
            return _is_path(target)
        case ast.If(body=body, orelse=orelse) | ast.For(body=body, orelse=orelse):
            inner = [part for part in (*body, *orelse) if not isinstance(part, ast.Pass)]
            return bool(inner) and all(map(is_path_setting, inner))
    return False


def names_for_path(node: ast.AST) -> list[str]:
    """Names that such a statement reads and does not bind itself, in order."""
    found = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    bound = {part.id for part in found if not isinstance(part.ctx, ast.Load)}
    return _each_once(part.id for part in found if part.id not in bound)


def _each_once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _is_path(target: ast.expr) -> bool:
    target = target.value if isinstance(target, ast.Subscript) else target
    return dotted_name(target) == "sys.path"
