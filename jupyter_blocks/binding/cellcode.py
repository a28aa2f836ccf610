"""One code cell as Python: its lines without magics, its statements, what it reads and binds.

A cell that is not valid Python is reported here, with its line, and takes no part in the rest.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.statements import (
    Statement,
    StatementKind,
    classify,
    cut,
    without_annotations,
)
from jupyter_blocks.cellsettings import CellSettings
from jupyter_blocks.dataflow import CellFlow, Definition, analyze
from jupyter_blocks.errors import Problem
from jupyter_blocks.magics import strip_magics
from jupyter_blocks.notebook import Cell
from jupyter_blocks.tags import CellTags, Role

__all__ = ["CellCode", "read_code"]

_MAIN_GUARD = re.compile(
    r"""if\s*\(?\s*__name__\s*==\s*(["'])__main__\1\s*\)?\s*:\s*(?P<rest>.*)\Z"""
)
_ALWAYS = 'if True:  # __name__ == "__main__" in the notebook'


@dataclass(frozen=True)
class CellCode:
    """A code cell with its role. A cell that is not valid Python has no statements."""

    cell: Cell
    tags: CellTags
    settings: CellSettings
    lines: tuple[str, ...] = ()
    """Python text, line by line as in the cell."""
    analyzed: tuple[str, ...] = ()
    """The same without annotations where Python does not evaluate them."""
    statements: tuple[Statement, ...] = ()
    flow: CellFlow = field(default_factory=CellFlow)
    """Of the whole cell."""
    known: Mapping[str, Definition] | None = None
    """Functions and classes that earlier cells define."""
    is_valid: bool = True
    set_aside: tuple[Problem, ...] = ()
    """Problems that count only if the cell turns out to be part of the pipeline."""
    _flows: dict[tuple[tuple[int, int], ...], CellFlow] = field(default_factory=dict, repr=False)

    @property
    def number(self) -> int:
        """1-based position of the cell in the notebook."""
        return self.cell.number

    @cached_property
    def definitions(self) -> Mapping[str, Definition]:
        """Top-level functions and classes by name; the last one of a name."""
        return {definition.name: definition for definition in self.flow.definitions}

    def statements_of(self, *kinds: StatementKind) -> tuple[Statement, ...]:
        """The statements of the given kinds."""
        return tuple(item for item in self.statements if item.kind in kinds)

    def without(self, statements: Sequence[Statement]) -> tuple[str | None, ...]:
        """The lines that are left when `statements` are cut out; None: nothing left of it."""
        if not statements:
            return self.lines
        return tuple(cut(self.lines, statements))

    def part_of(self, statements: Sequence[Statement]) -> CodePart:
        """Some of the statements alone, on the lines they have in the cell."""
        lines: list[str | None] = [None] * len(self.lines)
        for statement in statements:
            for number, line in enumerate(statement.text(self.lines).split("\n"), statement.first):
                present = lines[number - 1]
                lines[number - 1] = line if present is None else f"{present}; {line}"
        return CodePart(self.cell.ref, tuple(lines))

    def flow_without(self, statements: Sequence[Statement]) -> CellFlow:
        """What the rest of the cell reads and binds when `statements` are cut out."""
        if not statements:
            return self.flow
        key = tuple((statement.first, statement.col) for statement in statements)
        if key not in self._flows:
            known = {**(self.known or {}), **self.definitions}
            lines = cut(self.analyzed, statements)
            self._flows[key] = analyze("\n".join(line or "" for line in lines), known=known)
        return self._flows[key]

    @cached_property
    def makes_annotations_lazy(self) -> bool:
        """Whether it says `from __future__ import annotations`, which holds from then on."""
        return any(
            isinstance(item.node, ast.ImportFrom)
            and any(alias.name == "annotations" for alias in item.node.names)
            for item in self.statements_of(StatementKind.FUTURE)
        )


def read_code(
    cell: Cell,
    tags: CellTags,
    settings: CellSettings,
    *,
    notebook: str,
    known: Mapping[str, Definition],
    lazy_annotations: bool = False,
) -> tuple[CellCode, list[Problem], list[tuple[int, str]]]:
    """The code of a cell, its problems, and notes (line, text) on magics that were left out.

    A cell without a role may hold anything: its problems are set aside.
    """
    source = cell.source
    if tags.directive:
        source = "\n" + source.partition("\n")[2]
    plain = strip_magics(source)
    code = CellCode(cell, tags, settings, known=dict(known))
    problems = [
        Problem(
            problem, message, hint, notebook=notebook, cell=cell.number, cell_id=cell.id, line=line
        )
        for line, problem, message, hint in plain.problems
    ]
    try:
        code = _parsed(code, plain.source, lazy_annotations)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        code = replace(code, is_valid=False)
        problems.append(_syntax_problem(error, cell, notebook))
    if tags.role in (Role.NONE, Role.SKIP):
        code = replace(code, set_aside=tuple(problems))
        problems = []
    return code, problems, list(plain.notes)


def _parsed(code: CellCode, source: str, lazy_annotations: bool) -> CellCode:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong escape in a string is for Python to report
        lines, tree = _unguarded(source.split("\n"), ast.parse(source))
        # From the text, not from the tree: that takes half the time.
        text = "\n".join(lines)
        compile(text, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    code = replace(code, lines=tuple(lines), statements=classify(tree, lines))
    if lazy_annotations or code.makes_annotations_lazy:
        lines = without_annotations(tree, lines)
    flow = analyze("\n".join(lines), known=code.known or {})
    return replace(code, analyzed=tuple(lines), flow=flow)


def _unguarded(lines: list[str], tree: ast.Module) -> tuple[list[str], ast.Module]:
    """`if __name__ == "__main__":` holds in a notebook; a block file is imported."""
    if not any("__main__" in line for line in lines):
        return lines, tree
    for node in tree.body:
        if not isinstance(node, ast.If) or not lines[node.lineno - 1].startswith("if"):
            continue
        if guard := _MAIN_GUARD.match(lines[node.lineno - 1]):
            rest = guard["rest"]
            is_code = rest and not rest.startswith("#")
            lines[node.lineno - 1] = f"if True: {rest}" if is_code else _ALWAYS
    return lines, ast.parse("\n".join(lines))


def _syntax_problem(error: Exception, cell: Cell, notebook: str) -> Problem:
    line = None
    message = "The code is nested too deeply."
    hint = "Split the statement."
    if isinstance(error, SyntaxError | ValueError):
        message = f"This is not valid Python: {getattr(error, 'msg', None) or error}."
        hint = "Correct it, or give the cell the tag 'skip'."
        line = getattr(error, "lineno", None)
    if "'return' outside" in message or "'yield' outside" in message:
        hint = "Leave it out: what later cells read is passed on by itself."
    return Problem(
        "syntax-error",
        message,
        hint,
        notebook=notebook,
        cell=cell.number,
        cell_id=cell.id,
        line=line,
    )
