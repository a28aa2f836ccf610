"""A user's exception, told to people: their own lines, in their notebook and in the block file.

Frames of this package are never shown and those of libraries only where the error came out of one.
A frame of an exported file names the notebook cell and line as well. Nothing here raises.
"""

from __future__ import annotations

import json
import linecache
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_blocks.blockfile import Header, parse_header

__all__ = ["Location", "describe", "exception_text"]

_PACKAGE = str(Path(__file__).parent) + "/"
_LONGEST_MESSAGE = 8_000
"""Characters of one message; libraries put whole tables into theirs."""
_LONGEST_TRACEBACK = 60_000
_MOST_CAUSES = 20
_MOST_FRAMES = 30
"""User frames of one exception; runaway recursion has a thousand alike."""

_CAUSE = "The exception above was the direct cause of the following exception:"
_CONTEXT = "While the exception above was handled, another one occurred:"


@dataclass(frozen=True)
class Location:
    """A line of user code: in the file, and in the notebook where the file was exported from one.

    `file` is relative to the project where it lies in it.
    """

    file: str
    line: int
    notebook: str | None = None
    cell: int | None = None
    """1-based position among all cells, as far as the notebook can be read."""
    cell_id: str | None = None
    cell_line: int | None = None

    def __str__(self) -> str:
        in_file = f"{self.file}, line {self.line}"
        if self.notebook is None:
            return in_file
        cell = self.cell if self.cell is not None else self.cell_id
        return f"{self.notebook}, cell {cell}, line {self.cell_line} ({in_file})"

    def as_json(self) -> dict[str, Any]:
        """The fields of `describe` that say where."""
        return dict(vars(self))


_NOWHERE: Mapping[str, Any] = {
    "file": None,
    "line": None,
    "notebook": None,
    "cell": None,
    "cell_id": None,
    "cell_line": None,
}


def describe(
    exception: BaseException,
    *,
    project: str | Path,
    where: tuple[str, int] | None = None,
    hint: str = "",
) -> dict[str, Any]:
    """What happened and where, as plain JSON for the worker's report.

    Keys: `type`, `message`, `traceback` (text for people), and `file`, `line`, `notebook`, `cell`,
    `cell_id`, `cell_line` of the innermost line of user code. `where` (absolute file, line) stands
    in where the exception passed no user code; `hint` is added to message and traceback.
    """
    teller = _Teller(Path(project))
    location = teller.innermost(exception)
    if location is None and where is not None:
        location = teller.locate(*where)
    message = exception_text(exception)
    lines = list(teller.tell(exception))
    if hint:
        message = f"{message}\n{hint}" if message else hint
        lines.append(hint)
    return {
        "type": _type_name(exception),
        "message": _shortened(message, _LONGEST_MESSAGE),
        "traceback": _shortened("\n".join(lines), _LONGEST_TRACEBACK),
        **(location.as_json() if location else _NOWHERE),
    }


def exception_text(exception: BaseException) -> str:
    """`str(exception)`, even if that fails."""
    try:
        return str(exception)
    except Exception as error:  # noqa: BLE001 - user code decides what it raises
        return f"<str() of the exception failed with {type(error).__name__}>"


