"""Order between blocks that use the same file: one writes it, another reads or writes it too.

Only files named by literal paths are seen. The order is that of the notebook.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import Edge
from jupyter_blocks.binding.filepaths import FileUse, file_uses, literal_path, related
from jupyter_blocks.binding.openblock import OpenBlock
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
        self._edges: dict[str, dict[str, Edge]] = {}

    def edges(self) -> Mapping[str, tuple[Edge, ...]]:
        for code in self._walk.codes:
            if code.tags.role is Role.SKIP:
                continue
            plan = self._walk.where.plan_of(code.number)
            block = self._walk.blocks[plan.name] if plan else None
            now = [_Seen(use, code, block) for use in self._uses(code, block)]
            for seen in now:
                self._connect(seen)
            self._seen += now
        return {name: tuple(edges.values()) for name, edges in self._edges.items()}

    def _uses(self, code: CellCode, block: OpenBlock | None) -> list[FileUse]:
        nodes = [item.node for item in code.statements if not item.kind.is_import]
        if block is None or block.plan.function is None:
            nodes = [node for node in nodes if not isinstance(node, _DEFINITIONS)]
        nodes += [item.node for item in (block.copied if block else ())]
        uses = list(file_uses(nodes, self._names, self._writers))
        called = {node.id for top in nodes for node in ast.walk(top) if isinstance(node, ast.Name)}
        for name in self._walk.shared.reach(sorted(called)):
            helper = self._walk.shared.helpers[name]
            line = min((use.line for use in uses), default=1)
            if helper.is_definition:
                tree = ast.parse(helper.text)
                uses += [
                    FileUse(use.path, use.writes, line)
                    for use in file_uses([tree], self._names, self._writers)
                ]
        return uses

    def _connect(self, seen: _Seen) -> None:
        """Edges to the last write of the file and, for a write, to what read it since."""
        if seen.block is None:
            return
        for other in reversed(self._seen):
            if not related(other.use.path, seen.use.path):
                continue
            if not (other.use.writes or seen.use.writes):
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
            if helper.is_definition and _writes_argument(ast.parse(helper.text))
        )


_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _paths(code: CellCode, known: Mapping[str, str]) -> dict[str, str]:
    """`NAME = "data/x.csv"`, `NAME = Path("data") / "x.csv"`."""
    found: dict[str, str] = {}
    for statement in code.statements:
        node = statement.node
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = literal_path(node.value, {**known, **found})
            if value is not None:
                found[node.targets[0].id] = value
    return found


def _writes_argument(tree: ast.Module) -> bool:
    """Whether a function writes to a path that one of its arguments gives."""
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    arguments = function.args
    given = {item.arg: "x.csv" for item in (*arguments.args, *arguments.kwonlyargs)}
    return any(use.writes for use in file_uses(function.body, given))
