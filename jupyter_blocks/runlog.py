"""Reading the log of an attempt, whole or while it is being written.

The worker writes one JSON object per line; what C code and child processes write straight to the
file descriptor stands between them as raw text. Both are lines here, and none is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_blocks.variables.logs import SegmentedLog
from jupyter_blocks.variables.store import VariableStore

__all__ = ["LogLine", "LogTail", "log_of", "parse_line", "read_log"]

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class LogLine:
    """One line a block wrote."""

    text: str
    """Without the line feed."""
    stream: str = ""
    """`stdout` or `stderr`; empty for raw text."""
    ts: float | None = None
    """Unix time in seconds; none for raw text."""


class LogTail:
    """Follows one log: each `read` gives the lines that came since the one before."""

    def __init__(self, log: Path | SegmentedLog) -> None:
        self._log = log
        self._offset = 0
        self._rest = b""
        self._open = _OpenText()

    def read(self) -> Iterator[LogLine]:
        """Complete lines that are new; nothing where there is no log (yet)."""
        return self._read(is_over=False)

    def finish(self) -> Iterator[LogLine]:
        """What is new, and a last line without an end: the attempt is over."""
        yield from self._read(is_over=True)
        if self._rest:
            yield from self._open.add(self._rest)
            self._rest = b""
        yield from self._open.close()

    def _read(self, *, is_over: bool) -> Iterator[LogLine]:
        for chunk in self._chunks(is_over=is_over):
            self._offset += len(chunk)
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                yield from self._open.add(line)

    def _chunks(self, *, is_over: bool) -> Iterator[bytes]:
        if isinstance(self._log, SegmentedLog):
            while chunk := self._log.read(self._offset, is_over=is_over):
                yield chunk
            return
        try:
            file = self._log.open("rb")
        except OSError:
            return
        with file:
            file.seek(self._offset)
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk


class _OpenText:
    """Puts texts together into lines: a record may hold half a line, or several."""

    def __init__(self) -> None:
        self._parts: dict[str, LogLine] = {}

    def add(self, line: bytes) -> Iterator[LogLine]:
        """Lines that are complete with this line of the file."""
        record = parse_line(line)
        if record.ts is None:
            yield LogLine(_last_state(record.text))
            return
        before = self._parts.pop(record.stream, None)
        text = (before.text if before else "") + record.text
        *whole, rest = text.split("\n")
        for part in whole:
            yield LogLine(_last_state(part), record.stream, record.ts)
        if rest:
            self._parts[record.stream] = LogLine(rest, record.stream, record.ts)

    def close(self) -> Iterator[LogLine]:
        """Lines that never ended."""
        for line in self._parts.values():
            yield LogLine(_last_state(line.text), line.stream, line.ts)
        self._parts.clear()


def log_of(
    store: VariableStore, pipeline: str, run_id: str, block: str, attempt_id: str
) -> Path | SegmentedLog:
    """Where the log of an attempt can be read, wherever the store is."""
    return store.log(store.prefix(pipeline, run_id, block, attempt_id))


def read_log(log: Path | SegmentedLog) -> list[LogLine]:
    """All lines of a log; none where there is no log."""
    return list(LogTail(log).finish())


def parse_line(line: bytes) -> LogLine:
    """One line of the file, without its line feed: a record, or raw text as it was written.

    The text of a record is what was written at once: it may hold half a line, or several.
    """
    text = line.decode("utf-8", "replace").rstrip("\r")
    if text.startswith("{"):
        try:
            record = json.loads(text)
            return LogLine(str(record["text"]), str(record["stream"]), float(record["ts"]))
        except (ValueError, KeyError, TypeError):
            pass
    return LogLine(text)


def _last_state(text: str) -> str:
    """What a terminal would show of a line that was rewritten with carriage returns."""
    return text.rstrip("\r").rpartition("\r")[2]
