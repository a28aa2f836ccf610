"""The live table of a run on a terminal, drawn with rich.

Log lines scroll by above it. It never grows beyond the terminal: of a large pipeline it shows what
runs, what failed, what ended last and what comes next.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jupyter_blocks.board import BoardLine
from jupyter_blocks.console import Console
from jupyter_blocks.progress import Progress
from jupyter_blocks.run import BlockRun, BlockStatus, RunEvent, RunState
from jupyter_blocks.runlog import LogLine
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import STATUS_PAINTS, STATUS_SYMBOLS, STATUS_WORDS, duration_text

__all__ = ["LiveProgress"]

REFRESHES_PER_SECOND = 10
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_OTHER_LINES = 4
"""Lines of the display that are not blocks, and one that stays free."""
_SILENT = (BlockStatus.SUCCEEDED, BlockStatus.WAITING, BlockStatus.RUNNING)
"""States whose symbol says enough."""


class LiveProgress(Progress):
    """A table that is drawn again as the run goes on."""

    def __init__(
        self, state: RunState, store: VariableStore, console: Console, *, keep: bool = False
    ) -> None:
        super().__init__(state, store)
        self._lock = threading.RLock()
        self._started_at = time.time()
        self._console = RichConsole(
            file=console.stderr, force_terminal=True, highlight=False, markup=False, emoji=False
        )
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=not keep,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._live.stop()

    def say(self, text: str) -> None:
        """Show a line above the table."""
        self._console.print(text, style="bold")

    def _update(self, block: BlockRun, _event: RunEvent) -> None:
        with self._lock:
            self.board.update(block)

    def _show_log(self, block: str, line: LogLine) -> None:
        shown = "".join(char for char in line.text if char.isprintable() or char == "\t")
        self._console.print(Text.assemble((f"{block} | ", "dim"), shown), soft_wrap=True)

    def _draw(self) -> RenderableType:
        with self._lock:
            now = time.time()
            room = max(3, self._console.size.height - _OTHER_LINES)
            lines, hidden = self.board.choose(room)
            more = [Text(f"  ... and {hidden} more", style="dim")] if hidden else []
            return Group(self._heading(now), _table(lines, now), *more)

    def _heading(self, now: float) -> RenderableType:
        board = self.board
        heading = Table.grid(padding=(0, 2))
        bar = ProgressBar(
            total=max(1, board.to_run),
            completed=board.done if board.to_run else 1,
            width=24,
            complete_style="green",
            finished_style="green",
        )
        counts = Text(f"{board.done} of {board.to_run}")
        for text, status in board.summary():
            counts.append("  ").append(text, style=STATUS_PAINTS[status])
        elapsed = Text(duration_text(now - self._started_at), style="dim")
        heading.add_row(Text(self.plan.pipeline, style="bold"), bar, counts, elapsed)
        return heading


def _table(lines: list[BoardLine], now: float) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for line in lines:
        paint = STATUS_PAINTS[line.status]
        waiting = line.status is BlockStatus.WAITING
        table.add_row(
            Text(f" {_symbol(line, now)}", style=paint),
            Text(line.name, style="dim" if waiting else ""),
            "" if waiting else line.executor,
            _time(line, now),
            Text(_words(line), style=paint if line.status is BlockStatus.FAILED else "dim"),
        )
    return table


def _symbol(line: BoardLine, now: float) -> str:
    if line.status is BlockStatus.RUNNING:
        return _SPINNER[int(now * REFRESHES_PER_SECOND) % len(_SPINNER)]
    return STATUS_SYMBOLS[line.status]


def _time(line: BoardLine, now: float) -> str:
    if line.since is not None:
        return duration_text(max(0.0, now - line.since))
    return duration_text(line.duration_s) if line.duration_s is not None else ""


def _words(line: BoardLine) -> str:
    if line.text or line.status in _SILENT:
        return line.text
    return STATUS_WORDS[line.status]
