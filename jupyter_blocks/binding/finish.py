"""From a walked notebook to block drafts: outputs, signatures, order, types left open."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from keyword import iskeyword

from jupyter_blocks.binding.blockfunction import DECORATORS, decorators_used
from jupyter_blocks.binding.branches import plainly_bound
from jupyter_blocks.binding.draft import BlockCode, BlockDraft, HelpersDraft, Returns, Style
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.order import allowed_upstream, order_edges
from jupyter_blocks.binding.scope import Origin, Provider
from jupyter_blocks.binding.sharedcheck import read_parameters
from jupyter_blocks.binding.statements import dotted_name
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.block import BlockType, Source, block_type

__all__ = ["finished_blocks", "finished_helpers"]

SHOWN = "output_0"
"""Name of an output that is an expression."""

_GIVES_NOTHING = frozenset({"close", "display", "info", "pprint", "print", "show"})
"""Calls that are made for what they print or do."""


def finished_blocks(walk: Walk) -> list[BlockDraft]:
    """The blocks of a walked notebook, in notebook order."""
    blocks = [block for block in walk.blocks.values() if block.walked]
    results = {block.name: _outputs(walk, block) for block in blocks}
    return [_draft(walk, block, results) for block in blocks]


def finished_helpers(walk: Walk) -> HelpersDraft | None:
    """The shared module; none if there is nothing in it."""
    if not walk.shared.parts:
        return None
    used = {name for helper in walk.shared.helpers.values() for name in helper.free}
    used |= walk.setup.names_read
    names = read_parameters(walk, walk.shared.helpers)
    return HelpersDraft(
        walk.imports.lines(None, used),
        {name: walk.setup.parameters[name] for name in names},
        tuple(walk.shared.parts),
        shows="display" in used and walk.scope.get("display") is None,
    )


def _draft(
    walk: Walk, block: OpenBlock, results: Mapping[str, tuple[tuple[str, ...], Returns]]
) -> BlockDraft:
    plan = block.plan
    outputs, returns = results[block.name]
    inputs = {
        argument: _source(provider, results[provider.block][0])
        for argument, provider in block.inputs.items()
    }
    for argument, provider in block.inputs.items():
        _check_result(walk, block, argument, provider, results[provider.block][0])
    data = dict.fromkeys(source.block for source in inputs.values())
    order = [name for name in allowed_upstream(walk, block) if name not in data]
    return BlockDraft(
        name=block.name,
        type=plan.type or _kale_type(walk, block, bool(data), bool(outputs)),
        style=plan.style,
        cells=tuple(code.number for code in plan.cells),
        inputs=inputs,
        parameters=_parameters(walk, block),
        outputs=outputs,
        upstream=(*data, *order),
        settings=plan.settings,
        edges=(*block.edges, *order_edges(block, order)),
        code=_code(walk, block, returns),
    )


def _source(provider: Provider, outputs: tuple[str, ...]) -> Source:
    if provider.origin is Origin.RESULT:
        return Source(provider.block, outputs[0] if len(outputs) == 1 else "")
    return Source(provider.block, provider.name)


def _check_result(
    walk: Walk, block: OpenBlock, argument: str, provider: Provider, outputs: tuple[str, ...]
) -> None:
    if not outputs:
        walk.report.error(
            "no-output",
            block.plan.cells[0].cell,
            f"The argument '{argument}' of block '{block.name}' names the block "
            f"'{provider.block}' (cell {provider.cell}), which gives nothing.",
            f"Let '{provider.block}' return a value.",
            block=block.name,
        )


def _kale_type(walk: Walk, block: OpenBlock, has_inputs: bool, has_outputs: bool) -> BlockType:
    """Kale's steps have no type: their place in the graph says what they do."""
    is_read = any(
        provider.block == block.name
        for other in walk.blocks.values()
        for provider in other.inputs.values()
    )
    if not has_inputs and has_outputs:
        return block_type("data_loader")
    return block_type("transformer" if is_read else "data_exporter")


# outputs


