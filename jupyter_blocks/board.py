"""What a progress display knows of a run: one line per block, counts, and which lines to show.

Pure data, fed with the events of a run, whether they come from the dispatcher of this process or
from the journal. Drawing it is left to `progress` and `livedisplay`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_blocks.executors.base import Reason
from jupyter_blocks.run import BlockRun, BlockStatus, RunState
from jupyter_blocks.wording import bytes_text, one_line, rows_text, size_of

__all__ = ["Board", "BoardLine", "result_text", "trouble_text"]

_BUSY = frozenset({BlockStatus.RUNNING, BlockStatus.POLLING, BlockStatus.RETRYING})
_BAD = frozenset({BlockStatus.FAILED})
_SHOWN_FAILURES = 8


@dataclass(frozen=True)
class BoardLine:
    """One block, as a display shows it."""

    name: str
    status: BlockStatus
    executor: str
    since: float | None = None
    """Unix time from which to count while it runs."""
    duration_s: float | None = None
    """How long it took; none while it runs or where it did not run."""
    text: str = ""
    """Rows, or what is wrong."""


class Board:
    """All blocks of a run, in plan order."""

    def __init__(self, state: RunState) -> None:
        self.lines = {name: _line(block) for name, block in state.blocks.items()}
        self.counts = Counter(line.status for line in self.lines.values())
        self.to_run = len(state.plan.running)
        self._touched: dict[str, None] = {}

    def update(self, block: BlockRun) -> None:
        """Take over the present state of one block."""
        old, new = self.lines[block.name], _line(block)
        self.lines[block.name] = new
        self.counts[old.status] -= 1
        self.counts[new.status] += 1
        self._touched.pop(block.name, None)
        self._touched[block.name] = None

    @property
    def done(self) -> int:
        """Blocks of the plan that have ended, of those that were to run."""
        still = sum(count for status, count in self.counts.items() if not status.is_final)
        return self.to_run - still

    def choose(self, room: int) -> tuple[list[BoardLine], int]:
        """At most `room` lines that matter most, in plan order, and how many are left out.

        What runs comes first, then failures, what ended last, and what comes next.
        """
        lines = self.lines.values()
        if len(self.lines) <= room:
            return list(lines), 0
        wanted = [line.name for line in lines if line.status in _BUSY]
        wanted += [line.name for line in lines if line.status in _BAD][-_SHOWN_FAILURES:]
        waiting = [line.name for line in lines if line.status is BlockStatus.WAITING]
        next_up = waiting[: max(1, room // 4)]
        recent = [name for name in reversed(self._touched) if self.lines[name].status.is_final]
        chosen = list(dict.fromkeys([*wanted, *recent[: room // 2], *next_up, *recent, *waiting]))
        kept = set(chosen[:room])
        return [line for line in lines if line.name in kept], len(self.lines) - len(kept)

    def summary(self) -> Sequence[tuple[str, BlockStatus]]:
        """`2 running`, `1 failed`: what a display says beside the bar, with its status."""
        said = (
            (BlockStatus.RUNNING, "running"),
            (BlockStatus.POLLING, "polling"),
            (BlockStatus.RETRYING, "retrying"),
            (BlockStatus.FAILED, "failed"),
            (BlockStatus.UPSTREAM_FAILED, "not run"),
            (BlockStatus.CANCELLED, "cancelled"),
        )
        return [
            (f"{self.counts[status]} {word}", status)
            for status, word in said
            if self.counts[status]
        ]


def result_text(block: BlockRun) -> str:
    """What came of a block, in a few words: rows, bytes, or what went wrong."""
    if block.status in (BlockStatus.SUCCEEDED, BlockStatus.CACHED):
        rows = rows_text(block.outputs)
        if rows:
            return f"{rows} rows"
        return bytes_text(size) if (size := size_of(block.outputs)) else ""
    if block.status in (BlockStatus.WAITING, BlockStatus.RUNNING):
        return one_line(block.noted)
    return one_line(trouble_text(block))


def trouble_text(block: BlockRun) -> str:
    """What is wrong with a block, or why it did not run, in full."""
    if block.status is BlockStatus.FAILED and block.error:
        kind, message = block.error.get("type", ""), str(block.error.get("message", ""))
        is_said = not kind or kind == Reason.CONFIGURATION or message.startswith(kind)
        return message if is_said else f"{kind}: {message}"
    return block.reason


def _line(block: BlockRun) -> BoardLine:
    running = block.status is BlockStatus.RUNNING
    ran = block.finished_at is not None and block.attempts > 0
    return BoardLine(
        block.name,
        block.status,
        block.planned.executor,
        block.attempt_started_at if running else None,
        block.duration_s if ran or block.status is BlockStatus.RETRYING else None,
        result_text(block),
    )
