"""The values a block is given: outputs of upstream blocks, from the store or still in memory.

Whatever is handed out behaves like a new value. Values are read when they are asked for, and only
those that are.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from jupyter_blocks.block import Source
from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.executors.base import BlockTask, InputRef
from jupyter_blocks.variables.formats import share, shareable
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["Memory", "TaskInputs", "keep_outputs"]

Memory = MutableMapping[tuple[str, str], Any]
"""Values kept by a worker: (attempt id, output) -> value, and (attempt id, "") -> manifest."""


class TaskInputs:
    """The inputs of one task. What cannot be read is a `VariableError` that names it."""

    def __init__(self, task: BlockTask, store: VariableStore, memory: Memory | None) -> None:
        self._task = task
        self._store = store
        self._memory: Mapping[tuple[str, str], Any] = memory if memory is not None else {}
        self._upstream = {reference.block: reference for reference in task.upstream}
        self._manifests: dict[str, Manifest] = {}

    def positional(self) -> list[Any]:
        """One value per upstream block, in their order, as Mage passes them."""
        return [self._whole(reference) for reference in self._task.upstream]

    def named(self) -> dict[str, Any]:
        """Argument -> value, for a block exported from a notebook."""
        return {name: self._source(name, text) for name, text in self._task.inputs.items()}

    def random_streams(self) -> Mapping[str, Any]:
        """Where the block named in the task left the random streams; nothing for the first."""
        reference = self._upstream.get(self._task.random_streams or "")
        if reference is None or not reference.run_id:
            return {}
        return self._manifest(reference).random_streams or {}

    def _source(self, argument: str, text: str) -> Any:
        source = Source.parse(text)
        reference = self._upstream.get(source.block)
        if reference is None or not reference.run_id:
            raise VariableNotFoundError(
                f"Input '{argument}' comes from block '{source.block}', which stored nothing.",
                hint=f"Run '{source.block}' first.",
            )
        if not source.output:
            return self._whole(reference)
        return self._load(reference, source.output)

    def _whole(self, reference: InputRef) -> Any:
        """Nothing is `[]`, one output is the value, several are a list."""
        if not reference.run_id:
            return []
        names = list(self._manifest(reference).outputs)
        if len(names) == 1:
            return self._load(reference, names[0])
        return [self._load(reference, name) for name in names]

    def _load(self, reference: InputRef, name: str) -> Any:
        key = (reference.attempt_id, name)
        if key in self._memory:
            return share(self._memory[key])
        manifest = self._manifest(reference)
        # What this very run wrote a moment ago is checked by its size alone.
        verify = reference.run_id != self._task.run_id
        try:
            return self._store.load(manifest, name, verify=verify)
        except (VariableError, MemoryError):
            raise
        except Exception as error:
            raise VariableError(
                f"Output '{name}' of block '{reference.block}' cannot be loaded: "
                f"{type(error).__name__}: {error}."
            ) from error

    def _manifest(self, reference: InputRef) -> Manifest:
        found = self._memory.get((reference.attempt_id, "")) or self._manifests.get(reference.block)
        if found is None:
            found = self._store.manifest(
                self._task.pipeline,
                reference.run_id,
                reference.block,
                reference.attempt_id,
                reference.digest,
            )
            self._manifests[reference.block] = found
        return found


def keep_outputs(memory: Memory, manifest: Manifest, outputs: Mapping[str, Any]) -> None:
    """Keep those outputs in memory that can be handed to a later block without harm."""
    kept = {name: value for name, value in outputs.items() if shareable(value)}
    for name, value in kept.items():
        memory[manifest.attempt_id, name] = share(value)
    if kept:
        memory[manifest.attempt_id, ""] = manifest