def _outputs(walk: Walk, block: OpenBlock) -> tuple[tuple[str, ...], Returns]:
    """Names of the outputs, and how the function gives them."""
    plan = block.plan
    if plan.function is not None:
        gives = not plan.is_sensor and (plan.function.gives_value or block.is_needed_whole)
        return ((block.name,) if gives else ()), Returns.NOTHING
    if plan.is_sensor:
        _require_condition(walk, block)
        return (), Returns.EXPRESSION
    shown = _shown(block)
    needed = tuple(name for name in block.bound if name in block.needed)
    if needed:
        is_shown = isinstance(shown, ast.Name) and needed == (shown.id,)
        return needed, Returns.EXPRESSION if is_shown else Returns.NAMES
    return _default_output(block, shown)


def _default_output(block: OpenBlock, shown: ast.expr | None) -> tuple[tuple[str, ...], Returns]:
    """What a block gives that nobody reads: what it shows, else what it computed last."""
    is_exporter = block.plan.type is not None and block.plan.type.name == "data_exporter"
    if isinstance(shown, ast.Name) and shown.id not in block.module_names:
        return (shown.id,), Returns.EXPRESSION
    if shown is not None and not is_exporter and not isinstance(shown, ast.Name):
        return (SHOWN,), Returns.EXPRESSION
    name = plainly_bound(block.body)
    if not name and block.bound:
        name = next(reversed(block.bound))
        name = name if block.latest[name].changed else ""
    if is_exporter or not name or name not in block.bound:
        return (), Returns.NOTHING
    return (name,), Returns.NAMES


def _shown(block: OpenBlock) -> ast.expr | None:
    """The last expression of the block, if a notebook shows its value."""
    last = block.flows[-1].last_expression if block.flows else None
    node = block.body[-1].node if block.body else None
    if last is None or last.silent or not isinstance(node, ast.Expr):
        return None
    value = node.value
    if isinstance(value, ast.Constant):
        return None
    if isinstance(value, ast.Call):
        method = value.func.attr if isinstance(value.func, ast.Attribute) else ""
        if (method or dotted_name(value.func)) in _GIVES_NOTHING:
            return None
    return value


def _require_condition(walk: Walk, block: OpenBlock) -> None:
    if not block.flows or block.flows[-1].last_expression is None:
        code = block.plan.cells[-1]
        walk.report.error(
            "no-condition",
            code.cell,
            f"The sensor '{block.name}' does not end with an expression that says whether to go "
            "on.",
            "End it with one, for example: Path('data.csv').exists()",
            line=len(code.lines) or None,
            block=block.name,
        )


# code


def _code(walk: Walk, block: OpenBlock, returns: Returns) -> BlockCode:
    used = {**block.test_names, **block.module_names}
    helpers = sorted(name for name, origin in used.items() if origin is Origin.HELPER)
    imports = walk.imports.lines(block.walked, used)
    imported = {name for line in imports for name in line.names}
    kept = [name for name in block.module_names if name in block.local]
    return BlockCode(
        function=_function_name(block, {*used, *imported, *block.module_parameters}),
        parts=tuple(block.parts),
        imports=imports,
        helpers=tuple(helpers),
        loads_settings=walk.shared.has_settings,
        arguments=tuple(block.arguments),
        kept_globals=tuple(kept) if block.plan.style is Style.PLAIN else (),
        module_parameters={
            name: walk.setup.parameters[name] for name in sorted(block.module_parameters)
        },
        returns=returns,
        last_expression=block.flows[-1].last_expression if block.flows else None,
        is_async=any(flow.has_await for flow in block.flows),
        decorators=_decorators(block, {*imported, *helpers}),
        tests=tuple(block.tests),
        shows=used.get("display", Origin.IMPORT) is None,
    )


def _function_name(block: OpenBlock, taken: set[str]) -> str:
    """The name of the block, unless the code of the block means something else by it."""
    if block.plan.function is not None:
        return block.plan.function.name
    name = block.name
    while name in taken or name in DECORATORS or iskeyword(name) or hasattr(builtins, name):
        name = f"{name}_block"
    return name


def _decorators(block: OpenBlock, bound: Iterable[str]) -> tuple[str, ...]:
    if block.plan.function is not None:
        return decorators_used(block.plan.cells[0], bound)
    return ()


def _parameters(walk: Walk, block: OpenBlock) -> tuple[str, ...]:
    through_helpers = read_parameters(walk, (*block.module_names, *block.test_names))
    used = {*block.arguments, *block.module_parameters, *through_helpers}
    if block.plan.function is not None and block.plan.function.takes_everything:
        used.update(walk.setup.parameters)
    return tuple(name for name in walk.setup.parameters if name in used)
