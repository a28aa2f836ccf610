"""Who provides a name at each point of a notebook: a time line of bindings, in cell order.

Every name has a chain of providers, the last one first; nothing is ever forgotten, so that messages
can say who had the name before or gets it later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Origin", "Provider", "Scope"]


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
        self._unsure: set[frozenset[Provider]] = set()
        self._outdated: dict[Provider, Provider] = {}
        self._surely_outdated: set[Provider] = set()

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
        for held in self._holds.get(before, ()):
            self._link(provider, held, is_certain=frozenset((before, held)) not in self._unsure)
        for holder in list(self._held_by.get(before, ())):
            self._link(holder, provider, is_certain=frozenset((before, holder)) not in self._unsure)

    def touch(self, name: str, cell: int, *, is_certain: bool) -> None:
        """Note that a cell outside the pipeline changes, or may change, the value of `name`.

        Names that may stand for the same object may then be changed as well.
        """
        provider = self.get(name)
        if provider is not None:
            self._touched.setdefault(provider, {})[cell] = is_certain
            for other in self._aliases(provider):
                self._touched.setdefault(other, {}).setdefault(cell, False)

    def touched(self, provider: Provider) -> list[tuple[int, bool]]:
        """Cells outside the pipeline that change this value, and whether they certainly do."""
        return list(self._touched.get(provider, {}).items())

    def link(self, name: str, other: str, *, is_certain: bool = True) -> None:
        """Note that `name` may now be, or hold, the object that `other` stands for.

        It is not certain where a method gives its own object or a new one, whatever it likes.
        """
        holder, held = self.get(name), self.get(other)
        if holder is None or held is None or Origin.IMPORT in (holder.origin, held.origin):
            return
        self._link(holder, held, is_certain=is_certain)

    def _link(self, holder: Provider, held: Provider, *, is_certain: bool) -> None:
        self._holds.setdefault(holder, set()).add(held)
        self._held_by.setdefault(held, set()).add(holder)
        if not is_certain:
            self._unsure.add(frozenset((holder, held)))

    def change(
        self, provider: Provider, *, is_certain: bool = False, is_shallow: bool = False
    ) -> list[Provider]:
        """Note that the value of `provider` is changed in place; where that is shallow, not what it
        holds.

        Gives the other names that may stand for the same object. Blocks have copies of their own,
        so that from now on those names have another value in the notebook than in the pipeline.
        """
        others = self._aliases(provider, is_shallow=is_shallow)
        for other in others:
            self._outdated.setdefault(other, provider)
        if is_certain:
            sure = self._aliases(provider, certain_only=True, is_shallow=is_shallow)
            self._surely_outdated.update(sure)
        return others

    def _aliases(
        self, provider: Provider, *, certain_only: bool = False, is_shallow: bool = False
    ) -> list[Provider]:
        """The other providers of today whose value changes if that of `provider` is changed.

        These are what it holds, at any depth, and all that hold it or any of that.
        """
        inside = [provider]
        if not is_shallow:
            inside = self._reached(inside, self._holds, certain_only)
        found = self._reached(inside, self._held_by, certain_only)
        return [other for other in found if other is not provider and self.get(other.name) is other]

    def _reached(
        self, start: Iterable[Provider], links: Mapping[Provider, set[Provider]], certain_only: bool
    ) -> list[Provider]:
        found = dict.fromkeys(start)
        waiting = list(found)
        while waiting:
            one = waiting.pop()
            for other in links.get(one, ()):
                is_open = not certain_only or frozenset((one, other)) not in self._unsure
                if is_open and other not in found:
                    found[other] = None
                    waiting.append(other)
        return list(found)

    def point(self, name: str, provider: Provider) -> None:
        """From now on `name` stands for what `provider`, of another name, gives."""
        self._current[name] = provider

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
