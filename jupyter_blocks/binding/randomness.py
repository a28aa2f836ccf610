"""The global random streams, carried from block to block where a notebook seeds them.

A notebook draws all its numbers from one stream, a block in a process of its own from another. So
that the numbers stay those of the notebook, each block that draws goes on where the one before it
in the notebook stopped (`block.Binding.random_streams`). Where nothing is seeded the numbers are
meant to differ, and blocks stay free of one another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import CodePart, Edge
from jupyter_blocks.binding.draws import TORCH, Draws, RandomUse, random_uses
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.scope import Origin
from jupyter_blocks.binding.statements import Statement
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.tags import Role

__all__ = ["BlockStreams", "random_streams"]


@dataclass(frozen=True)
class BlockStreams:
    """What one block has to do with the streams."""

    upstream: str
    """Block whose streams it goes on with; empty: it starts them."""
    edge: Edge | None = None
    seeds: tuple[CodePart, ...] = ()
    """Seeds of setup cells that its body has to begin with."""


def random_streams(walk: Walk) -> Mapping[str, BlockStreams]:
    """Block -> its part in carrying the streams; empty where the notebook seeds none."""
    return _Streams(walk).carried()


class _Streams:
    """Follows the streams through the notebook, cell by cell."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._found: dict[str, BlockStreams] = {}
        self._is_seeded = False
        self._last: OpenBlock | None = None
        self._pending: list[tuple[CellCode, Statement, frozenset[str]]] = []
        self._left_out: tuple[CellCode, RandomUse] | None = None

    def carried(self) -> Mapping[str, BlockStreams]:
        if not self._seeded:
            return {}
        for code in self._walk.codes:
            plan = self._walk.where.plan_of(code.number)
            if plan is None:
                self._pass(code)
            elif code is plan.cells[0] and not plan.is_sensor:
                uses = self._uses[plan.name]
                self._is_seeded |= _seeds(uses)
                # Whatever is called may be a model of torch, which draws without a word of it.
                if self._is_seeded and (uses or TORCH in self._seeded):
                    self._carry(self._walk.blocks[plan.name])
        return self._found

    @cached_property
    def _uses(self) -> dict[str, list[RandomUse]]:
        return {name: self._uses_of(block) for name, block in self._walk.blocks.items()}

    @cached_property
    def _seeded(self) -> frozenset[str]:
        """The streams that the notebook seeds anywhere."""
        uses = [use for uses in self._uses.values() for use in uses]
        for code in self._walk.codes:
            if self._walk.where.plan_of(code.number) is None and code.tags.role is not Role.SKIP:
                uses += self._uses_in(code.statements)
        seeds = [use.streams for use in uses if use.draws is Draws.SEED]
        return frozenset().union(*seeds)

    # cells that are no blocks

    def _pass(self, code: CellCode) -> None:
        """A cell that belongs to no block."""
        if code.number in self._walk.setup.cells:
            self._pass_setup(code)
        elif code.tags.role is Role.NONE:
            statements = [item for item in code.statements if not item.kind.is_import]
            uses = [use for use in self._uses_in(statements) if use.draws is not Draws.MAYBE]
            self._is_seeded |= _seeds(uses)
            if uses and self._is_seeded:
                self._left_out = code, uses[0]

    def _pass_setup(self, code: CellCode) -> None:
        for statement in code.statements:
            uses = self._uses_in([statement]) if isinstance(statement.node, ast.Expr) else []
            if _seeds(uses):
                seeds = (use.streams for use in uses if use.draws is Draws.SEED)
                self._pending.append((code, statement, frozenset().union(*seeds)))
                self._is_seeded = True

    # blocks

    def _carry(self, block: OpenBlock) -> None:
        fresh, seeds = self._fresh_streams(block), self._pending_seeds(block)
        covered = fresh.union(*(streams for _, _, streams in self._pending))
        upstream = None
        if not covered >= self._seeded:
            self._check_left_out(block)
            self._check_order(block)
            upstream = self._last
        edge = self._edge(block, upstream) if upstream else None
        self._found[block.name] = BlockStreams(upstream.name if upstream else "", edge, seeds)
        self._pending.clear()
        self._left_out = None
        self._last = block

    def _fresh_streams(self, block: OpenBlock) -> frozenset[str]:
        """The streams that the block seeds, at its top level, before it draws anything."""
        fresh: frozenset[str] = frozenset()
        if self._uses_in(block.copied):
            return fresh  # nobody knows when they are called
        for statement in block.body:
            uses = self._uses_in([statement])
            if not all(use.draws is Draws.SEED for use in uses):
                break
            if isinstance(statement.node, ast.Expr):
                fresh = fresh.union(*(use.streams for use in uses))
        return fresh

    def _pending_seeds(self, block: OpenBlock) -> tuple[CodePart, ...]:
        if block.plan.function is not None:
            for code, statement, _ in self._pending:
                self._report_decorated(block, code, statement)
            return ()
        for _, statement, _ in self._pending:
            block.use_helpers(self._walk.shared.named(statement))
        return tuple(code.part_of([statement]) for code, statement, _ in self._pending)

    def _edge(self, block: OpenBlock, upstream: OpenBlock) -> Edge:
        line = min((use.line for use in self._uses[block.name]), default=1)
        plan = block.plan
        return Edge(
            "", block.name, plan.first_cell, line, upstream.name, upstream.plan.last_cell, "random"
        )

    # what code does

    def _uses_of(self, block: OpenBlock) -> list[RandomUse]:
        if block.plan.function is not None:
            statements = [item for code in block.plan.cells for item in code.statements]
        else:
            statements = [*block.copied, *block.body]
        names = [name for name, origin in block.module_names.items() if origin is Origin.HELPER]
        return self._uses_in(statements) + self._uses_of_helpers(names)

    def _uses_of_helpers(self, names: Iterable[str]) -> list[RandomUse]:
        return [
            use
            for name in self._walk.shared.reach(names)
            for use in self._helper_uses.get(name, ())
        ]

    def _uses_in(self, statements: Sequence[Statement]) -> list[RandomUse]:
        methods = self._drawing_methods
        uses = random_uses(statements, self._walk.imports.module_of, methods)
        called = {name for statement in statements for name in statement.mentioned}
        return uses + self._uses_of_helpers(sorted(called & self._helper_uses.keys()))

    @cached_property
    def _helper_uses(self) -> dict[str, list[RandomUse]]:
        """For each function and class that moved to the shared module what its text does."""
        return {
            name: [
                replace(use, line=use.line - helper.line + 1)  # in the text of the helper
                for use in random_uses([helper.statement], self._walk.imports.module_of)
            ]
            for name, helper in self._walk.shared.helpers.items()
            if helper.statement is not None
        }

    @cached_property
    def _drawing_methods(self) -> frozenset[str]:
        """Methods of the notebook's own classes that draw: their objects come from any block."""
        return frozenset(
            node.name
            for name, helper in self._walk.shared.helpers.items()
            if helper.statement is not None and self._uses_of_helpers([name])
            for node in helper.statement.by_type.get(ast.FunctionDef, ())
            if not node.name.startswith("__")
            if node.name != name
        )

    # problems

    def _check_left_out(self, block: OpenBlock) -> None:
        if self._left_out is None:
            return
        code, use = self._left_out
        does = "seeds the random numbers" if use.draws is Draws.SEED else "draws random numbers"
        self._walk.report.error(
            "random-left-out",
            code.cell,
            f"This cell has no block tag and {does}; block '{block.name}' (cell "
            f"{block.plan.first_cell}) goes on with the same stream.",
            "Tag the cell, or give it the tag 'continue' to join it to the block above.",
            line=use.line,
        )

    def _check_order(self, block: OpenBlock) -> None:
        """Blocks of several cells may not draw in turns."""
        last = self._last
        if last is None or last.plan.last_cell < block.plan.first_cell:
            return
        sure = all(
            any(use.draws is not Draws.MAYBE for use in self._uses[name])
            for name in (last.name, block.name)
        )
        code, report = "random-order", self._walk.report
        (report.error if sure else report.warning)(
            code,
            block.plan.cells[0].cell,
            f"Block '{block.name}' {'draws' if sure else 'may draw'} random numbers between two "
            f"cells of block '{last.name}', which draws from the same stream.",
            "Make the cells of that block two blocks, or seed the stream in this one.",
            block=block.name,
        )

    def _report_decorated(self, block: OpenBlock, code: CellCode, statement: Statement) -> None:
        self._walk.report.warning(
            "seed-in-setup",
            code.cell,
            f"The function of block '{block.name}' (cell {block.plan.first_cell}) draws random "
            "numbers, and a block starts with a stream of its own.",
            "Seed it in the function.",
            line=statement.first,
        )


def _seeds(uses: Iterable[RandomUse]) -> bool:
    return any(use.draws is Draws.SEED for use in uses)
