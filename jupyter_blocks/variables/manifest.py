"""The documents that make stored values real: manifests of attempts, and pointers to them.

A manifest lists the outputs of one attempt with size and sha256 of every object; a pointer names a
manifest by its digest. Plain values and JSON only: who reads and writes them is `store.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from jupyter_blocks.errors import CorruptVariableError, VariableNotFoundError
from jupyter_blocks.variables.keys import key_part

__all__ = [
    "MANIFEST_VERSION",
    "PARTS_FORMAT",
    "UNSTORED_FORMAT",
    "Manifest",
    "Pointer",
    "StoredObject",
    "StoredOutput",
    "attempt_prefix",
    "block_prefix",
    "commit_key",
    "dump_json",
    "latest_key",
    "latest_prefix",
    "manifest_key",
    "run_document_key",
    "run_prefix",
    "runs_prefix",
]

MANIFEST_VERSION = 1
UNSTORED_FORMAT = "unstored"
"""Format of an output that could not be stored and that no block reads (`formats.unstored`)."""

PARTS_FORMAT = "parts"
"""Format of a generator or another iterator, whose parts are stored each by itself."""


def runs_prefix(pipeline: str) -> str:
    """Folder of all runs of a pipeline."""
    return f"pipelines/{key_part(pipeline)}/runs"


def run_prefix(pipeline: str, run_id: str) -> str:
    """Folder of one run of a pipeline."""
    return f"pipelines/{key_part(pipeline)}/runs/{key_part(run_id)}"


def block_prefix(pipeline: str, run_id: str, block: str) -> str:
    """Folder of one block in one run; its commit is `commit.json` in there."""
    return f"{run_prefix(pipeline, run_id)}/{key_part(block)}"


def attempt_prefix(pipeline: str, run_id: str, block: str, attempt_id: str) -> str:
    """What the keys of one attempt begin with; the folder of that name holds its objects."""
    return f"{block_prefix(pipeline, run_id, block)}/{key_part(attempt_id)}"


def manifest_key(prefix: str) -> str:
    """Key of the manifest of the attempt `prefix`.

    It lies beside the folder of the attempt, which is there only if there are objects: making a
    folder takes longer than writing a small file.
    """
    return f"{prefix}.manifest.json"


def commit_key(pipeline: str, run_id: str, block: str) -> str:
    """Key of the pointer to the attempt that counts, for a block in a run."""
    return f"{block_prefix(pipeline, run_id, block)}/commit.json"


def latest_prefix(pipeline: str) -> str:
    """Folder of the pointers to the newest outputs of each block."""
    return f"pipelines/{key_part(pipeline)}/latest"


def run_document_key(pipeline: str, run_id: str, name: str) -> str:
    """Key of a document about a whole run, such as its plan."""
    return f"{run_prefix(pipeline, run_id)}/{key_part(name)}.json"


def latest_key(pipeline: str, block: str) -> str:
    """Key of the pointer to the newest outputs of a block."""
    return f"{latest_prefix(pipeline)}/{key_part(block)}.json"


# Made once: `json.dumps` makes one for each call that has options.
_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def dump_json(document: Any) -> bytes:
    """Compact UTF-8 JSON; a value that JSON cannot hold is a `ValueError` or a `TypeError`."""
    return _compact.encode(document).encode()


@dataclass(frozen=True)
class StoredObject:
    """One file of an output."""

    key: str
    """Relative to the prefix of the attempt."""
    size: int
    """Bytes."""
    sha256: str
    """In hex."""


@dataclass(frozen=True)
class StoredOutput:
    """One stored value: what it is and which objects hold it."""

    type: str
    """For people and previews: table, series, array, json, text, bytes, figure, model, object,
    not stored."""
    format: str
    """Name of the format that reads it back (`formats`)."""
    python_type: str
    """Module and name of the value's class."""
    rows: int | None = None
    """Rows of a table or series, entries of an array's first axis."""
    objects: tuple[StoredObject, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What the format needs to know besides the objects."""
    value: Any = None
    """The value itself as typed JSON, where there are no objects."""

    @property
    def why_not_stored(self) -> str:
        """Why there is no value, and what to do about it; empty if there is one."""
        if self.format != UNSTORED_FORMAT:
            return ""
        return f"{self.value['why']} {self.value['remedy']}".rstrip()

    @property
    def bytes(self) -> int:
        """Size of all objects, or of the value's JSON where there are none."""
        if self.objects:
            return sum(item.size for item in self.objects)
        return len(dump_json(self.value))

    @property
    def digest(self) -> str:
        """sha256 of the content, in hex: equal digests, equal values."""
        content = [self.format, self.python_type, self.meta, self.value]
        content.append([item.sha256 for item in self.objects])
        return sha256(dump_json(content)).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The output as a JSON document, without fields that are empty."""
        document: dict[str, Any] = {
            "type": self.type,
            "format": self.format,
            "python_type": self.python_type,
        }
        if self.rows is not None:
            document["rows"] = self.rows
        if self.meta:
            document["meta"] = self.meta
        if self.objects:
            document["objects"] = [[item.key, item.size, item.sha256] for item in self.objects]
        else:
            document["value"] = self.value
        return document

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StoredOutput:
        """Read what `as_json` wrote."""
        objects = tuple(StoredObject(*item) for item in data.get("objects", ()))
        names = ("type", "format", "python_type", "rows", "meta", "value")
        return cls(objects=objects, **{name: data[name] for name in names if name in data})


@dataclass(frozen=True)
class Manifest:
    """The outputs of one attempt of a block. Once written it never changes."""

    pipeline: str
    run_id: str
    block: str
    attempt_id: str
    outputs: Mapping[str, StoredOutput]
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    """What the values depend on, as a JSON document of the writer's own."""
    inputs: tuple[Any, ...] = ()
    """The attempts whose outputs were read (`executors.base.InputRef`), as JSON documents."""
    created_at: float = 0.0
    """Unix seconds."""
    preview: StoredObject | None = None
    """The object that holds the previews of all outputs that are not in the manifest itself."""
    random_streams: Mapping[str, Any] | None = None
    """Where the block left the global random streams (`randomstreams`), if they are carried on."""
    together: StoredOutput | None = None
    """Outputs that share objects, once more in one piece (`formats.together`); in `meta` their
    `names`."""
    digest: str = ""
    """sha256 of the manifest's file, in hex."""

    @cached_property
    def prefix(self) -> str:
        """What the keys of the attempt begin with (`attempt_prefix`)."""
        return attempt_prefix(self.pipeline, self.run_id, self.block, self.attempt_id)

    @property
    def objects(self) -> tuple[StoredObject, ...]:
        """Every object this manifest vouches for."""
        stored = (*self.outputs.values(), *((self.together,) if self.together else ()))
        found = [item for output in stored for item in output.objects]
        return (*found, self.preview) if self.preview else tuple(found)

    @cached_property
    def content(self) -> str:
        """Digest of all values, in hex: the same whenever the same values are stored again."""
        digests: list[Any] = [[name, item.digest] for name, item in sorted(self.outputs.items())]
        if self.random_streams is not None:
            digests.append(self.random_streams)
        return sha256(dump_json(digests)).hexdigest()

    def summary(self) -> dict[str, dict[str, Any]]:
        """Type, rows and bytes of each output."""
        return {
            name: {"type": output.type, "rows": output.rows, "bytes": output.bytes}
            for name, output in self.outputs.items()
        }

    def output(self, name: str) -> StoredOutput:
        """One output; `VariableNotFoundError` names those there are."""
        if name in self.outputs:
            return self.outputs[name]
        known = ", ".join(sorted(self.outputs)) or "none"
        raise VariableNotFoundError(
            f"Block '{self.block}' has no output '{name}'. Its outputs: {known}.",
            pipeline=self.pipeline,
            block=self.block,
        )

    def as_json(self) -> dict[str, Any]:
        """The manifest as a JSON document, with its digest."""
        return {**self.document(), "digest": self.digest}

    def document(self) -> dict[str, Any]:
        """What the manifest's file holds."""
        preview = self.preview
        return {
            "version": MANIFEST_VERSION,
            "pipeline": self.pipeline,
            "run_id": self.run_id,
            "block": self.block,
            "attempt_id": self.attempt_id,
            "fingerprint": dict(self.fingerprint),
            "inputs": list(self.inputs),
            "created_at": self.created_at,
            "preview": [preview.key, preview.size, preview.sha256] if preview else None,
            "outputs": {name: output.as_json() for name, output in self.outputs.items()},
            **({"random_streams": self.random_streams} if self.random_streams else {}),
            **({"together": self.together.as_json()} if self.together else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        """Read what `as_json` wrote; anything else is a `CorruptVariableError`."""
        try:
            together = data.get("together")
            if data["version"] != MANIFEST_VERSION:
                raise ValueError(f"its version is {data['version']!r}, not {MANIFEST_VERSION}")
            return cls(
                pipeline=data["pipeline"],
                run_id=data["run_id"],
                block=data["block"],
                attempt_id=data["attempt_id"],
                outputs={
                    name: StoredOutput.from_json(item) for name, item in data["outputs"].items()
                },
                fingerprint=dict(data["fingerprint"]),
                inputs=tuple(data["inputs"]),
                created_at=data["created_at"],
                preview=StoredObject(*data["preview"]) if data["preview"] else None,
                random_streams=data.get("random_streams"),
                together=StoredOutput.from_json(together) if together else None,
                digest=data.get("digest", ""),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CorruptVariableError(
                f"A manifest cannot be read: {type(error).__name__}: {error}.",
                hint="It was written by another version, or changed since: run the block again.",
            ) from error

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read the bytes of a manifest's file, and give it the digest of these bytes."""
        try:
            document = json.loads(data)
        except ValueError as error:
            raise CorruptVariableError(f"A manifest is not JSON: {error}.") from error
        if not isinstance(document, dict):
            raise CorruptVariableError("A manifest is not a JSON object.")
        return cls.from_json({**document, "digest": sha256(data).hexdigest()})


@dataclass(frozen=True)
class Pointer:
    """What `commit.json` and a block's latest pointer say: this attempt holds the outputs."""

    pipeline: str
    block: str
    run_id: str
    attempt_id: str
    manifest: str
    """sha256 of the manifest's file, in hex."""
    created_at: float
    """When the manifest was written; Unix seconds."""

    @classmethod
    def to(cls, manifest: Manifest) -> Pointer:
        """The pointer that makes a manifest count."""
        return cls(
            pipeline=manifest.pipeline,
            block=manifest.block,
            run_id=manifest.run_id,
            attempt_id=manifest.attempt_id,
            manifest=manifest.digest,
            created_at=manifest.created_at,
        )

    def dump(self) -> bytes:
        """The bytes of the pointer's file."""
        return dump_json({"version": MANIFEST_VERSION, **self.__dict__})

    @classmethod
    def parse(cls, data: bytes) -> Pointer | None:
        """Read the bytes of a pointer's file; none if they are not a whole pointer."""
        try:
            document = json.loads(data)
            if document.pop("version") != MANIFEST_VERSION:
                return None
            return cls(**document)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
