"""Functions that stay with the data they read: every block that uses one gets a copy of its text.

A function that takes names of the notebook as globals sees, whenever it is called, what they hold
by then. So does a copy of it in the body of the block that calls it.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.scope import Origin, Provider, Scope
from jupyter_blocks.binding.shared import definition_part
from jupyter_blocks.binding.statements import Statement
from jupyter_blocks.dataflow import Definition

__all__ = ["LASTING", "Carried", "Obstacle", "kept_names"]

LASTING = (Origin.IMPORT, Origin.HELPER, Origin.PARAMETER)
"""Origins of what means the same in every block."""
_VALUES = (Origin.DATA, Origin.RESULT, Origin.NESTED)


@dataclass(frozen=True)
class _Kept:
    """A definition that stays in its block."""

    definition: Definition
    part: CodePart
    statement: Statement
    at_definition: Mapping[str, Provider | None]
    """Who provided the names that its defaults and decorators read."""


@dataclass(frozen=True)
class Obstacle:
    """Why a definition cannot be given to another block as a value."""

    name: str
    """A name it reads, or changes when it is called."""
    source: Provider | None
    """Who gave that name another value since; none where the definition itself changes it."""
    is_here: bool = False
    """Whether it is the cell that uses the definition which gives the name another value."""


class Carried:
    """Knows the definitions that stay in their blocks, and copies them into others."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._kept: dict[Provider, _Kept] = {}

    def keep(self, provider: Provider, code: CellCode, statement: Statement) -> None:
        """Note that `provider` is a definition which stays in its block."""
        definition = code.definitions[provider.name]
        self._kept[provider] = _Kept(
            definition,
            definition_part(code, statement),
            statement,
            {name: self.scope.get(name) for name in definition.needed_to_define},
        )

    def definitions(self, names: Iterable[str]) -> list[Definition]:
        """Those that the present cell sees under `names`, and those that these need."""
        found: dict[str, Definition] = {}
        waiting = list(names)
        while waiting:
            provider = self.scope.get(waiting.pop())
            kept = self._kept.get(provider) if provider is not None else None
            if provider is None or kept is None or not self.can_carry(provider):
                continue
            if provider.name not in found:
                found[provider.name] = kept.definition
                waiting += kept.definition.free
        return list(found.values())

    def free(self, provider: Provider) -> Collection[str]:
        """The names that the definition takes from the notebook."""
        return sorted(self._kept[provider].definition.free)

    def read_later(self, provider: Provider) -> list[str]:
        """The names it looks up when it is called."""
        return sorted(self._kept[provider].definition.needed_to_call - {provider.name})

    def kind(self, provider: Provider) -> str:
        """`function` or `class`."""
        return self._kept[provider].definition.kind

    def line(self, provider: Provider) -> int:
        """Line of its cell in which the definition begins."""
        return self._kept[provider].definition.line

    def can_carry(self, provider: Provider) -> bool:
        """Whether a copy in another block is as good as the original.

        Objects know the one class they are made by, so that a copy of a class is another class; and
        what defaults and decorators read must still be what it was.
        """
        kept = self._kept.get(provider)
        return (
            kept is not None
            and kept.definition.kind == "function"
            and kept.definition.is_final
            and all(self.scope.get(name) is then for name, then in kept.at_definition.items())
        )

    def obstacle(self, provider: Provider, code: CellCode) -> Obstacle | None:
        """What keeps the definition itself from being given to `code` as a value, if anything.

        As a value it goes on with what the names it reads stood for at the end of its block. That
        must be what they still stand for, and it must not be the one that changes them.
        """
        kept = self._kept[provider]
        for name in sorted(kept.definition.changes):
            source = self.scope.get(name)
            if source is None or source.origin not in LASTING:
                return Obstacle(name, None)
        for name, then in sorted(kept.at_definition.items()):
            if changed := self._changed_since(name, then):
                return Obstacle(name, changed)
        here = {*code.flow.binds, *code.flow.maybe_binds, *code.flow.changes}
        for name in self.read_later(provider):
            source = self.scope.get(name)
            is_other = code.number != provider.cell and (source is None or source.origin in _VALUES)
            if name in here and is_other and name not in code.definitions:
                return Obstacle(name, source, is_here=True)
            if source is None or source.origin in LASTING or source.is_of(provider.block):
                continue
            if source.cell > provider.cell or source.origin not in _VALUES:
                return Obstacle(name, source)
        return None

    def _changed_since(self, name: str, then: Provider | None) -> Provider | None:
        """Who changed in place what a default, or the body of a class, took from `name`."""
        history = self.scope.history(name)
        if then is None or then.origin in LASTING or then not in history:
            return None
        since = history[: history.index(then)]
        return since[-1] if since and since[-1].changed else None

    def carry(self, block: OpenBlock, provider: Provider) -> None:
        """Copy the definition to the top of the body of `block`."""
        kept = self._kept[provider]
        if kept.statement not in block.copied:
            block.copied.append(kept.statement)
        self.add(block, (provider.cell, kept.statement.first), kept.part, provider.name)

    def add(self, block: OpenBlock, key: tuple[int, int], part: CodePart, name: str) -> None:
        """Copy a statement that binds `name` to the top of the body, after those above it."""
        if key not in block.carried:
            place = bisect(block.carried, key)
            block.carried.insert(place, key)
            block.parts.insert(place, part)
            block.local.add(name)


def kept_names(
    definitions: Iterable[Definition],
    texts: Mapping[str, Collection[str]],
    data: Collection[str],
    changing: Collection[str] = (),
) -> dict[str, str]:
    """Names of the definitions that stay in their blocks, each with the data it reads (or nothing).

    These are the ones that read `data`, whether it is set above or below them; functions that read
    names which imports bind to `changing` things; those that cells define in different ways; and
    those that need one of these.
    """
    kept: dict[str, str] = {}
    every = list(definitions)
    for definition in every:
        reads = sorted(definition.free.intersection(data))
        if definition.kind == "function":
            reads += sorted(definition.free.intersection(changing))
        if reads or len(texts.get(definition.name, ())) > 1:
            kept.setdefault(definition.name, reads[0] if reads else "")
    while more := {
        definition.name: min(definition.free.intersection(kept))
        for definition in every
        if definition.name not in kept and definition.free.intersection(kept)
    }:
        kept.update(more)
    return kept
