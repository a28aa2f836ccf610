"""The module all blocks of a pipeline share: functions, classes, constants and library settings.

Collects what moves there and follows what uses what. Whether something may move is decided by
`setup` and `plain`; how the module is written is for `codegen`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart
from jupyter_blocks.binding.statements import Statement

__all__ = ["Helper", "Shared", "definition_lines", "definition_part"]


@dataclass(frozen=True)
class Helper:
    """One name of the shared module."""

    name: str
    code: CellCode
    line: int
    text: str
    """Source text, to tell whether two cells say the same."""
    statement: Statement | None = None
    """The function or class; none for a constant."""
    free: frozenset[str] = frozenset()
    """Names it needs when it is called; empty for a constant."""
    changes: frozenset[str] = frozenset()
    """Names of the module whose value a call may change in place."""

    @property
    def is_definition(self) -> bool:
        """Whether it is a function or a class."""
        return self.statement is not None


class Shared:
    """What has moved to the shared module so far."""

    def __init__(self) -> None:
        self.helpers: dict[str, Helper] = {}
        self.parts: list[CodePart] = []
        self.has_settings = False
        """Whether importing the module does something besides defining names."""

    def add_cell(self, code: CellCode, lines: Sequence[str | None]) -> None:
        """Copy what is left of a setup cell."""
        if any(line and not line.lstrip().startswith("#") for line in lines):
            self.parts.append(CodePart(code.cell.ref, tuple(lines)))

    def add_definition(self, code: CellCode, statement: Statement) -> None:
        """Move one function or class, with the comments right above it."""
        self.parts.append(definition_part(code, statement))

    def add_helper(self, helper: Helper) -> Helper | None:
        """Take up a name; gives the one that another cell gave a different meaning before."""
        known = self.helpers.get(helper.name)
        self.helpers[helper.name] = helper
        if known is None or known.code is helper.code or known.text == helper.text:
            return None
        return known

    def named(self, statement: Statement) -> list[str]:
        """The helpers whose names stand in a statement."""
        return [name for name in statement.mentioned if name in self.helpers]

    def reach(self, names: Iterable[str]) -> dict[str, Helper]:
        """The helpers among `names` and all helpers these need, at any depth."""
        found: dict[str, Helper] = {}
        waiting = [name for name in names if name in self.helpers]
        while waiting:
            helper = self.helpers[waiting.pop()]
            if helper.name not in found:
                found[helper.name] = helper
                waiting += sorted(name for name in helper.free if name in self.helpers)
        return found


def definition_part(code: CellCode, statement: Statement, *, comments: bool = True) -> CodePart:
    """One statement as a part of a file, with the `comments` right above it."""
    lines = list(code.part_of([statement]).lines)
    rest = code.lines[statement.last - 1][statement.end_col :].strip()
    is_shared = statement.col or (rest and not rest.startswith("#"))
    first = definition_lines(code, statement) if comments else statement.first
    last = statement.first - 1 if is_shared else statement.last
    lines[first - 1 : last] = code.lines[first - 1 : last]
    return CodePart(code.cell.ref, tuple(lines))


def definition_lines(code: CellCode, statement: Statement) -> int:
    """First line of a definition with the comment lines right above it."""
    first = statement.first
    while first > 1 and code.lines[first - 2].startswith("#"):
        first -= 1
    return first
