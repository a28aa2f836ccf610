"""Which objects names may share, so that a change through one name is seen as a change of others.

An object is a number. A negative number is some part of that object: a column, an element, an
attribute; to change a part is to change the object. Flow-insensitive and never too small a set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["NOTHING", "Objects"]

NOTHING: frozenset[int] = frozenset()
"""The objects of a value that cannot be changed, or that no other name can share."""


class Objects:
    """The objects of one scope: new ones, those of outside names, and what they hold."""

    def __init__(self) -> None:
        self._count = 0
        self._held: dict[int, set[int]] = {}
        self._outside: dict[str, frozenset[int]] = {}
        self._names: dict[int, str] = {}
        self.copies: set[int] = set()
        """Containers that are copies: they hold what another one holds, if that is a container."""
        self.views: set[int] = set()
        """Those that are no objects of their own but show what they hold: `d.keys()`."""

    def fresh(self) -> frozenset[int]:
        """A new object that nothing else shares."""
        self._count += 1
        return frozenset((self._count,))

    def outside(self, name: str) -> frozenset[int]:
        """The object that `name` stood for before this scope ran."""
        known = self._outside.get(name)
        if known is None:
            known = self._outside[name] = self.fresh()
            self._names[self._count] = name
        return known

    def outside_name(self, thing: int) -> str | None:
        """The outside name whose object, or part of it, `thing` is."""
        return self._names.get(abs(thing))

    def parts(self, things: Iterable[int]) -> frozenset[int]:
        """What an attribute, an element or a slice of `things` may be."""
        found = {-abs(thing) for thing in things}
        for thing in tuple(found):
            found |= self._held.get(-thing, NOTHING)
        return frozenset(found)

    def hold(self, containers: Iterable[int], things: frozenset[int]) -> None:
        """Remember that each of `containers` may hold `things` from now on."""
        if things:
            for container in containers:
                self._held.setdefault(abs(container), set()).update(things)

    def filled(self) -> Iterator[tuple[str, frozenset[int]]]:
        """The outside names whose objects were given something to hold, with that."""
        for thing, name in self._names.items():
            if held := self._held.get(thing):
                yield name, frozenset(held)

    def container(self, things: frozenset[int]) -> frozenset[int]:
        """A new object that holds `things`."""
        new = self.fresh()
        self.hold(new, things)
        return new

    def live(self, things: frozenset[int]) -> frozenset[int]:
        """A new object that shows what `things` hold, now and later."""
        new = self.container(things)
        self.views |= new
        return new

    def copy(self, things: frozenset[int]) -> frozenset[int]:
        """A new object that holds what `things` hold, if these are containers."""
        new = self.container(self.parts(things))
        if things:
            self.copies |= new
        return new

    def held(self, thing: int) -> frozenset[int]:
        """What an object may hold itself."""
        return frozenset(self._held.get(thing, NOTHING))

    def reachable(self, things: Iterable[int], *, parts: bool = False) -> set[int]:
        """The whole objects among `things` and among all that they hold, at any depth; with
        `parts` also the parts.
        """
        found: set[int] = set()
        waiting = [thing for thing in things if thing > 0 or parts]
        while waiting:
            thing = waiting.pop()
            if thing not in found:
                found.add(thing)
                waiting += [held for held in self._held.get(thing, NOTHING) if held > 0 or parts]
        return found
