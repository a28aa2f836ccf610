"""What the tags of a cell say: its role in the pipeline, block type and name, order.

The same words may stand in a comment on the first line, `#| block: loader:load_flights`, for
editors without tags. Settings are not tags; they are cell metadata (see `settings`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache

from jupyter_blocks.block import BLOCK_TYPES, BlockType, block_name_problem, block_type
from jupyter_blocks.errors import Problem

__all__ = ["DIRECTIVE", "TAGS", "CellTags", "Role", "read_tags"]

DIRECTIVE = re.compile(r"\s*#\s*\|\s*block\s*:(.*)\Z")
"""A first line that carries tags."""


class Role(StrEnum):
    """What a code cell is for."""

    NONE = "none"
    """No tag of ours: setup if it only imports and defines, else not part of the pipeline."""
    BLOCK = "block"
    SETUP = "setup"
    """`imports`, `functions`: for the module all blocks share."""
    PARAMETERS = "parameters"
    CONTINUE = "continue"
    """More of the block above."""
    TEST = "test"
    """Assertions on the outputs of a block."""
    SKIP = "skip"
    """Never exported; beats every other tag."""


@dataclass(frozen=True)
class CellTags:
    """The tags of one cell, understood."""

    role: Role = Role.NONE
    type: BlockType | None = None
    """Type of the block; none for Kale's `step:`, where the edges decide."""
    name: str = ""
    """Name of the block, or of the block a test is for."""
    upstream: tuple[str, ...] = ()
    """Blocks that must run before, whether or not data flows."""
    word: str = ""
    """The tag that set the role, as written."""
    directive: bool = False
    """Whether the first line of the source is a comment directive."""


_TYPE_TAGS = {
    tag: kind for kind in BLOCK_TYPES.values() for tag in (kind.name, kind.tag, *kind.aliases)
}
_SETUP_TAGS = ("imports", "functions")
_PARAMETER_TAGS = ("parameters", "pipeline-parameters")
_UPSTREAM_TAGS = ("upstream", "prev")
_NAMED_ONLY = ("step", "test", *_UPSTREAM_TAGS)

TAGS: tuple[str, ...] = tuple(
    sorted({*_TYPE_TAGS, *_SETUP_TAGS, *_PARAMETER_TAGS, *_NAMED_ONLY, Role.SKIP, Role.CONTINUE})
)
"""Every tag there is, without the names behind the colon."""

_Report = Callable[[str, str, str], None]


def read_tags(cell_tags: Sequence[str], source: str) -> tuple[CellTags, list[Problem]]:
    """What the tags and the comment directive of a code cell say, and what is wrong with them.

    The problems do not know their cell yet. Tags of others are ignored; a near miss is a warning.
    """
    tags, problems = _read(tuple(cell_tags), source.partition("\n")[0])
    return tags, list(problems)


@lru_cache(maxsize=4096)
def _read(cell_tags: tuple[str, ...], first_line: str) -> tuple[CellTags, tuple[Problem, ...]]:
    """Most cells have tags that others have as well, and front ends ask again after each edit."""
    problems: list[Problem] = []

    def error(code: str, message: str, hint: str) -> None:
        problems.append(Problem(code, message, hint))

    tags = _understood(cell_tags, "The tag", error)
    for tag in cell_tags:
        if near := _near_miss(tag):
            hint = f"Write '{near}', or leave it if it is meant for another tool."
            message = f"The tag '{tag}' is unknown."
            problems.append(Problem("unknown-tag", message, hint, severity="warning"))
    words = _directive(first_line)
    if words is not None:
        tags = _joined(tags, _from_directive(words, error), error)
    return tags, tuple(problems)


def _directive(first_line: str) -> list[str] | None:
    """Words of the comment directive; none if the first line is not one."""
    found = DIRECTIVE.match(first_line)
    return re.split(r"[,\s]+", found[1].strip()) if found else None


def _from_directive(words: Iterable[str], error: _Report) -> CellTags:
    known = []
    for word in filter(None, words):
        close = _near_miss(word)
        if word.partition(":")[0] in TAGS and not close:
            known.append(word)
            continue
        error(
            "unknown-tag",
            f"The first line says '#| block:', but '{word}' is not a block type or a tag.",
            f"Write '{close}'." if close else f"Known: {', '.join(TAGS)}.",
        )
    return replace(_understood(known, "The first line says", error), directive=True)


