"""How counts, sizes, times and states are said to people, in one place.

Plain text only: where it goes and in which colour is the business of `console` and `tables`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from jupyter_blocks.run import BlockStatus, RunStatus

__all__ = [
    "STATUS_PAINTS",
    "STATUS_SYMBOLS",
    "STATUS_WORDS",
    "ago",
    "bytes_text",
    "clock_time",
    "count_text",
    "duration_text",
    "local_time",
    "one_line",
    "parameters_text",
    "plural",
    "rows_text",
    "size_of",
    "stale_text",
]

STATUS_WORDS: Mapping[str, str] = {
    BlockStatus.WAITING: "waiting",
    BlockStatus.RUNNING: "running",
    BlockStatus.POLLING: "polling",
    BlockStatus.RETRYING: "retrying",
    BlockStatus.SUCCEEDED: "ok",
    BlockStatus.FAILED: "FAILED",
    BlockStatus.UPSTREAM_FAILED: "upstream failed",
    BlockStatus.SKIPPED: "skipped",
    BlockStatus.CACHED: "cached",
    BlockStatus.CANCELLED: "cancelled",
    BlockStatus.CONDITION_FAILED: "condition failed",
    RunStatus.INTERRUPTED: "interrupted",
}
"""Status of a block or a run -> the word people read."""

STATUS_SYMBOLS: Mapping[str, str] = {
    BlockStatus.WAITING: "·",
    BlockStatus.RUNNING: "●",
    BlockStatus.POLLING: "◔",
    BlockStatus.RETRYING: "↻",
    BlockStatus.SUCCEEDED: "✓",
    BlockStatus.FAILED: "✗",
    BlockStatus.UPSTREAM_FAILED: "⊘",
    BlockStatus.SKIPPED: "-",
    BlockStatus.CACHED: "=",
    BlockStatus.CANCELLED: "■",
    BlockStatus.CONDITION_FAILED: "○",
    RunStatus.INTERRUPTED: "■",
}
"""Each state has its own shape, so that none is told by colour alone."""

STATUS_PAINTS: Mapping[str, str] = {
    BlockStatus.WAITING: "dim",
    BlockStatus.RUNNING: "blue",
    BlockStatus.POLLING: "blue",
    BlockStatus.RETRYING: "yellow",
    BlockStatus.SUCCEEDED: "green",
    BlockStatus.FAILED: "bold red",
    BlockStatus.UPSTREAM_FAILED: "red",
    BlockStatus.SKIPPED: "dim",
    BlockStatus.CACHED: "dim",
    BlockStatus.CANCELLED: "yellow",
    BlockStatus.CONDITION_FAILED: "dim",
    RunStatus.INTERRUPTED: "yellow",
}
"""Status -> colour, as `console.Style.paint` understands it."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def count_text(count: int) -> str:
    """`336,776`."""
    return f"{count:,}"


def plural(count: int, noun: str) -> str:
    """`1 block`, `12 blocks`."""
    return f"{count_text(count)} {noun}" if count == 1 else f"{count_text(count)} {noun}s"


def bytes_text(count: float) -> str:
    """`512 B`, `24.1 MB`; powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration_text(seconds: float) -> str:
    """`12 ms`, `0.91 s`, `12.4 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02d} s"
    return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02d} min"


def local_time(ts: float) -> str:
    """Unix seconds as `2026-05-04 14:02:11`, in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ts))


def clock_time(ts: float) -> str:
    """Unix seconds as `14:02:11.042`, in local time."""
    return f"{time.strftime('%H:%M:%S', time.localtime(ts))}.{int(ts % 1 * 1000):03d}"


def ago(ts: float, now: float) -> str:
    """How long before `now`: `just now`, `12 min ago`, `3 h ago`, `5 days ago`."""
    passed = now - ts
    if passed < _MINUTE_S:
        return "just now"
    if passed < _HOUR_S:
        return f"{passed / _MINUTE_S:.0f} min ago"
    if passed < _DAY_S:
        return f"{passed / _HOUR_S:.0f} h ago"
    return f"{plural(round(passed / _DAY_S), 'day')} ago"


def stale_text(reason: str) -> str:
    """Why stored outputs are stale, from why a plan runs their block: `'load' runs` is of a plan,
    `'load' is stale` of what is stored.
    """
    name = reason.removesuffix(" runs")
    return f"{name} is stale" if reason == f"{name} runs" and name.startswith("'") else reason


def rows_text(outputs: Mapping[str, Mapping[str, Any]]) -> str:
    """Rows of the outputs of a block: `336,776`, `16 + 1,458`; empty where none has rows."""
    counts = [output["rows"] for output in outputs.values() if output.get("rows") is not None]
    return " + ".join(count_text(count) for count in counts)


def size_of(outputs: Mapping[str, Mapping[str, Any]]) -> int:
    """Bytes of all outputs of a block."""
    return sum(int(output.get("bytes") or 0) for output in outputs.values())


def parameters_text(parameters: Mapping[str, Any]) -> str:
    """`month=1 top_n=10`; empty where there are none."""
    return " ".join(f"{name}={one_line(value, 40)}" for name, value in parameters.items())


def one_line(value: object, width: int = 200) -> str:
    """`value` as one line of at most `width` characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= width else f"{text[: width - 1]}…"
