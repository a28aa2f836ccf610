"""Where figures of pyplot end: in Jupyter with each cell, so that cells joined to a block say it.

Where the notebook keeps figures open, no block can go on with one that another block began.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.drawing import Drawing, Figures
from jupyter_blocks.binding.grouping import BlockPlan
from jupyter_blocks.binding.openfigures import How, Kept, kept_figures
from jupyter_blocks.binding.statements import Statement, dotted_name
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.tags import Role

__all__ = ["BlockFigures", "block_figures"]


@dataclass(frozen=True)
class BlockFigures:
    """What the file of one block has to say about figures."""

    ends: frozenset[str] = frozenset()
    """References of the cells after which figures end, and another cell of the block draws."""
    keeps: bool = False
    """Whether figures stay open where cells end."""


def block_figures(walk: Walk) -> Mapping[str, BlockFigures]:
    """Block -> where its figures end; empty for a notebook that draws nothing."""
    statements = [statement for code in walk.codes for statement in code.statements]
    figures = Figures(statements, walk.imports.module_of)
    drawing = {code.number: figures.of_all(code.statements) for code in walk.codes}
    if max(drawing.values(), default=Drawing.NO) <= Drawing.UNKNOWN:
        return {}
    kept = kept_figures(walk.codes, walk.imports.module_of, drawing)
    _Continued(walk, figures, kept).report()
    return {
        block.name: _of_block(block.plan, drawing, kept)
        for block in walk.blocks.values()
        if block.walked
    }


def _of_block(
    plan: BlockPlan, drawing: Mapping[int, Drawing], kept: Mapping[int, Kept | None]
) -> BlockFigures:
    cells = [code for code in plan.cells if drawing[code.number]]
    states = [state for state in (kept[code.number] for code in cells) if state is not None]
    ends = (code.cell.ref for code in cells[:-1] if kept[code.number] is None)
    keeps = any(state.how is How.MAGIC for state in states)
    return BlockFigures(frozenset(ends), keeps)


class _Continued:
    """Finds blocks that may go on with a figure which is still open in the notebook."""

    def __init__(self, walk: Walk, figures: Figures, kept: Mapping[int, Kept | None]) -> None:
        self._walk = walk
        self._figures = figures
        self._kept = kept

    def report(self) -> None:
        """Note a problem for each."""
        last: CellCode | None = None
        for code in self._walk.codes:
            kept = self._kept[code.number]
            if kept is None:
                last = None
            elif draws := [item for item in code.statements if self._figures.of(item)]:
                if last is not None and self._place(code) != self._place(last):
                    self._check(code, draws[0], last, kept)
                last = None if _closes(draws[-1], kept) else code

    def _place(self, code: CellCode) -> str:
        plan = self._walk.where.plan_of(code.number)
        return plan.name if plan is not None else ""

    def _check(self, code: CellCode, statement: Statement, last: CellCode, kept: Kept) -> None:
        plan = self._walk.where.plan_of(code.number)
        if plan is None or _begins(statement) or code.tags.role is Role.SKIP:
            return
        report = self._walk.report
        is_sure = self._figures.of(statement) is Drawing.DIRECTLY
        add = report.error if is_sure else report.warning
        add(
            "open-figure",
            code.cell,
            f"Block '{plan.name}' may go on with a figure that cell {last.number} has begun: "
            f"because of '{kept.text}' (cell {kept.cell}) figures stay open in this notebook, and "
            "each block begins with none.",
            "Begin the cell with plt.figure() or plt.subplots(), or give it the tag 'continue'; "
            "with '%matplotlib inline' figures end with their cells.",
            line=statement.first,
            block=plan.name,
        )


def _begins(statement: Statement) -> bool:
    """Whether a statement begins a figure, or has closed all others."""
    calls = statement.by_type.get(ast.Call, ())
    return any(_name(call) in ("subplots", "subplot_mosaic", "close") for call in calls) or any(
        _name(call) == "figure" and not call.args for call in calls
    )


def _closes(statement: Statement, kept: Kept) -> bool:
    names = [_name(call) for call in statement.by_type.get(ast.Call, ())]
    return "close" in names or (kept.how is How.UNSHOWN and "show" in names)


def _name(call: ast.Call) -> str:
    return dotted_name(call.func).rpartition(".")[2]
