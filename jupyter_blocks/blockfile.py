"""The header of an exported file: which notebook and which cells it was made from, and a digest.

Written by export, read by whoever finds such a file: export itself (was it edited by hand?) and
tracebacks (which notebook cell is this line from?). The code below it is not its concern.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

__all__ = [
    "Header",
    "Passage",
    "SourceRange",
    "compose",
    "file_digest",
    "is_intact",
    "parse_header",
    "without_header",
]

_ADVICE = (
    "# Change the notebook and export again; changes made here go back: jupyter blocks notebook."
)
_TITLE = re.compile(
    r"# (?:Block (?P<block>\S+)|Helpers) of the pipeline (?P<pipeline>\S+), "
    r"exported from (?P<notebook>.+) by Jupyter Blocks\.\Z"
)
_SOURCE = re.compile(r"# source: cell (\S+) line (\d+) -> lines? (\d+)(?:-(\d+))?\Z")
_DIGEST = re.compile(r"# digest: ([0-9a-f]{32})\Z")


@dataclass(frozen=True)
class Passage:
    """Consecutive lines of a file to be written."""

    text: str
    """Lines separated by a line feed, without a final one."""
    cell: str = ""
    """Cell the lines are from: its id, or `#7` for the seventh; empty: written by us."""
    cell_line: int = 1
    """Line of the cell (from 1) that the first line is."""

    @property
    def line_count(self) -> int:
        """Number of lines."""
        return self.text.count("\n") + 1


@dataclass(frozen=True)
class SourceRange:
    """Lines `first` to `last` of a file are the lines of one cell from `cell_line` on."""

    cell: str
    """Id of the cell, or `#7` for the seventh cell of a notebook without ids."""
    cell_line: int
    first: int
    last: int

    def __str__(self) -> str:
        lines = f"line {self.first}"
        if self.last > self.first:
            lines = f"lines {self.first}-{self.last}"
        return f"# source: cell {self.cell} line {self.cell_line} -> {lines}"


@dataclass(frozen=True)
class Header:
    """What the comment lines at the top of an exported file say."""

    pipeline: str
    notebook: str
    """Path of the notebook as written: relative to the project, with '/'."""
    block: str = ""
    """Name of the block; empty for the helpers of a pipeline."""
    sources: tuple[SourceRange, ...] = ()
    digest: str = ""

    def locate(self, line: int) -> tuple[str, int] | None:
        """Cell and line within it that line `line` of the file is from; none: not from a cell."""
        for source in self.sources:
            if source.first <= line <= source.last:
                return source.cell, source.cell_line + line - source.first
        return None

    @cached_property
    def title(self) -> str:
        """First line of the file."""
        subject = f"Block {self.block}" if self.block else "Helpers"
        return (
            f"# {subject} of the pipeline {self.pipeline}, "
            f"exported from {self.notebook} by Jupyter Blocks."
        )


def compose(passages: Sequence[Passage], *, pipeline: str, notebook: str, block: str = "") -> str:
    """The text of an exported file: header, passages, final line feed.

    The same arguments give the same text. `parse_header` reads back what is said in the header.
    """
    ranges = _ranges(passages)
    above = 3 + len(ranges)
    sources = [
        SourceRange(each.cell, each.cell_line, each.first + above, each.last + above)
        for each in ranges
    ]
    title = Header(pipeline, notebook, block).title
    head = [title, _ADVICE, *map(str, sources)]
    body = [passage.text for passage in passages]
    digest = file_digest("\n".join([*head, *body]) + "\n")
    return "\n".join([*head, f"# digest: {digest}", *body]) + "\n"


def parse_header(text: str) -> Header | None:
    """The header of an exported file; none if the text does not begin with one."""
    lines = text.splitlines()
    title = _TITLE.match(lines[0]) if lines else None
    if title is None:
        return None
    sources = []
    digest = ""
    for line in lines[1:]:
        if not line.startswith("#"):
            break
        if found := _SOURCE.match(line):
            cell, cell_line, first, last = found.groups()
            sources.append(SourceRange(cell, int(cell_line), int(first), int(last or first)))
        elif found := _DIGEST.match(line):
            digest = found[1]
            break
    return Header(
        title["pipeline"], title["notebook"], title["block"] or "", tuple(sources), digest
    )


def without_header(text: str) -> str:
    """The code of an exported file, with line feeds only; all of it where there is no header."""
    text = text.replace("\r\n", "\n")
    return "\n".join(text.split("\n")[_header_length(text) :])


def is_intact(text: str) -> bool:
    """Whether an exported file is as it was written; line ends (CRLF) do not count."""
    header = parse_header(text)
    return header is not None and header.digest == file_digest(text)


def file_digest(text: str) -> str:
    """sha256 of `text` without its first digest line: 32 hex digits."""
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines):
        if _DIGEST.match(line):
            del lines[number]
            break
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def _header_length(text: str) -> int:
    lines = text.split("\n")
    if not _TITLE.match(lines[0]):
        return 0
    for number, line in enumerate(lines[1:], start=1):
        if _DIGEST.match(line):
            return number + 1
        if not line.startswith(_ADVICE[:39]) and not _SOURCE.match(line):
            return number
    return len(lines)


def _ranges(passages: Sequence[Passage]) -> list[SourceRange]:
    """Ranges of the passages from cells, from line 1 on; those that go on become one."""
    ranges: list[SourceRange] = []
    first = 1
    for passage in passages:
        last = first + passage.line_count - 1
        if passage.cell:
            new = SourceRange(passage.cell, passage.cell_line, first, last)
            if ranges and _continues(ranges[-1], new):
                old = ranges.pop()
                new = SourceRange(old.cell, old.cell_line, old.first, last)
            ranges.append(new)
        first = last + 1
    return ranges


def _continues(old: SourceRange, new: SourceRange) -> bool:
    return (
        old.cell == new.cell
        and new.first == old.last + 1
        and new.cell_line - old.cell_line == new.first - old.first
    )
