"""Small questions about statements that only the syntax tree can answer."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.nodes import Nodes, children, grouped
from jupyter_blocks.binding.statements import Statement, asked_once, dotted_name
from jupyter_blocks.dataflow.mutation import KEEPERS, gives_itself, method_changes
from jupyter_blocks.wordsets import word_set

__all__ = [
    "asked_names",
    "asks_what_was_learned",
    "augmented",
    "bound_above",
    "bound_in_branch",
    "bound_names",
    "certainly_changed",
    "figure_names",
    "given_back",
    "given_names",
    "indexed_names",
    "nested_assignments",
    "plain_assignments",
    "read_after_delete",
    "stored_in",
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
    """Names bound to a figure, a grid of them or axes, as `fig, ax = plt.subplots()` does."""
    return frozenset().union(*map(_figure_names, statements))


@asked_once
def _figure_names(statement: Statement) -> frozenset[str]:
    node = statement.node
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        called = node.value.func
        method = called.attr if isinstance(called, ast.Attribute) else dotted_name(called)
        if method in _FIGURE_CALLS:
            return frozenset(_targets(node.targets))
    return frozenset()


_FIGURE_CALLS = frozenset(
    (
        "FacetGrid",
        "Figure",
        "JointGrid",
        "PairGrid",
        "add_axes",
        "add_subplot",
        "axes",
        "figure",
        "gca",
        "gcf",
        "subplot",
        "subplot_mosaic",
        "subplots",
    )
)


@asked_once
def bound_names(statement: Statement) -> frozenset[str]:
    """The names that a statement binds or deletes, on whatever way."""
    bound = (item.name for item in _bindings_in(statement))
    return frozenset(_deleted(statement).union(bound))


@asked_once
def _deleted(statement: Statement) -> frozenset[str]:
    return frozenset(
        node.id for node in _ran(statement).get(ast.Name, ()) if isinstance(node.ctx, ast.Del)
    )


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
        for node in _running(statement)
        if isinstance(node, ast.Assign)
        for name in _targets(node.targets)
    ]


def augmented(statements: Sequence[Statement]) -> frozenset[str]:
    """Names of statements such as `x += y`, which changes lists and arrays in place."""
    return frozenset().union(*map(_augmented, statements))


@asked_once
def _augmented(statement: Statement) -> frozenset[str]:
    return frozenset(
        node.target.id
        for node in _ran(statement).get(ast.AugAssign, ())
        if isinstance(node.target, ast.Name)
    )


def given_back(statements: Sequence[Statement]) -> frozenset[tuple[str, str]]:
    """Pairs (x, y) where `x = y.fit()` and the like: what the method gives may be `y`, or new.

    And where `x = make_pipeline(y)`: fitting `x` fits `y`, which hardly anybody asks afterwards.
    """
    return frozenset().union(*map(_given_back, statements))


@asked_once
def _given_back(statement: Statement) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, _root(node.value.func))
        for node in _ran(statement).get(ast.Assign, ())
        if isinstance(node.value, ast.Call)
        if isinstance(node.value.func, ast.Attribute) and gives_itself(node.value.func.attr)
        for name in _targets(node.targets)
    ).union(
        (name, item.id)
        for node in _ran(statement).get(ast.Assign, ())
        if isinstance(node.value, ast.Call) and _method(node.value.func) in KEEPERS
        for item in ast.walk(node.value)
        if isinstance(item, ast.Name)
        for name in _targets(node.targets)
    )


@asked_once
def given_names(statement: Statement) -> tuple[str, ...]:
    """Names that are arguments of calls, as `r` in `draw(3, random_state=r)`."""
    calls = _ran(statement).get(ast.Call, ())
    arguments = (item for node in calls for item in (*node.args, *node.keywords))
    values = (item.value if isinstance(item, ast.keyword) else item for item in arguments)
    return tuple(value.id for value in values if isinstance(value, ast.Name))


@asked_once
def asked_names(statement: Statement) -> tuple[str, ...]:
    """Names whose methods are called, as `r` in `r.sample(x, 2)`."""
    functions = (node.func for node in _ran(statement).get(ast.Call, ()))
    owners = (item.value for item in functions if isinstance(item, ast.Attribute))
    return tuple(owner.id for owner in owners if isinstance(owner, ast.Name))


@asked_once
def indexed_names(statement: Statement) -> tuple[str, ...]:
    """Names of which an element is read, as `d` in `x = d[0]`: a `defaultdict` may get it so."""
    places = (node for node in _ran(statement).get(ast.Subscript, ()))
    owners = (node.value for node in places if isinstance(node, ast.Subscript))
    return tuple(owner.id for owner in owners if isinstance(owner, ast.Name))


def asks_what_was_learned(statements: Sequence[Statement], name: str) -> bool:
    """Whether a model `name` is asked for what it learned: `name.coef_`, `name.predict(x)`."""
    return any(
        isinstance(node.value, ast.Name)
        and node.value.id == name
        and (node.attr in _ASKS or (node.attr.endswith("_") and not node.attr.startswith("_")))
        for statement in statements
        for node in statement.by_type.get(ast.Attribute, ())
        if isinstance(node, ast.Attribute)
    )


_ASKS = word_set(
    """decision_function inverse_transform kneighbors predict predict_log_proba
    predict_proba score score_samples transform"""
)


def _method(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else dotted_name(function)


def stored_in(statements: Sequence[Statement]) -> frozenset[tuple[str, str]]:
    """Pairs (x, y) of `x[0] = y` and the like: a container holds `y` then, a table a copy of it."""
    return frozenset().union(*map(_stored_in, statements))


@asked_once
def _stored_in(statement: Statement) -> frozenset[tuple[str, str]]:
    return frozenset(
        (_root(target), name.id)
        for node in _ran(statement).get(ast.Assign, ())
        for target in node.targets
        if isinstance(target, ast.Subscript | ast.Attribute)
        for name in ast.walk(node.value)
        if isinstance(name, ast.Name)
    )


def certainly_changed(code: CellCode) -> frozenset[str]:
    """Which of the values that a cell may change it changes for certain, as far as one can tell.

    The others are only handed to a function that nobody knows, as in the statement `draw(df)`.
    """
    known = code.known_at_end
    certain: set[str] = set()
    guessed: set[str] = set()
    for statement in code.statements:
        certain.update(_changed_in(statement))
        for function, names in _handed_over(statement):
            if function not in known:
                guessed.update(names)
    return frozenset(certain.union(set(code.flow.changes) - guessed))


@asked_once
def _changed_in(statement: Statement) -> frozenset[str]:
    ran = _ran(statement)
    places = (node for kind in (ast.Attribute, ast.Subscript) for node in ran.get(kind, ()))
    written = (_root(node) for node in places if not isinstance(node.ctx, ast.Load))
    return frozenset((*written, *map(_changed_by, ran.get(ast.Call, ())))) - {""}


@asked_once
def _handed_over(statement: Statement) -> list[tuple[str, frozenset[str]]]:
    """For each call that is made for its effect the plain name of the function, and all names."""
    found = []
    for node in _ran(statement).get(ast.Expr, ()):
        if isinstance(node.value, ast.Call):
            function = node.value.func
            names = (item.id for item in ast.walk(node.value) if isinstance(item, ast.Name))
            name = function.id if isinstance(function, ast.Name) else ""
            found.append((name, frozenset(names)))
    return found


def read_after_delete(statements: Sequence[Statement]) -> Iterator[tuple[str, int]]:
    """Names read, with their lines, after a `del` of the name and before anything binds it."""
    if not any(map(_deleted, statements)):
        return
    deleted: set[str] = set()
    names = (node for item in statements for node in _running(item) if isinstance(node, ast.Name))
    for node in sorted(names, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node.ctx, ast.Del):
            deleted.add(node.id)
        elif node.id in deleted and isinstance(node.ctx, ast.Load):
            yield node.id, node.lineno
            deleted.discard(node.id)


def _changed_by(call: ast.Call) -> str:
    """The name whose value a method changes; empty if there is none."""
    if not isinstance(call.func, ast.Attribute):
        return ""
    in_place = any(
        keyword.arg == "inplace"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in call.keywords
    )
    return _root(call.func.value) if in_place or method_changes(call.func.attr) else ""


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


@asked_once
def _ran(statement: Statement) -> Nodes:
    """The nodes that run with the cell, by type: not those inside functions."""
    if statement.by_type.keys().isdisjoint(_SCOPES):
        return statement.by_type
    return grouped(_running(statement))


def _running(statement: Statement) -> Iterator[ast.AST]:
    """The same, one after the other."""
    waiting: list[ast.AST] = [statement.node]
    while waiting:
        current = waiting.pop()
        yield current
        if not isinstance(current, _SCOPES):
            waiting += children(current)


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
    return (binding for statement in statements for binding in _bindings_in(statement))


@asked_once
def _bindings_in(statement: Statement) -> tuple[_Binding, ...]:
    if statement.by_type.keys().isdisjoint(_BRANCHES):  # then their order is all the same
        nodes = (node for kind in _BINDING for node in _ran(statement).get(kind, ()))
        names = ((_bound_name(node), getattr(node, "lineno", 0)) for node in nodes)
        return tuple(_Binding(name, line, 0) for name, line in names if name)
    return tuple(_bindings([statement.node], 0))


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
        yield from _bindings(children(node), inner)


_BINDING = (
    *(ast.Name, ast.MatchAs, ast.MatchStar, ast.alias),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)


def _bound_name(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.alias(name=name, asname=other):
            return (other or name).partition(".")[0]
    return None
