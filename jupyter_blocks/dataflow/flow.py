"""What the analysis of a cell answers: the names it reads, binds and may change.

Values only. How they are found is for the other modules of this package; what they mean for a
pipeline is for the caller, who alone knows what the other cells bind.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "METHOD_KINDS",
    "CellFlow",
    "Definition",
    "Expression",
    "ImportedName",
    "Use",
    "is_builtin",
]

METHOD_KINDS = ("changing", "giving", "wrapping", "keeping")
"""What methods of a class may do with the object they are called on (see `Definition`)."""

_GIVEN_BY_IPYTHON = {"display", "get_ipython"}
_GIVEN_TO_MODULES = {"__builtins__", "__doc__", "__file__", "__loader__", "__name__", "__spec__"}
_BUILTINS = frozenset({*dir(builtins), *_GIVEN_BY_IPYTHON, *_GIVEN_TO_MODULES} - {"_"})


def is_builtin(name: str) -> bool:
    """Whether every cell has `name` without binding it: builtins, `display`, `__name__`, ..."""
    return name in _BUILTINS


@dataclass(frozen=True, slots=True)
class Use:
    """One name and the line where it is used first."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class ImportedName:
    """One name bound by an import statement outside functions; `*` for a star import."""

    name: str
    statement_text: str
    """The whole statement as written; it may import further names."""
    line: int
    module: str
    """Module imported, or imported from; a relative one keeps its dots."""
    is_top_level: bool
    """False where the import depends on a condition, a `try`, a loop or a `with`."""
    alone: str = ""
    """A statement that imports this name and nothing else."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One function or class defined at the top level of a cell."""

    name: str
    kind: Literal["function", "class"]
    line: int
    """First line, decorators included."""
    end_line: int
    free: frozenset[str]
    """Every name it needs from outside, while being defined or when called; builtins included."""
    decorators: tuple[str, ...] = ()
    """Dotted names of the decorators, outermost first, without their arguments."""
    needed_to_define: frozenset[str] = frozenset()
    """The part of `free` that must be there already when the definition is executed."""
    needed_to_call: frozenset[str] = frozenset()
    """The part of `free` that is looked up when it is called, or a method of it."""
    changes: frozenset[str] = frozenset()
    """Free names whose value a call may change in place."""
    parameters: tuple[str, ...] = ()
    """Names of the parameters in order, without `*args` and `**kwargs`."""
    changed_parameters: frozenset[str] = frozenset()
    """Parameters whose value a call may change in place."""
    changing_methods: frozenset[str] = frozenset()
    """Of a class the methods that may change the object they are called on."""
    giving_methods: frozenset[str] = frozenset()
    """Those that may give a part of their object."""
    wrapping_methods: frozenset[str] = frozenset()
    """Those that may give their object, or something that holds it."""
    keeping_methods: frozenset[str] = frozenset()
    """Those after which their object may hold what they were given."""
    gives_back: str = ""
    """The parameter whose very object a call gives; empty if it may give something else."""
    gives_parts: frozenset[str] = frozenset()
    """Parameters that a call may give a part of."""
    gives_held: frozenset[str] = frozenset()
    """Parameters that a call may give, or give something that holds them."""
    keeps: frozenset[tuple[str, str]] = frozenset()
    """Pairs of parameters: a call gives the first one the second to hold."""
    is_final: bool = True
    """False where the cell binds the name again: `f = vectorize(f)`, or another `def` in a loop."""

    @property
    def special_methods(self) -> dict[str, frozenset[str]]:
        """Of a class the methods that must be known where they are called, by `METHOD_KINDS`."""
        return {kind: getattr(self, f"{kind}_methods") for kind in METHOD_KINDS}


@dataclass(frozen=True, slots=True)
class Expression:
    """The last statement of a cell where it is an expression, which a notebook then shows.

    Lines are 1-based. Columns count characters from 0; `end_col` is after the last one.
    """

    line: int
    end_line: int
    col: int
    end_col: int
    name: str | None
    """The name, where the expression is nothing else."""
    silent: bool
    """A `;` after it asks the notebook not to show it."""


@dataclass(frozen=True, slots=True)
class CellFlow:
    """What one cell reads, binds and may change, in the order in which it runs.

    Names of builtins are reported like others (`is_builtin` tells them): only the caller knows
    whether an earlier cell binds `sum`. Imported and defined names are among `binds` too.
    """

    reads: tuple[Use, ...] = ()
    """Names needed from before, in order of first use; `del x` needs `x`."""
    maybe_reads: tuple[Use, ...] = ()
    """Names needed from before only if the cell has not bound them on the way taken."""
    soft_reads: tuple[Use, ...] = ()
    """Identifiers in string literals that look like code: formulas, queries, `eval`."""
    binds: tuple[str, ...] = ()
    """Names certainly bound at the end, in order of their last binding."""
    maybe_binds: tuple[str, ...] = ()
    """Names bound at the end on some ways only. Where such a name leaves the block, an earlier
    value of it has to come in as well."""
    changes: tuple[str, ...] = ()
    """Names whose value from before may be changed in place. Imported modules may be among them
    (`plt.plot()`): the caller knows which names are modules."""
    deep_changes: tuple[str, ...] = ()
    """Those of them of which an element or attribute may be changed itself, as by `x[0].sort()`."""
    module_changes: tuple[tuple[str, str], ...] = ()
    """Pairs (dotted function, name) of statements such as `tools.clean(df)`: a change of `df` if
    `tools` is a module of the user's own."""
    deletes: tuple[str, ...] = ()
    """Names certainly deleted at the end."""
    maybe_deletes: tuple[str, ...] = ()
    """Names deleted at the end on some ways only, and bound nowhere: `if c: del x`."""
    aliases: tuple[tuple[str, str], ...] = ()
    """Pairs (name, other): at the end `name` may be, or hold, the object that `other` names. Where
    they may be one object, both orders are there."""
    views: tuple[tuple[str, str], ...] = ()
    """Those of them of which `name` shows what `other` holds, if that is a container: `d.keys()`,
    `iter(x)`."""
    parts: tuple[tuple[str, str], ...] = ()
    """Pairs (name, other): at the end `name` may be a part of what `other` names: an element, a
    column, a view."""
    elements: tuple[tuple[str, str], ...] = ()
    """Pairs (name, other): at the end `name` may hold parts of what `other` names."""
    copies: tuple[tuple[str, str], ...] = ()
    """Pairs (name, other): `name` holds what `other` holds, if that is a container."""
    before: tuple[tuple[str, str, str], ...] = ()
    """(how, name, other): at the end `name` is (`whole`), or has as in the fields above (`parts`,
    `elements`, `copies`), what `other` named before the cell bound it anew."""
    holds: tuple[tuple[str, str], ...] = ()
    """Pairs (name, other): `name` is from before and was given what `other` names to hold, if it is
    a container: by `name.append(other)` or `name[0] = other`."""
    imports: tuple[ImportedName, ...] = ()
    star_imports: tuple[ImportedName, ...] = ()
    definitions: tuple[Definition, ...] = ()
    last_expression: Expression | None = None
    globals_declared: tuple[Use, ...] = ()
    """Names in `global` statements."""
    has_await: bool = False
    """Whether `await`, `async for` or `async with` stands outside functions."""
    calls: tuple[str, ...] = ()
    """Plain names called outside functions, in order of first call."""
    attribute_calls: tuple[tuple[str, int], ...] = ()
    """Dotted names called, or assigned to, anywhere in the cell, with their lines."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Names bound once, at the top level, to a literal, and not changed later: their values."""
    constant_lines: Mapping[str, int] = field(default_factory=dict)
