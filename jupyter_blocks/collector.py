"""Python's collector of garbage, held back while many objects are made that all stay or all go."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["collector_paused"]

_lock = Lock()
_was_enabled: list[bool] = []
"""For each of those who hold it back now, whether it was at work when they came."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cycles are looked for inside, in no thread; afterwards the collector is as it was.

    For work of at most seconds: objects that are in no cycle are let go at once as ever. Young
    garbage that the work leaves is found by the next look, before it would count as old.
    """
    with _lock:
        _was_enabled.append(gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            if len(_was_enabled) > 1:
                _was_enabled.pop()
            elif _was_enabled.pop():
                gc.enable()
