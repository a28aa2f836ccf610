"""Functions, methods, classes and modules: those that can be imported by name, others by code."""

from __future__ import annotations

import dis
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from jupyter_blocks.compare.verdict import (
    EQUAL,
    Compare,
    Verdict,
    differ,
    is_own,
    kind_name,
    not_comparable,
    parts,
)

__all__ = ["compare_functions"]

_LOADS = re.compile(r"LOAD_(GLOBAL|NAME|DEREF|CLASSDEREF|FROM_DICT_OR_\w+|FAST)\w*\Z")
_SILENT = frozenset(
    {"CACHE", "COPY_FREE_VARS", "EXTENDED_ARG", "MAKE_CELL", "NOP", "PUSH_NULL", "RESUME"}
)
"""Instructions that say how a name is looked up, not which one."""


def compare_functions(one: Any, other: Any, compare: Compare) -> Verdict | None:
    """Values that are code; none for all others."""
    if isinstance(one, type):
        return _named(kind_name(one), kind_name(other))
    for kind, comparison in _KINDS.items():
        if isinstance(one, kind):
            return comparison(one, other, compare)
    return None


def _named(one: str, other: str) -> Verdict:
    return EQUAL if one == other else differ(*(name.replace(":", ".") for name in (one, other)))


def _modules(one: Any, other: Any, _compare: Compare) -> Verdict:
    return _named(one.__name__, other.__name__)


def _builtins(one: Any, other: Any, compare: Compare) -> Verdict:
    if one.__qualname__ != other.__qualname__:
        return differ(one.__qualname__, other.__qualname__)
    owners = [getattr(each, "__self__", None) for each in (one, other)]
    return compare(*owners).within("its object: ")


def _methods(one: Any, other: Any, compare: Compare) -> Verdict:
    verdict = compare(one.__func__, other.__func__)
    return compare(one.__self__, other.__self__) if verdict is EQUAL else verdict


def _partials(one: Any, other: Any, compare: Compare) -> Verdict:
    names = ("func", "args", "keywords")
    pairs = ((f".{name}: ", None, getattr(one, name), getattr(other, name)) for name in names)
    return parts(compare, pairs)


def _functions(one: Any, other: Any, compare: Compare) -> Verdict:
    """A library's function is what its name says; the notebook's own is its code and defaults."""
    if not is_own(one.__module__ or "") or not is_own(other.__module__ or ""):
        names = (f"{each.__module__}:{each.__qualname__}" for each in (one, other))
        if "<lambda>" not in one.__qualname__ and "<locals>" not in one.__qualname__:
            return _named(*names)
    if list(_instructions(one.__code__)) != list(_instructions(other.__code__)):
        return _other_code(one, other)
    captured = (dict(_captured(each)) for each in (one, other))
    pairs = [
        ("its defaults: ", None, one.__defaults__, other.__defaults__),
        ("its defaults: ", None, one.__kwdefaults__, other.__kwdefaults__),
        ("what it has captured: ", None, *_in_both(*captured)),
    ]
    return parts(compare, pairs)


def _other_code(one: FunctionType, other: FunctionType) -> Verdict:
    """One text can become different instructions, in a cell and inside of another function."""
    if _words(one.__code__) == _words(other.__code__):
        return not_comparable(f"function {one.__name__} was compiled in two ways")
    return Verdict("different", f"function {one.__name__} has other code in the pipeline")


def _words(code: CodeType) -> set[Any]:
    """The names and constants that code mentions."""
    words = {*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars}
    for constant in code.co_consts:
        words |= _words(constant) if isinstance(constant, CodeType) else {_constant(constant)}
    return words


def _captured(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Names of the surrounding function with their values, where these are set."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not set yet
            continue


def _in_both(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A global of the notebook may be a local of the block: only what both captured counts."""
    names = [name for name in one if name in other]
    return {name: one[name] for name in names}, {name: other[name] for name in names}


def _instructions(code: CodeType) -> Iterator[tuple[str, Any]]:
    """What code does, however its names are looked up and wherever it stands."""
    yield "arguments", (code.co_argcount, code.co_kwonlyargcount, code.co_flags & 0x0C)
    real = [item for item in dis.get_instructions(code) if item.opname not in _SILENT]
    number_at = {item.offset: number for number, item in enumerate(real)}
    for item in real:
        if isinstance(item.argval, CodeType):
            yield "code", item.argval.co_name
            yield from _instructions(item.argval)
        elif item.opcode in dis.hasjrel or item.opcode in dis.hasjabs:
            yield item.opname, number_at.get(item.argval)
        elif _LOADS.match(item.opname):
            yield "LOAD", item.argval
        elif item.opname in ("LOAD_CLOSURE", "BUILD_TUPLE", "MAKE_FUNCTION"):
            continue
        else:
            yield item.opname, _constant(item.argval)


def _constant(value: Any) -> Any:
    """Equal only for the same constant: 1 is not True, and NaN is itself."""
    return type(value).__name__, repr(value)


_KINDS: Mapping[Any, Callable[[Any, Any, Compare], Verdict]] = {
    ModuleType: _modules,
    MethodType: _methods,
    FunctionType: _functions,
    partial: _partials,
    BuiltinFunctionType: _builtins,
    MethodWrapperType: _builtins,
    WrapperDescriptorType: _builtins,
}
