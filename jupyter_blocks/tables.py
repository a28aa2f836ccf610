"""Text tables: aligned columns, numbers on the right, cut to the width of a terminal.

The same table is plain in a log and painted on a terminal; only `style` differs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jupyter_blocks.console import PLAIN, Style

__all__ = ["Column", "Painted", "cut", "display_width", "table"]

GAP = "  "
_LEAST_WIDTH = 12


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    right: bool = False
    """Whether its cells stand on the right, as numbers do."""
    shrink: bool = False
    """Whether its cells may be cut where the terminal is too narrow."""
    optional: bool = False
    """Whether it is left out where the terminal is too narrow even so."""


@dataclass(frozen=True)
class Painted:
    """The text of a cell and its paint (`console.Style.paint`)."""

    text: str
    paint: str = ""


Cell = str | Painted


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, style: Style = PLAIN
) -> str:
    """The lines of a table, its titles first; columns that are empty everywhere are left out."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = {
        number: max(
            [display_width(column.title), *(display_width(row[number].text) for row in cells)]
        )
        for number, column in enumerate(columns)
        if not cells or not column.title or any(row[number].text for row in cells)
    }
    if style.width is not None:
        widths = _fitted(columns, widths, style.width)
    shown = [columns[number] for number in widths]
    titles = [Painted(column.title, "dim") for column in columns]
    lines = [
        _line(shown, [row[number] for number in widths], list(widths.values()), style)
        for row in (titles, *cells)
    ]
    return "\n".join(lines)


def display_width(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns; what is cut off is shown as `…`."""
    if display_width(text) <= width:
        return text
    kept: list[str] = []
    left = width - 1
    for char in text:
        left -= _char_width(char)
        if left < 0:
            break
        kept.append(char)
    return "".join(kept) + "…" if width > 0 else ""


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _cell(cell: Cell) -> Painted:
    painted = cell if isinstance(cell, Painted) else Painted(cell)
    if painted.text.isprintable():
        return painted
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in painted.text)
    return Painted(shown, painted.paint)


def _fitted(columns: Sequence[Column], widths: Mapping[int, int], room: int) -> dict[int, int]:
    """Widths that fit: optional columns go, the last one first, then the widest are cut."""
    fitted = dict(widths)
    for number in reversed(widths):
        least = [
            min(width, _LEAST_WIDTH) if columns[other].shrink else width
            for other, width in fitted.items()
        ]
        if sum(least) + len(GAP) * (len(least) - 1) <= room:
            break
        if columns[number].optional:
            del fitted[number]
    over = sum(fitted.values()) + len(GAP) * (len(fitted) - 1) - room
    while over > 0:
        cuttable = [n for n in fitted if columns[n].shrink and fitted[n] > _LEAST_WIDTH]
        if not cuttable:
            break
        fitted[max(cuttable, key=fitted.__getitem__)] -= 1
        over -= 1
    return fitted


def _line(
    columns: Sequence[Column], row: Sequence[Painted], widths: Sequence[int], style: Style
) -> str:
    parts = []
    for number, (column, cell, width) in enumerate(zip(columns, row, widths, strict=True)):
        text = cut(cell.text, width)
        blank = " " * (width - display_width(text))
        painted = style.paint(text, cell.paint)
        if column.right:
            parts.append(blank + painted)
        elif number == len(columns) - 1:
            parts.append(painted)
        else:
            parts.append(painted + blank)
    return GAP.join(parts).rstrip()
