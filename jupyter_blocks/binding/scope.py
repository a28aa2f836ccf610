"""Who provides a name at each point of a notebook: a time line of bindings, in cell order.

Every name has a chain of providers, the last one first; nothing is ever forgotten, so that messages
can say who had the name before or gets it later.
"""

from __future__ import annotations

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
        self._links: dict[Provider, set[Provider]] = {}
        self._outdated: dict[Provider, Provider] = {}

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
        return provider

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

    def link(self, one: str, other: str) -> None:
        """Note that two names may now stand for one object, or one for a part of the other's."""
        first, second = self.get(one), self.get(other)
        if first is not None and second is not None:
            self._links.setdefault(first, set()).add(second)
            self._links.setdefault(second, set()).add(first)

    def change(self, provider: Provider) -> list[Provider]:
        """Note that the value of `provider` is changed in place.

        Gives the other names that may stand for the same object. Blocks have copies of their own,
        so that from now on those names have another value in the notebook than in the pipeline.
        """
        others = self._aliases(provider)
        for other in others:
            self._outdated.setdefault(other, provider)
        return others

    def _aliases(self, provider: Provider) -> list[Provider]:
        """The other providers of today that may stand for the same object."""
        found: dict[Provider, None] = {}
        waiting = [provider]
        while waiting:
            for other in self._links.get(waiting.pop(), ()):
                if other not in found and other is not provider:
                    found[other] = None
                    waiting.append(other)
        return [other for other in found if self.get(other.name) is other]

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
