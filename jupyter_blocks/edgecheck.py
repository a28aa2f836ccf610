"""The edges of a pipeline's metadata.yaml: upstream names, inputs, cycles.

`upstream_blocks` is the truth. Mage keeps each edge a second time in `downstream_blocks`; where
that copy differs the user is told, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Mapping

from jupyter_blocks.block import Block
from jupyter_blocks.blockentry import is_skipped
from jupyter_blocks.dag import find_cycle
from jupyter_blocks.settings import Report, Section, did_you_mean, listed

__all__ = ["check_edges"]


def check_edges(
    report: Report, blocks: Mapping[str, Block], entries: Mapping[str, Section]
) -> bool:
    """Report every wrong edge; whether a graph can be made of the blocks.

    `entries` are all entries of the file by name, those that are no block included.
    """
    whole = True
    for block in blocks.values():
        for index, name in enumerate(block.upstream):
            _check_upstream(block, index, blocks, entries)
            whole = whole and name in blocks and name != block.name
        _check_inputs(block, blocks, entries[block.name])
        _compare_downstream(block, blocks, entries)
    return _check_cycle(report, blocks, entries) and whole


def _check_upstream(
    block: Block, index: int, blocks: Mapping[str, Block], entries: Mapping[str, Section]
) -> None:
    name = block.upstream[index]
    code, hint = "unknown-upstream", ""
    if name == block.name:
        code, message = "cycle", f"Block '{name}' is its own upstream block ({name} -> {name})."
    elif name in block.upstream[:index]:
        code = "duplicate-upstream"
        message = f"Block '{block.name}' names upstream block '{name}' twice."
        hint = "Remove one of them."
    elif name not in entries:
        message = f"Block '{block.name}' has unknown upstream block '{name}'."
        hint = did_you_mean(name, entries) or f"Blocks: {listed(entries)}."
    elif name not in blocks and is_skipped(entries[name]):
        message = f"Block '{block.name}' has upstream block '{name}', which never runs."
        kind = entries[name].get("type")
        hint = f"It is of type '{kind}': remove it from upstream_blocks."
    else:
        return
    entries[block.name].problem(code, message, hint, at=("upstream_blocks", index))


def _check_inputs(block: Block, blocks: Mapping[str, Block], entry: Section) -> None:
    """Inputs of an exported block come from upstream blocks that have such an output."""
    streams = block.binding.random_streams if block.binding else None
    if streams and streams not in block.upstream:
        entry.problem(
            "unknown-input",
            f"Block '{block.name}' goes on with the random streams of '{streams}', which is not "
            "one of its upstream blocks.",
            f"Add '{streams}' to upstream_blocks.",
            at=("jupyter_blocks", "random_streams"),
        )
    for argument, source in block.binding.inputs.items() if block.binding else ():
        message = hint = ""
        upstream = blocks.get(source.block)
        if source.block not in block.upstream:
            message = f"'{source.block}', which is not one of its upstream blocks"
            hint = f"Add '{source.block}' to upstream_blocks."
        elif upstream and upstream.binding and source.output not in ("", *upstream.binding.outputs):
            message = f"'{source}', but '{source.block}' has no such output"
            hint = f"Its outputs: {', '.join(upstream.binding.outputs) or 'none'}."
        if message:
            entry.problem(
                "unknown-input",
                f"Input '{argument}' of block '{block.name}' comes from {message}.",
                hint,
                at=("jupyter_blocks", "inputs", argument),
            )


def _compare_downstream(
    block: Block, blocks: Mapping[str, Block], entries: Mapping[str, Section]
) -> None:
    entry = entries[block.name]
    listed_names = entry.get("downstream_blocks")
    for index, name in enumerate(listed_names if isinstance(listed_names, list) else ()):
        other = blocks.get(name) if isinstance(name, str) else None
        if other is not None and block.name not in other.upstream:
            entry.problem(
                "downstream-differs",
                f"Block '{block.name}' lists '{name}' as downstream, but '{name}' does not list "
                f"'{block.name}' as upstream. Only upstream_blocks counts.",
                f"Add '{block.name}' to upstream_blocks of '{name}', or remove it here.",
                at=("downstream_blocks", index),
                severity="warning",
            )
    for index, name in enumerate(block.upstream):
        copy = entries[name].get("downstream_blocks") if name in blocks else None
        if isinstance(copy, list) and block.name not in copy:
            entry.problem(
                "downstream-differs",
                f"Block '{block.name}' has upstream block '{name}', which does not list it as "
                "downstream. Only upstream_blocks counts.",
                f"Add '{block.name}' to downstream_blocks of '{name}'.",
                at=("upstream_blocks", index),
                severity="warning",
            )


def _check_cycle(
    report: Report, blocks: Mapping[str, Block], entries: Mapping[str, Section]
) -> bool:
    cycle = find_cycle(
        {
            block.name: [name for name in block.upstream if name != block.name]
            for block in blocks.values()
        }
    )
    if cycle is None:
        return True
    report.add(
        "cycle",
        f"The blocks form a cycle: {' -> '.join(cycle)}.",
        "Remove one of these edges from upstream_blocks.",
        at=(*entries[cycle[0]].at, "upstream_blocks"),
        block=cycle[0],
    )
    return False
