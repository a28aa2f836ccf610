"""Outputs whose files are written, on their way to a manifest: digests, previews, the manifest.

Writing ends before anybody else may use the values; what is left here only reads. So a worker may
do it in a thread while the next block computes: digests are those of the files, which nobody
changes, whatever becomes of the values in memory.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Thread
from typing import TYPE_CHECKING, Any

from jupyter_blocks.errors import CorruptVariableError
from jupyter_blocks.frozen import changed
from jupyter_blocks.lazy import LazyModule
from jupyter_blocks.variables.manifest import (
    Manifest,
    StoredObject,
    StoredOutput,
    dump_json,
    manifest_key,
)
from jupyter_blocks.variables.storage import AlreadyExistsError, Storage

if TYPE_CHECKING:
    from jupyter_blocks.variables import preview
    from jupyter_blocks.variables.formats import Encoded
else:
    preview = LazyModule("jupyter_blocks.variables.preview")

__all__ = ["Unsealed"]

_PREVIEW = "preview.json"
_TABLES = frozenset({"array", "series", "table"})


@dataclass(frozen=True)
class Unsealed:
    """The outputs of an attempt, written but not described yet."""

    storage: Storage
    manifest: Manifest
    """Says where the values are, so that they can be loaded; not which digests they have."""
    values: Mapping[str, tuple[Any, Encoded]]
    """What previews are made of: outputs with files, and what their formats said of them."""

    @property
    def large_bytes(self) -> int:
        """Size of the tables and arrays in files; 0 where another kind of value is among them.

        Looking at those runs code of other packages, which may not like threads.
        """
        outputs = [self.manifest.outputs[name] for name in self.values]
        if not all(output.type in _TABLES for output in outputs):
            return 0
        return sum(output.bytes for output in outputs)

    def seal(
        self,
        inputs: Iterable[Mapping[str, Any]] | None = None,
        fingerprint: Mapping[str, Any] | None = None,
    ) -> Manifest:
        """Write previews and manifest, last of all; `inputs` and `fingerprint` where known now.

        Raises `AlreadyExistsError` if the attempt has a manifest already, and `VariableError` if
        something cannot be written.
        """
        written, hashing = self.manifest, _Hashing(self.storage, self.manifest)
        hashing.start()
        try:
            previews = self._write_previews() if self.values else None
        finally:
            digests = hashing.wait()
        outputs = {name: _sealed(item, digests) for name, item in written.outputs.items()}
        return self._write_manifest(
            changed(
                written,
                outputs=outputs,
                preview=previews,
                inputs=written.inputs if inputs is None else tuple(inputs),
                fingerprint=written.fingerprint if fingerprint is None else fingerprint,
                created_at=time.time(),
            )
        )

    def _write_previews(self) -> StoredObject:
        described = {
            name: preview.describe(value, self.manifest.outputs[name], encoded)
            for name, (value, encoded) in self.values.items()
        }
        data, prefix = dump_json(described), self.manifest.prefix
        key, number = _PREVIEW, 1
        while self.storage.exists(f"{prefix}/{key}"):
            number += 1
            key = f"preview~{number}.json"
        self.storage.create(f"{prefix}/{key}", data, atomic=False)
        return StoredObject(key, len(data), sha256(data).hexdigest())

    def _write_manifest(self, manifest: Manifest) -> Manifest:
        data = dump_json(manifest.document())
        key = manifest_key(manifest.prefix)
        try:
            # Half of it is harmless: the commit that would make it count holds its digest.
            self.storage.create(key, data, atomic=False)
        except AlreadyExistsError:
            try:
                Manifest.parse(self.storage.read(key))
            except CorruptVariableError:
                self.storage.replace(key, data)
            else:
                raise
        return changed(manifest, digest=sha256(data).hexdigest())


class _Hashing:
    """Hashes the files that were not hashed while they were written, beside all else."""

    def __init__(self, storage: Storage, manifest: Manifest) -> None:
        self._storage = storage
        self._prefix = manifest.prefix
        self._items = [
            item
            for output in manifest.outputs.values()
            for item in output.objects
            if not item.sha256
        ]
        self._digests: dict[str, str] = {}
        self._error: BaseException | None = None
        self._thread = Thread(target=self._hash_all, name="hashing") if self._items else None

    def start(self) -> None:
        if self._thread is not None:
            self._thread.start()

    def wait(self) -> Mapping[str, str]:
        """Digests by the keys of their files; raises what went wrong."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._digests

    def _hash_all(self) -> None:
        try:
            for item in self._items:
                self._digests[item.key] = self._hash(item)
        except BaseException as error:
            self._error = error

    def _hash(self, item: StoredObject) -> str:
        path = self._storage.path(f"{self._prefix}/{item.key}")
        if path is None or path.stat().st_size != item.size:
            raise CorruptVariableError(
                f"The stored object '{self._prefix}/{item.key}' was changed while it was stored."
            )
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), item.size, access=mmap.ACCESS_READ) as data,
        ):
            return sha256(data).hexdigest()


def _sealed(output: StoredOutput, digests: Mapping[str, str]) -> StoredOutput:
    if not any(item.key in digests for item in output.objects):
        return output
    objects = tuple(
        changed(item, sha256=digests.get(item.key, item.sha256)) for item in output.objects
    )
    return changed(output, objects=objects)
