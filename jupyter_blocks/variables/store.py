"""The variable store: outputs of block attempts are written once, committed once, and read back.

Objects come first, the manifest after them, the commit after that, and the pointer to a block's
latest outputs last. Readers start at a commit, so whatever is cut off at any moment leaves files
nobody looks at, never a wrong or half value.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_blocks.errors import CorruptVariableError, Problem, UnstorableError, VariableError
from jupyter_blocks.lazy import LazyModule
from jupyter_blocks.variables import integrity, logs
from jupyter_blocks.variables.integrity import follow, read_manifest, read_pointer, vouch
from jupyter_blocks.variables.keys import part_name
from jupyter_blocks.variables.manifest import (
    PARTS_FORMAT,
    Manifest,
    Pointer,
    StoredOutput,
    attempt_prefix,
    commit_key,
    latest_key,
    latest_prefix,
    run_document_key,
    runs_prefix,
)
from jupyter_blocks.variables.openstorage import open_storage
from jupyter_blocks.variables.storage import AlreadyExistsError
from jupyter_blocks.variables.unsealed import Unsealed

if TYPE_CHECKING:
    from jupyter_blocks.variables import formats, pages, preview, retention
    from jupyter_blocks.variables.formats import Encoded, Sink, Source
else:
    # A dispatcher only commits: it has no use for these.
    formats = LazyModule("jupyter_blocks.variables.formats")
    pages = LazyModule("jupyter_blocks.variables.pages")
    preview = LazyModule("jupyter_blocks.variables.preview")
    retention = LazyModule("jupyter_blocks.variables.retention")

__all__ = ["VariableStore"]

_TIMED_ID = re.compile(r"[A-Za-z_-]{0,8}(\d{8}[T_-]?(?:\d{6})?)")
"""Run ids that begin with a date, and perhaps a time, say when their runs began."""


class VariableStore:
    """Stored outputs below one root: a folder or a URI. Safe for use by threads and processes."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.storage = open_storage(root)

    def __repr__(self) -> str:
        return f"VariableStore({self.storage!r})"

    def prefix(self, pipeline: str, run_id: str, block: str, attempt_id: str) -> str:
        """What the keys of one attempt begin with, in the store."""
        return attempt_prefix(pipeline, run_id, block, attempt_id)

    def log_path(self, prefix: str) -> Path:
        """File of the log of an attempt in a local store; who writes it makes its folder."""
        path = self.storage.path(logs.segment_key(prefix, 1))
        if path is None:
            raise VariableError(f"Logs are not files in {self.storage!r}.")
        return path

    @contextmanager
    def log_file(self, prefix: str) -> Iterator[Path]:
        """A file to write the log of an attempt to; at the end all of it is in the store."""
        path = self.storage.path(logs.segment_key(prefix, 1))
        if path is not None:
            yield path
            return
        with logs.sent_in_segments(self.storage, prefix) as path:
            yield path

    def log(self, prefix: str) -> Path | logs.SegmentedLog:
        """Where the log of an attempt can be read: its file, or its segments."""
        path = self.storage.path(logs.segment_key(prefix, 1))
        return path or logs.SegmentedLog(self.storage, prefix)

    def write(self, prefix: str, outputs: Mapping[str, Any], about: Mapping[str, Any]) -> Manifest:
        """Store the outputs of an attempt; they count once they are committed.

        The same as `put` and then `seal`.
        """
        return self.put(prefix, outputs, about).seal()

    def put(self, prefix: str, outputs: Mapping[str, Any], about: Mapping[str, Any]) -> Unsealed:
        """Write the values of an attempt; digests, previews and the manifest are left to `seal`.

        Every value is written in a format that gives it back exactly, and its preview beside it.

        Args:
            prefix: `prefix()` of the attempt.
            outputs: Output name -> value.
            about: `pipeline`, `run_id`, `block`, `attempt_id`; optionally `fingerprint`,
                `inputs`, a list of JSON documents, `random_streams`, `optional`, the names of
                outputs that nobody reads, `used_up`, the names of iterators that may be read
                to their end, so that their parts can be stored, and `together`, the names of
                outputs that may share objects.

        Raises `UnstorableError`, naming the member to blame, for a value that would not come back;
        of an optional output the manifest then says why there is none. Raises `AlreadyExistsError`
        if the attempt has stored its outputs before.
        """
        names = {name: about[name] for name in ("pipeline", "run_id", "block", "attempt_id")}
        if prefix != attempt_prefix(**names):
            raise VariableError(f"'{prefix}' is not the folder of the attempt {names}.")
        stored: dict[str, StoredOutput] = {}
        written: dict[str, tuple[Any, Encoded]] = {}
        for name, value in outputs.items():
            encoded = None
            try:
                uses_up = name in about.get("used_up", ())
                sink = formats.Sink(self.storage, prefix, name, hashes_later=not uses_up)
                stored[name], encoded = _encode(value, sink, names, uses_up=uses_up)
            except UnstorableError as error:
                if name not in about.get("optional", ()):
                    raise
                stored[name] = formats.describe_unstored(value, name, error)
            if encoded is not None and stored[name].objects:
                written[name] = value, encoded
        shared = {name: outputs[name] for name in about.get("together") or () if name in stored}
        together = None
        if shared:
            sink = formats.Sink(self.storage, prefix, formats.TOGETHER_FORMAT)
            together = formats.write_together(shared, stored, sink)
        manifest = Manifest(
            outputs=stored,
            together=together,
            fingerprint=about.get("fingerprint") or {},
            inputs=tuple(about.get("inputs") or ()),
            random_streams=about.get("random_streams"),
            **names,
        )
        return Unsealed(self.storage, manifest, written)

    def commit(self, manifest: Manifest) -> None:
        """Make a manifest the outputs of its block in its run, and the block's latest ones.

        Committing the same attempt again changes nothing; another attempt of the same block and
        run is a `VariableError`. The latest pointer never goes back to an older run.
        """
        pointer = Pointer.to(manifest)
        vouch(self.storage, pointer, manifest.prefix)
        key = commit_key(manifest.pipeline, manifest.run_id, manifest.block)
        latest = latest_key(manifest.pipeline, manifest.block)
        may_replace = partial(_may_replace, pointer)
        try:
            self.storage.publish(key, pointer.dump(), latest, may_replace)
        except AlreadyExistsError:
            self._commit_again(key, pointer)
            self.storage.point(latest, key, may_replace)

    def finish_commit(self, pipeline: str, run_id: str, block: str) -> None:
        """Do what is left of a commit that was cut off: the block's latest outputs are those.

        Nothing where nothing is committed, or nothing is left to do.
        """
        key = commit_key(pipeline, run_id, block)
        pointer = read_pointer(self.storage, key)
        if pointer is not None:
            self.storage.point(latest_key(pipeline, block), key, partial(_may_replace, pointer))

    def committed(self, pipeline: str, run_id: str, block: str) -> Manifest | None:
        """The outputs that a block has in a run; none if none are committed."""
        return self._follow(commit_key(pipeline, run_id, block), pipeline, block)

    def latest(self, pipeline: str, block: str) -> Manifest | None:
        """The newest committed outputs of a block; none if there are none."""
        return self._follow(latest_key(pipeline, block), pipeline, block)

    def blocks(self, pipeline: str) -> dict[str, Manifest]:
        """The newest committed outputs of every block of a pipeline that has any."""
        found = {}
        for entry in self.storage.entries(latest_prefix(pipeline)):
            pointer = read_pointer(self.storage, entry.key)
            if pointer is not None and pointer.pipeline == pipeline:
                found[pointer.block] = follow(self.storage, pointer)
        return dict(sorted(found.items()))

    def manifest(
        self, pipeline: str, run_id: str, block: str, attempt_id: str, digest: str = ""
    ) -> Manifest:
        """The manifest of an attempt, committed or not.

        Raises `VariableNotFoundError` if there is none, and `CorruptVariableError` if it is not
        whole or, where a digest is given, has another.
        """
        return read_manifest(self.storage, pipeline, run_id, block, attempt_id, digest)

    def load(self, manifest: Manifest, name: str, *, verify: bool = True) -> Any:
        """One output, as a new value: private to the caller and writable.

        Sizes are always checked, digests with `verify`; what does not match is a
        `CorruptVariableError` that names the object.
        """
        stored = manifest.output(name)
        source = self._source(manifest, stored, verify=verify)
        value = formats.decode(stored, source)
        if verify and stored.format != PARTS_FORMAT:  # those are checked one by one, when reached
            source.check_unread()
        return value

    def load_together(
        self, manifest: Manifest, names: Collection[str], *, verify: bool = True
    ) -> dict[str, Any]:
        """Those of the outputs `names` that share objects, as new values that share them, too.

        Nothing where there are not two of them. Checks what `load` checks.
        """
        stored = manifest.together
        if stored is None or len(wanted := set(names).intersection(stored.meta["names"])) < 2:
            return {}
        values = formats.read_together(stored, self._source(manifest, stored, verify=verify))
        return {name: values[name] for name in wanted}

    def preview(self, manifest: Manifest, name: str) -> dict[str, Any]:
        """What is known of an output without reading it; see `preview.describe`."""
        stored = manifest.output(name)
        if stored.why_not_stored:
            return preview.describe_unstored(stored)
        if not stored.objects:
            return preview.describe(self.load(manifest, name), stored)
        if manifest.preview is None:
            raise CorruptVariableError(f"The manifest in '{manifest.prefix}' names no previews.")
        source = formats.Source(self.storage, manifest.prefix, (manifest.preview,), verify=True)
        previews: dict[str, dict[str, Any]] = json.loads(bytes(source.buffer(manifest.preview.key)))
        return previews[name]

    def page(
        self,
        manifest: Manifest,
        name: str,
        start: int,
        rows: int,
        columns: Collection[str] | None = None,
    ) -> dict[str, Any]:
        """Some rows of a stored table, reading little else; see `pages.read_page`."""
        stored = manifest.output(name)
        source = self._source(manifest, stored, verify=False)
        return pages.read_page(name, stored, source, start, rows, columns)

    def record_run(self, pipeline: str, run_id: str, name: str, document: Any) -> None:
        """Keep a JSON document about a whole run (`plan`, `result`) beside its outputs."""
        self.record_run_text(pipeline, run_id, name, json.dumps(document))

    def record_run_text(self, pipeline: str, run_id: str, name: str, text: str) -> None:
        """`record_run` of a document that is JSON text already."""
        self.storage.replace(run_document_key(pipeline, run_id, name), text.encode())

    def run_document(self, pipeline: str, run_id: str, name: str) -> Any:
        """Read what `record_run` kept; none if there is nothing that can be read."""
        try:
            return json.loads(self.storage.read(run_document_key(pipeline, run_id, name)))
        except (VariableError, ValueError):
            return None

    def runs(self, pipeline: str) -> list[str]:
        """Ids of the runs that have left anything, oldest first."""
        prefix = runs_prefix(pipeline)
        return sorted(part_name(part) for part in self.storage.folders(prefix))

    def pipelines(self) -> list[str]:
        """Names of the pipelines that have stored anything."""
        return sorted(part_name(part) for part in self.storage.folders("pipelines"))

    def clean(
        self,
        older_than_s: float | None = None,
        keep_runs: int | None = None,
        max_bytes: int | None = None,
        dry_run: bool = False,
        active_runs: Collection[str] = (),
    ) -> retention.CleanReport:
        """Delete runs that are too old, too many or too large; see `retention.clean`."""
        limits = retention.Limits(older_than_s, keep_runs, max_bytes)
        return retention.clean(self.storage, limits, dry_run=dry_run, active_runs=active_runs)

    def usage(self) -> retention.Usage:
        """How many bytes each run and each block in it takes."""
        return retention.usage(self.storage)

    def verify(self) -> list[Problem]:
        """Check every committed manifest and every object it names; see `integrity.verify`."""
        return integrity.verify(self.storage)

    def _commit_again(self, key: str, pointer: Pointer) -> None:
        winner = read_pointer(self.storage, key)
        if winner is None:
            # Half a commit is left by a power cut only; nobody can have followed it.
            self.storage.replace(key, pointer.dump())
        elif winner != pointer:
            raise VariableError(
                f"Block '{pointer.block}' of run '{pointer.run_id}' has committed the attempt "
                f"{winner.attempt_id} already; {pointer.attempt_id} comes too late.",
                pipeline=pointer.pipeline,
                block=pointer.block,
            )

    def _follow(self, key: str, pipeline: str, block: str) -> Manifest | None:
        pointer = read_pointer(self.storage, key)
        if pointer is None or (pointer.pipeline, pointer.block) != (pipeline, block):
            return None
        return follow(self.storage, pointer)

    def _source(self, manifest: Manifest, stored: StoredOutput, *, verify: bool) -> Source:
        return formats.Source(self.storage, manifest.prefix, stored.objects, verify=verify)


def _encode(
    value: Any, sink: Sink, names: Mapping[str, str], *, uses_up: bool
) -> tuple[StoredOutput, Encoded]:
    name = sink.name
    try:
        return formats.encode(value, sink, uses_up=uses_up)
    except VariableError as error:
        block, text = names["block"], str(error).removesuffix(error.hint).rstrip()
        where = f"Block '{block}'"
        if not isinstance(error, UnstorableError):
            where += f", output '{name}'"
        told = type(error)(
            f"{where}: {text}",
            pipeline=names["pipeline"],
            block=block,
            hint=error.hint,
        )
        if isinstance(told, UnstorableError):
            told.output = name
        raise told from error


def _may_replace(pointer: Pointer, present: bytes) -> bool:
    return _is_newer(pointer, Pointer.parse(present))


def _is_newer(pointer: Pointer, present: Pointer | None) -> bool:
    """Whether a latest pointer may move on; runs count by when they began, where ids tell."""
    if present is None or present.run_id == pointer.run_id:
        return present != pointer
    began, present_began = _TIMED_ID.match(pointer.run_id), _TIMED_ID.match(present.run_id)
    if began and present_began and began[1] != present_began[1]:
        return began[1] > present_began[1]
    return pointer.created_at >= present.created_at
