"""What hand-made changes of an exported file mean for the cells it was made from.

Pure: three texts in (as exported, as edited, as the notebook would export it now), changes of cells
and conflicts out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from jupyter_blocks.blocktext import IMPORTS, BlockText, Line, read_edited, read_exported
from jupyter_blocks.linediff import aligned

__all__ = [
    "Conflict",
    "FileChanges",
    "LineChange",
    "changed_source",
    "file_changes",
]

Place = tuple[str, str]
"""Region of the file, and reference of the cell."""


@dataclass(frozen=True)
class LineChange:
    """One line of a cell that becomes none, one or several lines."""

    cell: str
    line: int
    """Line of the cell, from 1; 0: before the first."""
    before: str | None
    """The line as the file had it; none: the new lines come after it."""
    after: tuple[Line, ...]


@dataclass(frozen=True)
class Conflict:
    """Lines of a cell that were changed in the notebook and in the file, in different ways."""

    cell: str
    """Reference of the cell in the notebook; empty: the cell is gone."""
    base: tuple[str, ...] | None
    """The lines as they were exported; none: not known."""
    notebook: tuple[str, ...]
    file: tuple[str, ...]


@dataclass(frozen=True)
class FileChanges:
    """What the changes of one file mean."""

    changes: tuple[LineChange, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    new: tuple[Line, ...] = ()
    """New lines at the top: imports and definitions for the first cell of the block."""
    kept: tuple[str, ...] = ()
    """Imports that were deleted in the file and come from a cell that other blocks need too."""


def file_changes(base: str | None, edited: str, now: str, own_cells: Iterable[str]) -> FileChanges:
    """The changes of an exported file, for the notebook's cells.

    `base` is the file as it was exported, `now` as the notebook would export it. Where the base is
    not known, each difference is a conflict. `own_cells` are references, in `now`, of the cells
    that only this file is made from. Raises `SyntaxError` where the edited file is not Python.
    """
    current = read_exported(now)
    old = current if base is None else read_exported(base)
    new = read_edited(edited, old)
    cells = _same_cells(old, current)
    own = {ref for ref, there in cells.items() if there in set(own_cells)}
    assigned = _Assigned(old, new, own)
    old_lines, now_lines = _by_place(old.lines), _by_place(current.lines)
    changes: list[LineChange] = []
    conflicts = []
    for place, lines in assigned.lines.items():
        was = old_lines[place]
        becomes = _trimmed(lines, was)
        if _texts(becomes) == _texts(was):
            continue
        there = cells.get(place[1], "")
        has = now_lines.get((place[0], there), [])
        if base is None:
            conflicts.append(Conflict(there, None, _texts(has), _texts(becomes)))
        elif has and _texts(has) == _texts(was):
            changes += _line_changes(there, has, becomes)
        elif _texts(has) != _texts(becomes):
            conflicts.append(Conflict(there, _texts(was), _texts(has), _texts(becomes)))
    added = tuple(_trimmed(assigned.new, []))
    if base is None and added:
        conflicts.append(Conflict("", None, (), _texts(added)))
    return FileChanges(tuple(changes), tuple(conflicts), added, tuple(assigned.kept))


def _texts(lines: Iterable[Line]) -> tuple[str, ...]:
    return tuple(line.text for line in lines)


def _by_place(lines: Iterable[Line]) -> dict[Place, list[Line]]:
    found: dict[Place, list[Line]] = defaultdict(list)
    for line in lines:
        found[line.region, line.cell].append(line)
    return found


def _same_cells(old: BlockText, now: BlockText) -> dict[str, str]:
    """Reference of a cell in the old file -> in the new one: ids stay, numbers may not."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    matcher = SequenceMatcher(None, _texts(old.lines), _texts(now.lines), autojunk=False)
    for start, first, size in matcher.get_matching_blocks():
        for one, other in zip(
            old.lines[start : start + size], now.lines[first : first + size], strict=True
        ):
            votes[one.cell][other.cell] += len(one.text.strip())
    known = {line.cell for line in now.lines}
    found = {}
    for ref in {line.cell for line in old.lines}:
        if not ref.startswith("#") and ref in known:
            found[ref] = ref
        elif votes[ref]:
            found[ref] = votes[ref].most_common(1)[0][0]
    return found


