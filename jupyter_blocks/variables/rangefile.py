"""A stored object as a file of which only those ranges are read that are asked for."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from jupyter_blocks.variables.storage import Storage

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["RangeFile"]

_TAIL_BYTES = 64 * 1024
"""Read at once: formats with a footer look at the end first, several times."""


class RangeFile(io.RawIOBase):
    """Reads an object of known size, a range for each read; its end is read once and kept."""

    def __init__(self, storage: Storage, key: str, size: int) -> None:
        self._storage = storage
        self._key = key
        self._size = size
        self._position = 0
        self._tail_start = max(size - _TAIL_BYTES, 0)
        self._tail: bytes | None = None

    def readable(self) -> bool:
        """Always true."""
        return True

    def seekable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a position from the start, from here or from the end."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(origin + offset, 0)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer, as far as the object goes."""
        view = memoryview(buffer).cast("B")
        data = self._range(self._position, min(len(view), self._size - self._position))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _range(self, start: int, length: int) -> bytes:
        if length <= 0:
            return b""
        if start < self._tail_start:
            return self._storage.read_range(self._key, start, length)
        if self._tail is None:
            self._tail = self._storage.read_range(self._key, self._tail_start, _TAIL_BYTES)
        return self._tail[start - self._tail_start :][:length]
