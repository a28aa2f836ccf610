"""Arrays that share their data: a change through one name is a change of the other.

A slice of an array is a view of it. Blocks have copies of their own, so that the cells from the one
that makes the array to the one that changes it through a view have to be one block.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from jupyter_blocks.suggest.facts import CellFacts

__all__ = ["cells_of_views"]

_VIEWS = frozenset(("ravel", "reshape", "squeeze", "swapaxes", "transpose", "view"))
"""Methods of arrays whose result may be a view."""


def cells_of_views(facts: Sequence[CellFacts]) -> set[int]:
    """Indexes of the cells that have to go on with the block above because of a view."""
    makers: dict[str, int] = {}
    views: dict[str, str] = {}
    found: set[int] = set()
    for number, own in enumerate(facts):
        for name in _poked(own.statements):
            for one, other in views.items():
                if name in (one, other) and _is_used(other if name == one else one, facts[number:]):
                    first = makers.get(other, number)
                    found |= {cell.index for cell in facts[first + 1 : number + 1]}
        for name in own.bound:
            makers[name] = number
            views = {one: other for one, other in views.items() if name not in (one, other)}
        views.update(_made_views(own.statements))
    return found


def _is_used(name: str, facts: Iterable[CellFacts]) -> bool:
    """Whether a name is read before it is bound anew."""
    for own in facts:
        if any(use.name == name for use in (*own.flow.reads, *own.flow.maybe_reads)):
            return True
        if name in own.flow.binds:
            return False
    return False


def _made_views(statements: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Pairs (name, array) of `name = array[1:3]` and the like."""
    for node in statements:
        if isinstance(node, ast.Assign) and (source := _viewed(node.value)):
            yield from (
                (target.id, source) for target in node.targets if isinstance(target, ast.Name)
            )


def _viewed(value: ast.expr) -> str:
    """The name of the array that an expression is a view of; empty if it is none."""
    match value:
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            return name if any(isinstance(part, ast.Slice) for part in ast.walk(index)) else ""
        case ast.Attribute(value=ast.Name(id=name), attr="T"):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            return name if method in _VIEWS else ""
    return ""


def _poked(statements: Iterable[ast.stmt]) -> set[str]:
    """Names of arrays whose elements are set: `x[0] = 1`, `x[1:] += 1`, `x += 1`."""
    found = set()
    for node in (inner for statement in statements for inner in ast.walk(statement)):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AugAssign):
            targets = [node.target]
        for target in targets:
            match target:
                case ast.Subscript(value=ast.Name(id=name), slice=index):
                    is_column = isinstance(index, ast.Constant) and isinstance(index.value, str)
                    found |= set() if is_column else {name}
                case ast.Name(id=name) if isinstance(node, ast.AugAssign):
                    found.add(name)
    return found
