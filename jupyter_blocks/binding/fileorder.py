"""Order between blocks that use the same file: one writes it, another reads or writes it too.

Only files named by literal paths are seen. The order is that of the notebook.
"""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import Edge
from jupyter_blocks.binding.filepaths import (
    FileCall,
    FileUse,
    file_calls,
    file_uses,
    literal_path,
)
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.statements import Statement, asked_once
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.tags import Role

__all__ = ["file_edges"]


def file_edges(walk: Walk) -> Mapping[str, tuple[Edge, ...]]:
    """Block -> edges to earlier blocks that use the same files, without those of data."""
    return _Files(walk).edges()


@dataclass(frozen=True)
class _Seen:
    """A use of a file in a cell that was walked."""

    use: FileUse
    cell: CellCode
    block: OpenBlock | None


class _Files:
    """Follows the files through the notebook, cell by cell."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._seen: list[_Seen] = []
        self._at: dict[str, list[int]] = {}
        """Path -> where in `_seen` that very path is used."""
        self._below: dict[str, list[int]] = {}
        """Folder -> where in `_seen` something in it is used."""
        self._made: dict[str, list[str]] = {}
        """Block -> folders that it makes itself where they are missing."""
        self._edges: dict[str, dict[str, Edge]] = {}

    def edges(self) -> Mapping[str, tuple[Edge, ...]]:
        for code in self._walk.codes:
            if code.tags.role is Role.SKIP:
                continue
            plan = self._walk.where.plan_of(code.number)
            block = self._walk.blocks[plan.name] if plan else None
            now = [_Seen(use, code, block) for use in self._uses(code, block)]
            made = [seen.use.path for seen in now if seen.use.makes]
            made += self._made.get(plan.name, []) if plan else []
            for seen in now:
                self._connect(seen, made)
            for seen in now:
                self._note(seen)
            if plan:
                self._made[plan.name] = made
        return {name: tuple(edges.values()) for name, edges in self._edges.items()}

    def _uses(self, code: CellCode, block: OpenBlock | None) -> list[FileUse]:
        statements = [item for item in code.statements if not item.kind.is_import]
        if block is None or block.plan.function is None:
            statements = [item for item in statements if not isinstance(item.node, _DEFINITIONS)]
        statements += block.copied if block else ()
        uses = self._uses_in(statements)
        helpers = self._walk.shared.helpers
        called = {name for item in statements for name in item.mentioned if name in helpers}
        for helper in self._walk.shared.reach(sorted(called)).values():
            line = min((use.line for use in uses), default=1)
            if helper.statement is not None:
                uses += [replace(use, line=line) for use in self._uses_in([helper.statement])]
        return uses

    def _uses_in(self, statements: Iterable[Statement]) -> list[FileUse]:
        calls = (call for statement in statements for call in _file_calls(statement))
        return list(file_uses(calls, self._names, self._writers))

    def _note(self, seen: _Seen) -> None:
        path, place = seen.use.path, len(self._seen)
        self._seen.append(seen)
        self._at.setdefault(path, []).append(place)
        for folder in _folders(path):
            self._below.setdefault(folder, []).append(place)

    def _related(self, path: str) -> Iterator[_Seen]:
        """The uses so far of a path, of what is in it and of folders around it, last one first."""
        places = [*self._at.get(path, ()), *self._below.get(path, ())]
        for folder in _folders(path):
            places += self._at.get(folder, ())
        return (self._seen[place] for place in sorted(places, reverse=True))

    def _connect(self, seen: _Seen, made: Sequence[str]) -> None:
        """Edges to the last write of the file and, for a write, to what read it since.

        `made` are folders that the block itself makes if there are none.
        """
        if seen.block is None:
            return
        for other in self._related(seen.use.path):
            if not (other.use.writes or seen.use.writes) or _is_free(seen.use, other.use, made):
                continue
            self._add(seen.block, seen, other)
            if other.use.writes and other.use.path == seen.use.path:
                return

    def _add(self, block: OpenBlock, seen: _Seen, other: _Seen) -> None:
        if other.block is None:
            if other.use.writes and not seen.use.writes:
                self._warn(block, seen, other)
            return
        if other.block is block or self._reads(block, other.block):
            return
        edges = self._edges.setdefault(block.name, {})
        edges.setdefault(
            other.block.name,
            Edge(
                "",
                block.name,
                seen.cell.number,
                seen.use.line,
                other.block.name,
                other.cell.number,
                "file",
            ),
        )

    def _reads(self, block: OpenBlock, other: OpenBlock) -> bool:
        return any(provider.block == other.name for provider in block.inputs.values())

    def _warn(self, block: OpenBlock, seen: _Seen, other: _Seen) -> None:
        self._walk.report.warning(
            "left-out-file",
            other.cell.cell,
            f"This cell, which is part of no block, writes '{other.use.path}', which block "
            f"'{block.name}' (cell {seen.cell.number}, line {seen.use.line}) reads.",
            "Tag the cell, so that the file is there and up to date.",
            line=other.use.line,
        )

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Names that hold one path in the whole notebook."""
        found: dict[str, str] = {}
        bound: set[str] = set()
        for code in self._walk.codes:
            for name in (*code.flow.binds, *code.flow.maybe_binds):
                if name in bound:
                    found.pop(name, None)
            new = _paths(code, found).items()
            found.update({name: value for name, value in new if name not in bound})
            bound.update(code.flow.binds, code.flow.maybe_binds)
        return found

    @cached_property
    def _writers(self) -> frozenset[str]:
        """Functions of the notebook that call something that writes."""
        return frozenset(
            name
            for name, helper in self._walk.shared.helpers.items()
            if helper.statement is not None and _writes_argument(helper.statement)
        )


def _is_free(use: FileUse, earlier: FileUse, made: Iterable[str]) -> bool:
    """Whether the order of two uses does not matter, as one of them only makes a folder."""
    if use.makes:
        return earlier.makes or not (earlier.writes and _is_in(use.path, earlier.path))
    return earlier.makes and any(_is_in(folder, earlier.path) for folder in made)


def _is_in(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return path == folder or path.startswith(f"{folder}/")


_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _paths(code: CellCode, known: dict[str, str]) -> dict[str, str]:
    """`NAME = "data/x.csv"`, `NAME = Path("data") / "x.csv"`."""
    found: dict[str, str] = {}
    names = ChainMap(found, known)
    for statement in code.statements:
        if (named := _may_name_path(statement)) is not None:
            name, expression = named
            value = literal_path(expression, names)
            if value is not None:
                found[name] = value
    return found


@asked_once
def _may_name_path(statement: Statement) -> tuple[str, ast.expr] | None:
    """The name and the value of an assignment that gives a path, if names in it stand for some."""
    node = statement.node
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return None
    paths = dict.fromkeys(statement.mentioned, "path")
    may_be = literal_path(node.value, paths) is not None
    return (node.targets[0].id, node.value) if may_be else None


@asked_once
def _file_calls(statement: Statement) -> list[FileCall]:
    return file_calls(statement.by_type.get(ast.Call, ()))


def _folders(path: str) -> list[str]:
    """The folders around a path."""
    return [path[:index] for index, character in enumerate(path) if character == "/"]


@asked_once
def _writes_argument(statement: Statement) -> bool:
    """Whether a function writes to a path that one of its arguments gives."""
    function = statement.node
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    arguments = function.args
    given = {item.arg: "x.csv" for item in (*arguments.args, *arguments.kwonlyargs)}
    calls = file_calls(node for item in function.body for node in ast.walk(item))
    return any(use.writes for use in file_uses(calls, given))
