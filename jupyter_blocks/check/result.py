"""What comes of a check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.errors import Problem

__all__ = ["CheckEntry", "CheckResult", "place_text"]

_ALWAYS = ("block", "name", "detail")
_GROUPS = ("equal", "different", "not_comparable", "failed")


@dataclass(frozen=True)
class CheckEntry:
    """One output of one block; `name` is empty where the block itself is meant."""

    block: str
    name: str
    detail: str = ""
    """What differs and where in the value, or why there is nothing to compare."""
    cell: int | None = None
    """Number of the cell that made the difference, where it is known."""
    line: int | None = None
    """Line of that cell."""
    follows_from: tuple[str, ...] = ()
    """Inputs that differ already, as `block.name`; the difference began there."""
    rounding: bool = False
    """Whether only rounding differs."""

    def as_json(self) -> dict[str, Any]:
        """The first three fields, and of the others those that say something."""
        return {name: value for name, value in vars(self).items() if name in _ALWAYS or value}


@dataclass(frozen=True)
class CheckResult:
    """What came of a check."""

    equal: tuple[CheckEntry, ...] = ()
    different: tuple[CheckEntry, ...] = ()
    not_comparable: tuple[CheckEntry, ...] = ()
    failed: tuple[CheckEntry, ...] = ()
    error: str = ""
    """Why the notebook did not run to its end; empty if it did."""
    log: tuple[str, ...] = field(default=(), compare=False)
    """The last lines the notebook wrote, where it did not run to its end."""
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    """What export has to say about the notebook; it may explain a difference."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What else happened that may matter, such as a cell with the tag `skip` that fails."""

    @property
    def ok(self) -> bool:
        """Whether nothing differs and nothing failed."""
        return not (self.different or self.failed or self.error)

    @property
    def origins(self) -> tuple[CheckEntry, ...]:
        """The differences that do not follow from others."""
        return tuple(entry for entry in self.different if not entry.follows_from)

    def as_json(self) -> dict[str, Any]:
        """`check --json`."""
        return {group: _documents(getattr(self, group)) for group in _GROUPS}


def _documents(entries: Iterable[CheckEntry]) -> list[dict[str, Any]]:
    return [entry.as_json() for entry in entries]


def place_text(cell: int | None, line: int | None) -> str:
    """`cell 3, line 2`, or as much of it as is known."""
    if cell is None:
        return ""
    return f"cell {cell}, line {line}" if line else f"cell {cell}"
