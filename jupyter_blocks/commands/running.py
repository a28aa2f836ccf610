"""Driving a run from the command line: display, signals, report, exit code."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

from jupyter_blocks.commands.base import show_warnings
from jupyter_blocks.console import Console
from jupyter_blocks.interrupts import StopAtOnce, interruptible
from jupyter_blocks.launch import Launch
from jupyter_blocks.lazy import LazyModule
from jupyter_blocks.progress import PlainProgress, Progress, header_text
from jupyter_blocks.report import block_table, failure_text, failures, totals_text
from jupyter_blocks.run import RunState, RunStatus
from jupyter_blocks.variables.store import VariableStore

if TYPE_CHECKING:
    from jupyter_blocks import livedisplay
else:
    # It needs rich, which takes as long to load as a small run takes.
    livedisplay = LazyModule("jupyter_blocks.livedisplay")

__all__ = ["command_line", "drive", "exit_code", "open_progress", "report"]

STOP_HINT = " Press Ctrl-C again to stop at once."
_EXIT_CODES = {
    RunStatus.SUCCEEDED: 0,
    RunStatus.FAILED: 1,
    RunStatus.CANCELLED: 130,
    RunStatus.INTERRUPTED: 130,
}


def drive(launch: Launch, console: Console, again: str) -> int:
    """Start a planned run, show it, say how it ended; answers with the exit code.

    `again` is the command line that runs the same thing, for the advice how to go on.
    """
    plan = launch.plan
    console.note(console.note_style.paint(header_text(plan), "bold"))
    progress = open_progress(RunState(plan), launch.store, console)
    progress.stop_hint = STOP_HINT
    warn = partial(show_warnings, console=console)
    try:
        with (
            launch.dispatcher(progress.on_event, warn) as dispatcher,
            interruptible(dispatcher.cancel) as interrupts,
            progress,
        ):
            state = dispatcher.run()
    except StopAtOnce:
        console.note(f"Stopped at once. Go on with: {again} --resume {plan.run_id}")
        return 130
    launch.finish(state)
    report(state, launch.store, console, again)
    return 130 if interrupts.asked and state.status is not RunStatus.SUCCEEDED else exit_code(state)


def open_progress(state: RunState, store: VariableStore, console: Console) -> Progress:
    """A live display if somebody watches, else plain lines."""
    if not console.stderr_is_terminal or console.dumb:
        return PlainProgress(state, store, console)
    keep = console.as_json or not console.stdout_is_terminal
    return livedisplay.LiveProgress(state, store, console, keep=keep)


def report(state: RunState, store: VariableStore, console: Console, again: str) -> None:
    """Say how a run ended: the result on stdout, failures and what to do next on stderr."""
    if console.as_json:
        console.document(state.as_json())
    else:
        console.note()
        console.result(block_table(state, console.result_style))
        console.result()
        console.result(totals_text(state, console.result_style))
    failed = failures(state)
    for block in failed:
        console.note()
        console.note(failure_text(block, state.plan, store, console.note_style))
    if state.status is RunStatus.SUCCEEDED:
        return
    console.note()
    if failed:
        name = failed[0].name
        console.note(f"All it wrote:  jupyter blocks logs {state.plan.run_id} {shlex.quote(name)}")
    console.note(f"Go on with:    {again} --resume {state.plan.run_id}")


def exit_code(state: RunState) -> int:
    """The exit code a run comes to; a run that goes on has 0."""
    return _EXIT_CODES.get(state.status, 0)


def command_line(*words: str | None) -> str:
    """`jupyter blocks` and words, as typed in a shell; those that are None are left out."""
    return shlex.join(["jupyter", "blocks", *(word for word in words if word)])
