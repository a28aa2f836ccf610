"""The text of a cell inside a generated file: indented, with lines left out, ending in a return.

The text itself never changes: lines inside strings keep their place, comments and blank lines stay.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Sequence

from jupyter_blocks.blockfile import Passage
from jupyter_blocks.dataflow import Expression

__all__ = ["inside_strings", "passages", "returning"]

_STRING_STARTS = frozenset(("FSTRING_START", "TSTRING_START"))
_STRING_ENDS = frozenset(("FSTRING_END", "TSTRING_END"))
_SEMICOLON = re.compile(r"\s*;\s*")
_LEADING = re.compile(r"[ \t\f]*")


def passages(
    cell: str, lines: Sequence[str | None], *, indent: str = "", first_line: int = 1
) -> list[Passage]:
    """The lines of one cell that are left (not None) as passages of a file.

    Blank lines at both ends are dropped, and those that would double one where lines are left out.
    """
    inside = inside_strings([line or "" for line in lines])
    kept: list[tuple[int, str]] = []
    blank = 0
    gap = True
    for index, line in enumerate(lines):
        if line is None:
            gap = True
        elif index not in inside and not line.strip():
            blank += 1
        else:
            blank = min(blank, 1) if gap else blank
            number = first_line + index
            if kept:
                kept += [(number - blank + count, "") for count in range(blank)]
            kept.append((number, line if index in inside else _indented(line, indent)))
            blank, gap = 0, False
    return _grouped(cell, kept)


def returning(lines: Sequence[str | None], expression: Expression) -> list[str | None]:
    """`lines` with `expression`, the last statement in them, as the value of a return."""
    changed = list(lines)
    last = changed[expression.end_line - 1] or ""
    rest = _SEMICOLON.sub("  ", last[expression.end_col :], count=1)
    changed[expression.end_line - 1] = (last[: expression.end_col] + rest).rstrip()
    first = changed[expression.line - 1] or ""
    changed[expression.line - 1] = f"{first[: expression.col]}return {first[expression.col :]}"
    return changed


def _indented(line: str, indent: str) -> str:
    """A line outside of strings; a form feed in front would reset its indentation."""
    if not line.strip():
        return ""
    leading = _LEADING.match(line)
    space = leading[0] if leading else ""
    return indent + space.rpartition("\f")[2] + line[len(space) :]


def inside_strings(lines: Sequence[str]) -> set[int]:
    """Indexes of the lines that begin inside a string, where indentation would change it."""
    text = "\n".join(lines)
    if not any(mark in text for mark in ('"""', "'''", "\\")):
        return set()
    inside: set[int] = set()
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(f"{text}\n", newline="\n").readline):
        name = tokenize.tok_name[token.type]
        if name == "STRING":
            inside.update(range(token.start[0], token.end[0]))
        elif name in _STRING_STARTS:
            starts.append(token.start[0])
        elif name in _STRING_ENDS:
            inside.update(range(starts.pop(), token.end[0]))
    return inside


def _grouped(cell: str, kept: Sequence[tuple[int, str]]) -> list[Passage]:
    """Runs of consecutive lines."""
    groups: list[tuple[int, list[str]]] = []
    expected = -1
    for number, text in kept:
        if number != expected:
            groups.append((number, []))
        groups[-1][1].append(text)
        expected = number + 1
    return [Passage("\n".join(texts), cell, first) for first, texts in groups]
