"""The graph of a pipeline as text: one line for each block, and lanes that show what reads what.

A lane runs down from a block to the last block that reads it:

    ◇    wait_for_file
    ●    load_flights        reads the lane above it
    │ ●  load_weather
    ■─╯  join_weather        both lanes end here

`┼` joins a lane, `│` inside a horizontal line is only crossed. A graph with too many lanes to
follow becomes a table in which each block names what it reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from jupyter_blocks.console import PLAIN, Style
from jupyter_blocks.graphnodes import GraphNode
from jupyter_blocks.tables import Column, Painted, table

__all__ = ["MAX_LANES", "graph_text"]

MAX_LANES = 16
"""More lanes than this cannot be followed by eye."""

_SYMBOLS = {
    "sensor": "◇",
    "data_loader": "●",
    "transformer": "■",
    "data_exporter": "▲",
    "custom": "◆",
}
_PAINTS = {
    "sensor": "magenta",
    "data_loader": "blue",
    "transformer": "green",
    "data_exporter": "yellow",
    "custom": "cyan",
}
_JOINTS = {"left": ("├", "╰"), "right": ("┤", "╯"), "between": ("┼", "┴")}
"""What a lane that is read looks like: where it goes on, and where it ends."""
_NAMED_UPSTREAM = 4


def graph_text(nodes: Sequence[GraphNode], style: Style = PLAIN) -> str:
    """The graph as lines; `nodes` are in topological order."""
    drawing = _Lanes(nodes)
    rows = [drawing.add(node) for node in nodes]
    if drawing.width > MAX_LANES:
        return _table(nodes, style, reads=True)
    width = 2 * drawing.width
    narrower = Style(style.colour, max(20, style.width - width - 1) if style.width else None)
    title, *lines = _table(nodes, narrower).split("\n")
    drawn = [" " * (width + 1) + title]
    for row, node, line in zip(rows, nodes, lines, strict=True):
        drawn.append(f"{_painted(row, node, style)}{' ' * (width + 1 - len(row))}{line}")
    return "\n".join(drawn)


def _painted(row: Sequence[str], node: GraphNode, style: Style) -> str:
    def paint_of(char: str) -> str:
        if char.isspace():
            return ""
        return _PAINTS[node.type] if char == _SYMBOLS[node.type] else "dim"

    return "".join(style.paint("".join(chars), paint) for paint, chars in groupby(row, paint_of))


def _table(nodes: Sequence[GraphNode], style: Style, *, reads: bool = False) -> str:
    elsewhere = any(node.executor not in ("", "local_python") for node in nodes)
    columns = (Column("block"), Column("type"), Column("executor"), Column("reads", shrink=True))
    rows = [
        (
            node.name,
            Painted(node.tag, _PAINTS[node.type]),
            node.executor if elsewhere else "",
            Painted(_names(node.upstream) if reads else "", "dim"),
        )
        for node in nodes
    ]
    return table(columns, rows, style=style)


def _names(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_UPSTREAM
    if more <= 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED_UPSTREAM])} and {more} more"


class _Lanes:
    """Gives each block a lane, one block after the other, and draws its row."""

    def __init__(self, nodes: Sequence[GraphNode]) -> None:
        self._unread = Counter(name for node in nodes for name in set(node.upstream))
        self._lanes: list[str] = []
        self.width = 0
        """Lanes in use at the widest place."""

    def add(self, node: GraphNode) -> list[str]:
        """The characters of the block's row."""
        read = {lane for lane, name in enumerate(self._lanes) if name in node.upstream and name}
        self._unread.subtract(set(node.upstream))
        ending = {lane for lane in read if not self._unread[self._lanes[lane]]}
        at = min(ending) if ending else self._free_lane(read)
        row = self._draw(at, read, ending, _SYMBOLS[node.type])
        for lane in ending:
            self._lanes[lane] = ""
        self._lanes[at] = node.name if self._unread[node.name] else ""
        return row

    def _free_lane(self, read: set[int]) -> int:
        """A lane nobody uses, near the lanes that are read."""
        free = [lane for lane, name in enumerate(self._lanes) if not name]
        free.append(len(self._lanes))
        at = min(free, key=lambda lane: max((abs(lane - other) for other in read), default=lane))
        if at == len(self._lanes):
            self._lanes.append("")
            self.width = max(self.width, len(self._lanes))
        return at

    def _draw(self, at: int, read: set[int], ending: set[int], symbol: str) -> list[str]:
        left, right = min({at} | read), max({at} | read)
        row: list[str] = []
        for lane, name in enumerate(self._lanes):
            if lane == at:
                char = symbol
            elif lane in read:
                place = "left" if lane == left else "right" if lane == right else "between"
                char = _JOINTS[place][lane in ending]
            elif name:
                char = "│"
            else:
                char = "─" if left < lane < right else " "
            row += [char, "─" if left <= lane < right else " "]
        return row
