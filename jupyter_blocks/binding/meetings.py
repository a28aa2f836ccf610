"""Values that a block takes apart although they may share, and puts into one and the same value.

`item = rows[0]` in one block and `rows.append(item)` in another: in the notebook the list holds one
object twice, but the block was given a list and an item that are two. No name is read after
another was changed, so nothing else notices. Where the value is changed in place later, the two go
on together, and the block that put them into one is given them as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from jupyter_blocks.binding.reading import Reader, Reading
from jupyter_blocks.binding.scope import Change, Origin, Provider
from jupyter_blocks.binding.together import Group
from jupyter_blocks.dataflow import CellFlow

__all__ = ["Meetings"]

_ALONE = Change(writes_cells=False)
"""What leaves the memory of tables alone."""


@dataclass(frozen=True)
class _Meeting:
    """Two values that came into one value apart."""

    one: Provider
    other: Provider
    cell: int
    group: Group
    is_of_cells: bool
    """Whether they share no more than the memory of a table."""


class Meetings:
    """Notes where values meet, and what is changed in place of what they met in."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._scope = reader.scope
        self._found: dict[Provider, list[_Meeting]] = {}

    def expected(self, reading: Reading) -> list[tuple[str, _Meeting]]:
        """The meetings in a cell whose names are not bound yet, each with the name of the value."""
        held = _held_by_name(reading.flow)
        return [
            (name, meeting)
            for name, others in held.items()
            for meeting in self._meetings(reading, name, others)
        ]

    def note(self, meetings: Iterable[tuple[str, _Meeting]]) -> None:
        """Take up what `expected` has found, now that the names of the cell are bound."""
        for name, meeting in meetings:
            provider = self._scope.get(name)
            if provider is not None:
                self._found.setdefault(provider, []).append(meeting)

    def check(self, reading: Reading, provider: Provider, change: Change) -> None:
        """Let values go on together that met in what is changed here, or warn that they part."""
        if not self._found:
            return
        others = () if change.is_shallow or change.is_filling else (provider,)
        affected = (item for item in self._scope.changed_with(provider, change) if item != provider)
        for item in (*others, *affected):
            for meeting in self._met_in(item):
                if change.writes_cells or not meeting.is_of_cells:
                    self._part(reading, item, meeting)

    def _meetings(self, reading: Reading, name: str, others: Collection[str]) -> Iterator[_Meeting]:
        """The values that come into `name`, two by two, if they may share and are apart."""
        resolved = reading.block.resolved
        inside = {resolved[other] for other in others if resolved.get(other) is not None}
        own = self._scope.get(name)
        is_kept = name not in reading.flow.binds and own is not None
        if is_kept and own is not None and own.is_of(reading.block.name):
            known = self._scope.changed_with(own, Change())
            inside.update(item for item in resolved.values() if item in known)
        elif is_kept:
            inside.add(resolved.get(name))
        values = [item for item in inside if item is not None and item.origin is Origin.DATA]
        for one, other in combinations(sorted(values, key=lambda item: item.name), 2):
            yield from self._meeting(reading.code.number, one, other)

    def _meeting(self, cell: int, one: Provider, other: Provider) -> Iterator[_Meeting]:
        if other not in self._scope.changed_with(one, Change()):
            return
        group = self._reader.together.group_of(one, other, cell)
        if group is not None and not self._reader.together.stay(one, other, cell):
            is_of_cells = other not in self._scope.changed_with(one, _ALONE)
            yield _Meeting(one, other, cell, group, is_of_cells)

    def _met_in(self, provider: Provider) -> Iterator[_Meeting]:
        """What met in a value, or in what it was before it was changed in place."""
        item: Provider | None = provider
        while item is not None:
            yield from self._found.get(item, ())
            item = item.before if item.changed else None

    def _part(self, reading: Reading, holder: Provider, meeting: _Meeting) -> None:
        together, one, other = self._reader.together, meeting.one, meeting.other
        if meeting.group not in together.parted:
            together.parted.append(meeting.group)
        self._reader.report.warning(
            "alias",
            reading.code.cell,
            f"'{one.name}' and '{other.name}' may share an object in the notebook; cell "
            f"{meeting.cell} puts both into '{holder.name}', which this cell changes. Its block "
            "was given two objects, so that only one of them is changed here.",
            f"Write a copy in cell {meeting.cell}, or make the cells one block with the tag "
            "'continue'.",
        )


def _held_by_name(flow: CellFlow) -> dict[str, list[str]]:
    """Names of values that were given others to hold in a cell, with these."""
    pairs = (*flow.holds, *flow.aliases, *flow.elements, *flow.copies)
    before = ((name, other) for _how, name, other in flow.before)
    found: dict[str, list[str]] = {}
    for name, other in (*(pair for pair in pairs if pair[0] != pair[1]), *before):
        found.setdefault(name, []).append(other)
    bound = {*flow.binds, *flow.maybe_binds}
    return {name: others for name, others in found.items() if len(others) > 1 or name not in bound}
