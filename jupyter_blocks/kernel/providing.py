"""Gives a cell what its notebook would have given it: imports, functions, parameters, values.

Only names that are missing are set; what a cell has computed in this kernel is never replaced.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_blocks import decorators
from jupyter_blocks.binding import BlockDraft, CodePart
from jupyter_blocks.kernel.view import View
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.wording import ago

__all__ = ["Loaded", "loaded_text", "missing_inputs", "provide_setup"]


@dataclass(frozen=True)
class Loaded:
    """One value that came from the store."""

    name: str
    manifest: Manifest
    output: str
    stale: str
    """Why it is stale; empty if it is fresh."""


def missing_inputs(block: BlockDraft, namespace: Mapping[str, Any]) -> list[str]:
    """Names a plain block reads that the kernel does not have."""
    return [name for name in block.inputs if name not in namespace]


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
