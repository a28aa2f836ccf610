"""The cells of a plain block: what of them moves out, what stays, what the rest reads and binds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jupyter_blocks.binding.branches import (
    augmented,
    given_back,
    read_after_delete,
    stored_in,
)
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.grouping import BlockPlan
from jupyter_blocks.binding.handing import Handing
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.reading import Reader, Reading, Strength
from jupyter_blocks.binding.scope import Bond, Origin, Provider
from jupyter_blocks.binding.setup import Setup
from jupyter_blocks.binding.shared import definition_lines
from jupyter_blocks.binding.sharedstate import Counters
from jupyter_blocks.binding.statements import Statement, StatementKind, insert
from jupyter_blocks.dataflow import CellFlow, Use, analyze, is_builtin

__all__ = ["PlainBlocks", "data_names"]

_UNCHANGEABLE = (
    Origin.IMPORT,
    Origin.NESTED,
    Origin.MODULE,
    Origin.DELETED,
    Origin.LEFT_OUT,
)
_DEFINITION = StatementKind.DEFINITION
_IGNORED = "_"
"""Stands for the condition of a sensor while the cell is analyzed."""


class PlainBlocks:
    """Takes up the cells of plain blocks, in notebook order."""

    def __init__(
        self,
        reader: Reader,
        setup: Setup,
        folder: Path,
        kept: Mapping[str, str],
    ) -> None:
        self.reader = reader
        self.scope = reader.scope
        self.report = reader.report
        self.setup = setup
        self.folder = folder
        self.counters = Counters(self.scope, setup.shared)
        self.handing = Handing(reader)
        self._data: dict[str, frozenset[str]] = {}
        self.kept = kept
        """Definitions that stay in the body, each with the data it reads (or nothing)."""

    def add(self, block: OpenBlock, code: CellCode) -> None:
        """Take up the next cell of a block."""
        imports = self._movable_imports(code)
        nested = self._nested(block, code)
        moved = [
            item
            for item in code.statements_of(StatementKind.DEFINITION)
            if item.names[0] not in nested
        ]
        self._move(code, imports, moved)
        cut = [*imports, *moved]
        flow = self._flow(block, code, cut)
        self._check(block, code, flow)
        reading = Reading(block, code, flow)
        self._read(reading)
        self.handing.check_parted(reading)
        in_place = self.reader.aliases.augmented(code)
        self.handing.change_same(reading, augmented(code.statements) - in_place)
        self._change(reading, in_place)
        self.handing.hand_on(reading, in_place)
        left = [item for item in code.statements if item not in cut]
        meetings = self.handing.meetings.expected(reading)
        self._bind(reading, nested, left, in_place)
        self.handing.meetings.note(meetings)
        block.parts.append(CodePart(code.cell.ref, _left(code, cut, moved)))
        block.flows.append(flow)
        block.body += left
        block.current = frozenset(
            name
            for name, provider in block.latest.items()
            if self.scope.get(name) is provider and not self.scope.touched(provider)
        )
        block.walked = code.number

    def _movable_imports(self, code: CellCode) -> list[Statement]:
        """The imports whose names nothing else in the cell binds."""
        imports = [item for item in code.statements if item.kind.is_import]
        if not imports:
            return []
        rest = code.flow_without(imports)
        bound = {*rest.binds, *rest.maybe_binds, *rest.deletes}
        return [item for item in imports if bound.isdisjoint(item.names)]

    def _move(self, code: CellCode, imports: Sequence[Statement], moved: list[Statement]) -> None:
        self.setup.add_imports(code)
        for statement in moved:
            self.setup.define(code, statement)
            self.setup.shared.add_definition(code, statement)
        unmoved = [item for item in code.statements if item.kind.is_import and item not in imports]
        if unmoved and unmoved[0].kind is StatementKind.STAR_IMPORT:
            self.report.error(
                "star-import",
                code.cell,
                "The cell also binds a name that 'import *' brings.",
                "Import the names one by one.",
                line=unmoved[0].first,
            )

    def _flow(self, block: OpenBlock, code: CellCode, cut: Sequence[Statement]) -> CellFlow:
        flow = self._with_carried(code, cut)
        if not (block.plan.is_sensor and flow.last_expression):
            return flow
        # The last expression of a sensor is its answer, not a statement made for its effect.
        lines = [line or "" for line in code.without(cut)]
        last = flow.last_expression
        lines[last.line - 1] = insert(lines[last.line - 1], last.col, f"{_IGNORED} = ")
        flow = analyze("\n".join(lines), known=code.known_at_end)
        binds = tuple(name for name in flow.binds if name != _IGNORED)
        return replace(flow, binds=binds, last_expression=last)

    def _with_carried(self, code: CellCode, cut: Sequence[Statement]) -> CellFlow:
        """What is left of the cell reads, and so do the functions it uses that stay in blocks."""
        flow = code.flow_without(cut)
        names = (use.name for use in (*flow.reads, *flow.maybe_reads))
        carried = self.reader.carried.definitions(names)
        return code.flow_without(cut, carried) if carried else flow

    def _nested(self, block: OpenBlock, code: CellCode) -> dict[str, str]:
        """Definitions that stay in the body, each with the data it reads (or nothing)."""
        return {
            name: self.kept.get(name, "")
            for name in code.definitions
            if name in self.kept or name in self._data_of(block)
        }

    def _data_of(self, block: OpenBlock) -> frozenset[str]:
        if block.name not in self._data:
            self._data[block.name] = data_names(block.plan)
        return self._data[block.name]

    def _check(self, block: OpenBlock, code: CellCode, flow: CellFlow) -> None:
        for name, line in read_after_delete(code.statements):
            if is_builtin(name):
                self._report_builtin(block, code, name, line)
        if "globals" in flow.calls:
            self.report.error(
                "calls-globals",
                code.cell,
                "globals() does not hold the variables of a block.",
                "Read the variable by its name.",
                block=block.name,
            )

    def _report_builtin(self, block: OpenBlock, code: CellCode, name: str, line: int) -> None:
        self.report.error(
            "deleted-builtin",
            code.cell,
            f"After 'del {name}' a notebook has Python's own '{name}' back; a block has not.",
            f"Use another name than '{name}' for the value.",
            line=line,
            block=block.name,
        )

    def _read(self, reading: Reading) -> None:
        flow, block = reading.flow, reading.block
        for use in flow.reads:
            self.reader.read(reading, use, Strength.MUST)
        for use in flow.maybe_reads:
            self.reader.read(reading, use, Strength.MAYBE)
        bound = {*flow.binds, *flow.maybe_binds, *block.resolved, *block.latest}
        for use in flow.soft_reads:
            if use.name not in bound:
                self._read_softly(reading, use)
        for use in flow.reads:
            provider = block.resolved.get(use.name)
            if use.name in flow.calls and provider and provider.origin is Origin.RESULT:
                self.report.error(
                    "calls-block",
                    reading.code.cell,
                    f"Block '{block.name}' calls the decorated block '{use.name}' (cell "
                    f"{provider.cell}); a block cannot be called.",
                    f"Write '{use.name}' without the brackets: it stands for the result.",
                    line=use.line,
                    block=block.name,
                )

    def _read_softly(self, reading: Reading, use: Use) -> None:
        """An identifier in a string: an input if it names a value, never a builtin."""
        if self.scope.get(use.name) is not None:
            self.reader.read(reading, use, Strength.SOFT)

    def _change(self, reading: Reading, in_place: frozenset[str]) -> None:
        block, flow, code = reading.block, reading.flow, reading.code
        bound = {*flow.binds, *flow.maybe_binds, *flow.deletes} - in_place
        lines = {use.name: use.line for use in flow.reads}
        declared = code.settings.changes or ()
        changes = (
            *flow.changes,
            *in_place,
            *_changed_by_augmenting(reading),
            *self.reader.aliases.handed_on(code.statements),
            *self.counters.among(flow.calls),
            *self.handing.called(flow),
            *self.handing.drawn_on(reading),
            *self._changed_by_modules(flow),
            *declared,
        )
        bases = {name: self.reader.aliases.base(name) for name in changes}
        for name in dict.fromkeys(
            name if bound.intersection((name, base)) else base for name, base in bases.items()
        ):
            provider = self.scope.get(name)
            if name in declared and (provider is None or provider.origin in _UNCHANGEABLE):
                self._unknown_change(reading, name)
            if name in bound or provider is None or provider.is_of(block.name):
                continue
            if not self._can_change(provider, code):
                continue
            if name not in block.resolved:
                self.reader.read(reading, Use(name, lines.get(name, 1)), Strength.MUST)
            block.bind(
                self.scope.bind(name, Origin.DATA, code.number, block=block.name, changed=True)
            )

    def _can_change(self, provider: Provider, code: CellCode) -> bool:
        if provider.origin is Origin.NESTED:  # an attribute of a class
            return self.reader.carried.obstacle(provider, code) is None
        return provider.origin not in _UNCHANGEABLE and not provider.is_definition

    def _changed_by_modules(self, flow: CellFlow) -> list[str]:
        """Arguments of statements such as `tools.clean(df)` where `tools` lies by the notebook."""
        modules = {found.name: found.module for found in flow.imports}
        changed = []
        for function, name in flow.module_changes:
            root = function.partition(".")[0]
            module = modules.get(root, self.setup.imports.module_of(root)).partition(".")[0]
            path = self.folder / module
            if module and (path.is_dir() or path.with_suffix(".py").is_file()):
                changed.append(name)
        return changed

    def _unknown_change(self, reading: Reading, name: str) -> None:
        self.report.error(
            "unknown-change",
            reading.code.cell,
            f"The setting 'changes' names '{name}', which no block above gives.",
            "Correct the name, or remove it.",
            block=reading.block.name,
        )

    def _bind(
        self,
        reading: Reading,
        nested: Mapping[str, str],
        left: Sequence[Statement],
        in_place: Collection[str],
    ) -> None:
        block, flow, cell = reading.block, reading.flow, reading.code.number
        data = self._data_of(block) if nested else ()
        statements = {item.names[0]: item for item in reading.code.statements_of(_DEFINITION)}
        block.local.update(flow.binds, flow.maybe_binds, flow.deletes)
        binds = [name for name in (*flow.binds, *flow.maybe_binds) if name not in in_place]
        before = {other: self.scope.get(other) for _how, _name, other in flow.before}
        self.reader.aliases.release((*binds, *flow.deletes), block.name)
        for name in binds:
            if name in nested and name not in data:
                provider = self.scope.bind(
                    name, Origin.NESTED, cell, block=block.name, detail=nested[name]
                )
                self.reader.carried.keep(provider, reading.code, statements[name])
                continue
            maybe = name in flow.maybe_binds and not self._is_bound_by(block, name)
            block.bind(self.scope.bind(name, Origin.DATA, cell, block=block.name, maybe=maybe))
        self.reader.aliases.note(block.name, reading.code, left)
        for one, other in reading.shared:
            self.scope.link(one, other)
            self.scope.link(other, one)
        for one, other in self.reader.aliases.sliced.items():
            self.scope.link(one, other)
        unsure, stored = given_back(left), stored_in(left)
        for one, other in flow.aliases:
            if self._never_shares(flow, one, other) or (
                (one, other) in stored and self.reader.aliases.copies(one)
            ):
                continue
            is_container = (one, other) not in stored or self.reader.aliases.is_container(one)
            is_shown = (one, other) in flow.views and not self.reader.aliases.is_container(other)
            is_certain = is_container and not is_shown and (one, other) not in unsure
            self.scope.link(one, other, Bond.SURE if is_certain else Bond.UNSURE)
        self.handing.note_parts(flow)
        self.handing.note_before(flow, before)
        for one, other in flow.holds:
            aliases = self.reader.aliases
            if aliases.is_container(one) and not aliases.is_number(other):
                self.scope.link(one, other)
            elif not (aliases.copies(one) or aliases.is_number(other)):
                self.scope.link(one, other, Bond.PART)
        self.reader.late.note(left)
        self.counters.note(reading.code.statements_of(_DEFINITION), left, flow.calls)
        for name in flow.deletes:
            block.latest[name] = self.scope.bind(name, Origin.DELETED, cell, block=block.name)
            block.bound.pop(name, None)

    def _never_shares(self, flow: CellFlow, one: str, other: str) -> bool:
        """Whether nothing can come of it: numbers, and `df.keys()`, which is no view of a table."""
        aliases = self.reader.aliases
        return aliases.is_number(other) or ((one, other) in flow.views and aliases.is_table(other))

    def _is_bound_by(self, block: OpenBlock, name: str) -> bool:
        own = self.scope.get(name)
        return own is not None and own.is_of(block.name) and not own.maybe


def _changed_by_augmenting(reading: Reading) -> list[str]:
    """Names that share a list or an array with the left side of `x += y`."""
    names = augmented(reading.code.statements)
    return [name for pair in reading.flow.aliases for name in pair if not names.isdisjoint(pair)]


def data_names(plan: BlockPlan) -> frozenset[str]:
    """Names that the cells of a block bind by something else than imports and definitions."""
    names: set[str] = set()
    for code in plan.cells:
        flow = code.flow_without(
            [
                item
                for item in code.statements
                if item.kind.is_import or item.kind is StatementKind.DEFINITION
            ]
        )
        names.update(flow.binds, flow.maybe_binds, flow.deletes)
    return frozenset(names)


def _left(
    code: CellCode, cut: Sequence[Statement], moved: Sequence[Statement]
) -> tuple[str | None, ...]:
    """The lines of the body: without `cut`, and without the comments above what moved."""
    lines = list(code.without(cut))
    for statement in moved:
        for number in range(definition_lines(code, statement), statement.first):
            lines[number - 1] = None
    return tuple(lines)
