"""Short ways to write a value and to read it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_blocks.variables.formats import Sink, Source, decode, encode
from jupyter_blocks.variables.manifest import Manifest, StoredOutput
from jupyter_blocks.variables.storage import LocalStorage
from jupyter_blocks.variables.store import VariableStore


def store(root: Path, value: Any, name: str = "out") -> tuple[StoredOutput, Source]:
    """Write a value on its own; what a manifest would say of it, and where it can be read."""
    storage = LocalStorage(root)
    stored, _ = encode(value, Sink(storage, "attempt", name))
    return stored, Source(storage, "attempt", stored.objects, verify=True)


def there_and_back(root: Path, value: Any) -> Any:
    """Write a value and read it."""
    return decode(*store(root, value))


def write(
    store: VariableStore,
    outputs: dict[str, Any],
    block: str = "load",
    run_id: str = "20260101-000000-aaaaa",
    attempt_id: str = "first",
    pipeline: str = "flights",
    **about: Any,
) -> Manifest:
    """Store the outputs of an attempt without committing them."""
    names = {"pipeline": pipeline, "run_id": run_id, "block": block, "attempt_id": attempt_id}
    return store.write(store.prefix(**names), outputs, {**names, **about})


def commit(store: VariableStore, outputs: dict[str, Any], **names: Any) -> Manifest:
    """Store and commit the outputs of an attempt."""
    manifest = write(store, outputs, **names)
    store.commit(manifest)
    return manifest
