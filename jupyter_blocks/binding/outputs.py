"""What a block gives: the names that others read, else what the notebook shows or computed last."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_blocks.binding.branches import nested_assignments, plain_assignments
from jupyter_blocks.binding.draft import Returns
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.statements import dotted_name
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.wordsets import word_set

__all__ = ["SHOWN", "block_outputs"]

SHOWN = "output_0"
"""Name of an output that is an expression."""

_GIVES_NOTHING = word_set("close commit display execute info mkdir pprint print show")
"""Calls that are made for what they print or do."""

_DRAWS = word_set("boxplot hexbin hist kdeplot pairplot plot savefig scatter subplots")
"""Methods whose value is a drawing, which is kept as an image, not as a value."""

_DRAWING_PACKAGES = ("matplotlib", "pylab", "seaborn")

_OPENS = word_set(
    """Client Connection Lock Popen Session Thread client connect create_engine cursor figure gca
    gcf open resource socket subplot subplot_mosaic subplots urlopen"""
)
"""Calls whose value belongs to one process: nobody asked to store it."""


def block_outputs(walk: Walk, block: OpenBlock) -> tuple[tuple[str, ...], Returns]:
    """Names of the outputs, and how the function gives them."""
    plan = block.plan
    if plan.function is not None:
        gives = not plan.is_sensor and (plan.function.gives_value or block.is_needed_whole)
        return ((block.name,) if gives else ()), Returns.NOTHING
    if plan.is_sensor:
        _require_condition(walk, block)
        return (), Returns.EXPRESSION
    shown = _shown(walk, block)
    needed = tuple(name for name in block.bound if name in block.needed)
    if needed:
        is_shown = isinstance(shown, ast.Name) and needed == (shown.id,)
        return needed, Returns.EXPRESSION if is_shown else Returns.NAMES
    return _default_output(block, shown)


def _default_output(block: OpenBlock, shown: ast.expr | None) -> tuple[tuple[str, ...], Returns]:
    """What a block gives that nobody reads."""
    is_exporter = block.plan.type is not None and block.plan.type.name == "data_exporter"
    if isinstance(shown, ast.Name) and shown.id not in block.module_names:
        return (shown.id,), Returns.EXPRESSION
    if shown is not None and not is_exporter and not isinstance(shown, ast.Name):
        return (SHOWN,), Returns.EXPRESSION
    for name in () if is_exporter else _candidates(block):
        if name in block.current:
            return (name,), Returns.NAMES
    return (), Returns.NOTHING


def _candidates(block: OpenBlock) -> Iterator[str]:
    """Names that the block computed, the last one first; then the one it changed last."""
    for name, value in reversed(plain_assignments(block.body)):
        if not name.startswith("_") and _method(value) not in _OPENS:
            yield name
    certain = {name for flow in block.flows for name in flow.binds}
    for name, value in reversed(nested_assignments(block.body)):
        if name in certain and not name.startswith("_") and _method(value) not in _OPENS:
            yield name
    for name in reversed(block.bound):
        if block.latest[name].changed and name not in block.handed_on:
            yield name


def _shown(walk: Walk, block: OpenBlock) -> ast.expr | None:
    """The last expression of the block, if a notebook shows its value."""
    last = block.flows[-1].last_expression if block.flows else None
    node = block.body[-1].node if block.body else None
    if last is None or last.silent or not isinstance(node, ast.Expr):
        return None
    value = node.value
    if isinstance(value, ast.Constant) or _method(value) in _GIVES_NOTHING:
        return None
    return None if _is_drawing(walk, value) else value


def _method(value: ast.expr | None) -> str:
    """`plot` for a call `x.y.plot()`; empty if it is no call."""
    if not isinstance(value, ast.Call):
        return ""
    if isinstance(value.func, ast.Attribute):
        return value.func.attr
    return dotted_name(value.func)


def _is_drawing(walk: Walk, value: ast.expr) -> bool:
    """`plt.title(...)`, `df.plot()`, `df.plot.bar()`, `ax.set_title(...)`."""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return False
    path = dotted_name(value.func).split(".")
    module = walk.imports.module_of(path[0])
    return (
        value.func.attr in _DRAWS
        or "plot" in path[1:]
        or module.startswith(_DRAWING_PACKAGES)
        or path[0] in ("ax", "axes", "fig", "plt")
    )


def _require_condition(walk: Walk, block: OpenBlock) -> None:
    if block.flows and block.flows[-1].last_expression is not None:
        return
    code = block.plan.cells[-1]
    walk.report.error(
        "no-condition",
        code.cell,
        f"The sensor '{block.name}' does not end with an expression that says whether to go on.",
        "End it with one, for example: Path('data.csv').exists()",
        line=len(code.lines) or None,
        block=block.name,
    )
