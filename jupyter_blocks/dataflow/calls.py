"""What one call may change: its object, its arguments, or nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_blocks.dataflow.mutation import (
    CHANGED_ARGUMENTS,
    HOLDERS,
    RANDOM_NAME,
    method_changes,
    pure_function,
    statement_changes,
)
from jupyter_blocks.dataflow.names import FunctionFlow, Names
from jupyter_blocks.dataflow.record import Record, dotted_name
from jupyter_blocks.dataflow.values import arguments_by_name, chain_value, given, value

__all__ = ["note_changes"]


_WRITTEN_TO = frozenset(("ax", "cax", "out"))
"""Arguments that a function writes to, or draws on."""


def note_changes(names: Names, record: Record, call: ast.Call, *, statement: bool) -> None:
    """Note in `names` what `call` may change; as a `statement` it is made for its effect."""
    if isinstance(call.func, ast.Attribute):
        _method(names, record, call, call.func, statement=statement)
        _special_arguments(names, record, call, call.func.attr)
    elif isinstance(call.func, ast.Name):
        _function(names, call, call.func.id, statement=statement)
        _special_arguments(names, record, call, call.func.id)


def _method(
    names: Names, record: Record, call: ast.Call, method: ast.Attribute, *, statement: bool
) -> None:
    is_known = method_changes(method.attr) or names.is_method("changing", method.attr)
    changes = is_known or (statement and statement_changes(method))
    if changes or _in_place(call):
        names.mutate(chain_value(names, method.value))
    if names.is_method("changing", method.attr):
        names.mutate(names.objects.parts(chain_value(names, method.value)))
    if method.attr in HOLDERS or names.is_method("keeping", method.attr):
        things = frozenset[int]().union(*(value(names, node) for node in _arguments(call)))
        names.objects.hold(chain_value(names, method.value), things)
    if statement and (dotted := dotted_name(method)):
        for argument in _arguments(call):
            if isinstance(argument, ast.Name):
                record.module_changes.setdefault((dotted, argument.id))


def _function(names: Names, call: ast.Call, name: str, *, statement: bool) -> None:
    names.mutate(_known_to(names, name))
    for flow in names.called(name):
        if flow is not None and not flow.later:
            names.mutate(given(names, _changed_arguments(call, flow)))
            _keep(names, call, flow)
        elif (statement and not pure_function(name)) or _in_place(call):
            names.mutate(given(names, _arguments(call)))


def _known_to(names: Names, function: str) -> frozenset[int]:
    """What a value that is called may change: as `put` after `put = items.append`, or a closure."""
    things = names.value(function)
    held = (names.objects.held(thing) for thing in things if thing > 0)
    return frozenset(thing for thing in things if thing < 0).union(*held)


def _keep(names: Names, call: ast.Call, flow: FunctionFlow) -> None:
    """Note what a function of the notebook gives one of its arguments to hold."""
    arguments = dict(arguments_by_name(call, flow.positional)) if flow.keeps else {}
    for holder, held in flow.keeps:
        if holder in arguments and held in arguments:
            things = value(names, arguments[held])
            names.objects.hold(chain_value(names, arguments[holder]), things)


def _special_arguments(names: Names, record: Record, call: ast.Call, function: str) -> None:
    """Note the arguments that say by themselves, or by the function's name, that they change."""
    is_put = function == "put" and len(call.args) > 2  # numpy.put, not that of a queue
    is_at = function == "at" and len(call.args) > 1  # numpy.add.at
    if (function in CHANGED_ARGUMENTS and call.args) or is_put or is_at:
        names.mutate(chain_value(names, call.args[0]))
    for keyword in call.keywords:
        if keyword.arg in _WRITTEN_TO:
            names.mutate(given(names, (keyword.value,)))
    for argument in _arguments(call):
        if isinstance(argument, ast.Name) and RANDOM_NAME.search(argument.id):
            names.mutate(names.value(argument.id))
        if isinstance(argument, ast.Attribute) and _is_changing_method(argument.attr):
            names.mutate(chain_value(names, argument.value))
        if _changes_what_it_gets(names, record, argument):
            names.mutate(given(names, _receivers(call)))


def _is_changing_method(attribute: str) -> bool:
    """Whether `x.attribute`, which is not called, is a method that changes `x`.

    What ends with `_` is then what a model has learned: `model.coef_`.
    """
    return method_changes(attribute) and not attribute.endswith("_")


def _changes_what_it_gets(names: Names, record: Record, function: ast.expr) -> bool:
    """Whether `function`, handed to another one, changes what it is called with."""
    flows: list[FunctionFlow | None] = []
    if isinstance(function, ast.Lambda):
        flows.append(record.lambdas.get(function))
    elif isinstance(function, ast.Name):
        flows = names.called(function.id)
    return any(flow is not None and flow.changed_parameters for flow in flows)


def _receivers(call: ast.Call) -> Iterator[ast.expr]:
    if isinstance(call.func, ast.Attribute):
        yield call.func.value
    yield from _arguments(call)


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    for keyword in call.keywords:
        yield keyword.value


def _changed_arguments(call: ast.Call, flow: FunctionFlow) -> Iterator[ast.expr]:
    """The arguments of `call` that become parameters which the function changes."""
    changed = flow.changed_parameters
    if not changed:
        return
    positions = iter(flow.positional)
    for argument in call.args:
        if isinstance(argument, ast.Starred) or next(positions, flow.rest) in changed:
            yield argument
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in changed or keyword.arg not in flow.parameters:
            yield keyword.value


def _in_place(call: ast.Call) -> bool:
    return any(
        keyword.arg == "inplace"
        and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
        for keyword in call.keywords
    )
