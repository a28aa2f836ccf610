"""A stream into one object of object storage, sent in parts while it is being written.

Nobody sees the object before the last part is there: an upload that is broken off leaves nothing
visible. (Where the process is killed the parts stay, unseen, until a lifecycle rule of the bucket
removes incomplete uploads.)
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["PART_BYTES", "Upload"]

PART_BYTES = 16 * 1024 * 1024
"""S3 takes 10,000 parts (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html), so
this allows objects of 156 GiB; what fits into one part is sent whole."""


class _BrokenOffError(Exception):
    """Ends the sending thread."""


class Upload(io.RawIOBase):
    """Collects what is written; `finish` or `break_off` must be called in the end."""

    def __init__(
        self, send: Callable[[bytes], object], send_parts: Callable[[Iterator[bytes]], object]
    ) -> None:
        self._send = send
        self._send_parts = send_parts
        self._pending = bytearray()
        # Parts that wait; with those under way the memory an upload takes is bounded.
        self._parts: Queue[bytes | _BrokenOffError | None] = Queue(maxsize=1)
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._ended = False
        """Whether the sending thread has seen the end of the parts."""

    def writable(self) -> bool:
        """Always true."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Take all of `data`; raises what the sending thread met, as soon as it is known."""
        view = memoryview(data).cast("B")
        size = len(view)
        while view:
            room = PART_BYTES - len(self._pending)
            self._pending += view[:room]
            view = view[room:]
            if len(self._pending) == PART_BYTES:
                self._pass_on()
        return size

    def finish(self) -> None:
        """Send what is left, and wait until the object is there."""
        if self._thread is None:
            self._send(bytes(self._pending))
            return
        if self._pending:
            self._pass_on()
        self._parts.put(None)
        self._thread.join()
        self._check()

    def break_off(self) -> None:
        """Stop, and have the service forget the parts it has."""
        self._pending.clear()
        if self._thread is not None and self._thread.is_alive():
            self._parts.put(_BrokenOffError())
            self._thread.join()

    def _pass_on(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="upload", daemon=True)
            self._thread.start()
        self._check()
        self._parts.put(bytes(self._pending))
        self._pending.clear()
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        parts = self._waiting()
        try:
            self._send_parts(parts)
        except _BrokenOffError:
            return
        except BaseException as error:
            # Raised again where the stream is written to.
            self._error = error
            self._drain()

    def _waiting(self) -> Iterator[bytes]:
        while not self._ended:
            part = self._parts.get()
            self._ended = not isinstance(part, bytes)
            if isinstance(part, _BrokenOffError):
                raise part
            if part is not None:
                yield part

    def _drain(self) -> None:
        """Take what still comes, so that the writer is not stuck before it sees the error."""
        with suppress(_BrokenOffError):
            for _ in self._waiting():
                pass
