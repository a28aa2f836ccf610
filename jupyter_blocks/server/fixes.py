"""Fixes of one click: what a cell could be tagged as, so that a problem of the notebook goes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jupyter_blocks.block import BLOCK_TYPES
from jupyter_blocks.errors import Problem
from jupyter_blocks.notebook import Cell, Notebook
from jupyter_blocks.tags import TAGS, CellTags, Role, read_tags

__all__ = ["Fix", "fixes_of"]

_CELL = re.compile(r"\b(?:Tag|Give) cell (\d+)")
_TAGS = re.compile(r"\b(?:tag|example|or|as) '([a-z-]+)'")
_TAG_IT = re.compile(r"\bTag (?:the cell|cell \d+)|\bGive (?:it|the cell) a (?:block )?type")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_TYPE_TAGS = frozenset(kind.tag for kind in BLOCK_TYPES.values())


@dataclass(frozen=True)
class Fix:
    """One way out of a problem that only needs other tags."""

    label: str
    """What a button says."""
    cell: int
    """Place of the cell in the notebook, from 1."""
    tag: str
    """Its role afterwards, as a tag; empty for none. Tags of others and `upstream:` stay."""


def fixes_of(problem: Problem, notebook: Notebook, names: Iterable[str]) -> list[Fix]:
    """The fixes of a problem, the one to offer first in front; none where code has to change.

    `names` are those of the notebook's blocks.
    """
    found = _CELL.search(problem.hint)
    number = int(found[1]) if found else problem.cell
    if number is None or not 1 <= number <= len(notebook.cells):
        return []
    cell = notebook.cells[number - 1]
    tags, _ = read_tags(cell.tags, cell.source)
    match problem.code:
        case "duplicate-block" if problem.block:
            return [_renamed(cell, tags, _free(problem.block, names))]
        case "bad-name":
            return list(_mended_name(cell, names))
        case "skipped-binding" if tags.role is Role.SKIP:
            return [Fix(f"Do not skip cell {number}", number, "")]
    return [
        Fix(_label(tag, number), number, tag)
        for tag in dict.fromkeys(_tags_in(problem.hint))
        if tag != tags.word
    ]


def _tags_in(hint: str) -> Iterator[str]:
    words = [word for word in _TAGS.findall(hint) if word in TAGS]
    if _TAG_IT.search(hint) and not _TYPE_TAGS.intersection(words):
        yield "transformer"
    yield from words


def _label(tag: str, number: int) -> str:
    match tag:
        case "continue":
            return f"Join cell {number} to the block above"
        case "skip":
            return f"Leave out cell {number}"
        case "imports" | "functions":
            return f"Tag cell {number} as setup"
    return f"Tag cell {number} as {tag}"


def _renamed(cell: Cell, tags: CellTags, name: str) -> Fix:
    word = tags.type.tag if tags.type else "step"
    return Fix(f"Rename cell {cell.number} to '{name}'", cell.number, f"{word}:{name}")


def _mended_name(cell: Cell, names: Iterable[str]) -> Iterator[Fix]:
    """A name like the one that no block can have."""
    for tag in cell.tags:
        word, colon, name = tag.partition(":")
        likely = _NOT_IN_NAMES.sub("_", name.lower()).strip("_")
        if colon and word in TAGS and likely and likely != name:
            if not likely[0].isalpha():
                likely = f"block_{likely}"
            name = _free(likely, names)
            yield Fix(f"Rename cell {cell.number} to '{name}'", cell.number, f"{word}:{name}")
            return


def _free(name: str, taken: Iterable[str]) -> str:
    names = set(taken)
    free, number = name, 1
    while free in names:
        number += 1
        free = f"{name}_{number}"
    return free
