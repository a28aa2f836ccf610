"""What can be said of one cell by itself: what it imports, defines, reads, writes, draws, shows."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from jupyter_blocks.block import BLOCK_TYPES, BlockType
from jupyter_blocks.dataflow import CellFlow, Definition, analyze
from jupyter_blocks.dataflow.mutation import pure_function
from jupyter_blocks.magics import strip_magics
from jupyter_blocks.suggest.looking import is_alias, is_glance
from jupyter_blocks.suggest.settings import names_path, renames_part, root_name, sets_option
from jupyter_blocks.suggest.vocabulary import (
    DRAWING_MODULES,
    PRINTS,
    SHOWS,
    draws,
    is_setting,
    is_unstored,
    reads_outside,
    writes,
)

__all__ = [
    "Call",
    "CellFacts",
    "cell_facts",
    "is_drawing",
    "is_printing",
    "is_reading",
    "is_writing",
]

_DECORATORS: Mapping[str, BlockType] = {
    name: kind for kind in BLOCK_TYPES.values() for name in (kind.name, kind.tag, *kind.aliases)
}
_WRITING_MODE = re.compile(r"[wax][bt+]*\Z")
_LONGEST_PARAMETER = 20
"""Items of a list or mapping up to which it passes for a parameter."""


class Call(NamedTuple):
    """One call in a cell."""

    function: str
    """Last part of the name."""
    owner: str
    """First part of the name; empty for a plain function."""
    strings: tuple[str, ...]
    """Strings among the arguments."""
    has_arguments: bool


@dataclass(frozen=True)
class CellFacts:
    """One cell, looked at by itself."""

    index: int
    flow: CellFlow = field(default_factory=CellFlow)
    error: str = ""
    """Why the cell is not Python."""
    command: str = ""
    """What IPython command a block cannot run, and what to do."""
    calls: tuple[Call, ...] = ()
    statements: tuple[ast.stmt, ...] = ()
    """Without texts and `pass`."""
    definitions: Mapping[str, tuple[Call, ...]] = field(default_factory=dict)
    """Functions defined here, with the calls they make."""

    def is_setup(self, modules: Mapping[str, str], aliases: Collection[str]) -> bool:
        """Whether it imports, defines or sets options of `modules`, beside constants at most.

        `aliases` are names of types and functions that cells above it gave.
        """
        names = self.aliases(modules, aliases)
        plain = {*self.flow.constants, *names_path(self.statements, modules)}
        setup = [
            isinstance(node, _IMPORTS | _DEFINITIONS)
            or sets_option(node, modules)
            or renames_part(node, modules)
            or _binds(node, names)
            for node in self.statements
        ]
        return any(setup) and all(
            is_setup or _binds(node, plain)
            for is_setup, node in zip(setup, self.statements, strict=True)
        )

    def sets_options(self, modules: Mapping[str, str]) -> bool:
        """Whether it sets an option of a module."""
        return any(sets_option(node, modules) for node in self.statements)

    def aliases(self, modules: Mapping[str, str], known: Collection[str]) -> list[str]:
        """Names it gives to types and functions: `Pair = tuple[int, int]`, `cat = ''.join`."""
        found: list[str] = []
        types = {*known, *self.definitions, *(name for name in modules if _is_type(name, modules))}
        for node in self.statements:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    if is_alias(value, {*types, *found}):
                        found.append(name)
        return found

    @property
    def is_constants(self) -> bool:
        """Whether it does nothing but give plain values to names."""
        constants = self.flow.constants
        statements = [node for node in self.statements if not isinstance(node, _IMPORTS)]
        return (
            bool(statements)
            and all(_binds(node, constants) for node in statements)
            and all(_is_plain(value) for value in constants.values())
        )

    @cached_property
    def loop_names(self) -> set[str]:
        """Names that loops bind to one element after the other."""
        loops = (inner for node in self.statements for inner in ast.walk(node))
        targets = (loop.target for loop in loops if isinstance(loop, ast.For | ast.AsyncFor))
        names = (part for target in targets for part in ast.walk(target))
        return {part.id for part in names if isinstance(part, ast.Name)}

    @cached_property
    def changes(self) -> set[str]:
        """Names whose value it changes itself, not by handing it to a function."""
        found: set[str] = set()
        for node in (inner for statement in self.statements for inner in ast.walk(statement)):
            match node:
                case ast.Assign(targets=places) | ast.Delete(targets=places):
                    found.update(map(root_name, places))
                case ast.AugAssign(target=place) | ast.AnnAssign(target=place):
                    found.add(root_name(place))
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=place))):
                    found.add(root_name(place))
        return found

    @property
    def is_test(self) -> bool:
        """Whether it does nothing but assert."""
        return bool(self.statements) and all(isinstance(s, ast.Assert) for s in self.statements)

    @property
    def only_defines(self) -> bool:
        """Whether it does nothing but define functions and classes."""
        return bool(self.definitions) and all(_is_definition(node) for node in self.statements)

    @cached_property
    def acts(self) -> tuple[str, ...]:
        """Functions called for their effect alone: neither to look at something nor pure."""
        calls = (
            node.value.func
            for node in self.statements
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        )
        names = (function.id for function in calls if isinstance(function, ast.Name))
        return tuple(
            name
            for name in names
            if name not in SHOWS and not (pure_function(name) or is_setting(name))
        )

    @cached_property
    def decorated(self) -> tuple[BlockType, str] | None:
        """Type and name of the block function, where the cell holds one."""
        for definition in self.flow.definitions:
            for decorator in definition.decorators:
                kind = _DECORATORS.get(decorator.rpartition(".")[2])
                if kind is not None:
                    return kind, definition.name
        return None

    @cached_property
    def functions(self) -> frozenset[str]:
        """Last parts of the names of all functions called."""
        return frozenset(call.function for call in self.calls)

    @property
    def readings(self) -> tuple[Call, ...]:
        """The calls that read outside data."""
        return tuple(call for call in self.calls if is_reading(call))

    @property
    def writings(self) -> tuple[Call, ...]:
        """The calls that write data out."""
        return tuple(call for call in self.calls if is_writing(call))

    @cached_property
    def is_glance(self) -> bool:
        """Whether it only looks at values as they are, of which the pipeline has previews."""
        return all(is_glance(node) for node in self.statements if not isinstance(node, ast.Delete))

    @property
    def prints(self) -> bool:
        """Whether it prints or displays something."""
        return not PRINTS.isdisjoint(self.functions)

    @cached_property
    def touched(self) -> set[str]:
        """Every name it reads or binds."""
        reads = {use.name for use in (*self.flow.reads, *self.flow.maybe_reads)}
        free = {name for definition in self.flow.definitions for name in definition.free}
        return {*reads, *free, *self.bound}

    @cached_property
    def bound(self) -> tuple[str, ...]:
        """Every name it binds, perhaps under a condition only."""
        return (*self.flow.binds, *self.flow.maybe_binds)

    def draws_numbers(self, modules: Mapping[str, str]) -> bool:
        """Whether it draws from, or seeds, a random stream that all cells share."""
        called = (name.split(".") for name, _line in self.flow.attribute_calls)
        plain = any(modules.get(name) == "random" for name in self.flow.calls)
        return plain or any(
            modules.get(parts[0]) == "random" or (parts[0] in modules and "random" in parts[:-1])
            for parts in called
        )

    def draws(self, modules: Mapping[str, str]) -> bool:
        """Whether it draws; `modules` are the imported names with their modules."""
        return any(is_drawing(call, modules) for call in self.calls)

    def unstored(self, modules: Mapping[str, str]) -> set[str]:
        """Names bound to what cannot leave a block: figures, axes, open files, iterators."""
        return {
            part.id
            for node in self.statements
            if isinstance(node, ast.Assign) and _is_unstored(node.value, modules)
            for target in node.targets
            for part in ast.walk(target)
            if isinstance(part, ast.Name)
        }


_IMPORTS = ast.Import | ast.ImportFrom
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def cell_facts(index: int, source: str, known: Mapping[str, Definition]) -> CellFacts:
    """The facts of one code cell; `known` are the functions that earlier cells define."""
    plain = strip_magics(source)
    said = (f"{problem.message.rstrip('.')}: {problem.hint}" for problem in plain.problems)
    command = next(said, "")
    try:
        flow = analyze(plain.source, known=known)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a wrong escape in a string is for Python to report
            tree = ast.parse(plain.source)
    except SyntaxError as error:
        return CellFacts(index, error=f"{error.msg} (line {error.lineno})", command=command)
    return CellFacts(
        index=index,
        flow=flow,
        command=command,
        calls=tuple(
            call for node in tree.body for call in _calls(node) if not _is_definition(node)
        ),
        statements=tuple(node for node in tree.body if not _is_idle(node)),
        definitions={
            node.name: tuple(_calls(node)) for node in tree.body if isinstance(node, _DEFINITIONS)
        },
    )


def _binds(node: ast.stmt, names: Container[str]) -> bool:
    """Whether a statement does nothing but give values to `names`."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return bool(targets) and all(isinstance(t, ast.Name) and t.id in names for t in targets)


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, _DEFINITIONS)


