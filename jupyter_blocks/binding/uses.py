"""How statements use a name: under a condition, as a try, only to look at it, to keep it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from jupyter_blocks.binding.nodes import children
from jupyter_blocks.binding.statements import Statement, asked_once, dotted_name
from jupyter_blocks.wordsets import word_set

__all__ = [
    "Keeping",
    "kept_in",
    "needed_by_condition",
    "only_looked_at",
    "only_shown",
    "only_tried",
    "selects",
]

_LOOKS = word_set("display get_ipython print repr savefig show str type")
"""Calls and methods that leave a figure as it is."""
_CATCHES_ANY_NAME = frozenset({"BaseException", "Exception", "NameError"})
_SELECTING = frozenset(("axes", "figure", "sca", "subplot"))
"""Functions of pyplot that go on with a figure."""
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def needed_by_condition(statements: Sequence[Statement], name: str) -> bool:
    """Whether `name` is read under conditions only, so that it may never be looked up.

    These are branches, exceptions that are caught, and what comes after `and` or `or`. A loop is no
    condition.
    """
    reads = [found for item in statements for found in _reads(item) if found[0] == name]
    return bool(reads) and all(conditional for _, conditional in reads)


@asked_once
def _reads(statement: Statement) -> tuple[tuple[str, bool], ...]:
    return tuple(_read_in([statement.node], conditional=False))


def _read_in(nodes: Iterable[ast.AST], *, conditional: bool) -> Iterator[tuple[str, bool]]:
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            yield node.id, conditional
        sure, unsure = _parts(node)
        yield from _read_in(sure, conditional=conditional)
        yield from _read_in(unsure, conditional=True)


def _parts(node: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    """The children of a node: those that certainly run with it, and the others."""
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            return [test], [*body, *orelse]
        case ast.IfExp(test=test, body=one, orelse=other):
            return [test], [one, other]
        case ast.BoolOp(values=[first, *others]):
            return [first], [*others]
        case ast.Try(body=body, orelse=orelse, finalbody=final, handlers=handlers):
            return [*body, *orelse, *final], [*handlers]
        case ast.Match(subject=subject, cases=cases):
            return [subject], [*cases]
    return list(children(node)), []


def only_tried(statements: Sequence[Statement], name: str) -> bool:
    """Whether `name` is read only in bodies of `try` that catch what a missing name raises."""
    reads = [found for item in statements for found in _tries(item) if found[0] == name]
    return bool(reads) and all(tried for _, tried in reads)


@asked_once
def _tries(statement: Statement) -> tuple[tuple[str, bool], ...]:
    """Each read of a name, and whether it is tried."""
    nodes = list(ast.walk(statement.node))
    tries = [node for node in nodes if isinstance(node, ast.Try) and _catches_names(node)]
    tried = {id(part) for node in tries for line in node.body for part in ast.walk(line)}
    return tuple(
        (node.id, id(node) in tried)
        for node in nodes
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
    )


def _catches_names(node: ast.Try) -> bool:
    """Whether a handler takes a NameError."""
    return any(
        handler.type is None
        or any(
            isinstance(part, ast.Name) and part.id in _CATCHES_ANY_NAME
            for part in ast.walk(handler.type)
        )
        for handler in node.handlers
    )


def only_looked_at(statements: Sequence[Statement], name: str) -> bool:
    """Whether `name` is only shown or saved as a picture: `fig`, `fig.savefig(...)`."""
    reads = [found for item in statements for found in _looks(item) if found[0] == name]
    return bool(reads) and all(looks for _, looks in reads)


@asked_once
def _looks(statement: Statement) -> tuple[tuple[str, bool], ...]:
    """Each read of a name, and whether it only looks."""
    found: list[tuple[str, bool]] = []
    looking: set[int] = set()
    for node in ast.walk(statement.node):
        looking.update(map(id, _looked_at(node)))
        if isinstance(node, ast.Name):
            found.append((node.id, id(node) in looking and isinstance(node.ctx, ast.Load)))
    return tuple(found)


def only_shown(statements: Sequence[Statement], name: str) -> bool:
    """The same without `fig.get_axes()` and the like, whose result may be drawn on."""
    return only_looked_at(statements, name) and not any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr.startswith("get_")
        and dotted_name(call.func).partition(".")[0] == name
        for item in statements
        for call in item.by_type.get(ast.Call, ())
    )


def selects(statements: Sequence[Statement], name: str) -> int:
    """Line where a figure or axes become those of pyplot, as by `plt.sca(ax)`; 0: none."""
    return next(
        (line for item in statements for other, line in _selected(item) if other == name), 0
    )


@asked_once
def _selected(statement: Statement) -> tuple[tuple[str, int], ...]:
    return tuple(
        (name.id, call.lineno)
        for call in statement.by_type.get(ast.Call, ())
        if dotted_name(call.func).rpartition(".")[2] in _SELECTING
        for argument in (*call.args, *(item.value for item in call.keywords))
        for name in ast.walk(argument)
        if isinstance(name, ast.Name)
    )


def _looked_at(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Expr(value=ast.Name() as shown):
            yield shown
        case ast.Call(func=ast.Name(id=function), args=arguments) if function in _LOOKS:
            yield from arguments
        case ast.Call(func=ast.Attribute(attr=method, value=owner)) if _only_looks(method):
            yield owner


def _only_looks(method: str) -> bool:
    return method in _LOOKS or method.startswith("get_")


class Keeping(StrEnum):
    """What an assignment has to do with a name on its right side."""

    ITSELF = "itself"
    """`x = f`, `x = {"f": f}`, `x = Model(f)`: what it stands for is kept."""
    CALLED = "called"
    """`x = C()`: what comes of the call is kept."""
    READ_LATER = "read later"
    """`x = [lambda: k]`: a function without a name is kept that reads it."""


@asked_once
def kept_in(statement: Statement) -> tuple[tuple[str, str, Keeping], ...]:
    """Triples (name, other, how) of what an assignment puts into `name`."""
    node = statement.node
    if not isinstance(node, ast.Assign):
        return ()
    names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    kept = tuple(_kept(node.value))
    return tuple((name, other, how) for name in names for other, how in kept)


def _kept(node: ast.expr) -> Iterator[tuple[str, Keeping]]:
    match node:
        case ast.Name(id=name):
            yield name, Keeping.ITSELF
        case ast.Lambda():
            yield from ((name, Keeping.READ_LATER) for name in _free(node))
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if isinstance(function, ast.Name):
                yield function.id, Keeping.CALLED
            called = dotted_name(function).rpartition(".")[2]
            if called[:1].isupper() or called == "partial":
                for argument in (*arguments, *(keyword.value for keyword in keywords)):
                    yield from _kept(argument)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            for item in items:
                yield from _kept(item)
        case ast.Dict(values=items):
            for item in items:
                yield from _kept(item)
        case ast.Starred(value=item) | ast.Subscript(value=item):
            yield from _kept(item)


def _free(function: ast.Lambda) -> frozenset[str]:
    """Names that a lambda reads and does not bind itself."""
    nodes = list(ast.walk(function))
    bound = {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    read = {node.id for node in ast.walk(function.body) if isinstance(node, ast.Name)}
    return frozenset(read - bound)