class _Assigned:
    """The lines of an edited file, each with the cell it belongs to."""

    def __init__(self, old: BlockText, new: BlockText, own_cells: set[str]) -> None:
        self.is_plain_block = old.is_plain_block
        self.own_cells = own_cells
        self.lines: dict[Place, list[Line]] = {place: [] for place in _by_place(old.lines)}
        self.new: list[Line] = []
        self.kept: list[str] = []
        for region in dict.fromkeys(line.region for line in (*old.lines, *new.lines)):
            was = [line for line in old.lines if line.region == region]
            becomes = [line for line in new.lines if line.region == region]
            if region == IMPORTS:
                self._imports(was, becomes)
            else:
                self._region(was, becomes)

    def _imports(self, was: list[Line], becomes: list[Line]) -> None:
        """Imports may change places: one that is still there has not changed."""
        there = {line.text for line in becomes}
        here = {line.text for line in was}
        pairs = aligned(_texts(was), [line.text for line in becomes if line.text not in here])
        added = [line for line in becomes if line.text not in here]
        for one, other in pairs:
            line = None if other is None else added[other]
            if one is None:
                self.new += [line] if line and line.text.strip() else []
                continue
            old = was[one]
            if line is not None and old.text in there:
                self.new.append(line)
            elif line is None and old.text not in there and old.cell not in self.own_cells:
                self.kept.append(old.text)
            keeps = old.text in there or (line is None and old.cell not in self.own_cells)
            self.lines[old.region, old.cell] += [old] if keeps else [line] if line else []

    def _region(self, was: list[Line], becomes: list[Line]) -> None:
        last: Place | None = None
        waiting: list[Line] = []
        for one, other in aligned(_texts(was), _texts(becomes)):
            if one is None:
                waiting += [becomes[other]] if other is not None else []
                continue
            place = was[one].region, was[one].cell
            above, below = (_unmarked(waiting), []) if place == last else _divided(waiting)
            self.lines[last or place] += above
            self.lines[place] += [*below, *([] if other is None else [becomes[other]])]
            last, waiting = place, []
        if last is None:
            self.new += _unmarked(waiting)
        else:
            self.lines[last] += _unmarked(waiting)


def _divided(added: list[Line]) -> tuple[list[Line], list[Line]]:
    """New lines between those of two cells: what is above the blank line between, and below it.

    Where the file says that a cell ends, it ends there.
    """
    ends = [index for index, line in enumerate(added) if line.ends_cell]
    if ends:
        return _unmarked(added[: ends[-1]]), added[ends[-1] + 1 :]
    blank = [index for index, line in enumerate(added) if not line.text.strip()]
    if not blank or blank[-1] == len(added) - 1:
        return added, []
    return added[: blank[0]], added[blank[0] :]


def _unmarked(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if not line.ends_cell]


def _trimmed(lines: Sequence[Line], like: Sequence[Line]) -> list[Line]:
    """The lines without blank ones at an end where there were none before."""
    found = list(lines)
    while found and not found[0].text.strip() and not (like and not like[0].text.strip()):
        found.pop(0)
    while found and not found[-1].text.strip() and not (like and not like[-1].text.strip()):
        found.pop()
    return found


def _line_changes(cell: str, has: Sequence[Line], becomes: Sequence[Line]) -> Iterator[LineChange]:
    added: dict[int, list[Line]] = defaultdict(list)
    at = has[0].cell_line - 1
    for one, other in aligned(_texts(has), _texts(becomes)):
        if one is None and other is not None:
            added[at].append(becomes[other])
            continue
        assert one is not None  # noqa: S101 - a pair has one side at least
        at = has[one].cell_line
        if other is None:
            yield LineChange(cell, at, has[one].text, ())
        elif has[one].text != becomes[other].text:
            yield LineChange(cell, at, has[one].text, (becomes[other],))
    for line, lines in added.items():
        yield LineChange(cell, line, None, tuple(lines))


def changed_source(source: str, changes: Iterable[LineChange]) -> str:
    """The source of a cell with the changes of its lines; raises `ValueError` if two disagree."""
    lines = source.split("\n")
    indent = _indent(lines)
    replaced: dict[int, LineChange] = {}
    added: dict[int, list[str]] = defaultdict(list)
    for change in changes:
        texts = [_placed(line, indent) for line in change.after]
        if change.before is None:
            if texts != added[change.line]:
                added[change.line] += texts
        elif replaced.setdefault(change.line, change) != change and _differ(
            replaced[change.line], change
        ):
            raise ValueError(f"line {change.line} was changed in two ways")
    found = list(added[0])
    for number, line in enumerate(lines, start=1):
        found += _becomes(line, replaced.get(number), indent)
        found += added[number]
    return "\n".join(found)


def _differ(one: LineChange, other: LineChange) -> bool:
    return [line.text for line in one.after] != [line.text for line in other.after]


def _indent(lines: Sequence[str]) -> str:
    first = next((line for line in lines if line.strip()), "")
    return first[: len(first) - len(first.lstrip())]


def _placed(line: Line, indent: str) -> str:
    return line.text if line.in_string or not line.text.strip() else indent + line.text


def _becomes(line: str, change: LineChange | None, indent: str) -> list[str]:
    """What a line of a cell becomes; more may stand on it than the file shows of it."""
    if change is None or change.before is None:
        return [line]
    before = change.before.strip()
    is_part = before and line.strip() != before and line.count(before) == 1
    if not is_part:
        return [_placed(new, indent) for new in change.after]
    if not change.after:
        rest = line.replace(before, "").strip().strip(";").strip()
        return [] if not rest or rest.startswith("%") else [_margin(line) + rest]
    return [line.replace(before, change.after[0].text.strip())]


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
