"""The values a block is given: outputs of upstream blocks, from the store or still in memory.

Whatever is handed out behaves like a new value. Values are read when they are asked for, and only
those that are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
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
        shared = self._shared()
        return {
            name: shared[text] if text in shared else self._source(name, text)
            for name, text in self._task.inputs.items()
        }

    def random_streams(self) -> Mapping[str, Any]:
        """Where the block named in the task left the random streams; nothing for the first."""
        reference = self._upstream.get(self._task.random_streams or "")
        if reference is None or not reference.run_id:
            return {}
        return self._manifest(reference).random_streams or {}

    def _shared(self) -> dict[str, Any]:
        """The inputs that share objects with other inputs, by their sources."""
        asked: dict[str, list[str]] = {}
        for source in map(Source.parse, self._task.inputs.values()):
            asked.setdefault(source.block, []).append(source.output)
        found: dict[str, Any] = {}
        for block, names in asked.items():
            reference = self._upstream.get(block)
            if len(names) > 1 and reference is not None and reference.run_id:
                with _told(reference, " and ".join(names)):
                    values = self._store.load_together(
                        self._manifest(reference), names, verify=self._verifies(reference)
                    )
                found |= {str(Source(block, name)): value for name, value in values.items()}
        return found

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
        with _told(reference, name):
            return self._store.load(manifest, name, verify=self._verifies(reference))

    def _verifies(self, reference: InputRef) -> bool:
        """What this very run wrote a moment ago is checked by its size alone."""
        return reference.run_id != self._task.run_id

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


@contextmanager
def _told(reference: InputRef, name: str) -> Iterator[None]:
    """Inside the `with`, whatever goes wrong is a `VariableError` that names the output."""
    try:
        yield
    except (VariableError, MemoryError):
        raise
    except Exception as error:
        raise VariableError(
            f"Output '{name}' of block '{reference.block}' cannot be loaded: "
            f"{type(error).__name__}: {error}."
        ) from error


def keep_outputs(memory: Memory, manifest: Manifest, outputs: Mapping[str, Any]) -> None:
    """Keep the manifest, and those outputs that can be handed to a later block without harm."""
    kept = {name: value for name, value in outputs.items() if shareable(value)}
    for name, value in kept.items():
        memory[manifest.attempt_id, name] = share(value)
    memory[manifest.attempt_id, ""] = manifest
