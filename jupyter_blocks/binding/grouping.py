"""Which cells make which block: names, types, cells glued together, decorated cells.

Looks at tags and at the shape of each cell only; what data flows between blocks is for `walk`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jupyter_blocks.binding.blockfunction import BlockFunction, block_functions, foreign_names
from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.draft import Style
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.statements import StatementKind
from jupyter_blocks.block import BlockType, block_name_problem
from jupyter_blocks.cellsettings import CellSettings, merge_settings
from jupyter_blocks.tags import Role

__all__ = ["BlockPlan", "group_cells"]


@dataclass(frozen=True)
class BlockPlan:
    """One block and the cells it is made of."""

    name: str
    type: BlockType | None
    """None until the edges are known (Kale's `step:`)."""
    style: Style
    cells: tuple[CellCode, ...]
    settings: CellSettings
    upstream: tuple[str, ...]
    """Blocks that must run before, by tag or setting."""
    function: BlockFunction | None = None
    """The function of a decorated block."""

    @property
    def first_cell(self) -> int:
        """Number of its first cell."""
        return self.cells[0].number

    @property
    def last_cell(self) -> int:
        """Number of its last cell."""
        return self.cells[-1].number

    @property
    def is_sensor(self) -> bool:
        """Whether it waits for something and stores nothing."""
        return self.type is not None and self.type.name == "sensor"


def group_cells(codes: Sequence[CellCode], report: Report) -> list[BlockPlan]:
    """The blocks of the notebook, in the order of their first cells."""
    grouping = _Grouping(report, foreign_names(codes))
    for code in codes:
        grouping.add(code)
    return list(grouping.plans.values())


class _Grouping:
    def __init__(self, report: Report, foreign: frozenset[str]) -> None:
        self.report = report
        self.foreign = foreign
        self.plans: dict[str, BlockPlan] = {}
        self.last: BlockPlan | None = None
        self.counts: dict[str, int] = {}

    def add(self, code: CellCode) -> None:
        functions = block_functions(code, self.foreign)
        role = code.tags.role
        if functions and role in (Role.NONE, Role.BLOCK):
            self._add_decorated(code, functions)
        elif functions and role is not Role.SKIP:
            self._wrong_role(code, functions[0])
        elif role is Role.BLOCK:
            self._add_plain(code)
        elif role is Role.CONTINUE:
            self._continue(code)
        elif code.tags.upstream and role is Role.NONE:
            self._upstream_alone(code)

    def _add_decorated(self, code: CellCode, functions: list[BlockFunction]) -> None:
        function = functions[0]
        kind = code.tags.type or function.type
        if len(functions) > 1:
            self.report.error(
                "two-blocks",
                code.cell,
                f"The cell holds two block functions, '{function.name}' and '{functions[1].name}'.",
                "Put each into a cell of its own.",
                line=functions[1].line,
            )
        if kind is not function.type:
            self.report.error(
                "tag-and-decorator",
                code.cell,
                f"The tag says '{code.tags.word}', the decorator '@{function.decorator}'.",
                "Remove one of them, or make them agree.",
                line=function.line,
            )
        name = self._new_name(code, kind, function.name)
        self._start(code, name, kind, function)

    def _wrong_role(self, code: CellCode, function: BlockFunction) -> None:
        self.report.error(
            "conflicting-tags",
            code.cell,
            f"The tag says '{code.tags.word}', but the cell holds the block function "
            f"'{function.name}' (@{function.decorator}).",
            "Remove the tag, or move the function to a cell of its own.",
            line=function.line,
        )

    def _add_plain(self, code: CellCode) -> None:
        named = self.plans.get(code.tags.name) if code.tags.name else None
        if named and named.type is code.tags.type and named.style is Style.PLAIN:
            self._extend(named, code)
            return
        name = self._new_name(code, code.tags.type, _first_function(code))
        self._start(code, name, code.tags.type, None)

    def _new_name(self, code: CellCode, kind: BlockType | None, function: str) -> str:
        """Name of the tag, else of the function, else a counted one."""
        tag = kind.tag if kind else "step"
        self.counts[tag] = self.counts.get(tag, 0) + 1
        counted = f"{tag}_{self.counts[tag]}"
        if code.tags.name:
            return code.tags.name
        is_free = function and function not in self.plans and not block_name_problem(function)
        return function if is_free else counted

    def _start(
        self, code: CellCode, name: str, kind: BlockType | None, function: BlockFunction | None
    ) -> None:
        if other := self.plans.get(name):
            self._duplicate(code, other)
            return
        upstream = dict.fromkeys((*code.tags.upstream, *(code.settings.upstream or ())))
        style = Style.DECORATED if function else Style.PLAIN
        plan = BlockPlan(name, kind, style, (code,), code.settings, tuple(upstream), function)
        self.plans[name] = self.last = plan

    def _duplicate(self, code: CellCode, other: BlockPlan) -> None:
        self.report.error(
            "duplicate-block",
            code.cell,
            f"Cell {other.first_cell} and cell {code.number} both make a block '{other.name}'.",
            "Give one of them another name with its tag, such as "
            f"'{other.type.tag if other.type else 'step'}:{other.name}_2'.",
            block=other.name,
        )

    def _extend(self, plan: BlockPlan, code: CellCode) -> None:
        settings, disagreements = merge_settings(plan.settings, code.settings)
        for key in disagreements:
            self.report.error(
                "two-settings",
                code.cell,
                f"Cells {plan.first_cell} and {code.number} set different '{key}' for the block "
                f"'{plan.name}'.",
                "Set it in one of them.",
                block=plan.name,
            )
        upstream = (*plan.upstream, *code.tags.upstream, *(code.settings.upstream or ()))
        self.plans[plan.name] = self.last = replace(
            plan,
            cells=(*plan.cells, code),
            settings=settings,
            upstream=tuple(dict.fromkeys(upstream)),
        )

    def _continue(self, code: CellCode) -> None:
        if self.last is None:
            self.report.error(
                "continue-without-block",
                code.cell,
                "The cell says 'continue', but there is no block above it.",
                "Give it a block type, such as 'transformer'.",
            )
        elif self.last.style is Style.DECORATED:
            self.report.error(
                "continue-decorated",
                code.cell,
                f"The cell says 'continue', but block '{self.last.name}' above it (cell "
                f"{self.last.first_cell}) is a decorated function.",
                "Give the cell a block type of its own.",
            )
        else:
            self._extend(self.last, code)

    def _upstream_alone(self, code: CellCode) -> None:
        self.report.warning(
            "upstream-without-block",
            code.cell,
            f"The cell says 'upstream:{code.tags.upstream[0]}', but it is not a block.",
            "Give it a block type, such as 'transformer'.",
        )


def _first_function(code: CellCode) -> str:
    """Name of the first function or class with `def` or `class`; empty if there is none."""
    names = (
        item.names[0]
        for item in code.statements_of(StatementKind.DEFINITION)
        if not isinstance(item.node, ast.Assign)
    )
    return next(names, "")