class _Teller:
    """Tells the exceptions of one failure."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._files: dict[str, _File] = {}

    # where

    def locate(self, filename: str, line: int) -> Location:
        """The line of a file, and that of the notebook it comes from."""
        if filename not in self._files:
            self._files[filename] = _File.read(filename, self._project)
        return self._files[filename].locate(line)

    def innermost(self, exception: BaseException) -> Location | None:
        """The last line of user code the exception, or what it stands for, came through."""
        for each in _causes(exception):
            if isinstance(each, SyntaxError) and each.filename and each.lineno:
                if self._is_user_file(each.filename):
                    return self.locate(each.filename, each.lineno)
            frames = [frame for frame in _frames(each.__traceback__) if self._is_users(frame)]
            if frames:
                return self.locate(frames[-1].filename, frames[-1].line)
            members = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
            for member in members:
                location = self.innermost(member)
                if location is not None:
                    return location
        return None

    # the text

    def tell(self, exception: BaseException) -> Iterator[str]:
        """Lines of text for an exception and what led to it, the first cause first."""
        causes = list(_causes(exception))
        for number, each in enumerate(reversed(causes)):
            if number:
                yield ""
                yield _CAUSE if each.__cause__ is not None else _CONTEXT
                yield ""
            yield from self._tell_one(each)

    def _tell_one(self, exception: BaseException) -> Iterator[str]:
        frames = list(self._tell_frames(exception.__traceback__))
        if frames:
            yield "Traceback (most recent call last):"
            yield from frames
        if isinstance(exception, SyntaxError):
            yield from self._tell_syntax(exception)
        text = (
            exception_text(exception)
            if not isinstance(exception, SyntaxError)
            else (exception.msg or "")
        )
        yield f"{_type_name(exception)}: {text}" if text else _type_name(exception)
        yield from (str(note) for note in getattr(exception, "__notes__", None) or ())
        if isinstance(exception, BaseExceptionGroup):
            yield from self._tell_members(exception)

    def _tell_members(self, group: BaseExceptionGroup[BaseException]) -> Iterator[str]:
        for number, member in enumerate(group.exceptions[:_MOST_CAUSES], 1):
            yield f"  --- {number} of {len(group.exceptions)} ---"
            yield from (f"  {line}" for text in self.tell(member) for line in text.split("\n"))

    def _tell_frames(self, tb: TracebackType | None) -> Iterator[str]:
        """User frames; of library frames after them the last one, and how many came between."""
        frames = [frame for frame in _frames(tb) if not frame.filename.startswith(_PACKAGE)]
        users = [index for index, frame in enumerate(frames) if self._is_users(frame)]
        if not users:
            return
        left_out = (
            set(users[_MOST_FRAMES // 2 : -_MOST_FRAMES // 2])
            if (len(users) > _MOST_FRAMES)
            else set()
        )
        hidden: list[_Frame] = []
        for index, frame in enumerate(frames[users[0] :], users[0]):
            is_last = index == len(frames) - 1
            if (index in users or is_last) and index not in left_out:
                yield from _tell_hidden(hidden, left_out)
                hidden = []
                yield from self._tell_frame(frame, is_users=index in users)
            else:
                hidden.append(frame)

    def _tell_frame(self, frame: _Frame, *, is_users: bool) -> Iterator[str]:
        place = self.locate(frame.filename, frame.line) if is_users else frame.short_place
        name = "" if frame.name == "<module>" else f", in {frame.name}"
        yield f"  {place}{name}"
        source = linecache.getline(frame.filename, frame.line).strip()
        if source:
            yield f"    {source}"

    def _tell_syntax(self, exception: SyntaxError) -> Iterator[str]:
        if not exception.filename or not exception.lineno:
            return
        yield f"  {self.locate(exception.filename, exception.lineno)}"
        text = (exception.text or "").rstrip("\n")
        if not text.strip():
            return
        yield f"    {text.strip()}"
        indent = len(text) - len(text.lstrip())
        offset = (exception.offset or 1) - 1 - indent
        if 0 <= offset <= len(text):
            yield f"    {' ' * offset}^"

    def _is_users(self, frame: _Frame) -> bool:
        return self._is_user_file(frame.filename)

    def _is_user_file(self, filename: str) -> bool:
        if filename.startswith(str(self._project) + "/"):
            return True
        return not filename.startswith(_library_folders()) and not _is_made_up(filename)


@dataclass(frozen=True)
class _Frame:
    filename: str
    line: int
    name: str

    @property
    def package(self) -> str:
        """Name of the library the frame is of."""
        for folder in _library_folders():
            if self.filename.startswith(folder):
                rest = self.filename[len(folder) :].removeprefix("site-packages/")
                return rest.split("/")[0].removesuffix(".py")
        return "Python"

    @property
    def short_place(self) -> str:
        """File below the folder of the libraries, and line."""
        for folder in _library_folders():
            if self.filename.startswith(folder):
                rest = self.filename[len(folder) :].removeprefix("site-packages/")
                return f"{rest}, line {self.line}"
        return f"{self.filename}, line {self.line}"


@dataclass(frozen=True)
class _File:
    """A file of user code, and the notebook cells its lines come from."""

    shown: str
    notebook: str | None = None
    header: Header | None = None
    cells: Mapping[str, int] | None = None
    """Cell id -> 1-based position in the notebook."""

    @classmethod
    def read(cls, filename: str, project: Path) -> _File:
        path = Path(filename)
        shown = path.relative_to(project).as_posix() if path.is_relative_to(project) else filename
        header = parse_header("".join(linecache.getlines(filename)))
        if header is None:
            return cls(shown)
        cells = _cell_numbers(project / header.notebook)
        name = header.notebook
        while name.startswith("../"):
            name = name[3:]
        return cls(shown, name, header, cells)

    def locate(self, line: int) -> Location:
        found = self.header.locate(line) if self.header else None
        if found is None:
            return Location(self.shown, line)
        cell, cell_line = found
        if cell.startswith("#"):
            return Location(self.shown, line, self.notebook, int(cell[1:]), None, cell_line)
        number = (self.cells or {}).get(cell)
        return Location(self.shown, line, self.notebook, number, cell, cell_line)


def _cell_numbers(notebook: Path) -> dict[str, int]:
    """Positions of the cells by id; empty if the notebook is not there or cannot be read."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        return {cell["id"]: number for number, cell in enumerate(cells, 1) if "id" in cell}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _frames(tb: TracebackType | None) -> Iterator[_Frame]:
    for frame, line in traceback.walk_tb(tb):
        code = frame.f_code
        yield _Frame(code.co_filename, line or code.co_firstlineno, code.co_name)


