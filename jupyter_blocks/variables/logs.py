"""Logs of attempts in object storage: a local file while a block runs, sent in numbered segments.

Objects cannot be appended to, so each segment holds what was written since the one before:
`<attempt>.log.000001.jsonl`, then `...000002.jsonl`, and together they are the file. Readers on the
same machine read the file itself while it is there, which is also what a worker that was killed
leaves of its last second.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.redaction import redacted
from jupyter_blocks.variables.storage import AlreadyExistsError, Storage

__all__ = ["SegmentedLog", "segment_key", "sent_in_segments"]

SEND_INTERVAL_S = 1.0
"""How often a worker sends what is new."""
LOOK_INTERVAL_S = 1.0
"""How often a reader elsewhere asks for the next segment."""
_MOST_BYTES = 32 * 1024 * 1024
"""Of one segment."""


def segment_key(prefix: str, number: int) -> str:
    """Key of a segment of the log of the attempt `prefix`, from 1 on."""
    return f"{prefix}.log.{number:06d}.jsonl"


def _spool(storage: Storage, prefix: str) -> Path:
    """The local file of a log: the same for everybody of this user on this machine."""
    import tempfile  # no local run needs it

    name = sha256(f"{storage!r}/{prefix}".encode()).hexdigest()[:40]
    return Path(tempfile.gettempdir()) / f"jupyter-blocks-{os.getuid()}" / f"{name}.jsonl"


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise VariableError(
            f"The folder {folder}, for logs on their way to the store, belongs to another user or "
            "is open to others.",
            hint="Remove it, or set TMPDIR to a folder of your own.",
        )


@contextmanager
def sent_in_segments(storage: Storage, prefix: str) -> Iterator[Path]:
    """A local file for the log of an attempt; what is written to it is sent while it grows.

    At the end of the `with` block all of it is in the store and the file is gone. If it cannot be
    sent, that is said on stderr, the file stays, and nothing else fails.
    """
    path = _spool(storage, prefix)
    _private_folder(path.parent)
    path.unlink(missing_ok=True)
    sender = _Sender(storage, prefix, path)
    sender.start()
    try:
        yield path
    finally:
        sender.finish()


class _Sender:
    """Sends a growing file from a thread of its own."""

    def __init__(self, storage: Storage, prefix: str, path: Path) -> None:
        self._storage = storage
        self._prefix = prefix
        self._path = path
        self._number = 0
        self._offset = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log segments", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        self._over.set()
        self._thread.join()
        try:
            while self._send(whole_lines=False):
                pass
        except (VariableError, OSError) as error:
            print(f"The log stays in {self._path}: {error}", file=sys.stderr)
        else:
            self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._over.wait(SEND_INTERVAL_S):
            # What could not be sent now is sent with what follows it.
            with suppress(VariableError, OSError):
                self._send(whole_lines=True)

    def _send(self, *, whole_lines: bool) -> bool:
        """Send what is new as the next segment; whether there was anything."""
        data = self._new()
        if whole_lines:
            data = data[: data.rfind(b"\n") + 1]
        if not data:
            return False
        try:
            self._storage.create(segment_key(self._prefix, self._number + 1), redacted(data))
        except AlreadyExistsError:
            # An earlier try of the same attempt, cut off: its segments stay before ours.
            self._number += 1
            return True
        self._number += 1
        self._offset += len(data)
        return True

    def _new(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                return file.read(_MOST_BYTES)
        except FileNotFoundError:
            return b""


class SegmentedLog:
    """Reads the log of one attempt, from the local file or from the segments in the store."""

    def __init__(self, storage: Storage, prefix: str) -> None:
        self._storage = storage
        self._prefix = prefix
        self._spool = _spool(storage, prefix)
        self._number = 1
        self._start = 0
        """Where the next segment begins, in the whole log."""
        self._looked_at = 0.0

    def __repr__(self) -> str:
        return f"SegmentedLog({self._storage!r}, '{self._prefix}')"

    def read(self, offset: int, *, is_over: bool) -> bytes:
        """Bytes from `offset` on, as many as there are at once; empty if there are none (yet).

        Segments are asked for now and then only, unless the attempt `is_over`.
        """
        try:
            with self._spool.open("rb") as file:
                file.seek(offset)
                return file.read(_MOST_BYTES)
        except OSError:
            return self._next_segment(offset, is_over=is_over)

    def _next_segment(self, offset: int, *, is_over: bool) -> bytes:
        now = time.monotonic()
        if not is_over and now < self._looked_at + LOOK_INTERVAL_S:
            return b""
        while True:
            try:
                data = self._storage.read(segment_key(self._prefix, self._number))
            except VariableNotFoundError:
                self._looked_at = now
                return b""
            start, self._start = self._start, self._start + len(data)
            self._number += 1
            if self._start > offset:
                return data[offset - start :]
