"""One code cell as Python: its lines without magics, its statements, what it reads and binds.

A cell that is not valid Python is reported here, with its line, and takes no part in the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.parsed import ParsedCell, parsed_cell
from jupyter_blocks.binding.statements import Statement, StatementKind, cut
from jupyter_blocks.cellsettings import CellSettings
from jupyter_blocks.dataflow import CellFlow, Definition
from jupyter_blocks.errors import Problem
from jupyter_blocks.magics import Note, strip_magics
from jupyter_blocks.notebook import Cell
from jupyter_blocks.tags import CellTags, Role

__all__ = ["CellCode", "read_code"]


@dataclass(frozen=True)
class CellCode:
    """A code cell with its role. A cell that is not valid Python has no statements."""

    cell: Cell
    tags: CellTags
    settings: CellSettings
    parsed: ParsedCell = field(default_factory=ParsedCell)
    """What its text says by itself."""
    flow: CellFlow = field(default_factory=CellFlow)
    """Of the whole cell."""
    known: Mapping[str, Definition] = field(default_factory=dict)
    """Functions and classes that earlier cells define."""
    commands: tuple[tuple[int, str], ...] = ()
    """Magics and the like that were left out or unwrapped, with their lines."""
    is_valid: bool = True
    set_aside: tuple[Problem, ...] = ()
    """Problems that count only if the cell turns out to be part of the pipeline."""

    @property
    def number(self) -> int:
        """1-based position of the cell in the notebook."""
        return self.cell.number

    @property
    def lines(self) -> tuple[str, ...]:
        """Python text, line by line as in the cell."""
        return self.parsed.lines

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The top-level statements, in order."""
        return self.parsed.statements

    @cached_property
    def definitions(self) -> Mapping[str, Definition]:
        """Top-level functions and classes by name; the last one of a name."""
        return {definition.name: definition for definition in self.flow.definitions}

    @cached_property
    def known_at_end(self) -> Mapping[str, Definition]:
        """The same with those that the cell itself defines."""
        return {**self.known, **self.definitions} if self.definitions else self.known

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

    def flow_without(
        self, statements: Sequence[Statement], carried: Sequence[Definition] = ()
    ) -> CellFlow:
        """What the rest of the cell reads and binds when `statements` are cut out.

        `carried` are those of `dataflow.analyze`.
        """
        if not statements and not carried:
            return self.flow
        return self.parsed.flow(self.known_at_end, statements, carried)


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

    A cell without a role may hold anything: its problems are set aside. `known` is kept, and must
    not be changed.
    """
    source = cell.source
    if tags.directive:
        source = "\n" + source.partition("\n")[2]
    plain = strip_magics(source)
    parsed, flow, is_valid = ParsedCell(), CellFlow(), True
    problems = [
        Problem(
            problem, message, hint, notebook=notebook, cell=cell.number, cell_id=cell.id, line=line
        )
        for line, problem, message, hint in plain.problems
    ]
    try:
        parsed = parsed_cell(plain.source, lazy_annotations=lazy_annotations)
        flow = parsed.flow(known)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        parsed, is_valid = ParsedCell(), False
        problems.append(_syntax_problem(error, cell, notebook))
    is_set_aside = tags.role in (Role.NONE, Role.SKIP)
    code = CellCode(
        cell,
        tags,
        settings,
        parsed,
        flow,
        known,
        commands=_commands(source, plain.notes),
        is_valid=is_valid,
        set_aside=tuple(problems) if is_set_aside else (),
    )
    return code, [] if is_set_aside else problems, list(plain.notes)


def _commands(source: str, notes: Sequence[Note]) -> tuple[tuple[int, str], ...]:
    lines = source.split("\n") if notes else []
    return tuple((note.line, lines[note.line - 1].strip()) for note in notes)


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
