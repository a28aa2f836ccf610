"""What a format is, and the two ends it works with: a sink for files and a source of them.

The sink counts and hashes what passes through, so nothing is held or read twice; the source checks
size and digest and hands out private, writable memory.
"""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from jupyter_blocks.errors import CorruptVariableError, VariableError, VariableNotFoundError
from jupyter_blocks.variables.keys import key_part
from jupyter_blocks.variables.manifest import StoredObject, StoredOutput
from jupyter_blocks.variables.rangefile import RangeFile
from jupyter_blocks.variables.storage import Storage

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Encoded", "Format", "HashingStream", "NotExactError", "Sink", "Source", "type_name"]

_MAP_FROM = 128 * 1024
"""Smaller files are read: a mapping costs a file descriptor and at least one page."""


class NotExactError(Exception):
    """A format cannot hold this value so that it comes back the same; the next one is asked."""


@dataclass(frozen=True)
class Encoded:
    """What a format says of a value it has written."""

    type: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    value: Any = None
    """Typed JSON, where the format wrote no file."""
    view: Any = None
    """What a preview is best made from; not stored. None: the value itself."""


@dataclass(frozen=True)
class Format:
    """One way to turn values into files and back."""

    name: str
    write: Callable[[Any, Sink], Encoded]
    """Raises `NotExactError` before or after writing; what was written is then thrown away."""
    read: Callable[[StoredOutput, Source], Any]
    preview: Callable[[Any], Mapping[str, Any]] | None = None
    """JSON-safe entries that are added to the preview of a value."""


def type_name(kind: type) -> str:
    """Module and name of a class, such as `collections.OrderedDict`; built-ins by name only."""
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


class Sink:
    """Takes the files of one output and remembers their sizes and digests."""

    def __init__(
        self, storage: Storage, prefix: str, name: str, *, hashes_later: bool = False
    ) -> None:
        self.storage = storage
        self.prefix = prefix
        self.name = name
        self.objects: list[StoredObject] = []
        self._hashes_later = hashes_later
        """Whether large local files may be left without a digest, for who has time to read them."""

    @contextmanager
    def file(self, suffix: str) -> Iterator[HashingStream]:
        """A stream into a new file of this output; each suffix names one file."""
        key = self._free_key(suffix)
        later = self._hashes_later and self.storage.path(self.prefix) is not None
        with self.storage.writer(f"{self.prefix}/{key}") as raw:
            stream = HashingStream(raw, lets_go=later)
            try:
                yield stream
            except BaseException:
                stream.abandon()
                raise
            stream.close()
        self.objects.append(StoredObject(key, stream.size, stream.hexdigest()))

    def discard(self) -> None:
        """Throw away what was written, so that another format can start."""
        for item in self.objects:
            self.storage.delete(f"{self.prefix}/{item.key}")
        self.objects.clear()

    @property
    def is_remote(self) -> bool:
        """Whether the files are read range by range later, not mapped."""
        return self.storage.path(self.prefix) is None

    def source(self) -> Source:
        """The files written so far, to be read back at once."""
        return Source(self.storage, self.prefix, tuple(self.objects), verify=False)

    def _free_key(self, suffix: str) -> str:
        # A try of the same attempt that was cut off may have left files; they are never touched.
        name = key_part(self.name)
        if self.is_remote:
            # Nor may one that goes on elsewhere meet ours: what is sent in parts replaces what is
            # there. Two names that are never the same need no look at what there is, either.
            return f"out/{name}~{os.urandom(6).hex()}{suffix}"
        key, number = f"out/{name}{suffix}", 1
        while self.storage.exists(f"{self.prefix}/{key}"):
            number += 1
            key = f"out/{name}~{number}{suffix}"
        return key


class HashingStream(io.RawIOBase):
    """Passes bytes on, counting and hashing them; small writes are gathered into larger ones."""

    _GATHER = 64 * 1024
    _BESIDE = 4 * 1024 * 1024
    """From this size on, bytes are hashed in a thread while they are written in this one."""

    def __init__(self, raw: io.RawIOBase, *, lets_go: bool = False) -> None:
        self._raw = raw
        self._digest = sha256()
        self._lets_go = lets_go
        self._hashes = True
        self._pending = bytearray()
        self.size = 0

    def writable(self) -> bool:
        """Always true."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Write all of `data`, any contiguous buffer; returns its size in bytes."""
        view = memoryview(data).cast("B")
        self.size += len(view)
        if len(view) < self._GATHER:
            self._pending += view
            if len(self._pending) >= self._GATHER:
                self.flush()
        else:
            self.flush()
            self._pass_on(view)
        return len(view)

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size

    def flush(self) -> None:
        """Pass on what was gathered."""
        if self._pending:
            pending, self._pending = self._pending, bytearray()
            self._pass_on(memoryview(pending))

    def abandon(self) -> None:
        """End without passing on what was gathered: its file is being taken away."""
        self._pending.clear()
        self.close()

    def hexdigest(self) -> str:
        """sha256 of all that was passed on; empty where hashing was given up (`lets_go`)."""
        return self._digest.hexdigest() if self._hashes else ""

    def _pass_on(self, view: memoryview) -> None:
        if self._lets_go and self.size >= self._BESIDE:
            # It is worth a thread, which may go on when all is written: it reads the file.
            self._hashes = False
        if not self._hashes:
            self._raw.write(view)
            return
        if len(view) < self._BESIDE:
            self._digest.update(view)
            self._raw.write(view)
            return
        hashing = Thread(target=self._digest.update, args=(view,), name="hashing")
        hashing.start()
        try:
            self._raw.write(view)
        finally:
            hashing.join()  # the memory is the caller's again when this returns


