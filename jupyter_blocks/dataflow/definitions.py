"""Functions and classes of a cell as values that can be moved to another module."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from jupyter_blocks.dataflow.flow import Definition
from jupyter_blocks.dataflow.names import FunctionFlow
from jupyter_blocks.dataflow.record import dotted_name

__all__ = ["class_definition", "function_definition"]


def function_definition(
    node: ast.FunctionDef | ast.AsyncFunctionDef, header: FunctionFlow, body: FunctionFlow
) -> Definition:
    """The definition of a function whose header and body do this."""
    return Definition(
        name=node.name,
        kind="function",
        line=_first_line(node),
        end_line=node.end_lineno or node.lineno,
        free=frozenset((*header.free, *body.free)) - {node.name},
        decorators=_decorators(node),
        needed_to_define=frozenset(header.free),
        changes=body.changes,
        parameters=body.parameters,
        changed_parameters=body.changed_parameters,
    )


def class_definition(
    node: ast.ClassDef, header: FunctionFlow, body: Iterable[str], methods: FunctionFlow
) -> Definition:
    """The definition of a class whose header and methods do this, and whose body reads `body`."""
    needed = frozenset((*header.free, *body))
    return Definition(
        name=node.name,
        kind="class",
        line=_first_line(node),
        end_line=node.end_lineno or node.lineno,
        free=(needed | frozenset(methods.free)) - {node.name},
        decorators=_decorators(node),
        needed_to_define=needed,
        changes=methods.changes,
    )


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min((node.lineno, *(decorator.lineno for decorator in node.decorator_list)))


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> tuple[str, ...]:
    functions = [
        decorator.func if isinstance(decorator, ast.Call) else decorator
        for decorator in node.decorator_list
    ]
    return tuple(dotted_name(function) or ast.unparse(function) for function in functions)