def _is_idle(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _calls(node: ast.AST) -> Iterator[Call]:
    """The calls below `node`, in the order of the text."""
    found = [inner for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    for call in sorted(found, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0)):
        function, owner = call.func, ""
        name = function.attr if isinstance(function, ast.Attribute) else ""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        texts = [*arguments]
        while isinstance(function, ast.Attribute | ast.Subscript | ast.Call):
            if isinstance(function, ast.Call):
                texts += function.args  # the file of `Path("a.txt").read_text()`
                function = function.func
            else:
                function = function.value
        if isinstance(function, ast.Name):
            name, owner = (name, function.id) if name else (function.id, "")
        strings = tuple(text for argument in texts if (text := _text(argument)))
        yield Call(name, owner, strings, bool(arguments))


def _text(node: ast.expr) -> str:
    """The text of a string, or of the constant parts of one that is put together."""
    strings = (part for part in ast.walk(node) if isinstance(part, ast.Constant))
    return "".join(part.value for part in strings if isinstance(part.value, str))


def is_reading(call: Call) -> bool:
    """Whether the call reads outside data."""
    if call.function == "open":
        return not _opens_for_writing(call)
    return reads_outside(call.function, call.owner)


def is_writing(call: Call) -> bool:
    """Whether the call writes data out."""
    if call.function == "open":
        return _opens_for_writing(call)
    return writes(call.function, call.owner, has_arguments=call.has_arguments)


def is_printing(call: Call) -> bool:
    """Whether the call prints or displays something."""
    return call.function in PRINTS


def is_drawing(call: Call, modules: Mapping[str, str]) -> bool:
    """Whether the call draws; `modules` are the imported names with their modules."""
    if draws(call.function):
        return True
    is_other = is_reading(call) or is_setting(call.function)
    return modules.get(call.owner, "") in DRAWING_MODULES and not is_other


def _is_unstored(value: ast.expr, modules: Mapping[str, str]) -> bool:
    if isinstance(value, ast.GeneratorExp):
        return True
    if not isinstance(value, ast.Call):
        return False
    call = list(_calls(value))[-1]
    return is_unstored(call.function, call.owner) or is_drawing(call, modules)


def _opens_for_writing(call: Call) -> bool:
    return any(_WRITING_MODE.match(text) for text in call.strings)


def _is_type(name: str, modules: Mapping[str, str]) -> bool:
    """Whether an imported name is surely no data: of the standard library, or a class."""
    return modules[name] in sys.stdlib_module_names or name[:1].isupper()


def _is_plain(value: Any) -> bool:
    """Whether a value can be given on the command line."""
    if isinstance(value, list | dict) and len(value) > _LONGEST_PARAMETER:
        return False
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, str | int | float)
