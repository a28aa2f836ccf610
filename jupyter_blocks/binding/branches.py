"""Small questions about statements that only the syntax tree can answer."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.statements import Statement, dotted_name
from jupyter_blocks.dataflow.mutation import gives_itself, method_changes

__all__ = [
    "augmented",
    "bound_above",
    "bound_in_branch",
    "bound_names",
    "certainly_changed",
    "figure_names",
    "given_back",
    "nested_assignments",
    "plain_assignments",
    "read_after_delete",
]

_BRANCHES = (ast.If, ast.Match, ast.Try, ast.TryStar, ast.IfExp)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def bound_in_branch(statements: Sequence[Statement], name: str) -> int:
    """Line of the condition that all bindings of `name` depend on; 0 if one needs none.

    A loop is no condition: a name set in a loop is unbound only if there was nothing to loop over.
    """
    found = [binding for binding in _bindings_of(statements) if binding.name == name]
    return min((binding.branch for binding in found), default=0) and found[0].branch


def bound_above(statements: Sequence[Statement], name: str, line: int) -> bool:
    """Whether `name` is bound above a line, be it in a loop, without any condition."""
    return any(
        binding.name == name and binding.line < line and not binding.branch
        for binding in _bindings_of(statements)
    )


def figure_names(statements: Sequence[Statement]) -> frozenset[str]:
    """Names bound to a matplotlib figure or to axes, as `fig, ax = plt.subplots()` does."""
    found: set[str] = set()
    for statement in statements:
        node = statement.node
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            called = node.value.func
            method = called.attr if isinstance(called, ast.Attribute) else dotted_name(called)
            if method in _FIGURE_CALLS:
                found.update(_targets(node.targets))
    return frozenset(found)


_FIGURE_CALLS = frozenset(
    ("subplots", "figure", "gca", "gcf", "add_subplot", "subplot", "subplot_mosaic", "Figure")
)


def bound_names(statement: ast.stmt) -> frozenset[str]:
    """The names that a statement binds or deletes, on whatever way."""
    deleted = {
        node.id
        for node in _walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)
    }
    return frozenset(deleted.union(item.name for item in _bindings([statement], 0)))


def plain_assignments(
    statements: Sequence[Statement],
) -> list[tuple[str, ast.expr | None]]:
    """Names and values of the assignments outside of loops and conditions, in order."""
    found: list[tuple[str, ast.expr | None]] = []
    for statement in statements:
        node = statement.node
        if isinstance(node, ast.Assign):
            found += [(name, node.value) for name in _targets(node.targets)]
        elif isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value):
            found += [(name, node.value) for name in _targets([node.target])]
    return found


def nested_assignments(statements: Sequence[Statement]) -> list[tuple[str, ast.expr | None]]:
    """The same inside of loops, conditions, `with` and `try`."""
    return [
        (name, node.value)
        for statement in statements
        if not isinstance(statement.node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for node in _walk(statement.node)
        if isinstance(node, ast.Assign)
        for name in _targets(node.targets)
    ]


def augmented(statements: Sequence[Statement]) -> frozenset[str]:
    """Names of statements such as `x += y`, which changes lists and arrays in place."""
    return frozenset(
        node.target.id
        for statement in statements
        for node in _walk(statement.node)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    )


def given_back(statements: Sequence[Statement]) -> frozenset[tuple[str, str]]:
    """Pairs (x, y) where `x = y.fit()` and the like: what the method gives may be `y`, or new."""
    return frozenset(
        (name, _root(node.value.func))
        for statement in statements
        for node in _walk(statement.node)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if isinstance(node.value.func, ast.Attribute) and gives_itself(node.value.func.attr)
        for name in _targets(node.targets)
    )


def certainly_changed(code: CellCode) -> frozenset[str]:
    """Which of the values that a cell may change it changes for certain, as far as one can tell.

    The others are only handed to a function that nobody knows, as in the statement `draw(df)`.
    """
    known = {*(code.known or {}), *code.definitions}
    certain: set[str] = set()
    guessed: set[str] = set()
    for statement in code.statements:
        for node in _walk(statement.node):
            certain.update(_changed(node))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                guessed.update(_handed_over(node.value, known))
    return frozenset(certain.union(set(code.flow.changes) - guessed))


def _handed_over(call: ast.Call, known: Collection[str]) -> Iterator[str]:
    """Names in a call that is made for its effect, unless the function is known."""
    if isinstance(call.func, ast.Name) and call.func.id in known:
        return
    for node in ast.walk(call):
        if isinstance(node, ast.Name):
            yield node.id


def read_after_delete(statements: Sequence[Statement]) -> Iterator[tuple[str, int]]:
    """Names read, with their lines, after a `del` of the name and before anything binds it."""
    deleted: set[str] = set()
    names = (node for item in statements for node in _walk(item.node) if isinstance(node, ast.Name))
    for node in sorted(names, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node.ctx, ast.Del):
            deleted.add(node.id)
        elif node.id in deleted and isinstance(node.ctx, ast.Load):
            yield node.id, node.lineno
            deleted.discard(node.id)


def _changed(node: ast.AST) -> Iterator[str]:
    match node:
        case (
            ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del())
        ):
            yield _root(node)
        case ast.Call(func=ast.Attribute(attr=method, value=owner)):
            in_place = any(
                keyword.arg == "inplace"
                and isinstance(keyword.value, ast.Constant)
                and keyword.value.value is True
                for keyword in node.keywords
            )
            if in_place or method_changes(method):
                yield _root(owner)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run with the cell: not those inside functions."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if not isinstance(current, _SCOPES):
            waiting.extend(ast.iter_child_nodes(current))


def _targets(targets: Iterable[ast.expr]) -> Iterator[str]:
    for target in targets:
        match target:
            case ast.Name(id=name):
                yield name
            case ast.Tuple(elts=items) | ast.List(elts=items):
                yield from _targets(items)
            case ast.Starred(value=item):
                yield from _targets([item])


class _Binding(NamedTuple):
    name: str
    line: int
    branch: int
    """Line of the outermost condition around it; 0: none."""


def _bindings_of(statements: Sequence[Statement]) -> Iterator[_Binding]:
    return _bindings([statement.node for statement in statements], 0)


def _bindings(nodes: Iterable[ast.AST], branch: int) -> Iterator[_Binding]:
    for node in nodes:
        name = _bound_name(node)
        if name:
            yield _Binding(name, getattr(node, "lineno", 0), branch)
        if isinstance(node, _SCOPES):
            continue
        inner = branch
        if isinstance(node, _BRANCHES) and not branch:
            inner = getattr(node, "lineno", 0)
        yield from _bindings(ast.iter_child_nodes(node), inner)


def _bound_name(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.alias(name=name, asname=other):
            return (other or name).partition(".")[0]
    return None
