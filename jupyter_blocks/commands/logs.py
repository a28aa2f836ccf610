"""`jupyter blocks logs`: what the blocks of a run wrote, attempt by attempt."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jupyter_blocks.commands.base import (
    Command,
    add_json,
    add_run,
    block_completer,
    complete,
    project_of,
)
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError
from jupyter_blocks.journal import Journal
from jupyter_blocks.plan import RunPlan
from jupyter_blocks.run import EventKind, RunEvent
from jupyter_blocks.runlog import LogLine, LogTail, log_of
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import clock_time, one_line

__all__ = ["LOGS"]

LOOK_INTERVAL_S = 0.2


@dataclass
class _Attempt:
    """One attempt of a block, and its log."""

    block: str
    attempt_id: str
    number: int
    sequence: int
    started_at: float
    tail: LogTail
    outcome: str = "running"
    ended: bool = False
    shown: bool = False
    lines: list[LogLine] = field(default_factory=list)

    @property
    def title(self) -> str:
        """`load_flights, attempt 2 (failed: ValueError: ...), 14:02:11`."""
        return f"{self.block}, attempt {self.number} ({self.outcome}), {self._clock}"

    @property
    def _clock(self) -> str:
        return clock_time(self.started_at).partition(".")[0]


def _configure(parser: ArgumentParser) -> None:
    add_run(parser)
    block = parser.add_argument(
        "block", metavar="BLOCK", nargs="?", help="only this block (default: all)"
    )
    complete(block, block_completer)
    parser.add_argument(
        "--follow", action="store_true", help="go on showing what is written until the run ends"
    )
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    project = project_of(args)
    store = VariableStore(project.variables_root)
    with Journal(project.state_dir) as journal:
        run_id = journal.find(args.run).run_id
        log = _RunLog(journal.plan(run_id), store, args.block)
        if args.follow and not console.as_json:
            _follow(journal, run_id, log, console)
            return 0
        log.add(event for _, event in journal.events(run_id))
    if console.as_json:
        console.document({"run_id": run_id, "attempts": [_document(a) for a in log.attempts()]})
        return 0
    wrote = False
    for attempt in log.attempts():
        attempt.lines += attempt.tail.finish()
        if attempt.lines or args.block:
            wrote = True
            _show(attempt, attempt.lines, console)
    if not wrote:
        console.note(f"The blocks of run {run_id} wrote nothing.")
    return 0


class _RunLog:
    """The attempts of a run, or of one of its blocks, in the order in which they began."""

    def __init__(self, plan: RunPlan, store: VariableStore, block: str | None) -> None:
        names = [planned.name for planned in plan.blocks]
        if block is not None and block not in names:
            raise UsageError(
                f"Run {plan.run_id} has no block '{block}'.", hint=f"Blocks: {', '.join(names)}."
            )
        self._plan = plan
        self._store = store
        self._block = block
        self._attempts: dict[str, _Attempt] = {}

    def add(self, events: Iterable[RunEvent]) -> None:
        """Take over what happened."""
        for event in events:
            if self._block is not None and event.block != self._block:
                continue
            if event.kind is EventKind.SUBMITTING:
                self._attempts[event.attempt_id] = self._attempt(event)
            elif event.kind is EventKind.ATTEMPT_FINISHED and event.attempt_id in self._attempts:
                attempt = self._attempts[event.attempt_id]
                attempt.outcome, attempt.ended = _outcome(event), True

    def attempts(self) -> list[_Attempt]:
        """The attempts so far."""
        return list(self._attempts.values())

    def _attempt(self, event: RunEvent) -> _Attempt:
        plan = self._plan
        log = log_of(self._store, plan.pipeline, plan.run_id, event.block, event.attempt_id)
        return _Attempt(
            event.block,
            event.attempt_id,
            int(event.data["attempt"]),
            int(event.data["sequence"]),
            event.ts,
            LogTail(log),
        )


def _outcome(event: RunEvent) -> str:
    words = {"sensor_waiting": "not yet", "condition_false": "condition failed"}
    reason = str(event.data.get("reason", ""))
    if reason in words:
        return words[reason]
    if event.data["phase"] == "SUCCEEDED":
        return "ok"
    error = event.data.get("error") or {}
    text = one_line(f"{error.get('type', reason)}: {error.get('message', '')}", 100)
    return f"failed: {text.rstrip(': ')}"


def _follow(journal: Journal, run_id: str, log: _RunLog, console: Console) -> None:
    seen = 0
    shown: _Attempt | None = None
    while True:
        held = journal.holder(run_id)
        events = journal.events(run_id, seen)
        seen = events[-1][0] if events else seen
        log.add(event for _, event in events)
        for attempt, lines in _news(log):
            if attempt is not shown:
                shown = attempt
                _title(attempt, console)
            _lines(lines, console)
        if not held:
            return
        time.sleep(LOOK_INTERVAL_S)


def _news(log: _RunLog) -> Iterator[tuple[_Attempt, list[LogLine]]]:
    for attempt in log.attempts():
        if attempt.shown:
            continue
        attempt.shown = attempt.ended
        lines = list(attempt.tail.finish() if attempt.ended else attempt.tail.read())
        if lines:
            yield attempt, lines


def _show(attempt: _Attempt, lines: list[LogLine], console: Console) -> None:
    _title(attempt, console)
    _lines(lines, console)
    console.result()


def _title(attempt: _Attempt, console: Console) -> None:
    console.result(console.result_style.paint(f"== {attempt.title}", "bold"))


def _lines(lines: Iterable[LogLine], console: Console) -> None:
    style = console.result_style
    for line in lines:
        clock = clock_time(line.ts) if line.ts is not None else " " * 12
        paint = "yellow" if line.stream == "stderr" else ""
        console.result(f"{style.paint(clock, 'dim')}  {style.paint(line.text, paint)}".rstrip())


def _document(attempt: _Attempt) -> dict[str, object]:
    return {
        "block": attempt.block,
        "attempt": attempt.number,
        "sequence": attempt.sequence,
        "started_at": attempt.started_at,
        "outcome": attempt.outcome,
        "lines": [vars(line) for line in attempt.tail.finish()],
    }


LOGS = Command(
    about=(
        "Show what the blocks of a run wrote to stdout and stderr, each attempt under a title of "
        "its own.\nLines without a time were written by C code or child processes."
    ),
    examples=(
        "logs last",
        "logs last join_weather",
        "logs last --follow",
        "logs 20260504-1402 --json",
    ),
    configure=_configure,
    execute=_execute,
)
