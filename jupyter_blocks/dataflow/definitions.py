"""Functions and classes of a cell as values that can be moved to another module."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping

from jupyter_blocks.dataflow.flow import Definition
from jupyter_blocks.dataflow.names import FunctionFlow
from jupyter_blocks.dataflow.record import dotted_name

__all__ = [
    "assigned_definition",
    "class_definition",
    "function_definition",
    "is_assigned_definition",
]

_CLASS_MAKERS = frozenset(
    ("Enum", "Flag", "IntEnum", "NamedTuple", "StrEnum", "make_dataclass", "namedtuple")
)
"""Functions that make a class, in code that reads like an assignment."""


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
        needed_to_call=frozenset(body.free) - {node.name},
        changes=body.changes,
        parameters=body.parameters,
        changed_parameters=body.changed_parameters,
        gives_back=body.gives_back if _is_called_plainly(node) else "",
        gives_parts=body.gives_parts,
        gives_held=body.gives_held,
        keeps=body.keeps,
    )


def _is_called_plainly(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a call runs the body and gives what that returns."""
    return isinstance(node, ast.FunctionDef) and not node.decorator_list


def is_assigned_definition(node: ast.stmt) -> bool:
    """Whether it is `f = lambda ...` or `C = namedtuple(...)`: a definition in other words."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return False
    return isinstance(node.targets[0], ast.Name) and (
        isinstance(node.value, ast.Lambda) or _makes_class(node.value, node.targets[0].id)
    )


def _makes_class(node: ast.expr, name: str) -> bool:
    """Whether it is a call such as `namedtuple("name", ["x", "y"])`, written out in full."""
    return (
        isinstance(node, ast.Call)
        and dotted_name(node.func).rpartition(".")[2] in _CLASS_MAKERS
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value == name
        and all(_is_literal(item) for item in node.args)
        and all(_is_literal(item.value) for item in node.keywords)
    )


def _is_literal(node: ast.expr) -> bool:
    parts = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Name, ast.Load, ast.Attribute)
    return all(isinstance(part, parts) for part in ast.walk(node))


def assigned_definition(
    node: ast.Assign, name: str, header: FunctionFlow, body: FunctionFlow
) -> Definition:
    """The definition of the lambda or class that `node` gives a name."""
    return Definition(
        name=name,
        kind="function" if isinstance(node.value, ast.Lambda) else "class",
        line=node.lineno,
        end_line=node.end_lineno or node.lineno,
        free=frozenset((*header.free, *body.free)) - {name},
        needed_to_define=frozenset(header.free),
        needed_to_call=frozenset(body.free) - {name},
        changes=body.changes,
        parameters=body.parameters,
        changed_parameters=body.changed_parameters,
    )


def class_definition(
    node: ast.ClassDef,
    header: FunctionFlow,
    body: Iterable[str],
    methods: FunctionFlow,
    special: Mapping[str, Collection[str]],
) -> Definition:
    """The definition of a class whose header and methods do this, and whose body reads `body`.

    `special` are methods by what they do with their object: `changing`, `giving`, `wrapping`,
    `keeping` (see `Definition`).
    """
    needed = frozenset((*header.free, *body))
    return Definition(
        name=node.name,
        kind="class",
        line=_first_line(node),
        end_line=node.end_lineno or node.lineno,
        free=(needed | frozenset(methods.free)) - {node.name},
        decorators=_decorators(node),
        needed_to_define=needed,
        needed_to_call=frozenset(methods.free) - {node.name},
        changes=methods.changes,
        changing_methods=_with_callers(node, set(special["changing"])),
        giving_methods=frozenset(special["giving"]),
        wrapping_methods=frozenset(special["wrapping"]),
        keeping_methods=frozenset(special["keeping"]),
    )


def _with_callers(node: ast.ClassDef, changing: set[str]) -> frozenset[str]:
    """Methods that change their object, and those that call one of them on it."""
    calls = {
        method.name: {
            call.func.attr
            for call in ast.walk(method)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
            if isinstance(call.func.value, ast.Name)
            if method.args.args and call.func.value.id == method.args.args[0].arg
        }
        for method in node.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    while more := {name for name, called in calls.items() if called & changing} - changing:
        changing |= more
    return frozenset(name for name in changing if not name.startswith("__"))


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min((node.lineno, *(decorator.lineno for decorator in node.decorator_list)))


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> tuple[str, ...]:
    functions = [
        decorator.func if isinstance(decorator, ast.Call) else decorator
        for decorator in node.decorator_list
    ]
    return tuple(dotted_name(function) or ast.unparse(function) for function in functions)
