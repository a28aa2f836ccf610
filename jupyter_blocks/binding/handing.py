"""What a block that changes a value in place does to the names that share an object with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from jupyter_blocks.binding.branches import augmented, certainly_changed
from jupyter_blocks.binding.inplace import cell_writes, overwritten_names
from jupyter_blocks.binding.meetings import Meetings
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.reading import Reader, Reading, Strength
from jupyter_blocks.binding.scope import Bond, Change, Origin, Provider
from jupyter_blocks.binding.uses import only_shown
from jupyter_blocks.dataflow import CellFlow, Use

__all__ = ["Handing"]


class Handing:
    """Lets names go on together, or warns that they part."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.scope = reader.scope
        self.meetings = Meetings(reader)

    def change_same(self, reading: Reading, augmented_names: Iterable[str]) -> None:
        """`x += y` changes what shares the object of `x` if that is a list, say, and not a number.

        Only the block itself can know, so that it gives the other names as they are afterwards.
        """
        block, flow, code = reading.block, reading.flow, reading.code
        bound = {*flow.binds, *flow.maybe_binds, *flow.deletes}
        for name in augmented_names:
            for other in self.reader.aliases.same(name):
                provider = self.scope.get(other)
                if other in bound or provider is None or provider.is_of(block.name):
                    continue
                self.reader.read(reading, Use(other, 1), Strength.MUST)
                block.bind(
                    self.scope.bind(other, Origin.DATA, code.number, block=block.name, changed=True)
                )
                reading.shared.append((name, other))

    def check_parted(self, reading: Reading) -> None:
        """Warn where a change through one name is a change of another name in the notebook."""
        block, flow, code = reading.block, reading.flow, reading.code
        read = {id(provider) for provider in block.resolved.values()}
        certain = certainly_changed(code).intersection(flow.changes)
        changed = (
            *flow.changes,
            *augmented(code.statements),
            *(code.settings.changes or ()),
            *(called := self.called(flow)),
            *self.drawn_on(reading),
        )
        overwritten, written = overwritten_names(code.statements), cell_writes(code.statements)
        for name in dict.fromkeys(changed):
            provider = self._changed(block, name)
            if provider is None:
                continue
            is_deep = name in flow.deep_changes or name in called
            change = Change(
                is_certain=name in certain,
                is_shallow=self.reader.aliases.is_container(name) and not is_deep,
                is_filling=not is_deep and name not in overwritten,
                writes_cells=name in written,
            )
            parted = self.scope.change(
                provider,
                change,
                partial(self._stays, reading, provider),
                set(block.resolved.values()),
            )
            for other in parted:
                if id(other) in read:
                    self.reader.warn_of_alias(code, Use(other.name, 1), other)
            self.meetings.check(reading, provider, change)

    def _changed(self, block: OpenBlock, name: str) -> Provider | None:
        """Who provides what the cell changes; none where other names cannot part from it."""
        own = self.scope.get(name)
        if own is not None and own.is_of(block.name):
            return own if self.reader.aliases.of(own) is None else None
        return block.resolved.get(name)

    def called(self, flow: CellFlow) -> list[str]:
        """Values that are called and may change others: closures, `put = x.append`."""
        found = []
        read = {use.name for use in (*flow.reads, *flow.maybe_reads)}
        for name in (name for name in flow.calls if name in read):
            provider = self.scope.get(name)
            if provider is not None and provider.origin is Origin.DATA:
                found += [name] if self.scope.has_company(provider) else []
        return found

    def drawn_on(self, reading: Reading) -> list[str]:
        """Figures and axes that a cell does more with than to show them."""
        found = []
        for use in (*reading.flow.reads, *reading.flow.maybe_reads):
            provider = self.scope.get(use.name)
            if provider is None or provider.origin is not Origin.DATA:
                continue
            if not self.reader.refusals.is_figure(use.name, provider):
                continue
            if not only_shown(reading.code.statements, use.name):
                found.append(use.name)
        return found

    def hand_on(self, reading: Reading, in_place: frozenset[str]) -> None:
        """What may share an object with a name that the cell binds or changes goes on with it."""
        block, flow, cell = reading.block, reading.flow, reading.code.number
        gone = {*flow.binds, *flow.maybe_binds, *flow.deletes} - in_place
        changed = {
            name
            for name, provider in block.latest.items()
            if provider.changed and provider.cell == cell
        }
        for name in self.reader.together.going_on(gone | changed, cell):
            provider = self.scope.get(name)
            if provider is None or provider.is_of(block.name):
                continue
            if not self._goes_on(reading, provider):
                continue
            self.reader.read(reading, Use(name, 1), Strength.MUST)
            block.bind(self.scope.bind(name, Origin.DATA, cell, block=block.name, changed=True))
            block.handed_on.add(name)

    def _goes_on(self, reading: Reading, provider: Provider) -> bool:
        """Whether a block can take and give a name."""
        if provider.origin is not Origin.DATA or reading.block.plan.is_sensor:
            return False
        if self.reader.blocks[provider.block].plan.is_sensor:
            return False
        if self.reader.aliases.is_iterator(provider.name):
            return False
        return self.reader.can_provide(provider) or self._is_read_later(
            provider.name, reading.code.number
        )

    def _is_read_later(self, name: str, cell: int) -> bool:
        """Whether a later cell certainly looks up what the name stands for: then it is there, even
        if only a loop has set it.
        """
        for number, code in self.reader.where.codes.items():
            if number > cell and any(use.name == name for use in code.flow.reads):
                return True
            if number > cell and name in code.flow.binds:
                return False
        return False

    def _stays(self, reading: Reading, provider: Provider, other: Provider) -> bool:
        """Whether `other` goes on sharing with `provider`, which the cell changes."""
        aliases = self.reader.aliases
        is_base = aliases.base(other.name) == aliases.base(provider.name)
        if other.is_of(reading.block.name) or (
            is_base and other.name in self.scope.names_of(other)
        ):
            return True
        return self._goes_on(reading, other) and self.reader.together.stay(
            provider, other, reading.code.number
        )

    def note_parts(self, flow: CellFlow) -> None:
        """Take up which names a cell has made parts of others."""
        for name, owner in flow.parts:
            self._join("parts", name, owner, self.scope.get(owner))
        for name, other in flow.elements:
            self._join("elements", name, other, self.scope.get(other))
        for name, other in flow.copies:
            self._join("copies", name, other, self.scope.get(other))

    def note_before(self, flow: CellFlow, before: Mapping[str, Provider | None]) -> None:
        """Take up what names have of values that no name stands for any more."""
        for how, name, other in flow.before:
            self._join(how, name, other, before[other])

    def _join(self, how: str, name: str, other: str, source: Provider | None) -> None:
        aliases, provider = self.reader.aliases, self.scope.get(name)
        if provider is None or source is None or source.origin is Origin.IMPORT:
            return
        is_table = aliases.is_table(other) or aliases.is_table(name)
        if how == "whole":
            self.scope.join(provider, source, Bond.UNSURE)
        elif how == "parts":
            if aliases.is_number(name):
                return
            self.scope.join(source, provider, Bond.CELLS if is_table else Bond.PART)
        elif not is_table and (how == "elements" or aliases.is_container(other)):
            self.scope.resemble(provider, source)
