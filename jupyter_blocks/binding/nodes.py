"""The nodes of a syntax tree, walked in less time than with `ast.walk`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["Nodes", "children", "grouped"]

Nodes = Mapping[type[ast.AST], Sequence[Any]]
"""Nodes by their types; each type has its own only, and none where there are none."""


def grouped(nodes: Iterable[ast.AST]) -> Nodes:
    """Nodes by their types."""
    found: dict[type[ast.AST], list[ast.AST]] = {}
    for node in nodes:
        found.setdefault(node.__class__, []).append(node)
    return found


_LEAVES = frozenset((ast.Name, ast.Constant, ast.alias))


def children(node: ast.AST) -> list[ast.AST]:
    """As `ast.iter_child_nodes`, in a third of the time and without contexts and operators."""
    found: list[ast.AST] = []
    if node.__class__ in _LEAVES:
        return found
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST) and value._fields:
            found.append(value)
    return found
