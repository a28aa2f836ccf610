"""From a walked notebook to block drafts: outputs, signatures, order, types left open."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword

from jupyter_blocks.binding.blockfunction import DECORATORS, decorators_used
from jupyter_blocks.binding.draft import (
    BlockCode,
    BlockDraft,
    CodePart,
    Edge,
    HelpersDraft,
    Returns,
    Style,
)
from jupyter_blocks.binding.figureends import BlockFigures, block_figures
from jupyter_blocks.binding.fileorder import file_edges
from jupyter_blocks.binding.openblock import OpenBlock
from jupyter_blocks.binding.options import options_before
from jupyter_blocks.binding.order import allowed_upstream, order_edges
from jupyter_blocks.binding.outputs import block_outputs
from jupyter_blocks.binding.randomness import BlockStreams, random_streams
from jupyter_blocks.binding.scope import Origin, Provider
from jupyter_blocks.binding.sharedcheck import read_parameters
from jupyter_blocks.binding.walk import Walk
from jupyter_blocks.block import BlockType, Source, block_type

__all__ = ["finished_blocks", "finished_helpers"]


@dataclass(frozen=True)
class _Around:
    """What a block has to do with others besides data."""

    streams: BlockStreams | None
    files: Sequence[Edge]
    options: tuple[CodePart, ...]
    figures: BlockFigures


def finished_blocks(walk: Walk) -> list[BlockDraft]:
    """The blocks of a walked notebook, in notebook order."""
    blocks = [block for block in walk.blocks.values() if block.walked]
    results = {block.name: block_outputs(walk, block) for block in blocks}
    streams = random_streams(walk)
    files = file_edges(walk)
    options = options_before(walk)
    figures = block_figures(walk)
    return [
        _draft(
            walk,
            block,
            results,
            _Around(
                streams.get(block.name),
                files.get(block.name, ()),
                options.get(block.name, ()),
                figures.get(block.name, BlockFigures()),
            ),
        )
        for block in blocks
    ]


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
    walk: Walk,
    block: OpenBlock,
    results: Mapping[str, tuple[tuple[str, ...], Returns]],
    around: _Around,
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
    streams = around.streams
    hidden = [*around.files, *([streams.edge] if streams and streams.edge else [])]
    upstream = dict.fromkeys((*data, *order, *(edge.definer for edge in hidden)))
    return BlockDraft(
        name=block.name,
        type=plan.type or _kale_type(walk, block, bool(data), bool(outputs)),
        style=plan.style,
        cells=tuple(code.number for code in plan.cells),
        inputs=inputs,
        parameters=_parameters(walk, block),
        outputs=outputs,
        upstream=tuple(upstream),
        random_streams=streams.upstream if streams else None,
        settings=plan.settings,
        edges=(*block.edges, *order_edges(block, order), *hidden),
        code=_code(walk, block, returns, around),
        together=walk.reader.together.outputs((code.number for code in plan.cells), outputs),
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


# code


def _code(walk: Walk, block: OpenBlock, returns: Returns, around: _Around) -> BlockCode:
    used = {**block.test_names, **block.module_names}
    helpers = sorted(name for name, origin in used.items() if origin is Origin.HELPER)
    imports = walk.imports.lines(block.walked, used)
    imported = {name for line in imports for name in line.names}
    kept = [name for name in block.module_names if name in block.local]
    return BlockCode(
        function=_function_name(block, {*used, *imported, *block.module_parameters}),
        parts=(*(around.streams.seeds if around.streams else ()), *_ended(block, around.figures)),
        options=around.options,
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
        keeps_figures=around.figures.keeps,
    )


def _ended(block: OpenBlock, figures: BlockFigures) -> list[CodePart]:
    return [replace(part, ends_figures=part.cell in figures.ends) for part in block.parts]


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
