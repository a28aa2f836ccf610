"""Values that were used last, up to a total weight; safe for use by threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Recent"]

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Keeps what was used last; what was not asked for longest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        """Weight of everything that is kept, together."""
        self._weight = 0
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """The value, if it is still there."""
        with self._lock:
            entry = self._values.get(key)
            if entry is None:
                return None
            self._values.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Keep a value, and let others go for it; one that is too heavy by itself is not kept."""
        with self._lock:
            self._drop(key)
            if weight > self._most:
                return
            self._values[key] = value, weight
            self._weight += weight
            while self._weight > self._most:
                self._drop(next(iter(self._values)))

    def _drop(self, key: Key) -> None:
        _, weight = self._values.pop(key, (None, 0))
        self._weight -= weight
