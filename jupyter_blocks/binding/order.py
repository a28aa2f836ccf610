"""The order that tags ask for, and whether all edges together can be an order at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jupyter_blocks.binding.draft import BlockDraft, Edge
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.report import Report
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.dag import find_cycle
from jupyter_blocks.settings import did_you_mean, listed

__all__ = ["allowed_upstream", "check_cycle", "order_edges"]


def allowed_upstream(walk: Walk, block: OpenBlock) -> list[str]:
    """Blocks that must run before by a tag or a setting; a wrong name is a problem."""
    return [name for name in block.plan.upstream if _may_follow(walk, block, name)]


def order_edges(block: OpenBlock, order: Iterable[str]) -> list[Edge]:
    """Edges that carry no data."""
    first = block.plan.first_cell
    return [Edge("", block.name, first, 1, name, 0, "order") for name in order]


def check_cycle(walk: Walk, blocks: Sequence[BlockDraft], report: Report) -> None:
    """Report a cycle, which only blocks of several cells can form."""
    upstream = {block.name: block.upstream for block in blocks}
    names = set(upstream)
    cycle = find_cycle(
        {name: [item for item in above if item in names] for name, above in upstream.items()}
    )
    if cycle is None:
        return
    code = walk.blocks[cycle[0]].plan.cells[-1]
    report.error(
        "cycle",
        code.cell,
        f"The blocks form a cycle: {' -> '.join(cycle)}. The cells of one of them stand before "
        "and after another one that needs it and that it needs.",
        "Split it into two blocks.",
        block=cycle[0],
    )


def _may_follow(walk: Walk, block: OpenBlock, name: str) -> bool:
    other = walk.blocks.get(name)
    if other is not None and other is not block and other.plan.first_cell <= block.plan.last_cell:
        return True
    if other is block:
        code, message, hint = "cycle", f"Block '{name}' cannot run before itself.", ""
    elif other is not None:
        code = "upstream-later"
        message = (
            f"'upstream:{name}' names a block that comes later (cell {other.plan.first_cell})."
        )
        hint = "Blocks run in the order of the notebook: move that cell up."
    else:
        code = "unknown-upstream"
        message = f"'upstream:{name}' names no block of this notebook."
        hint = did_you_mean(name, walk.blocks) or f"Blocks: {listed(walk.blocks)}."
    walk.report.error(
        code, block.plan.cells[0].cell, message, hint or "Remove the tag.", block=block.name
    )
    return False
