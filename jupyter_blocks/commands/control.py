"""`jupyter blocks attach` and `cancel`: runs that another process drives."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace

from jupyter_blocks.commands.base import Command, add_json, add_run, project_of
from jupyter_blocks.commands.running import command_line, exit_code, open_progress, report
from jupyter_blocks.console import Console
from jupyter_blocks.journal import Journal, RunRecord
from jupyter_blocks.progress import Progress, header_text
from jupyter_blocks.run import EventKind, RunState, RunStatus
from jupyter_blocks.variables.store import VariableStore

__all__ = ["ATTACH", "CANCEL"]

LOOK_INTERVAL_S = 0.2
CANCEL_WAIT_S = 60.0


def _configure_attach(parser: ArgumentParser) -> None:
    add_run(parser)
    add_json(parser)


def _execute_attach(args: Namespace, console: Console) -> int:
    project = project_of(args)
    store = VariableStore(project.variables_root)
    with Journal(project.state_dir) as journal:
        record = journal.find(args.run)
        plan = journal.plan(record.run_id)
        console.note(console.note_style.paint(header_text(plan), "bold"))
        if record.holder:
            console.note(f"It is driven by {record.holder}; Ctrl-C ends this display only.")
            with open_progress(RunState(plan), store, console) as progress:
                _follow(journal, record.run_id, progress)
        state = journal.state(record.run_id)
    again = command_line("run", str(project.root), plan.pipeline)
    report(state, store, console, again)
    return exit_code(state)


def _follow(journal: Journal, run_id: str, progress: Progress) -> None:
    """Show the events of a run, from its last start on, until it has ended."""
    state = RunState(journal.plan(run_id))
    events = journal.events(run_id)
    starts = [number for number, event in events if event.kind in _STARTS]
    seen = starts[-1] - 1 if starts else 0
    while True:
        held = journal.holder(run_id)
        for number, event in journal.events(run_id, seen):
            seen = number
            state.apply(event)
            progress.on_event(state, event)
        if state.status.is_final or not held:
            return
        time.sleep(LOOK_INTERVAL_S)


_STARTS = (EventKind.RUN_STARTED, EventKind.RUN_RESUMED)


def _configure_cancel(parser: ArgumentParser) -> None:
    add_run(parser)
    add_json(parser)


def _execute_cancel(args: Namespace, console: Console) -> int:
    project = project_of(args)
    with Journal(project.state_dir) as journal:
        before = journal.find(args.run)
        after = before
        if before.holder:
            journal.request(before.run_id, "cancel")
            console.note(f"Asked {before.holder} to stop run {before.run_id} ...")
            after = _wait_for_end(journal, before.run_id)
    text = _outcome(before, after)
    if console.as_json:
        document = {"run_id": after.run_id, "status": str(after.status), "detail": text}
        console.document(document)
    else:
        console.result(text)
    return 0 if after.status.is_final else 1


def _wait_for_end(journal: Journal, run_id: str) -> RunRecord:
    end = time.monotonic() + CANCEL_WAIT_S
    record = journal.find(run_id)
    while not record.status.is_final and time.monotonic() < end:
        time.sleep(LOOK_INTERVAL_S)
        record = journal.find(run_id)
    return record


def _outcome(before: RunRecord, after: RunRecord) -> str:
    """What became of the wish to stop a run."""
    if not after.status.is_final:
        return (
            f"Run {after.run_id} has not ended within {CANCEL_WAIT_S:.0f} s; "
            f"{after.holder} still drives it."
        )
    if before.status is RunStatus.INTERRUPTED:
        return f"Nobody drives run {after.run_id}; there is nothing to stop."
    if before.status.is_final:
        return f"Run {after.run_id} had ended before: {str(after.status).lower()}."
    if after.status is RunStatus.CANCELLED:
        return f"Run {after.run_id} has stopped."
    return f"Run {after.run_id} has ended: {str(after.status).lower()}."


ATTACH = Command(
    about=(
        "Follow a run that another process drives, until it ends. A run that has ended is reported."
    ),
    examples=("attach last", "attach 20260504-140211-abcde --project my_project"),
    configure=_configure_attach,
    execute=_execute_attach,
    exits="those of the run: 0 all done; 1 a block failed; 130 it was stopped.",
)

CANCEL = Command(
    about=(
        "Stop a run that another process drives, and wait until it has ended. Blocks that run get "
        "a few seconds;\nwhat is done stays stored, and `run --resume` goes on."
    ),
    examples=("cancel last", "cancel 20260504-1402 --project my_project"),
    configure=_configure_cancel,
    execute=_execute_cancel,
    exits="0 the run has ended; 1 it has not within a minute; 2 there is no such run.",
)
