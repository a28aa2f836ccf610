"""Follows logs in object storage for many requests, so that each segment is read once.

A request knows an offset only, and a segment can be found only from the one before it: without
memory each look would read the log from its beginning.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from jupyter_blocks.variables.logs import SegmentedLog

__all__ = ["RemoteLogs"]

_KEPT = 16
_MOST_BYTES = 4 * 1024 * 1024
"""Of one piece that is kept; a larger one is read again."""


@dataclass
class _Followed:
    log: SegmentedLog
    start: int = 0
    data: bytes = b""

    @property
    def end(self) -> int:
        return self.start + len(self.data)


class RemoteLogs:
    """Where the readers of some logs have got to; safe for use by threads."""

    def __init__(self) -> None:
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, log: SegmentedLog, offset: int, *, is_over: bool) -> bytes:
        """Bytes from `offset` on, as many as there are at once; empty if there are none (yet)."""
        key = repr(log)
        with self._lock:
            followed = self._followed.pop(key, None)
        if followed is None or not followed.start <= offset <= followed.end:
            followed = _Followed(log, offset)
        if offset == followed.end:
            data = followed.log.read(offset, is_over=is_over)
            if data:
                followed.start, followed.data = offset, data
        found = followed.data[offset - followed.start :]
        if len(followed.data) <= _MOST_BYTES:
            self._keep(key, followed)
        return found

    def _keep(self, key: str, followed: _Followed) -> None:
        with self._lock:
            self._followed[key] = followed
            while len(self._followed) > _KEPT:
                self._followed.popitem(last=False)
