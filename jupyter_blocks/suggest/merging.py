"""Few blocks instead of many: neighbours that belong together become one.

A block for each of sixty small cells is nothing that a person would draw. Neighbours of one section
are joined, the smallest first, until the pipeline can be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from jupyter_blocks.suggest.draft import Group, Work

__all__ = ["merged"]

_READABLE = 15
"""Blocks that a person takes in at a glance."""
_LARGEST = 8
"""Cells up to which blocks of one section are joined."""
_LARGEST_APART = 5
"""The same for blocks of the same chapter, and for those that read from each other."""
_MOST_CELLS = 120
"""Cells above which blocks may be larger, in the same proportion."""


def merged(groups: list[Group]) -> dict[int, Group]:
    """Which group takes up which: by `id`, for each group that is taken up."""
    left = list(groups)
    taken: dict[int, Group] = {}
    cells = sum(len(group.works) for group in groups)
    scale = max(1.0, cells / _MOST_CELLS)
    for belongs, size in ((_one_section, _LARGEST), (_one_chapter, _LARGEST_APART)):
        largest = round(size * scale)
        while len(left) > _READABLE:
            pair = _smallest_pair(left, belongs, largest)
            if pair is None:
                break
            above, below = left[pair], left.pop(pair + 1)
            _take_up(above, below)
            taken[id(below)] = above
    return taken


def _smallest_pair(
    groups: list[Group], belongs: Callable[[Group, Group], bool], largest: int
) -> int | None:
    """Position of the first of two neighbours that are to be joined next."""
    sizes = [
        (len(above.works) + len(below.works), position)
        for position, (above, below) in enumerate(pairwise(groups))
        if _can_join(above, below) and belongs(above, below)
    ]
    size, position = min(sizes, default=(largest + 1, 0))
    return position if size <= largest else None


def _can_join(above: Group, below: Group) -> bool:
    """Whether the cells of two neighbours can run in one go, as one block of one type."""
    if below.is_own or below.is_closed or above.is_closed or above.is_own:
        return False
    if not above.can_run_on(below.setups, below.works) or below.tested.intersection(below.names):
        return False
    if below.is_look:
        return not any(work.readings for work in above.works)
    brings = [any(work.readings for work in group.works) for group in (above, below)]
    writes = [any(work.writings for work in group.works) for group in (above, below)]
    return brings[0] == brings[1] and writes[0] == writes[1]


def _one_section(above: Group, below: Group) -> bool:
    """Whether they stand under the same heading; without headings, whether one reads the other."""
    if not below.first.cell.headings:
        return _one_chapter(above, below)
    return above.section == below.first.cell.headings


def _one_chapter(above: Group, below: Group) -> bool:
    """Whether they stand in one chapter, and the lower one reads the upper one, or as little."""
    chapters = [headings[:2] for headings in (above.section, below.first.cell.headings)]
    inputs = set(below.inputs)
    is_near = not above.names.isdisjoint(inputs) or inputs <= set(above.inputs)
    return chapters[0] == chapters[1] and is_near


def _take_up(above: Group, below: Group) -> None:
    above.works += [_joined(work, above) for work in below.works]
    above.setups += below.setups
    above.tested |= below.tested


def _joined(work: Work, above: Group) -> Work:
    if work.why:
        return work
    title = work.cell.headings[-1] if work.cell.headings else ""
    if title and work.cell.headings == above.section:
        return replace(work, why=f"It is part of '{title}', as block '{{block}}' above.")
    return replace(work, why="It is a small step more of block '{block}' above.")
