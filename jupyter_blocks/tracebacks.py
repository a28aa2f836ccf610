"""A user's exception, told to people: their own lines, in their notebook and in the block file.

Frames of this package are never shown and those of libraries only where the error came out of one.
A frame of an exported file names the notebook cell and line as well. Nothing here raises.
"""

from __future__ import annotations

import json
import linecache
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_blocks.blockfile import Header, parse_header
from jupyter_blocks.errors import BlocksError

__all__ = ["Location", "describe", "exception_text"]

_OWN_MODULES = ("jupyter_blocks.", "jupyter_blocks_project.")
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
    """`str(exception)`, even if that fails; of a syntax error without the place."""
    try:
        return (exception.msg or "") if isinstance(exception, SyntaxError) else str(exception)
    except Exception as error:
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
            place = _syntax_place(each)
            if place is not None and self._is_user_file(place[0]):
                return self.locate(*place)
            frames = [
                frame for frame in _frames(each.__traceback__) if self._is_user_file(frame.filename)
            ]
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
        causes = self._worth_telling(exception)
        for number, each in enumerate(reversed(causes)):
            if number:
                yield ""
                yield _CAUSE if each.__cause__ is not None else _CONTEXT
                yield ""
            yield from self._tell_one(each)

    def _worth_telling(self, exception: BaseException) -> list[BaseException]:
        """The exception and its causes, without those a library turned into the same once more."""
        told = [exception]
        for cause in list(_causes(exception))[1:]:
            same = type(cause) is type(told[-1])
            same = same and exception_text(cause) == exception_text(told[-1])
            if not same or any(
                self._is_user_file(f.filename) for f in _frames(cause.__traceback__)
            ):
                told.append(cause)
        return told

    def _tell_one(self, exception: BaseException) -> Iterator[str]:
        frames = list(self._tell_frames(exception.__traceback__))
        if frames:
            yield "Traceback (most recent call last):"
            yield from frames
        if isinstance(exception, SyntaxError):
            yield from self._tell_syntax(exception)
        text = exception_text(exception)
        yield f"{_type_name(exception)}: {text}" if text else _type_name(exception)
        yield from (str(note) for note in getattr(exception, "__notes__", None) or ())
        if isinstance(exception, BaseExceptionGroup):
            yield from self._tell_members(exception)

    def _tell_members(self, group: BaseExceptionGroup[BaseException]) -> Iterator[str]:
        for number, member in enumerate(group.exceptions[:_MOST_CAUSES], 1):
            yield f"  --- {number} of {len(group.exceptions)} ---"
            yield from (f"  {line}" for text in self.tell(member) for line in text.split("\n"))

    def _tell_frames(self, tb: TracebackType | None) -> Iterator[str]:
        """User frames, and the last frame of a library the exception came out of."""
        frames = [frame for frame in _frames(tb) if not frame.filename.startswith(_PACKAGE)]
        users = [i for i, frame in enumerate(frames) if self._is_user_file(frame.filename)]
        if not users:
            return
        shown = {*users[: _MOST_FRAMES // 2], *users[-_MOST_FRAMES // 2 :], len(frames) - 1}
        hidden: list[_Frame] = []
        for index in range(users[0], len(frames)):
            if index in shown:
                yield from _tell_hidden(hidden)
                hidden = []
                yield from self._tell_frame(frames[index])
            else:
                hidden.append(frames[index])

    def _tell_frame(self, frame: _Frame) -> Iterator[str]:
        is_users = self._is_user_file(frame.filename)
        place = self.locate(frame.filename, frame.line) if is_users else frame.short_place
        name = "" if frame.name == "<module>" else f", in {frame.name}"
        yield f"  {place}{name}"
        source = linecache.getline(frame.filename, frame.line).strip()
        if source:
            yield f"    {source}"

    def _tell_syntax(self, exception: SyntaxError) -> Iterator[str]:
        place = _syntax_place(exception)
        if place is None:
            return
        yield f"  {self.locate(*place)}"
        text = (exception.text or "").rstrip("\n")
        if not text.strip():
            return
        yield f"    {text.strip()}"
        indent = len(text) - len(text.lstrip())
        offset = (exception.offset or 1) - 1 - indent
        if 0 <= offset <= len(text):
            yield f"    {' ' * offset}^"

    def _is_user_file(self, filename: str) -> bool:
        """Files of the project, and of neither Python nor an installed package."""
        if filename.startswith(_PACKAGE):
            return False
        project = f"{self._project}/"
        library = next((each for each in _library_folders() if filename.startswith(each)), None)
        if library is not None and not project.startswith(library):
            return False
        if filename.startswith(project):
            return True
        return library is None and not _is_made_up(filename)


@dataclass(frozen=True)
class _Frame:
    filename: str
    line: int
    name: str

    @property
    def short_name(self) -> str:
        """The file below the folder of the libraries."""
        for folder in _library_folders():
            if self.filename.startswith(folder):
                return self.filename[len(folder) :]
        return self.filename

    @property
    def package(self) -> str:
        """Name of the library the frame is of."""
        return self.short_name.split("/")[0].removesuffix(".py")

    @property
    def short_place(self) -> str:
        """Short file name, and line."""
        return f"{self.short_name}, line {self.line}"


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


def _tell_hidden(hidden: list[_Frame]) -> Iterator[str]:
    if hidden:
        names = list(dict.fromkeys(frame.package for frame in hidden))
        where = f" of {names[0]}" if len(names) == 1 and "<" not in names[0] else ""
        yield f"  ... {len(hidden)} frame{'' if len(hidden) == 1 else 's'}{where}"


def _syntax_place(exception: BaseException) -> tuple[str, int] | None:
    if isinstance(exception, SyntaxError) and exception.filename and exception.lineno:
        return exception.filename, exception.lineno
    return None


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and so on; what `from None` hides stays hidden.

    Errors of this package say all there is to say, so what led to them is left out.
    """
    seen: set[int] = set()
    each: BaseException | None = exception
    while each is not None and id(each) not in seen and len(seen) < _MOST_CAUSES:
        seen.add(id(each))
        yield each
        if isinstance(each, BlocksError):
            return
        hidden = each.__suppress_context__
        each = each.__cause__ or (None if hidden else each.__context__)


def _type_name(exception: BaseException) -> str:
    kind = type(exception)
    module = kind.__module__
    own = module in ("builtins", "__main__") or module.startswith(_OWN_MODULES)
    return kind.__qualname__ if own else f"{module}.{kind.__qualname__}"


def _is_made_up(filename: str) -> bool:
    """`<string>`, or a path that compiled code brings along; text kept in metadata.yaml is real."""
    return not filename.startswith(("/", "<block "))


@cache
def _library_folders() -> tuple[str, ...]:
    """Folders of installed packages and of Python itself, each with a final slash."""
    import sysconfig

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
