"""The decorated function of a cell: which decorators are ours, and what the function takes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.statements import Statement, StatementKind, dotted_name, imported_names
from jupyter_blocks.block import BLOCK_TYPES, BlockType, block_type

__all__ = [
    "DECORATORS",
    "Argument",
    "BlockFunction",
    "block_functions",
    "decorators_used",
    "foreign_names",
]

_TYPE_DECORATORS = frozenset(
    name for kind in BLOCK_TYPES.values() for name in (kind.name, kind.tag)
)
DECORATORS = frozenset({*_TYPE_DECORATORS, "test", "condition", "callback"})
"""Names of the decorators of `jupyter_blocks.decorators`."""

_OWN_PACKAGES = ("jupyter_blocks", "mage_ai")
_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Argument:
    """One argument of a decorated function."""

    name: str
    is_positional: bool
    has_default: bool
    by_position_only: bool = False


@dataclass(frozen=True)
class BlockFunction:
    """The function of a decorated block."""

    statement: Statement
    node: _FunctionNode
    decorator: str
    """The decorator as written, without '@' and arguments."""

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.node.name

    @property
    def line(self) -> int:
        """Line of its first decorator."""
        return self.statement.first

    @cached_property
    def type(self) -> BlockType:
        """The block type its decorator names."""
        return block_type(self.decorator.rpartition(".")[2])

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """Its arguments in order, without `*args` and `**kwargs`."""
        given = self.node.args
        positional = [*given.posonlyargs, *given.args]
        required = len(positional) - len(given.defaults)
        found = [
            Argument(item.arg, True, index >= required, index < len(given.posonlyargs))
            for index, item in enumerate(positional)
        ]
        for item, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
            found.append(Argument(item.arg, False, default is not None))
        return tuple(found)

    @property
    def takes_everything(self) -> bool:
        """Whether it has `**kwargs`, in which every parameter of the pipeline arrives."""
        return self.node.args.kwarg is not None

    @cached_property
    def gives_value(self) -> bool:
        """Whether it returns or yields anything."""
        return any(
            (isinstance(node, ast.Return) and node.value is not None)
            or isinstance(node, ast.Yield | ast.YieldFrom)
            for node in _own_nodes(self.node)
        )


def block_functions(code: CellCode, foreign: frozenset[str]) -> list[BlockFunction]:
    """The functions of a cell that a decorator makes a block; `foreign` names are not ours."""
    found = []
    for statement in code.statements_of(StatementKind.DEFINITION):
        node = statement.node
        if isinstance(node, _FunctionNode):
            for decorator in _decorators(node):
                if decorator.rpartition(".")[2] in _TYPE_DECORATORS and _is_ours(
                    decorator, foreign
                ):
                    found.append(BlockFunction(statement, node, decorator))
                    break
    return found


def decorators_used(code: CellCode, bound: Iterable[str]) -> tuple[str, ...]:
    """Decorators of ours that the cell uses by their plain name and that nobody binds."""
    used = {
        decorator
        for statement in code.statements_of(StatementKind.DEFINITION)
        if isinstance(statement.node, _FunctionNode)
        for decorator in _decorators(statement.node)
    }
    return tuple(sorted((used & DECORATORS) - set(bound)))


def foreign_names(codes: Sequence[CellCode]) -> frozenset[str]:
    """Decorator names that the notebook binds to something else: its own, or another package's."""
    found: set[str] = set()
    for code in codes:
        for statement in code.statements:
            node = statement.node
            if isinstance(node, ast.ImportFrom):
                package = (node.module or "").partition(".")[0]
                if package not in _OWN_PACKAGES:
                    found.update(imported_names(node))
            elif statement.kind is StatementKind.DEFINITION and not _is_marked(node):
                found.update(statement.names)
    return frozenset(found) & DECORATORS


def _is_marked(node: ast.stmt) -> bool:
    """Whether a definition has a decorator of ours, which it may share its name with."""
    return isinstance(node, _FunctionNode) and bool(DECORATORS.intersection(_decorators(node)))


def _decorators(node: _FunctionNode) -> list[str]:
    """Dotted names of the decorators, without their arguments."""
    calls = (item.func if isinstance(item, ast.Call) else item for item in node.decorator_list)
    return [dotted_name(item) for item in calls]


def _is_ours(decorator: str, foreign: frozenset[str]) -> bool:
    package, _, name = decorator.rpartition(".")
    if package:
        return package in ("jupyter_blocks", "jupyter_blocks.decorators")
    return name not in foreign


def _own_nodes(function: _FunctionNode) -> Iterable[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _FunctionNode | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))
