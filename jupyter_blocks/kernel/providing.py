"""Gives a cell what its notebook would have given it: imports, functions, parameters, values.

Only names that are missing are set; what a cell has computed in this kernel is never replaced.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_blocks import decorators
from jupyter_blocks.binding import BlockDraft, CodePart
from jupyter_blocks.block import Source
from jupyter_blocks.kernel.view import View
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.wording import ago

__all__ = ["Loaded", "load_inputs", "loaded_text", "provide_setup"]


@dataclass(frozen=True)
class Loaded:
    """One value that came from the store."""

    name: str
    manifest: Manifest
    output: str
    stale: str
    """Why it is stale; empty if it is fresh."""


def _missing_inputs(block: BlockDraft, namespace: Mapping[str, Any]) -> list[str]:
    """Names a plain block reads that the kernel does not have."""
    return [name for name in block.inputs if name not in namespace]


def load_inputs(
    view: View,
    block: BlockDraft,
    namespace: Mapping[str, Any],
    set_value: Callable[[str, Source, Any, Manifest], None],
) -> list[Loaded]:
    """Load the stored inputs that the kernel does not have; what they shared they go on sharing.

    Says of which ones there is no value although their blocks ran.
    """
    shared: dict[Source, Any] = {}
    loaded = []
    names = _missing_inputs(block, namespace)
    for name in names:
        source = block.inputs[name]
        manifest = view.store.latest(view.draft.name, source.block)
        if manifest is None or source.output not in manifest.outputs:
            continue
        if manifest.outputs[source.output].why_not_stored:
            _tell_unstored(name, block, view)
            continue
        if source not in shared:
            wanted = [block.inputs[each] for each in names]
            outputs = [each.output for each in wanted if each.block == source.block]
            values = view.store.load_together(manifest, outputs)
            shared |= {Source(source.block, output): value for output, value in values.items()}
        value = shared[source] if source in shared else view.store.load(manifest, source.output)
        set_value(name, source, value, manifest)
        loaded.append(Loaded(name, manifest, source.output, view.staleness(source.block)))
    return loaded


def _tell_unstored(name: str, block: BlockDraft, view: View) -> None:
    """Say why an input is not there although its block ran, and what to do."""
    source = block.inputs[name].block
    cell = view.draft.block(source).cells[0]
    print(
        f"'{name}' could not be stored when block '{source}' ran. Run cell {cell}, which makes it.",
        file=sys.stderr,
    )


def loaded_text(loaded: list[Loaded], now: float | None = None) -> str:
    """`df from load_flights (run ..., 3 min ago, fresh)`, one line for each run."""
    groups: dict[str, list[Loaded]] = {}
    for item in loaded:
        groups.setdefault(item.manifest.attempt_id, []).append(item)
    lines = []
    for items in groups.values():
        manifest, stale = items[0].manifest, items[0].stale
        names = ", ".join(item.name for item in items)
        age = ago(manifest.created_at, time.time() if now is None else now)
        state = f"stale: {stale}" if stale else "fresh"
        lines.append(
            f"Loaded {names} from block '{manifest.block}' (run {manifest.run_id}, {age}, {state})."
        )
    return "\n".join(lines)


def provide_setup(
    view: View,
    block: BlockDraft,
    namespace: dict[str, Any],
    execute: Callable[[str], None],
    has_run: Callable[[str], bool],
) -> list[str]:
    """Run the imports and definitions of earlier cells that the block needs and the kernel lacks.

    Returns the names of the cells whose code ran; nothing of a cell that `has_run` runs again.
    """
    cells: dict[str, None] = {}
    for name in block.code.decorators:
        namespace.setdefault(name, getattr(decorators, name))
    for line in block.code.imports:
        if not set(line.names) <= namespace.keys():
            execute(line.text)
            cells[line.cell] = None
    for name, value in {**view.draft.parameters, **block.code.module_parameters}.items():
        if name in block.parameters and name not in namespace:
            namespace[name] = value
    if _lacks_helpers(block, namespace):
        cells |= dict.fromkeys(_helpers(view, namespace, execute, has_run))
    for part in block.code.options:
        if not has_run(part.cell):
            execute(_text(part))
            cells[part.cell] = None
    return list(cells)


def _lacks_helpers(block: BlockDraft, namespace: Mapping[str, Any]) -> bool:
    return any(name not in namespace for name in block.code.helpers)


def _helpers(
    view: View,
    namespace: dict[str, Any],
    execute: Callable[[str], None],
    has_run: Callable[[str], bool],
) -> Iterator[str]:
    """All shared definitions of cells that have not run: they may need one another."""
    helpers = view.draft.helpers
    if helpers is None:
        return
    for line in helpers.imports:
        if not set(line.names) <= namespace.keys():
            execute(line.text)
    for name, value in helpers.parameters.items():
        namespace.setdefault(name, value)
    for part in helpers.parts:
        if not has_run(part.cell):
            execute(_text(part))
            yield part.cell


def _text(part: CodePart) -> str:
    return "\n".join(line or "" for line in part.lines)
