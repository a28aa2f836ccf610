"""Believing nothing: manifests and pointers are read with their digests, objects are checked.

A pointer that is not whole counts as not there; a manifest or an object that a pointer vouches for
and that is missing, short or changed is an error that names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from jupyter_blocks.errors import (
    BlocksError,
    CorruptVariableError,
    Problem,
    VariableNotFoundError,
)
from jupyter_blocks.variables.manifest import (
    Manifest,
    Pointer,
    StoredObject,
    attempt_prefix,
    manifest_key,
)
from jupyter_blocks.variables.storage import Entry, Storage

__all__ = ["follow", "pointers", "read_manifest", "read_pointer", "verify", "vouch"]

_PIECE = 8 * 1024 * 1024


def read_pointer(storage: Storage, key: str) -> Pointer | None:
    """The pointer under a key; none if there is none, or only a part of one."""
    try:
        return Pointer.parse(storage.read(key))
    except VariableNotFoundError:
        return None


def read_manifest(
    storage: Storage, pipeline: str, run_id: str, block: str, attempt_id: str, digest: str = ""
) -> Manifest:
    """The manifest of an attempt, with the given digest if there is one.

    Raises `VariableNotFoundError` or `CorruptVariableError`.
    """
    key = manifest_key(attempt_prefix(pipeline, run_id, block, attempt_id))
    data = storage.read(key)
    if digest and sha256(data).hexdigest() != digest:
        raise _changed(key, pipeline, block)
    found = Manifest.parse(data)
    named = (found.pipeline, found.run_id, found.block, found.attempt_id)
    if named != (pipeline, run_id, block, attempt_id):
        raise _corrupt(f"The manifest '{key}' is that of another attempt.", pipeline, block)
    return found


def follow(storage: Storage, pointer: Pointer) -> Manifest:
    """The manifest a pointer names; `CorruptVariableError` if it is not there as it was written."""
    try:
        return read_manifest(
            storage,
            pointer.pipeline,
            pointer.run_id,
            pointer.block,
            pointer.attempt_id,
            pointer.manifest,
        )
    except VariableNotFoundError as error:
        text = f"{error} It was committed, so somebody must have deleted it."
        raise _corrupt(text, pointer.pipeline, pointer.block) from error


def vouch(storage: Storage, pointer: Pointer, prefix: str) -> None:
    """Raise `CorruptVariableError` unless the manifest is there byte for byte.

    What `follow` promises, for a caller that holds the manifest and needs no second one.
    """
    key = manifest_key(prefix)
    try:
        data = storage.read(key)
    except VariableNotFoundError as error:
        raise _corrupt(
            f"{error} It was stored a moment ago.", pointer.pipeline, pointer.block
        ) from error
    if sha256(data).hexdigest() != pointer.manifest:
        raise _changed(key, pointer.pipeline, pointer.block)


def pointers(storage: Storage) -> Iterator[tuple[Entry, Pointer | None]]:
    """Every commit and every latest pointer in a store; None where one is not whole."""
    for entry in storage.entries("pipelines"):
        parts = entry.key.split("/")
        is_commit = len(parts) == 6 and parts[2] == "runs" and parts[5] == "commit.json"
        is_latest = len(parts) == 4 and parts[2] == "latest"
        if is_commit or is_latest:
            yield entry, read_pointer(storage, entry.key)


def verify(storage: Storage) -> list[Problem]:
    """Check every committed manifest and all it vouches for; a problem for each damaged object."""
    problems: list[Problem] = []
    checked: set[tuple[str, str]] = set()
    for entry, pointer in pointers(storage):
        if pointer is None:
            problems.append(
                Problem(
                    "torn-pointer",
                    f"'{entry.key}' is not whole and counts as not there.",
                    "Run the block again.",
                    "warning",
                    path=entry.key,
                )
            )
        elif (pointer.attempt_id, pointer.manifest) not in checked:
            checked.add((pointer.attempt_id, pointer.manifest))
            problems.extend(_verify_attempt(storage, pointer))
    return problems


def _verify_attempt(storage: Storage, pointer: Pointer) -> Iterator[Problem]:
    prefix = attempt_prefix(pointer.pipeline, pointer.run_id, pointer.block, pointer.attempt_id)
    try:
        manifest = follow(storage, pointer)
    except BlocksError as error:
        yield _problem("damaged-manifest", str(error), manifest_key(prefix), pointer)
        return
    for item in manifest.objects:
        key = f"{prefix}/{item.key}"
        fault = _fault(storage, key, item)
        if fault:
            yield _problem("damaged-object", f"The stored object '{key}' {fault}.", key, pointer)


def _fault(storage: Storage, key: str, item: StoredObject) -> str:
    """What is wrong with an object; empty if nothing is."""
    try:
        size = storage.size(key)
    except VariableNotFoundError:
        return "is missing"
    if size != item.size:
        return f"is {size} bytes long, but {item.size} were written"
    digest = sha256()
    for start in range(0, size, _PIECE):
        digest.update(storage.read_range(key, start, _PIECE))
    return "" if digest.hexdigest() == item.sha256 else "was changed: its sha256 differs"


def _problem(code: str, message: str, key: str, pointer: Pointer) -> Problem:
    return Problem(
        code,
        message,
        f"Run block '{pointer.block}' again.",
        pipeline=pointer.pipeline,
        block=pointer.block,
        path=key,
    )


def _changed(key: str, pipeline: str, block: str) -> CorruptVariableError:
    return _corrupt(f"The manifest '{key}' was changed: its sha256 differs.", pipeline, block)


def _corrupt(message: str, pipeline: str, block: str) -> CorruptVariableError:
    hint = f"Run block '{block}' again."
    return CorruptVariableError(message, pipeline=pipeline, block=block, hint=hint)
