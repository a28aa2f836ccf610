"""The imports of a notebook: all of them go to the top of every block file.

Formula strings and the like read them invisibly, so no block can do without any. Where two imports
bind one name to different things, each file gets them in the order that its cells saw.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import ImportLine
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.statements import Statement, StatementKind

__all__ = ["Imports", "conflicting_names"]

_LIST_NAMES = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
names = getattr(module, "__all__", None)
if names is None:
    names = [name for name in vars(module) if not name.startswith("_")]
file = getattr(module, "__file__", None)
sys.__stdout__.write("\\n" + json.dumps([sorted(names), file]))
"""
_COMPARE = """
import importlib, sys
def found(path):
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            value = getattr(value, part)
        return value
    raise ImportError(path)
sys.exit(0 if found(sys.argv[1]) is found(sys.argv[2]) else 3)
"""
_IMPORT_TIMEOUT_S = 60
_LINE_LENGTH = 88


@dataclass(frozen=True)
class _Record:
    key: str
    """Equal for equal statements, however they are laid out."""
    line: ImportLine
    origins: tuple[str, ...]
    """For each name what it is: `datetime`, or `datetime.datetime`."""
    is_optional: bool
    """Whether it is written only where one of its names is needed."""


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
        for name, origin in zip(names, origins, strict=True):
            self._note(name, origin, is_star=is_star)
        return names

    def _note(self, name: str, origin: str, *, is_star: bool) -> None:
        """Remember what a name is; a module may hand on what others get from elsewhere."""
        known = self._origins.setdefault(name, {})
        if is_star:
            self._from_star.add(origin)
        for other in known:
            through_star = is_star or other in self._from_star
            if other != origin and through_star and _is_same(other, origin, str(self._folder)):
                return
        known[origin] = None

    def add_path(self, code: CellCode, statement: Statement) -> None:
        """Take up a statement that adds to `sys.path`: the imports below it rely on it."""
        text = statement.text(code.lines)
        blank = _blank_lines(code, statement)
        line = ImportLine(text, (), code.cell.ref, code.number, statement.first, blank)
        self._records.append(_Record(text, line, (), is_optional=False))

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
            available = self._available[module] = _exported_names(module, str(self._folder))
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


_compared: dict[tuple[str, str, str], bool] = {}


def _is_same(one: str, other: str, folder: str) -> bool:
    """Whether two dotted names are one thing, as `pylab.np` and `numpy` are."""
    key = (one, other, folder)
    if key not in _compared:
        try:
            done = subprocess.run(  # noqa: S603 - as in `_imported`
                [sys.executable, "-c", _COMPARE, one, other],
                cwd=folder if Path(folder).is_dir() else None,
                capture_output=True,
                timeout=_IMPORT_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        _compared[key] = done.returncode == 0
    return _compared[key]


_installed: dict[tuple[str, str], tuple[str, ...]] = {}
"""What modules give that lie in no folder of a notebook: while a process runs, that is the same."""


def _exported_names(module: str, folder: str) -> tuple[str, ...] | str:
    """Names that `from module import *` gives; a text says why it cannot be imported.

    A process of its own imports it: the module may print, change settings or crash.
    """
    if found := _installed.get((module, folder)):
        return found
    answer = _imported(module, folder)
    if isinstance(answer, str):
        return answer
    names, file = answer
    if file is None or not Path(file).resolve().is_relative_to(Path(folder).resolve()):
        _installed[module, folder] = names
    return names


def _imported(module: str, folder: str) -> tuple[tuple[str, ...], str | None] | str:
    """The names of a module and its file; a text says why it cannot be imported."""
    try:
        done = subprocess.run(  # noqa: S603 - this Python; the notebook imports the same module
            [sys.executable, "-c", _LIST_NAMES, module],
            cwd=folder if Path(folder).is_dir() else None,
            capture_output=True,
            text=True,
            timeout=_IMPORT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"importing it took more than {_IMPORT_TIMEOUT_S} s."
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"importing it ended with exit code {done.returncode}."
    names, file = json.loads(done.stdout.rpartition("\n")[2])
    return tuple(names), file
