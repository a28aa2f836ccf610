"""What is shown while a run goes on: plain lines here, a live table on terminals (`livedisplay`).

A display is told of every event after it happened and echoes what the blocks write. It changes
nothing: a run without one is the same run.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Self

from jupyter_blocks.board import Board, result_text
from jupyter_blocks.console import Console
from jupyter_blocks.plan import RunPlan
from jupyter_blocks.run import BlockRun, BlockStatus, EventKind, RunEvent, RunState
from jupyter_blocks.runlog import LogLine, LogTail, log_of
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import (
    STATUS_PAINTS,
    STATUS_WORDS,
    duration_text,
    parameters_text,
    plural,
)

__all__ = ["LogEcho", "PlainProgress", "Progress", "header_text"]

ECHOED_LINES = 200
"""Log lines of one attempt that are echoed; the rest is in its log."""
ECHO_INTERVAL_S = 0.2
POLL_LINE_INTERVAL_S = 10.0
"""A sensor that polls more often than this is not mentioned at each poll."""

_LINE_WORDS = {
    **STATUS_WORDS,
    BlockStatus.SUCCEEDED: "ok",
    BlockStatus.FAILED: "FAILED",
    BlockStatus.UPSTREAM_FAILED: "not run",
    BlockStatus.CONDITION_FAILED: "not run",
    BlockStatus.CANCELLED: "stopped",
    BlockStatus.RETRYING: "retry",
    BlockStatus.POLLING: "poll",
    BlockStatus.RUNNING: "runs",
}


class Progress(ABC):
    """A display of one run; use it as a context manager around the run."""

    def __init__(self, state: RunState, store: VariableStore) -> None:
        self.plan = state.plan
        self.board = Board(state)
        self.stop_hint = ""
        """What to add when the run is being stopped, such as how to stop at once."""
        self._echo = LogEcho(self.plan, store, self._show_log)

    def __enter__(self) -> Self:
        self._echo.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._echo.stop()

    def on_event(self, state: RunState, event: RunEvent) -> None:
        """Show one event (a `dispatcher.Listener`)."""
        if event.kind is EventKind.RUN_CANCELLING:
            self.say(f"Stopping ...{self.stop_hint}")
        if not event.block:
            return
        if event.kind is EventKind.SUBMITTING:
            self._echo.follow(event.block, event.attempt_id)
        elif event.kind is EventKind.ATTEMPT_FINISHED:
            self._echo.finish(event.attempt_id, is_silent=event.data.get("silent", False))
        self._update(state.blocks[event.block], event)

    @abstractmethod
    def say(self, text: str) -> None:
        """Show a line of our own."""

    @abstractmethod
    def _update(self, block: BlockRun, event: RunEvent) -> None: ...

    @abstractmethod
    def _show_log(self, block: str, line: LogLine) -> None: ...


class PlainProgress(Progress):
    """One line for each block that ends, is tried again or polls; and what the blocks write."""

    def __init__(self, state: RunState, store: VariableStore, console: Console) -> None:
        super().__init__(state, store)
        self._console = console
        running = self.plan.running
        self._name_width = max((len(block.name) for block in running), default=0)
        self._executor_width = max((len(block.executor) for block in running), default=0)
        self._polls_said: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Show a line of our own."""
        self._console.note(text)

    def _update(self, block: BlockRun, event: RunEvent) -> None:
        if event.kind is EventKind.NOTED:
            if block.note:
                self.say(self._text(block))
            return
        if event.kind not in (EventKind.BLOCK_FINISHED, EventKind.BLOCK_WAITS):
            return
        if block.status is BlockStatus.WAITING:
            return  # it counts as never begun, and nothing was said of its beginning
        if block.status is BlockStatus.POLLING and self._said_lately(block.name, event.ts):
            return
        self.say(self._text(block))

    def _said_lately(self, name: str, now: float) -> bool:
        said = self._polls_said.get(name)
        if said is not None and now - said < POLL_LINE_INTERVAL_S:
            return True
        self._polls_said[name] = now
        return False

    def _text(self, block: BlockRun) -> str:
        style = self._console.note_style
        word = style.paint(f"{_LINE_WORDS[block.status]:<7}", STATUS_PAINTS[block.status])
        is_over = block.attempts and block.status is not BlockStatus.RUNNING
        time = duration_text(block.duration_s) if is_over else ""
        executor = block.planned.executor if block.attempts else ""
        parts = (
            word,
            block.name.ljust(self._name_width),
            executor.ljust(self._executor_width),
            time.rjust(8),
            result_text(block),
        )
        return "  ".join(parts).rstrip()

    def _show_log(self, block: str, line: LogLine) -> None:
        style = self._console.note_style
        self.say(f"{style.paint(f'{block} |', 'dim')} {line.text}".rstrip())


class LogEcho:
    """Hands on what running attempts write, while they write it and at their end."""

    def __init__(
        self, plan: RunPlan, store: VariableStore, show: Callable[[str, LogLine], None]
    ) -> None:
        self._plan = plan
        self._store = store
        self._show = show
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="log echo", daemon=True)

    def start(self) -> None:
        """Begin to look for new lines now and then."""
        self._thread.start()

    def stop(self) -> None:
        """Show what is left of every attempt, and end."""
        self._stopped.set()
        self._thread.join()
        for attempt_id in list(self._followed):
            self.finish(attempt_id)

    def follow(self, block: str, attempt_id: str) -> None:
        """Show the log of an attempt from its beginning."""
        with self._lock:
            self._followed[attempt_id] = _Followed(block, lambda: self._tail(block, attempt_id))

    def _tail(self, block: str, attempt_id: str) -> LogTail:
        plan = self._plan
        return LogTail(log_of(self._store, plan.pipeline, plan.run_id, block, attempt_id))

    def finish(self, attempt_id: str, *, is_silent: bool = False) -> None:
        """Show the rest of the log of an attempt that has ended; a silent one has none."""
        with self._lock:
            followed = self._followed.pop(attempt_id, None)
            if followed is None or is_silent:
                return
            for line in followed.tail.finish():
                self._hand_on(followed, line)
            if followed.count > ECHOED_LINES:
                more = plural(followed.count - ECHOED_LINES, "more line")
                command = f"jupyter blocks logs {self._plan.run_id} {followed.block}"
                self._show(followed.block, LogLine(f"({more}: {command})"))

    def _watch(self) -> None:
        while not self._stopped.wait(ECHO_INTERVAL_S):
            with self._lock:
                for followed in list(self._followed.values()):
                    for line in followed.tail.read():
                        self._hand_on(followed, line)

    def _hand_on(self, followed: _Followed, line: LogLine) -> None:
        followed.count += 1
        if followed.count <= ECHOED_LINES:
            self._show(followed.block, line)


class _Followed:
    """A log that is being followed."""

    def __init__(self, block: str, open_tail: Callable[[], LogTail]) -> None:
        self.block = block
        self.count = 0
        self._open_tail = open_tail

    @cached_property
    def tail(self) -> LogTail:
        """Made when it is first looked at: most blocks end before that, and many write nothing."""
        return self._open_tail()


def header_text(plan: RunPlan) -> str:
    """`flights, run 20260504-140211-abcde: 8 of 11 blocks, month=1`."""
    running, total = len(plan.running), len(plan.blocks)
    blocks = plural(total, "block") if running == total else f"{running} of {total} blocks"
    parts = [blocks, parameters_text(plan.parameters)]
    return f"{plan.pipeline}, run {plan.run_id}: {', '.join(filter(None, parts))}"
