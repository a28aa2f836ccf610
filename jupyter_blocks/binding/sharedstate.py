"""Functions and classes that remember something from call to call, in themselves.

A list that is the default of a parameter, an attribute that all objects of a class share: in a
notebook there is one of each, while every block has a function or class of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from jupyter_blocks.binding.branches import plain_assignments
from jupyter_blocks.binding.nodes import children
from jupyter_blocks.binding.scope import Provider, Scope
from jupyter_blocks.binding.shared import Shared
from jupyter_blocks.binding.statements import Statement, asked_once, dotted_name
from jupyter_blocks.dataflow.mutation import method_changes

__all__ = ["Counters", "remembers"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_CONTAINERS = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
_MAKERS = frozenset(("Counter", "OrderedDict", "defaultdict", "deque", "dict", "list", "set"))


@asked_once
def remembers(statement: Statement) -> str:
    """What a function or class changes in itself when it is used; empty if nothing."""
    node = statement.node
    if isinstance(node, _Function):
        return _default(node)
    if isinstance(node, ast.ClassDef):
        return next(_attributes(node), "")
    return ""


class Counters:
    """The names that stand for functions which calling them changes.

    Those were made by a function whose inner function says `nonlocal`.
    """

    def __init__(self, scope: Scope, shared: Shared) -> None:
        self._scope = scope
        self._shared = shared
        self._makers: set[str] = set()
        self._known: set[Provider | None] = set()

    def among(self, calls: Iterable[str]) -> list[str]:
        """Those of the called names that stand for one."""
        return [name for name in calls if self._scope.get(name) in self._known]

    def note(
        self, definitions: Iterable[Statement], left: Sequence[Statement], calls: Iterable[str]
    ) -> None:
        """Take up a cell whose names are bound by now."""
        for item in definitions:
            if ast.Nonlocal in item.by_type:
                self._makers.add(item.names[0])
        for name, value in plain_assignments(left):
            if isinstance(value, ast.Call) and self._makes_one(dotted_name(value.func)):
                self._known.add(self._scope.get(name))
        for name in calls:
            provider = self._scope.get(name)
            if provider is not None and provider.changed and provider.before in self._known:
                self._known.add(provider)

    def _makes_one(self, function: str) -> bool:
        helper = self._shared.helpers.get(function)
        statement = helper.statement if helper is not None else None
        return function in self._makers or (
            statement is not None and ast.Nonlocal in statement.by_type
        )


def _default(function: _Function) -> str:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(positional[::-1], arguments.defaults[::-1], strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    changed = set(_changed(function.body))
    for argument, default in pairs:
        if default is not None and _is_container(default) and (argument.arg,) in changed:
            return f"the default of '{argument.arg}'"
    return ""


def _attributes(cls: ast.ClassDef) -> Iterator[str]:
    """Attributes of the class itself that its methods set, or change in place."""
    methods = [item for item in cls.body if isinstance(item, _Function)]
    containers = {
        target.id
        for item in cls.body
        if isinstance(item, ast.Assign) and _is_container(item.value)
        for target in item.targets
        if isinstance(target, ast.Name)
    }
    own = {name for method in methods for name in _set_on(method, _first(method))}
    for method in methods:
        owner = _first(method)
        is_of_class = any(dotted_name(item) == "classmethod" for item in method.decorator_list)
        for name in (*_set_on(method, owner if is_of_class else ""), *_set_on_class(method)):
            yield f"the attribute '{name}'"
        for path in _changed(method.body):
            if len(path) == 2 and path[0] == owner and path[1] in containers - own:
                yield f"the attribute '{path[1]}'"


def _first(method: _Function) -> str:
    arguments = [*method.args.posonlyargs, *method.args.args]
    return arguments[0].arg if arguments else ""


def _set_on(method: _Function, owner: str) -> Iterator[str]:
    """Names of the attributes in `owner.name = ...`."""
    for node in _nodes(method.body):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Store()):
                if name == owner:
                    yield attribute


def _set_on_class(method: _Function) -> Iterator[str]:
    """Names of the attributes in `self.__class__.name = ...` and `type(self).name = ...`."""
    for node in _nodes(method.body):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            owner = node.value
            is_type = isinstance(owner, ast.Call) and dotted_name(owner.func) == "type"
            if is_type or (isinstance(owner, ast.Attribute) and owner.attr == "__class__"):
                yield node.attr


def _changed(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ...]]:
    """Paths such as `(self, items)` of what statements change in place."""
    for node in _nodes(body):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method_changes(method):
                yield _path(owner)
            case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
                yield _path(owner)
            case ast.AugAssign(target=ast.Name() | ast.Attribute() as target):
                yield _path(target)


def _path(node: ast.expr) -> tuple[str, ...]:
    return tuple(dotted_name(node).split(".")) if dotted_name(node) else ()


def _is_container(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return dotted_name(node.func).rpartition(".")[2] in _MAKERS
    return isinstance(node, _CONTAINERS)


def _nodes(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        waiting += children(node)
