"""Values that options are made of, such as `colors = cycler("color", ["red"])`, said again.

A block that sets an option of an earlier cell anew needs the names that the option reads. Where
each of them comes from a plain assignment of something any process makes alike, the assignment is
copied along with the option.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from jupyter_blocks.binding.branches import bound_names
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.statements import Statement, asked_once, dotted_name
from jupyter_blocks.dataflow import is_builtin
from jupyter_blocks.dataflow.mutation import method_changes
from jupyter_blocks.wordsets import word_set

__all__ = ["SettingValues"]

Place = tuple[CellCode, Statement]

_PACKAGES = word_set("cycler json matplotlib os pathlib seaborn sys")
"""Their functions make the same in every process, and what they make is quickly made."""
_BUILTINS = word_set("bool dict float frozenset int len list max min range round set str tuple zip")


class SettingValues:
    """The assignments that can be said again, as far as the cells have been looked at."""

    def __init__(self, module_of: Callable[[str], str], is_helper: Callable[[str], bool]) -> None:
        self._module_of = module_of
        self._is_helper = is_helper
        self._found: dict[str, Place] = {}

    def enter(self, code: CellCode) -> None:
        """Begin with the next cell: what it changes has no plain value any more."""
        for name in code.flow.changes:
            self._found.pop(name, None)

    def add(self, code: CellCode, statement: Statement) -> None:
        """Take up the next statement of the cell."""
        node = statement.node
        for name in _outdated(statement):
            self._found.pop(name, None)
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if self._is_plain(statement, value):
                    self._found[name] = (code, statement)

    def keep(self, name: str, code: CellCode, statement: Statement) -> None:
        """Take up what an option gives a name, as `old = np.seterr(...)` does: it is said again."""
        self._found[name] = (code, statement)

    def needed(self, names: Iterable[str]) -> list[Place] | None:
        """The assignments that `names` need, in their order; none if one cannot be said again."""
        places: dict[str, Place] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in places or self._is_everywhere(name):
                continue
            if name not in self._found:
                return None
            places[name] = self._found[name]
            waiting += _names(places[name][1])
        return sorted(places.values(), key=lambda place: (place[0].number, place[1].first))

    def _is_everywhere(self, name: str) -> bool:
        return bool(self._module_of(name)) or self._is_helper(name) or is_builtin(name)

    def _is_plain(self, statement: Statement, value: ast.expr) -> bool:
        if isinstance(value, ast.Lambda | ast.Await | ast.Yield | ast.NamedExpr):
            return False
        known = all(name in self._found or self._is_everywhere(name) for name in _value(statement))
        return known and all(map(self._is_plain_call, statement.by_type.get(ast.Call, ())))

    def _is_plain_call(self, call: ast.Call) -> bool:
        match call.func:
            case ast.Name(id=name):
                return name in _BUILTINS or self._package(name) in _PACKAGES
            case ast.Attribute(value=ast.Constant()):
                return True
            case ast.Attribute(attr=method) as function:
                root = dotted_name(function).partition(".")[0]
                if self._package(root):
                    return self._package(root) in _PACKAGES
                return root in self._found and not method_changes(method)
        return False

    def _package(self, name: str) -> str:
        return self._module_of(name).partition(".")[0]


@asked_once
def _names(statement: Statement) -> list[str]:
    """Names that are read."""
    return _read(statement.by_type.get(ast.Name, ()))


@asked_once
def _value(statement: Statement) -> list[str]:
    """Names that the value of `name = value` reads."""
    return _read(statement.by_type.get(ast.Name, ())[1:])


def _read(found: Sequence[ast.Name]) -> list[str]:
    bound = {item.id for item in found if not isinstance(item.ctx, ast.Load)}
    return [item.id for item in found if item.id not in bound]


@asked_once
def _outdated(statement: Statement) -> frozenset[str]:
    """Names that have another value after the statement, or may have."""
    return bound_names(statement) | _changed(statement)


@asked_once
def _changed(statement: Statement) -> frozenset[str]:
    """Names whose value the statement may change: `x[0] = 1`, `x.a = 1`, `x.update(y)`."""
    targets: Sequence[ast.AST] = ()
    match statement.node:
        case ast.Assign(targets=several) | ast.Delete(targets=several):
            targets = several
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            targets = (target,)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))):
            targets = (owner,)
        case ast.Expr() | ast.Import() | ast.ImportFrom():
            pass
        case _:
            targets = (statement.node,)
    found = (item for target in targets for item in ast.walk(target))
    return frozenset(item.id for item in found if isinstance(item, ast.Name))
