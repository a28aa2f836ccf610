"""The imports of a notebook: all of them go to the top of every block file.

Formula strings and the like read them invisibly, so no block can do without any. Where two imports
bind one name to different things, each file gets them in the order that its cells saw.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_blocks.binding.askedpython import exported_names, same_things
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import ImportLine
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.statements import Statement, StatementKind
from jupyter_blocks.wordsets import word_set

__all__ = ["Imports", "conflicting_names"]

_LINE_LENGTH = 88
_OF_PATHS = word_set("os pathlib site sys")
"""Modules that statements which change `sys.path` are made with."""


@dataclass(frozen=True)
class _Record:
    key: str
    """Equal for equal statements, however they are laid out."""
    line: ImportLine
    origins: tuple[str, ...]
    """For each name what it is: `datetime`, or `datetime.datetime`."""
    is_optional: bool
    """Whether it is written only where one of its names is needed."""
    is_path: bool = False
    """Whether it is no import, but says where imports below it are looked for."""


class Imports:
    """The import statements met so far."""

    def __init__(self, folder: Path, words: Callable[[], Collection[str]], report: Report) -> None:
        self._folder = folder
        self._words = words
        self._report = report
        self._records: list[_Record] = []
        self._origins: dict[str, dict[str, None]] = {}
        self._available: dict[str, tuple[str, ...] | str] = {}
        self._from_star: set[str] = set()

    def add(
        self, code: CellCode, statement: Statement, *, is_optional: bool = False
    ) -> tuple[str, ...]:
        """Take up an import statement; the names it binds."""
        text = statement.text(code.lines)
        names = statement.names
        origins = _origins(statement, text)
        if statement.kind is StatementKind.STAR_IMPORT:
            expanded = self._expand(code, statement)
            if expanded is None:
                return ()
            text, names = expanded
            origins = tuple(f"{_module(statement)}.{name}" for name in names)
        is_future = statement.kind is StatementKind.FUTURE
        is_rewritten = statement.kind is StatementKind.STAR_IMPORT and "\n" in text
        ref = "" if is_rewritten else code.cell.ref
        line = ImportLine(
            text, names, ref, code.number, statement.first, _blank_lines(code, statement), is_future
        )
        key = text if statement.kind is StatementKind.STAR_IMPORT else ast.dump(statement.node)
        self._records.append(_Record(key, line, origins, is_optional))
        is_star = statement.kind is StatementKind.STAR_IMPORT
        self._note(dict(zip(names, origins, strict=True)), is_star=is_star)
        return names

    def _note(self, origins: Mapping[str, str], *, is_star: bool) -> None:
        """Remember what names are; a module may hand on what others get from elsewhere."""
        if is_star:
            self._from_star.update(origins.values())
        pairs = {
            (other, origin)
            for name, origin in origins.items()
            for other in self._origins.get(name, ())
            if other != origin and (is_star or other in self._from_star)
        }
        same = same_things(pairs, self._folder, self._path_code()) if pairs else frozenset()
        for name, origin in origins.items():
            known = self._origins.setdefault(name, {})
            if not any((other, origin) in same for other in known):
                known[origin] = None

    def add_path(self, code: CellCode, statement: Statement) -> None:
        """Take up a statement that changes `sys.path`, or a plain value that such a one needs.

        The imports below it rely on it.
        """
        text = statement.text(code.lines)
        blank = _blank_lines(code, statement)
        line = ImportLine(text, (), code.cell.ref, code.number, statement.first, blank)
        key = f"{code.number}:{statement.first}:{statement.col} {text}"
        self._records.append(_Record(key, line, (), is_optional=False, is_path=True))

    def _path_code(self) -> str:
        """The statements so far that change where modules are looked for, with their imports."""
        if not any(record.is_path for record in self._records):
            return ""
        lines = (
            record.line.text
            for record in self._records
            if record.is_path
            or all(origin.partition(".")[0] in _OF_PATHS for origin in record.origins)
        )
        return "\n".join(lines)

    def lines(self, last_cell: int | None, needed: Collection[str]) -> tuple[ImportLine, ...]:
        """The imports for a block that ends with the given cell; none: for the helpers.

        `needed` are the names the code uses; they decide about optional imports.
        """
        wanted = set(needed)
        records = [
            record
            for record in self._records
            if not record.is_optional or not wanted.isdisjoint(record.line.names)
        ]
        if self.conflicts:
            end = last_cell if last_cell is not None else sys.maxsize
            records.sort(key=lambda item: item.line.number <= end)
            lines = _distinct(records[::-1])[::-1]
        else:
            lines = _distinct(records)
        return tuple(sorted(lines, key=lambda line: not line.is_future))

    @property
    def conflicts(self) -> frozenset[str]:
        """Names that different imports bind to different things."""
        return frozenset(name for name, origins in self._origins.items() if len(origins) > 1)

    def cells_of(self, name: str) -> list[int]:
        """Numbers of the cells that import `name`."""
        numbers = (item.line.number for item in self._records if name in item.line.names)
        return list(dict.fromkeys(numbers))

    def module_of(self, name: str) -> str:
        """The module that `name` was imported as or from; empty if it was not imported."""
        origins = self._origins.get(name)
        return next(reversed(origins)) if origins else ""

    def _expand(self, code: CellCode, statement: Statement) -> tuple[str, tuple[str, ...]] | None:
        """`from m import *` with the names the notebook uses written out."""
        module = _module(statement)
        available = self._available.get(module)
        if available is None:
            available = exported_names(module, self._folder, self._path_code())
            self._available[module] = available
        if isinstance(available, str):
            self._report.error(
                "star-import",
                code.cell,
                f"'from {module} import *' cannot be resolved: {available}",
                "Install the module, or import the names one by one.",
                line=statement.first,
            )
            return None
        names = tuple(name for name in available if name in self._words())
        return _import_text(module, names), names or (module.partition(".")[0],)


def _distinct(records: Iterable[_Record]) -> list[ImportLine]:
    """The statements in order, each once."""
    found: dict[str, ImportLine] = {}
    for record in records:
        found.setdefault(record.key, record.line)
    return list(found.values())


def _blank_lines(code: CellCode, statement: Statement) -> int:
    """Blank lines above an import, if another import comes right above them."""
    above = [item for item in code.statements if item.first < statement.first]
    if not above or not above[-1].kind.is_import:
        return 0
    between = code.lines[above[-1].last : statement.first - 1]
    return 0 if any(line.strip() for line in between) else len(between)


def _module(statement: Statement) -> str:
    node = statement.node
    return node.module or "" if isinstance(node, ast.ImportFrom) else ""


def conflicting_names(codes: Iterable[CellCode]) -> frozenset[str]:
    """Names that import statements of these cells bind to different things."""
    found: dict[str, set[str]] = {}
    for code in codes:
        for statement in code.statements:
            if statement.kind.is_import and statement.kind is not StatementKind.STAR_IMPORT:
                origins = _origins(statement, statement.text(code.lines))
                for name, origin in zip(statement.names, origins, strict=True):
                    found.setdefault(name, set()).add(origin)
    return frozenset(name for name, origins in found.items() if len(origins) > 1)


def _origins(statement: Statement, text: str) -> tuple[str, ...]:
    node = statement.node
    if isinstance(node, ast.ImportFrom):
        return tuple(f"{node.module}.{alias.name}" for alias in node.names)
    if isinstance(node, ast.Import):
        return tuple(
            alias.name if alias.asname else alias.name.partition(".")[0] for alias in node.names
        )
    return tuple(text for _ in statement.names)


def _import_text(module: str, names: tuple[str, ...]) -> str:
    """An import of `names`; broken into lines where it is long."""
    if not names:
        return f"import {module}"
    text = f"from {module} import {', '.join(names)}"
    if len(text) <= _LINE_LENGTH:
        return text
    rows = "".join(f"    {name},\n" for name in names)
    return f"from {module} import (\n{rows})"
