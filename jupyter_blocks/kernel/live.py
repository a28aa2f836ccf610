"""The notebook as the kernel knows it: the saved file, with the cells that have run since.

Which file it is, the server or the editor says; where neither does, it is the one notebook of the
working folder that has the cell.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import BlocksError
from jupyter_blocks.kernel.request import CellRequest
from jupyter_blocks.notebook import Cell, Notebook, read_notebook

__all__ = ["LiveNotebook"]

_MOST_NOTEBOOKS = 50
"""Notebooks of the folder that are looked into for a cell."""


@dataclass(frozen=True)
class _Executed:
    """A cell as it ran last."""

    cell: Cell
    at: float
    after: str | None
    """Cell that ran before it: where a cell is put that was not saved yet."""


@dataclass
class LiveNotebook:
    """Finds the notebook of a kernel and keeps what its cells said when they ran."""

    namespace: dict[str, Any]
    path: Path | None = None
    """The notebook; none until it is known."""
    chosen: bool = False
    """Whether the user named it."""
    _executed: dict[str, _Executed] = field(default_factory=dict)
    _deleted: frozenset[str] = frozenset()
    _last: str | None = None
    _foreign: dict[str, str] = field(default_factory=dict)
    """Cell, by the id that an editor of its own mind gives it."""
    _read: tuple[tuple[Path, int, int], Notebook] | None = None

    def place(self, request: CellRequest) -> str | None:
        """Take note of a cell that is about to run; the name of the cell in `notebook()`."""
        self.locate(request)
        saved = self.saved()
        if saved is None:
            return None
        cell = self._known(saved, request) or _same_cell(saved, request, self._last)
        has_id = request.is_live and request.cell_id and not request.has_foreign_id
        if cell is None and not has_id:
            return None
        if cell is not None and request.cell_id and request.has_foreign_id:
            self._foreign[request.cell_id] = cell.ref
        self._deleted = request.deleted
        name = cell.ref if cell is not None else str(request.cell_id)
        known = cell or Cell(0, "code", "", name)
        if request.is_live:
            known = replace(known, tags=request.tags or (), metadata=dict(request.metadata))
        known = replace(known, source=request.source.replace("\r\n", "\n"))
        self._executed[name] = _Executed(known, time.time(), self._last)
        self._last = name
        return name

    def _known(self, saved: Notebook, request: CellRequest) -> Cell | None:
        """The cell that an editor's own id stood for before, whatever its source is now."""
        name = self._foreign.get(request.cell_id or "")
        return next((cell for cell in saved.code_cells if cell.ref == name), None)

    def note(self, cell: Cell) -> None:
        """Take note of a cell whose code was run on behalf of another one."""
        self._executed.setdefault(cell.ref, _Executed(cell, time.time(), self._last))

    def has_run(self, name: str) -> bool:
        """Whether a cell has run in this kernel."""
        return name in self._executed

    def saved(self) -> Notebook | None:
        """The notebook as it lies on disk."""
        if self.path is None:
            return None
        try:
            stat = self.path.stat()
            key = (self.path, stat.st_mtime_ns, stat.st_size)
            if self._read is None or self._read[0] != key:
                self._read = (key, read_notebook(self.path))
        except (OSError, BlocksError):
            self._read = None
        return self._read[1] if self._read else None

    def notebook(self, *, as_run: bool) -> Notebook | None:
        """The cells as they ran (`as_run`), or as they are now, as far as can be known."""
        saved = self.saved()
        if saved is None:
            return None
        since = 0.0 if as_run or self.path is None else self.path.stat().st_mtime
        ran = {name: item for name, item in self._executed.items() if item.at >= since}
        cells = [cell for cell in saved.cells if cell.id not in self._deleted]
        names = {cell.ref for cell in cells}
        cells = [ran[cell.ref].cell if cell.ref in ran else cell for cell in cells]
        for name, item in ran.items():
            if name not in names and name not in self._deleted:
                cells.insert(_position(cells, item.after), item.cell)
        numbered = (replace(cell, number=number) for number, cell in enumerate(cells, 1))
        return replace(saved, cells=tuple(numbered))

    # which file

    def locate(self, request: CellRequest) -> None:
        """Find the notebook that a cell belongs to; one that is known and still there stays."""
        if self.path is not None and (self.chosen or self.path.is_file()):
            return
        self.path = next(self._candidates(request), None)

    def _candidates(self, request: CellRequest) -> Iterator[Path]:
        named = (
            self.namespace.get("__vsc_ipynb_file__"),
            request.notebook,
            os.environ.get("JPY_SESSION_NAME"),
        )
        for name in named:
            if isinstance(name, str) and name.endswith(".ipynb") and Path(name).is_file():
                yield Path(name).resolve()
        found = [path for path in _notebooks(Path.cwd()) if _holds(path, request)]
        if len(found) == 1:
            yield found[0].resolve()


def _notebooks(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.ipynb"))[:_MOST_NOTEBOOKS]


def _holds(path: Path, request: CellRequest) -> bool:
    try:
        return _same_cell(read_notebook(path), request, None) is not None
    except (BlocksError, OSError):
        return False


def _same_cell(notebook: Notebook, request: CellRequest, last: str | None) -> Cell | None:
    """The saved cell a request is for: by id, else the next one with the same source."""
    for cell in notebook.code_cells:
        if request.cell_id and cell.id == request.cell_id:
            return cell
    if request.is_live and request.cell_id and not request.has_foreign_id:
        return None
    source = request.source.strip()
    same = [cell for cell in notebook.code_cells if source and cell.source.strip() == source]
    number = next((cell.number for cell in notebook.cells if cell.ref == last), 0)
    return next((cell for cell in same if cell.number > number), same[0] if same else None)


def _position(cells: list[Cell], after: str | None) -> int:
    for position, cell in enumerate(cells):
        if cell.ref == after:
            return position + 1
    return len(cells)
