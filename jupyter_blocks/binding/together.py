"""Names that may share objects, one of which a block changes in place while another is read later.

Blocks have copies of their own. Where two names would part, the notebook is walked again: then each
block that binds or changes one of the names takes the others as well and gives all of them, stored
in one piece (`block.Binding.together`), so that they come to the next block as they are in the
notebook, whether they share something or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from jupyter_blocks.binding.scope import Origin, Provider, Scope, root

__all__ = ["Group", "Together", "merged"]


@dataclass(frozen=True)
class Group:
    """Names that go on together from one cell to another."""

    names: frozenset[str]
    first: int
    """The cell after which they may share something."""
    last: int
    """The cell that reads what a block before has changed through another name."""

    def spans(self, cell: int) -> bool:
        """Whether the cell is one of those."""
        return self.first <= cell <= self.last


class Together:
    """Knows the groups of one walk, and notes what has parted even so."""

    def __init__(self, scope: Scope, groups: Collection[Group]) -> None:
        self.scope = scope
        self.groups = groups
        self.parted: list[Group] = []
        """Names found apart, for the next walk."""

    def note_parted(self, provider: Provider, changed: Provider, cell: int) -> None:
        """Note that a cell reads `provider`, which shares what was changed through `changed`."""
        group = self.group_of(provider, changed, cell)
        if group is not None:
            self.parted.append(group)

    def group_of(self, one: Provider, other: Provider, cell: int) -> Group | None:
        """All through which two values may share, to go on together up to `cell`; none if they are
        no values of blocks, or have one name.
        """
        if one.origin is not Origin.DATA or other.origin is not Origin.DATA:
            return None
        between, first = self.scope.connection(one, other)
        names = frozenset[str]().union(*map(self.scope.names_of, (*between, one, other)))
        first = first or max(root(one).cell, root(other).cell)
        return Group(names, first, cell) if len(names) > 1 else None

    def stay(self, one: Provider, other: Provider, cell: int) -> bool:
        """Whether two values that one cell takes share in its block what they share.

        They do if they come from one block, which gave them together.
        """
        return one.block == other.block and any(
            {one.name, other.name} <= group.names and group.spans(cell) for group in self.groups
        )

    def going_on(self, names: Collection[str], cell: int) -> Iterator[str]:
        """The other names that a cell has to hand on if it binds or changes `names`."""
        for group in self.groups:
            if group.spans(cell) and not group.names.isdisjoint(names):
                yield from sorted(group.names.difference(names))

    def outputs(self, cells: Iterable[int], outputs: Collection[str]) -> tuple[str, ...]:
        """Those of the `outputs` of a block with these cells that have to be stored together."""
        found: set[str] = set()
        numbers = list(cells)
        for group in self.groups:
            if any(map(group.spans, numbers)):
                given = group.names.intersection(outputs)
                found |= given if len(given) > 1 else set()
        return tuple(name for name in outputs if name in found)


def merged(groups: Iterable[Group]) -> tuple[Group, ...]:
    """The same, with those that have a name in common made one."""
    found: list[Group] = []
    for group in groups:
        one = group
        for other in [item for item in found if not item.names.isdisjoint(one.names)]:
            found.remove(other)
            first, last = min(one.first, other.first), max(one.last, other.last)
            one = Group(one.names | other.names, first, last)
        found.append(one)
    return tuple(sorted(found, key=lambda item: (item.first, sorted(item.names))))
