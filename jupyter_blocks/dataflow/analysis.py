"""From the source of one cell to its `CellFlow`."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from jupyter_blocks.dataflow.branches import Walker
from jupyter_blocks.dataflow.flow import CellFlow, Definition, Expression, Use
from jupyter_blocks.dataflow.names import BEFORE, GONE, HERE, FunctionFlow
from jupyter_blocks.dataflow.record import CellText, Record
from jupyter_blocks.dataflow.scopes import ModuleNames

__all__ = ["analyze"]

_NO_FUNCTIONS: Mapping[str, Definition] = {}


def analyze(
    source: str,
    *,
    start_line: int = 1,
    known: Mapping[str, Definition] = _NO_FUNCTIONS,
    carried: Iterable[Definition] = (),
    body: Sequence[ast.stmt] | None = None,
) -> CellFlow:
    """What a cell reads, binds and may change.

    `source` is plain Python, magics removed. `start_line` is the number of its first line.
    `known` holds functions that earlier cells define, by name: with it the analysis knows which
    of their parameters they change; without it, it guesses from how they are called.
    `carried` are those among them that take names of the notebook when they are called: where the
    cell uses one, it needs these names, too.
    `body` are the statements of `source`, where the caller has parsed it already.
    Raises SyntaxError, with `lineno` counted in the same way, where the source is not Python.
    """
    try:
        if body is None:
            body = _parse(source, start_line).body
        names = ModuleNames(known)
        for definition in carried:
            names.carry(definition)
        record = Record(may_bind_in_expressions=":=" in source)
        text = CellText(source, start_line)
        Walker(names, record, text).block(body)
    except RecursionError:
        raise SyntaxError(
            "the cell nests expressions too deeply", ("<cell>", start_line, None, None)
        ) from None
    return _flow(names, record, _last_expression(body, text))


def _parse(source: str, start_line: int) -> ast.Module:
    padded = "\n" * (start_line - 1) + source
    try:
        if "\\" not in source:
            return ast.parse(padded)
        # An escape such as "\d" makes the parser warn; that is between the user and the kernel.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(padded)
    except ValueError as error:  # before Python 3.12: null bytes
        raise SyntaxError(str(error), ("<cell>", start_line, None, None)) from None


def _flow(names: ModuleNames, record: Record, last: Expression | None) -> CellFlow:
    surely, perhaps = names.needed()
    bound = sorted(names.bound, key=names.bound.__getitem__)
    ways = {name: names.env[name].ways for name in bound if name in names.env}
    constants = {
        name: entry for name, entry in record.constants.items() if _is_constant(names, name)
    }
    imports = record.imports.values()
    return CellFlow(
        reads=_uses(surely),
        maybe_reads=_uses(perhaps),
        soft_reads=_uses(record.soft_reads),
        binds=tuple(name for name in bound if ways.get(name) == HERE),
        maybe_binds=tuple(
            name for name in bound if ways.get(name, 0) & HERE and ways[name] != HERE
        ),
        changes=tuple(names.changes),
        deep_changes=tuple(names.deep_changes),
        module_changes=tuple(record.module_changes),
        deletes=tuple(name for name, var in names.env.items() if var.ways == GONE),
        maybe_deletes=tuple(name for name, var in names.env.items() if var.ways == (GONE | BEFORE)),
        aliases=_aliases(names),
        views=tuple(dict.fromkeys(_views(names))),
        **_parts(names),
        before=tuple(dict.fromkeys(_before(names))),
        holds=_holds(names),
        imports=tuple(found for found in imports if found.name != "*"),
        star_imports=tuple(found for found in imports if found.name == "*"),
        definitions=tuple(_finished(names, *entry) for entry in record.definitions.values()),
        last_expression=last,
        globals_declared=_uses(record.globals_declared),
        has_await=record.has_await,
        calls=tuple(record.calls),
        attribute_calls=tuple(record.attribute_calls),
        constants={name: entry[0] for name, entry in constants.items()},
        constant_lines={name: entry[1] for name, entry in constants.items()},
    )


def _uses(lines: Mapping[str, int]) -> tuple[Use, ...]:
    return tuple(Use(name, line) for name, line in lines.items())


def _is_constant(names: ModuleNames, name: str) -> bool:
    var = names.env.get(name)
    if var is None or var.ways != HERE or names.bind_counts[name] != 1:
        return False
    return names.mutated.isdisjoint(abs(thing) for thing in var.objects)


def _aliases(names: ModuleNames) -> tuple[tuple[str, str], ...]:
    """Pairs of names of which the first may be, or hold, the object of the second."""
    owners: dict[int, list[str]] = {}
    here = {name: var.objects for name, var in names.env.items() if var.ways & HERE}
    for name, var in names.env.items():
        for thing in var.objects:
            owners.setdefault(thing, []).append(name)
    pairs: dict[tuple[str, str], None] = {}
    for name, things in here.items():
        for thing in names.objects.reachable(things):
            for other in (*owners.get(thing, ()), *_untouched(names, thing)):
                if other != name:
                    pairs.setdefault((name, other))
    return tuple(pairs)


def _views(names: ModuleNames) -> Iterator[tuple[str, str]]:
    """Pairs of names of which the first shows what the second holds."""
    for name, var in names.env.items() if names.objects.views else ():
        for view in names.objects.views.intersection(var.objects):
            for thing in names.objects.held(view):
                for other, owner in names.env.items():
                    if thing in owner.objects and other != name:
                        yield name, other
                for other in _untouched(names, thing):
                    yield name, other


def _parts(names: ModuleNames) -> dict[str, tuple[tuple[str, str], ...]]:
    """Pairs of names of which the first is, or holds, a part of the second."""
    owners: dict[int, list[str]] = {}
    for name, var in names.env.items():
        for thing in var.objects:
            owners.setdefault(thing, []).append(name)
    found: dict[str, dict[tuple[str, str], None]] = {"parts": {}, "elements": {}, "copies": {}}
    nameless: dict[int, dict[tuple[str, str], None]] = {}
    for name, var in names.env.items():
        for kind, thing in _inside(names, var.objects) if var.ways & HERE else ():
            others = (*owners.get(abs(thing), ()), *_untouched(names, abs(thing)))
            if thing < 0:
                found[kind].update(((name, other), None) for other in others if other != name)
            # A name that may be a part of the object as well does not stand for it.
            if all(-abs(thing) in names.value(other) for other in others):
                nameless.setdefault(abs(thing), {})[name, kind] = None
    for users in nameless.values():
        for (name, kind), (other, how) in combinations(users, 2):
            _note_common(found, (name, kind), (other, how))
    return {kind: tuple(pairs) for kind, pairs in found.items()}


def _before(names: ModuleNames) -> Iterator[tuple[str, str, str]]:
    """What names have of the values that other names, or they themselves, had before the cell."""
    for name, var in names.env.items():
        if not var.ways & HERE:
            continue
        whole = (("whole", thing) for thing in names.objects.reachable(var.objects))
        for kind, thing in (*whole, *_inside(names, var.objects)):
            other = names.objects.outside_name(thing)
            if other is None or other not in names.env or (kind == "whole") != (thing > 0):
                continue
            if other == name or abs(thing) not in names.value(other):
                yield kind, name, other


def _inside(names: ModuleNames, things: frozenset[int]) -> Iterator[tuple[str, int]]:
    """What one of `things` may be a part of, and what it may hold, each with how."""
    for thing in things:
        if thing < 0:
            yield "parts", thing
    for thing in names.objects.reachable(things):
        kind = "copies" if thing in names.objects.copies else "elements"
        for held in names.objects.held(thing):
            yield kind, held


def _note_common(
    found: Mapping[str, dict[tuple[str, str], None]], one: tuple[str, str], other: tuple[str, str]
) -> None:
    """Note two names that have parts of an object in common which no name stands for any more."""
    if one[0] == other[0]:
        return
    if one[1] != "parts":
        one, other = other, one
    kind = one[1] if one[1] == "parts" else "elements"
    found[kind].setdefault((one[0], other[0]))


def _holds(names: ModuleNames) -> tuple[tuple[str, str], ...]:
    """Pairs of names of which the first, from before, was given the object of the second."""
    owners: dict[int, list[str]] = {}
    for name, var in names.env.items():
        for thing in var.objects:
            owners.setdefault(thing, []).append(name)
    pairs: dict[tuple[str, str], None] = {}
    for name, held in names.objects.filled():
        for thing in names.objects.reachable(held) if name not in names.env else ():
            for other in (*owners.get(thing, ()), *_untouched(names, thing)):
                if other != name:
                    pairs.setdefault((name, other))
    return tuple(pairs)


def _untouched(names: ModuleNames, thing: int) -> Iterable[str]:
    """The name from before that still stands for `thing`."""
    name = names.objects.outside_name(thing)
    return (name,) if name is not None and name not in names.env else ()


def _finished(names: ModuleNames, definition: Definition, flow: FunctionFlow) -> Definition:
    var = names.env.get(definition.name)
    is_final = var is not None and all(names.functions.get(thing) is flow for thing in var.objects)
    return definition if is_final and var and var.objects else replace(definition, is_final=False)


def _last_expression(body: Sequence[ast.stmt], text: CellText) -> Expression | None:
    if not body or not isinstance(body[-1], ast.Expr):
        return None
    node = body[-1]
    last = node.end_lineno or node.lineno
    return Expression(
        line=node.lineno,
        end_line=last,
        col=text.column(node.lineno, node.col_offset),
        end_col=text.column(last, node.end_col_offset or 0),
        name=node.value.id if isinstance(node.value, ast.Name) else None,
        silent=text.after(node).lstrip().startswith(";"),
    )
