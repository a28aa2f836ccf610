"""Runs a pipeline from the kernel, with live progress in the output area.

The run is driven by a thread; the cell that started it draws and waits. Ctrl-C stops the run
gracefully, a second one leaves it at once.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence

from jupyter_blocks.board import Board
from jupyter_blocks.dispatcher import Dispatcher
from jupyter_blocks.errors import Problem
from jupyter_blocks.kernel.pictures import Picture, board_picture
from jupyter_blocks.launch import Launch
from jupyter_blocks.report import failure_text, failures, totals_text
from jupyter_blocks.run import RunEvent, RunState

__all__ = ["Show", "drive"]

Show = Callable[[Picture], None]
"""Draws a picture in place of the one before."""
INTERVAL_S = 0.2
_ROOM = 40
_GRACE_S = 15.0


def drive(launch: Launch, show: Show) -> RunState:
    """Run to the end, drawing; errors of the start are raised as `BlocksError`."""
    run = _Run(launch)
    run.start()
    try:
        while not run.ended.wait(INTERVAL_S):
            run.draw(show)
    except KeyboardInterrupt:
        run.cancel()
        print("Stopping ... Interrupt again to leave it at once.")
        run.ended.wait(_GRACE_S)
    run.draw(show, at_last=True)
    if run.error is not None:
        raise run.error
    for block in failures(run.state):
        print(failure_text(block, launch.plan, launch.store))
    return run.state


class _Run(threading.Thread):
    """The thread that drives the run."""

    def __init__(self, launch: Launch) -> None:
        super().__init__(name="blocks-run", daemon=True)
        self.state = RunState(launch.plan)
        self.error: BaseException | None = None
        self.ended = threading.Event()
        """Not `join`: an interrupt during it makes Python 3.11 take the thread for ended."""
        self._launch = launch
        self._board = Board(self.state)
        self._lock = threading.Lock()
        self._dispatcher: Dispatcher | None = None
        self._is_cancelled = False
        self._drawn_at = 0.0
        self._is_new = True
        self._started_at = time.time()

    def run(self) -> None:
        """Drive the run; what goes wrong is kept for the one who waits."""
        try:
            with self._launch.dispatcher(self._on_event, _warn) as dispatcher:
                self._dispatcher = dispatcher
                if self._is_cancelled:
                    dispatcher.cancel()
                self.state = dispatcher.run()
            self._launch.finish(self.state)
        except BaseException as error:
            self.error = error
        finally:
            self.ended.set()

    def cancel(self) -> None:
        """Ask for a graceful end."""
        self._is_cancelled = True
        if self._dispatcher is not None:
            self._dispatcher.cancel()

    def draw(self, show: Show, *, at_last: bool = False) -> None:
        """Show where the run is, if that has changed or a second has passed."""
        now = time.monotonic()
        with self._lock:
            if not (self._is_new or at_last or now - self._drawn_at >= 1):
                return
            self._is_new, self._drawn_at = False, now
            lines, hidden = self._board.choose(_ROOM)
            done, all_of_them = self._board.done, self._board.to_run
        title = f"{self._launch.plan.pipeline}: {done} of {all_of_them}"
        if at_last:
            title = totals_text(self.state)
        show(board_picture(title, lines, hidden))

    def _on_event(self, state: RunState, event: RunEvent) -> None:
        with self._lock:
            self._is_new = True
            if event.block:
                self._board.update(state.blocks[event.block])


def _warn(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(problem, file=sys.stderr)