def _tell_hidden(hidden: Iterable[_Frame], left_out: set[int]) -> Iterator[str]:
    frames = list(hidden)
    if not frames:
        return
    packages = ", ".join(dict.fromkeys(frame.package for frame in frames))
    what = f"in {packages}" if not left_out else "more"
    yield f"  ... {len(frames)} frame{'' if len(frames) == 1 else 's'} {what}"


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and so on; what `from None` hides stays hidden."""
    seen: set[int] = set()
    each: BaseException | None = exception
    while each is not None and id(each) not in seen and len(seen) < _MOST_CAUSES:
        seen.add(id(each))
        yield each
        hidden = each.__suppress_context__
        each = each.__cause__ or (None if hidden else each.__context__)


def _type_name(exception: BaseException) -> str:
    kind = type(exception)
    module = kind.__module__
    own = module in ("builtins", "__main__") or module.startswith("jupyter_blocks_project.")
    return kind.__qualname__ if own else f"{module}.{kind.__qualname__}"


def _is_made_up(filename: str) -> bool:
    """`<frozen importlib>`, `<string>`: nothing to look up; a block kept in metadata.yaml is real."""
    return filename.startswith("<") and not filename.startswith("<block ")


@cache
def _library_folders() -> tuple[str, ...]:
    """Folders of installed packages and of Python itself, each with a final slash."""
    paths = sysconfig.get_paths()
    found = [paths[name] for name in ("purelib", "platlib", "stdlib", "platstdlib")]
    found += [str(Path(entry)) for entry in sys.path if entry.endswith("-packages")]
    # The longest first: site-packages lies inside the folder of the standard library.
    return tuple(sorted({f"{folder}/" for folder in found}, key=len, reverse=True))


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n... {len(text) - longest:,} characters left out ...\n{text[-half:]}"
