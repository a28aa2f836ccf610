"""Who provides a name at each point of a notebook: a time line of bindings, in cell order.

Every name has a chain of providers, the last one first; nothing is ever forgotten, so that messages
can say who had the name before or gets it later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

__all__ = ["Bond", "Change", "Origin", "Provider", "Scope", "root"]


class Origin(StrEnum):
    """What kind of thing gave a name its value."""

    IMPORT = "import"
    HELPER = "helper"
    """A function, class or constant of the module all blocks share."""
    PARAMETER = "parameter"
    DATA = "data"
    """A value a block computes."""
    RESULT = "result"
    """What a decorated block returns, under the name of the block."""
    NESTED = "nested"
    """A function that stays inside its block, since it reads the block's data."""
    MODULE = "module"
    """A function or constant in the file of a decorated block."""
    DELETED = "deleted"
    LEFT_OUT = "left out"
    """Something in a cell that is not part of the pipeline."""


class Bond(IntEnum):
    """How two values may share objects; the first ones hold more surely."""

    SURE = 0
    """One holds, or is, the other."""
    UNSURE = 1
    """The same, as far as one can see."""
    PART = 2
    """One may be a part of the other: an element, a view."""
    CELLS = 3
    """The same, of a table: they may share the memory of cells."""


@dataclass(frozen=True)
class Change:
    """What a cell does to a value in place."""

    is_certain: bool = False
    is_shallow: bool = False
    """Whether it changes nothing that the value holds."""
    is_filling: bool = False
    """Whether it gives the value other parts, and leaves the parts that it had as they are."""
    writes_cells: bool = True
    """Whether it may write to the memory of a table, rather than replace columns."""


@dataclass(frozen=True, eq=False)
class Provider:
    """One event that gave `name` its value, in the given cell."""

    name: str
    origin: Origin
    cell: int
    block: str = ""
    maybe: bool = False
    """Whether the name may be unbound after it, for all one can see."""
    changed: bool = False
    """Whether the value was changed in place rather than bound."""
    is_definition: bool = False
    """Whether it is a function or a class."""
    skipped: bool = False
    """Whether its cell was skipped on purpose."""
    detail: str = ""
    """Of a nested function: the data it reads."""
    before: Provider | None = None
    """Who provided the name until then."""

    def is_of(self, block: str) -> bool:
        """Whether it is data of the given block, or a function inside it."""
        return self.block == block and self.origin in (Origin.DATA, Origin.NESTED)


