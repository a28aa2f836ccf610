"""Values that know a function or a class, and with it names that it looks up when it is called.

In a notebook such a name may have been set again by then. A block was given the value as it was
stored, with what the name stood for at the end of the block that made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jupyter_blocks.binding.carried import LASTING, Carried
from jupyter_blocks.binding.scope import Origin, Provider, Scope
from jupyter_blocks.binding.statements import Statement
from jupyter_blocks.binding.uses import Keeping, kept_in

__all__ = ["LateReads"]


class LateReads:
    """Knows the names that are looked up later on behalf of each value."""

    def __init__(self, scope: Scope, carried: Carried) -> None:
        self.scope = scope
        self.carried = carried
        self._names: dict[Provider, frozenset[str]] = {}

    def note(self, left: Sequence[Statement]) -> None:
        """Take up the assignments of a cell whose names are bound by now."""
        for statement in left:
            found: dict[str, set[str]] = {}
            for name, other, how in kept_in(statement):
                found.setdefault(name, set()).update(self._kept(other, how))
            for name, names in found.items():
                provider = self.scope.get(name)
                if provider is not None and provider.origin is Origin.DATA:
                    self._names[provider] = frozenset(names)

    def _kept(self, name: str, how: Keeping) -> Iterable[str]:
        if how is Keeping.READ_LATER:
            return (name,)
        provider = self.scope.get(name)
        if provider is None:
            return ()
        if provider.origin is Origin.NESTED:
            is_known = how is Keeping.ITSELF or self.carried.kind(provider) == "class"
            return (*self.carried.read_later(provider), name) if is_known else ()
        return self._names.get(provider, ()) if how is Keeping.ITSELF else ()

    def outdated(self, provider: Provider) -> Provider | None:
        """Who gave a name that is looked up for this value another meaning since, if anybody."""
        while provider.changed and provider.before is not None:
            provider = provider.before
        for name in sorted(self._names.get(provider, ())):
            source = self.scope.get(name)
            if source is None or source.origin in LASTING or source.is_of(provider.block):
                continue
            if source.cell > provider.cell and (source.changed or not self._is_defined(name)):
                return source
        return None

    def _is_defined(self, name: str) -> bool:
        """Whether a cell defines it: who holds a class goes on with that one, not with a later."""
        return any(item.origin is Origin.NESTED for item in self.scope.history(name))
