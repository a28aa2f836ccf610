"""Where each name of the namespace got its value: from which block, and whether it still has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.block import Source
from jupyter_blocks.kernel.storing import StoredCell
from jupyter_blocks.variables.manifest import Manifest

__all__ = ["Provenance", "Stored"]

Stored = StoredCell | Manifest
"""What a block gave when it ran here, or what was read from the store."""


@dataclass(frozen=True)
class _Origin:
    source: Source
    value_id: int
    stored: Stored | None


class Provenance:
    """Remembers which values of a namespace are what a block stored."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._origins: dict[str, _Origin] = {}

    def note(self, name: str, source: Source, value: Any, stored: Stored | None) -> None:
        """The value, which may be that of a name, is an output of a block."""
        self._origins[name] = _Origin(source, id(value), stored)

    def is_original(self, name: str, source: Source) -> bool:
        """Whether the namespace has the value that the block stored, untouched."""
        origin = self._origins.get(name)
        return (
            origin is not None
            and origin.source == source
            and name in self._namespace
            and id(self._namespace[name]) == origin.value_id
        )

    def manifest_of(self, block: str) -> Manifest | None:
        """The stored outputs that a value of the namespace was read from."""
        for origin in self._origins.values():
            if origin.source.block == block and isinstance(origin.stored, Manifest):
                return origin.stored
        return None

    def forget(self, bound: Iterable[str], changed: Iterable[str]) -> None:
        """Names that were set, and values that may have been changed, under whichever name."""
        changed = set(changed)
        ids = {id(self._namespace[name]) for name in changed if name in self._namespace}
        gone = {*bound, *changed}
        gone |= {name for name, origin in self._origins.items() if origin.value_id in ids}
        for name in gone:
            self._origins.pop(name, None)
