"""Numbers what a dispatcher does to the world, and ends its process at one of these points.

Installed in a process of its own (`victim`): every effect of the runner, every change of a file,
every statement of the journal and every request to a platform or a store is two points, one before
and one after. A point is named by what is done and how often that was done before, so that the
same point is found again in another run.
"""

from __future__ import annotations

import builtins
import io
import os
import re
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3

from jupyter_blocks.dispatcher import Dispatcher
from jupyter_blocks.effects import Effect
from jupyter_blocks.variables.objectstorage import ObjectStorage

__all__ = ["install"]

FILE_CALLS = ("link", "mkdir", "rename", "replace", "rmdir", "unlink")
STORE_CALLS = ("create", "delete", "point", "publish", "replace")
_OWN_NAME = re.compile(r"\b(jb-)?[0-9a-f]{20,}\b")
"""Attempts are named after the project and the run, which differ each time."""
STATEMENTS = ("BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE")


class Points:
    """Counts; writes down what is reached where nothing is to end, else ends at `at`."""

    def __init__(self, at: str, told: Path | None) -> None:
        self._at = at
        self._told = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if told else None
        self._counts = Counter[str]()
        self._lock = threading.Lock()

    def around(self, name: str, function: Callable[[], Any]) -> Any:
        """Do something between its two points."""
        with self._lock:
            self._counts[name] += 1
            name = f"{name} #{self._counts[name]}"
        self._reach(f"before {name}")
        result = function()
        self._reach(f"after {name}")
        return result

    def _reach(self, point: str) -> None:
        if self._told is not None:
            os.write(self._told, f"{point}\n".encode())
        if point == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


def install(at: str = "", told: Path | None = None) -> None:
    """End this process at the point `at`; write the names of all points to the file `told`."""
    points = Points(at, told)
    _wrap(Dispatcher, "_carry_out", points, lambda _self, effect: _effect_name(effect))
    for call in FILE_CALLS:
        _wrap(os, call, points, lambda *_args, call=call, **_keys: f"os.{call}")
    _wrap(os, "open", points, _opened)
    _wrap(io, "open", points, _written)
    builtins.open = io.open
    for call in STORE_CALLS:
        _wrap(ObjectStorage, call, points, lambda *_args, call=call, **_keys: f"store {call}")
    _wrap(urllib3.connectionpool.HTTPConnectionPool, "urlopen", points, _request_name)
    _count_statements(points)


def _wrap(owner: Any, name: str, points: Points, label: Callable[..., str]) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **keys: Any) -> Any:
        text = label(*args, **keys)
        if not text:
            return original(*args, **keys)
        return points.around(text, lambda: original(*args, **keys))

    setattr(owner, name, wrapped)


def _effect_name(effect: Effect) -> str:
    event = getattr(effect, "event", None)
    if event is not None:
        return f"Record {event.kind} {event.block}".rstrip()
    return f"{type(effect).__name__} {getattr(effect, 'block', '')}".rstrip()


def _opened(_path: Any, flags: int, *_args: Any, **_keys: Any) -> str:
    return "os.open to create" if flags & os.O_CREAT else ""


def _written(_file: Any, mode: str = "r", *_args: Any, **_keys: Any) -> str:
    return f"open {mode}" if set(mode) & set("wax+") else ""


def _request_name(_pool: Any, method: str, url: str, *_args: Any, **keys: Any) -> str:
    target = {str(k).lower(): v for k, v in dict(keys.get("headers") or {}).items()}
    call = target.get("x-amz-target", b"")
    call = call.decode() if isinstance(call, bytes) else str(call)
    return f"request {method} {call or _OWN_NAME.sub('*', url.partition('?')[0])}"


def _count_statements(points: Points) -> None:
    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:
            word = statement.split(None, 1)[0] if statement.strip() else ""
            if word not in STATEMENTS:
                return super().execute(statement, *args)
            call = super().execute
            cursor: sqlite3.Cursor = points.around(f"sqlite {word}", lambda: call(statement, *args))
            return cursor

        def executemany(self, statement: str, *args: Any) -> sqlite3.Cursor:
            call = super().executemany
            cursor: sqlite3.Cursor = points.around(
                "sqlite INSERT many", lambda: call(statement, *args)
            )
            return cursor

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **keys: connect(*args, factory=Connection, **keys)  # type: ignore[assignment]