class Source:
    """Reads the files of one output."""

    def __init__(
        self, storage: Storage, prefix: str, objects: tuple[StoredObject, ...], *, verify: bool
    ) -> None:
        self.storage = storage
        self.prefix = prefix
        self.objects = objects
        self.verify = verify
        self._read: set[str] = set()

    def has(self, suffix: str) -> bool:
        """Whether there is a file with this suffix."""
        return any(item.key.endswith(suffix) for item in self.objects)

    def check_sizes(self) -> None:
        """Raise `CorruptVariableError` where a file is missing or not as long as it was."""
        for item in self.objects:
            self._check_size(item)

    def check_unread(self) -> None:
        """Raise `CorruptVariableError` where a file that nobody has read is damaged."""
        for item in self.objects:
            if item.key not in self._read:
                self.buffer(item.key)

    def buffer(self, suffix: str) -> mmap.mmap | bytearray:
        """All bytes of a file, in memory that is writable and seen by nobody else.

        Large files are mapped copy-on-write: pages are read when used and shared until changed.
        Raises `CorruptVariableError` if the file is missing, is not as long as it was, or (with
        `verify`) does not have its digest any more.
        """
        item = self._object(suffix)
        data = self._load(item)
        if len(data) != item.size:
            raise self._corrupt(item, f"is {len(data)} bytes long, but {item.size} were written")
        if self.verify and sha256(data).hexdigest() != item.sha256:
            raise self._corrupt(item, "was changed after it was written: its sha256 differs")
        self._read.add(item.key)
        return data

    def pieces(self, suffix: str) -> mmap.mmap | bytearray | RangeFile:
        """A file of which little is read: mapped like `buffer`, elsewhere read range by range.

        Only its size is checked.
        """
        item = self._object(suffix)
        key = f"{self.prefix}/{item.key}"
        if item.size < _MAP_FROM or self.storage.path(key) is not None:
            return self.buffer(suffix)
        self._check_size(item)
        return RangeFile(self.storage, key, item.size)

    def stream(self, suffix: str) -> AbstractContextManager[Any]:
        """A file as a readable stream, checked like `buffer`."""
        data = self.buffer(suffix)
        return io.BytesIO(data) if isinstance(data, bytearray) else data

    def local(self, suffix: str) -> Path | io.BytesIO:
        """A file, checked like `buffer`, for a reader that opens it itself."""
        data = self.buffer(suffix)
        path = self.storage.path(f"{self.prefix}/{self._object(suffix).key}")
        return path or io.BytesIO(data)

    def _object(self, suffix: str) -> StoredObject:
        for item in self.objects:
            if item.key.endswith(suffix):
                return item
        raise VariableError(f"The manifest of {self.prefix} names no '{suffix}' file.")

    def _load(self, item: StoredObject) -> mmap.mmap | bytearray:
        key = f"{self.prefix}/{item.key}"
        try:
            path = self.storage.path(key)
            if path is None:
                return self.storage.read_writable(key, item.size)
            if item.size < _MAP_FROM:
                return bytearray(self.storage.read(key))
            if self.storage.size(key) != item.size:
                return self.storage.read_writable(key, item.size)
            with path.open("rb") as file:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (VariableNotFoundError, FileNotFoundError) as error:
            raise self._corrupt(item, "is missing") from error

    def _check_size(self, item: StoredObject) -> None:
        try:
            size = self.storage.size(f"{self.prefix}/{item.key}")
        except VariableNotFoundError as error:
            raise self._corrupt(item, "is missing") from error
        if size != item.size:
            raise self._corrupt(item, f"is {size} bytes long, but {item.size} were written")

    def _corrupt(self, item: StoredObject, what: str) -> CorruptVariableError:
        return CorruptVariableError(
            f"The stored object '{self.prefix}/{item.key}' {what}.",
            hint="Run its block again; `jupyter blocks repair` lists all that is damaged.",
        )