class Scope:
    """The providers of all names, as far as the notebook has been walked."""

    def __init__(self) -> None:
        self._current: dict[str, Provider] = {}
        self._touched: dict[Provider, dict[int, bool]] = {}
        self._holds: dict[Provider, set[Provider]] = {}
        self._held_by: dict[Provider, set[Provider]] = {}
        self._bonds: dict[frozenset[Provider], Bond] = {}
        self._since: dict[frozenset[Provider], int] = {}
        """The cell after which two values share something."""
        self._like: dict[Provider, set[Provider]] = {}
        """Containers that may hold the same elements."""
        self._outdated: dict[Provider, Provider] = {}
        self._surely_outdated: set[Provider] = set()
        self._pointed: set[str] = set()
        """Names that stand for what was given under another name."""

    def get(self, name: str) -> Provider | None:
        """Who provides `name` now."""
        return self._current.get(name)

    def bind(
        self,
        name: str,
        origin: Origin,
        cell: int,
        *,
        block: str = "",
        maybe: bool = False,
        changed: bool = False,
        is_definition: bool = False,
        skipped: bool = False,
        detail: str = "",
    ) -> Provider:
        """From now on `name` has the given provider."""
        before = self.get(name)
        provider = Provider(
            name, origin, cell, block, maybe, changed, is_definition, skipped, detail, before
        )
        self._current[name] = provider
        if changed and before is not None:
            self._inherit(provider, before)
        return provider

    def _inherit(self, provider: Provider, before: Provider) -> None:
        """What was changed in place is the object it was: it holds, and is held, as before."""
        for held in list(self._holds.get(before, ())):
            self._link(provider, held, self._bonds[frozenset((before, held))])
            self._keep_since(provider, held, before)
        for holder in list(self._held_by.get(before, ())):
            self._link(holder, provider, self._bonds[frozenset((before, holder))])
            self._keep_since(provider, holder, before)
        for other in list(self._like.get(before, ())):
            self.resemble(provider, other)
            self._keep_since(provider, other, before)

    def _keep_since(self, provider: Provider, other: Provider, before: Provider) -> None:
        since = self._since[frozenset((before, other))]
        pair = frozenset((provider, other))
        self._since[pair] = min(since, self._since[pair])

    def touch(self, name: str, cell: int, *, is_certain: bool) -> None:
        """Note that a cell outside the pipeline changes, or may change, the value of `name`.

        Names that may stand for the same object may then be changed as well.
        """
        provider = self.get(name)
        if provider is not None:
            self._touched.setdefault(provider, {})[cell] = is_certain
            for other in self._aliases(provider, Change()):
                self._touched.setdefault(other, {}).setdefault(cell, False)

    def touched(self, provider: Provider) -> list[tuple[int, bool]]:
        """Cells outside the pipeline that change this value, and whether they certainly do."""
        return list(self._touched.get(provider, {}).items())

    def link(self, name: str, other: str, bond: Bond = Bond.SURE) -> None:
        """Note that `name` may now be, or hold, the object that `other` stands for."""
        holder, held = self.get(name), self.get(other)
        if holder is None or held is None or Origin.IMPORT in (holder.origin, held.origin):
            return
        self.join(holder, held, bond)

    def join(self, holder: Provider, held: Provider, bond: Bond) -> None:
        """The same for the values of two providers, whatever their names stand for by now."""
        if holder is not held:
            self._link(holder, held, bond)

    def _link(self, holder: Provider, held: Provider, bond: Bond) -> None:
        self._holds.setdefault(holder, set()).add(held)
        self._held_by.setdefault(held, set()).add(holder)
        pair = frozenset((holder, held))
        self._bonds[pair] = min(bond, self._bonds.get(pair, bond))
        self._since.setdefault(pair, max(holder.cell, held.cell))

    def resemble(self, one: Provider | None, other: Provider | None) -> None:
        """Note that two containers may hold the same elements."""
        if one is not None and other is not None and one is not other:
            self._like.setdefault(one, set()).add(other)
            self._like.setdefault(other, set()).add(one)
            self._since.setdefault(frozenset((one, other)), max(one.cell, other.cell))

    def has_company(self, provider: Provider) -> bool:
        """Whether the value may hold, or be a part of, what another name stands for."""
        held_by = self._held_by.get(provider, ())
        is_part = any(self._bonds[frozenset((provider, item))] >= Bond.PART for item in held_by)
        return is_part or provider in self._holds

    def change(
        self,
        provider: Provider,
        change: Change,
        stays: Callable[[Provider], bool] = lambda _other: False,
        read: Collection[Provider | None] = (),
    ) -> list[Provider]:
        """Note that the value of `provider` is changed in place.

        Gives the other names that may stand for the same object. Blocks have copies of their own,
        so that from now on those names have another value in the notebook than in the pipeline;
        but for those that are said to stay with the name. So have those that the block has `read`,
        whatever their names stand for by now.
        """
        aliases = self._aliases(provider, change, read=read)
        others = [other for other in aliases if not stays(other)]
        for other in others:
            self._outdated.setdefault(other, provider)
        if change.is_certain:
            sure = self._aliases(provider, change, most=Bond.SURE)
            self._surely_outdated.update(set(sure).intersection(others))
        return others

    def changed_with(self, provider: Provider, change: Change) -> list[Provider]:
        """All values that change with that of `provider`, whatever their names stand for by now."""
        return self._closure(provider, change)

    def connection(self, one: Provider, other: Provider) -> tuple[list[Provider], int]:
        """The providers through which two of them may share objects, and the first cell after which
        they do; 0 if they have nothing in common.
        """
        inside = {item: {*self._closure(item, Change()), item} for item in (one, other)}
        found = [item for item in inside[one] if item in inside[other]]
        links = (
            self._since[frozenset((item, near))]
            for item in found
            for near in self._near(item)
            if near in found
        )
        return found, min(links, default=0)

    def _near(self, provider: Provider) -> set[Provider]:
        tables = (self._holds, self._held_by, self._like)
        return set[Provider]().union(*(table.get(provider, set()) for table in tables))

    def _aliases(
        self,
        provider: Provider,
        change: Change,
        most: Bond = Bond.CELLS,
        read: Collection[Provider | None] = (),
    ) -> list[Provider]:
        """The other providers, of today or `read`, whose value changes with that of `provider`."""
        return [
            other
            for other in self._closure(provider, change, most)
            if other is not provider and (self._is_named(other) or other in read)
        ]

    def _closure(
        self, provider: Provider, change: Change, most: Bond = Bond.CELLS
    ) -> list[Provider]:
        """The values that change with that of `provider`.

        These are what it holds, at any depth, all that hold it or any of that, and other parts of
        these, which may be the same. Only bonds up to `most` count.
        """
        most = most if change.writes_cells else min(most, Bond.PART)
        inside = [provider]
        if not change.is_shallow:
            start = [
                held
                for held in self._holds.get(provider, ())
                if not change.is_filling or self._bonds[frozenset((provider, held))] < Bond.PART
            ]
            start = [held for held in start if self._bonds[frozenset((provider, held))] <= most]
            inside += self._reached(start, self._holds, most)
        found = dict.fromkeys(self._reached(inside, self._held_by, most))
        while most > Bond.SURE:
            before = len(found)
            found.update(dict.fromkeys(self._besides(provider, found, change, most)))
            if len(found) == before:
                break
        return list(found)

    def names_of(self, provider: Provider) -> frozenset[str]:
        """The names that stand for its value today; its own if there is none."""
        found = {name for name in self._pointed if self._current.get(name) is provider}
        if self.get(provider.name) is provider or not found:
            found.add(provider.name)
        return frozenset(found)

    def _is_named(self, provider: Provider) -> bool:
        """Whether some name stands for its value today."""
        return self.get(provider.name) is provider or any(
            self._current.get(name) is provider for name in self._pointed
        )

    def _besides(
        self, provider: Provider, found: Iterable[Provider], change: Change, most: Bond
    ) -> list[Provider]:
        """What may share elements with `found`: other parts of their owners, similar containers."""
        more: list[Provider] = []
        for item in found:
            for owner in self._held_by.get(item, ()):
                if Bond.PART <= self._bonds[frozenset((owner, item))] <= most:
                    more += [
                        part
                        for part in self._holds[owner]
                        if self._bonds[frozenset((owner, part))] <= most
                    ]
            if item is not provider or not (change.is_shallow or change.is_filling):
                more += self._like.get(item, ())
        return self._reached(self._reached(more, self._holds, most), self._held_by, most)

    def _reached(
        self,
        start: Iterable[Provider],
        links: Mapping[Provider, set[Provider]],
        most: Bond = Bond.CELLS,
    ) -> list[Provider]:
        found = dict.fromkeys(start)
        waiting = list(found)
        while waiting:
            one = waiting.pop()
            for other in links.get(one, ()):
                if other not in found and self._bonds[frozenset((one, other))] <= most:
                    found[other] = None
                    waiting.append(other)
        return list(found)

    def point(self, name: str, provider: Provider) -> None:
        """From now on `name` stands for what `provider`, of another name, gives."""
        self._current[name] = provider
        self._pointed.add(name)

    def outdate(self, provider: Provider, changed: Provider) -> None:
        """Note that the value of `provider` certainly was changed as that of `changed`."""
        self._outdated[provider] = changed
        self._surely_outdated.add(provider)

    def is_surely_outdated(self, provider: Provider) -> bool:
        """Whether there is no doubt that the value was changed through another name."""
        return provider in self._surely_outdated

    def outdated(self, provider: Provider) -> Provider | None:
        """The name through which the value of `provider` was changed in another block, if any."""
        return self._outdated.get(provider)

    def history(self, name: str) -> list[Provider]:
        """All providers of `name` so far, the last one first."""
        found = []
        provider = self._current.get(name)
        while provider is not None:
            found.append(provider)
            provider = provider.before
        return found


def root(provider: Provider) -> Provider:
    """Who bound the object that was changed in place since."""
    while provider.changed and provider.before is not None:
        provider = provider.before
    return provider