def _understood(words: Iterable[str], source: str, error: _Report) -> CellTags:
    """The words as one role; conflicts among them are reported."""
    found: list[CellTags] = []
    upstream: list[str] = []
    for word in words:
        read = _word(word, source, error)
        if read is None:
            continue
        upstream += [name for name in read.upstream if name not in upstream]
        if read.role is not Role.NONE:
            found.append(read)
    return replace(_one_role(found, error), upstream=tuple(upstream))


def _word(word: str, source: str, error: _Report) -> CellTags | None:
    """What one tag says; none if it is not ours or not right."""
    head, colon, name = word.partition(":")
    if head not in TAGS or _is_bare_test(head, colon):
        return None
    if head in _TYPE_TAGS:
        read = CellTags(Role.BLOCK, block_type(head), name, word=word)
    elif head == "step":
        read = CellTags(Role.BLOCK, None, name, word=word)
    elif head == "test":
        read = CellTags(Role.TEST, None, name, word=word)
    elif head in _UPSTREAM_TAGS:
        read = CellTags(upstream=(name,), word=word)
    else:
        return _bare(head, colon, word, source, error)
    if not name and (colon or head in _NAMED_ONLY):
        error(
            "bad-tag",
            f"{source} '{word}' names no block.",
            f"Write the name behind the colon: '{head}:name'.",
        )
        return None if head in _NAMED_ONLY else replace(read, name="")
    if name and (problem := block_name_problem(name)):
        error("bad-name", f"{source} '{word}': {problem}", "")
        return replace(read, name="", upstream=())
    return read


def _is_bare_test(head: str, colon: str) -> bool:
    """`test` alone is a tag other tools use as well."""
    return head == "test" and not colon


def _bare(head: str, colon: str, word: str, source: str, error: _Report) -> CellTags:
    """A tag that takes no name."""
    if colon:
        error("bad-tag", f"{source} '{word}' takes no name.", f"Write '{head}' alone.")
    if head in _SETUP_TAGS:
        role = Role.SETUP
    elif head in _PARAMETER_TAGS:
        role = Role.PARAMETERS
    else:
        role = Role(head)
    return CellTags(role, word=word)


def _one_role(found: list[CellTags], error: _Report) -> CellTags:
    """The role all of `found` agree on; `skip` beats the others."""
    for read in found:
        if read.role is Role.SKIP:
            return read
    result = CellTags()
    for read in found:
        if result.role is Role.NONE:
            result = read
        elif conflict := _conflict(result, read):
            error(conflict, *_conflict_text(result, read))
        elif not result.name:
            result = read
    return result


def _conflict(one: CellTags, other: CellTags) -> str:
    """Code of the problem two roles on one cell are; empty if they agree."""
    if one.role is not other.role:
        return "conflicting-tags"
    if one.type is not other.type:
        return "two-types"
    if one.name and other.name and one.name != other.name:
        return "two-names"
    return ""


def _conflict_text(one: CellTags, other: CellTags) -> tuple[str, str]:
    return (
        f"The cell says both '{one.word}' and '{other.word}'.",
        "Keep one of them, or split the cell.",
    )


def _joined(tags: CellTags, directive: CellTags, error: _Report) -> CellTags:
    """Tags and directive of one cell as one."""
    upstream = tuple(dict.fromkeys((*tags.upstream, *directive.upstream)))
    both = Role.NONE not in (tags.role, directive.role)
    if both and Role.SKIP not in (tags.role, directive.role) and _conflict(tags, directive):
        error(
            "tag-and-directive",
            f"The tag says '{tags.word}', the first line says '{directive.word}'.",
            "Remove one of them, or make them agree.",
        )
    if directive.role is Role.SKIP or tags.role is Role.NONE or (both and not tags.name):
        base = directive
    else:
        base = tags
    if tags.role is Role.SKIP:
        base = tags
    return replace(base, upstream=upstream, directive=True)


def _near_miss(word: str) -> str:
    """The tag that `word` was probably meant to be; empty if it is one, or like none."""
    head, colon, name = word.partition(":")
    if head in TAGS:
        return "test:<block>" if _is_bare_test(head, colon) else ""
    close = get_close_matches(head.lower(), TAGS, n=1, cutoff=0.75)
    return f"{close[0]}{colon}{name}" if close else ""
