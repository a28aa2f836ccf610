"""What a block prints, kept in the log file of its attempt.

Python's streams write one JSON object per line; C code and child processes write raw text to the
same file through the file descriptors. Both are appended whole, so nothing is torn apart.
"""

from __future__ import annotations

import codecs
import faulthandler
import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TextIO, cast

__all__ = ["Captured", "captured"]

_LONGEST_PART = 64 * 1024
"""Characters of an unfinished line that are held back at most."""


class Captured:
    """What became of the output, known after the `with` block."""

    is_empty = False


@contextmanager
def captured(path: Path) -> Iterator[Captured]:
    """Send all output of the process to the file at `path` while the `with` block runs.

    The file descriptors 1 and 2, `sys.stdout`, `sys.stderr` and the report of a crash of native
    code go there. The file is removed at the end if nothing was written. One block at a time.
    """
    log, output = _open(str(path)), Captured()
    _flush(sys.stdout, sys.stderr)
    before = sys.stdout, sys.stderr
    descriptors = [(number, _duplicate(number)) for number in (1, 2)]
    crash_reports = faulthandler.is_enabled()
    try:
        for number, _ in descriptors:
            os.dup2(log, number)
        _STDOUT.descriptor = _STDERR.descriptor = log
        sys.stdout, sys.stderr = cast("TextIO", _STDOUT), cast("TextIO", _STDERR)
        faulthandler.enable(log)
        yield output
    finally:
        _STDOUT.finish()
        _STDERR.finish()
        _flush_c_streams()
        _STDOUT.descriptor, _STDERR.descriptor = 1, 2
        sys.stdout, sys.stderr = before
        faulthandler.disable()
        for number, copy in descriptors:
            _put_back(number, copy)
        if crash_reports:
            with suppress(Exception):
                faulthandler.enable()
        output.is_empty = _close(log, path)


class _LogStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a worker.

    One object for the life of the process: a logging handler that a library keeps writes to the log
    of the attempt that is under way, not to one that is long closed.
    """

    def __init__(self, name: str, descriptor: int) -> None:
        self.descriptor = descriptor
        """Where to write now; 1 or 2 between attempts."""
        self.name = f"<{name}>"
        self._number = descriptor
        self._head = f', "stream": "{name}", "text": '
        self._unfinished: dict[int, str] = {}
        """Thread -> its part of a line so far; `print` writes text and line feed separately."""
        self._lock = threading.RLock()

    encoding = "utf-8"
    errors = "backslashreplace"
    line_buffering = True
    mode = "w"

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        written, thread = len(text), threading.get_ident()
        with self._lock:
            text = self._unfinished.pop(thread, "") + text
            end = text.rfind("\n") + 1
            if len(text) - end > _LONGEST_PART:
                end = len(text)
            if end < len(text):
                self._unfinished[thread] = text[end:]
            if end:
                self._write(text[:end])
        return written

    def flush(self) -> None:
        """Write what the calling thread has not finished."""
        with self._lock:
            self._write(self._unfinished.pop(threading.get_ident(), ""))

    def finish(self) -> None:
        """Write what any thread has not finished."""
        with self._lock:
            for text in self._unfinished.values():
                self._write(text)
            self._unfinished.clear()

    def _write(self, text: str) -> None:
        if not text:
            return
        if self.descriptor > 2:
            record = f'{{"ts": {time.time():.6f}{self._head}{json.dumps(text)}}}\n'
            data = record.encode()
        else:
            data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(self.descriptor, data) :]

    @property
    def buffer(self) -> _LogBytes:
        """The stream for bytes."""
        return _LogBytes(self)

    def fileno(self) -> int:
        return self._number

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def reconfigure(self, **_options: Any) -> None:
        """Accept what scripts ask of the usual streams; there is nothing to change."""

    def close(self) -> None:
        """Stay open: the worker goes on after the block."""
        self.flush()


class _LogBytes(io.BufferedIOBase):
    """The bytes side of a log stream."""

    def __init__(self, stream: _LogStream) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, data: Any, /) -> int:
        self._stream.write(self._decoder.decode(bytes(data)))
        return len(data)

    def flush(self) -> None:
        self._stream.flush()

    def writable(self) -> bool:
        return True


_STDOUT = _LogStream("stdout", 1)
_STDERR = _LogStream("stderr", 2)


def _open(path: str) -> int:
    folder = path.rpartition("/")[0]
    try:
        # Asking first whether it is there would cost more; it is the folder of the block.
        os.mkdir(folder)  # noqa: PTH102
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)


def _duplicate(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:
        return None  # closed, as in some daemons


def _put_back(number: int, copy: int | None) -> None:
    if copy is None:
        os.close(number)
        return
    os.dup2(copy, number)
    os.close(copy)


def _flush(*streams: Any) -> None:
    for stream in streams:
        with suppress(Exception):
            stream.flush()


def _flush_c_streams() -> None:
    """What C code printed may still be in a buffer of the C library."""
    if "ctypes" in sys.modules:
        with suppress(Exception):
            _c_library().fflush(None)


@cache
def _c_library() -> Any:
    return sys.modules["ctypes"].CDLL(None)


def _close(log: int, path: Path) -> bool:
    """Close the file; whether nothing was written, so that it is gone."""
    is_empty = os.fstat(log).st_size == 0
    os.close(log)
    if is_empty:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - this runs after every block
    return is_empty
