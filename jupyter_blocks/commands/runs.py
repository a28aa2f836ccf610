"""`jupyter blocks runs` and `status`: what the journal knows."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from typing import Any

from jupyter_blocks.commands.base import Command, add_json, add_project, add_run, project_of
from jupyter_blocks.console import Console
from jupyter_blocks.journal import Journal, RunRecord
from jupyter_blocks.report import block_table, failure_text, failures, run_table, totals_text
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import local_time, parameters_text

__all__ = ["RUNS", "STATUS"]


def _configure_runs(parser: ArgumentParser) -> None:
    parser.add_argument("--pipeline", metavar="NAME", help="only the runs of this pipeline")
    parser.add_argument(
        "--limit", metavar="N", type=int, default=20, help="at most N runs (default: 20)"
    )
    add_project(parser)
    add_json(parser)


def _execute_runs(args: Namespace, console: Console) -> int:
    project = project_of(args)
    with Journal(project.state_dir) as journal:
        records = journal.runs(args.pipeline, args.limit)
    if console.as_json:
        console.document({"runs": [_document(record) for record in records]})
    elif records:
        console.result(run_table(records, time.time(), console.result_style))
    else:
        console.note(f"Nothing has been run in project '{project.name}' yet.")
    return 0


def _document(record: RunRecord) -> dict[str, Any]:
    return {**vars(record), "status": str(record.status), "holder": record.holder or None}


def _configure_status(parser: ArgumentParser) -> None:
    add_run(parser)
    add_json(parser)


def _execute_status(args: Namespace, console: Console) -> int:
    project = project_of(args)
    with Journal(project.state_dir) as journal:
        record = journal.find(args.run)
        state = journal.state(record.run_id)
    if console.as_json:
        console.document(state.as_json())
        return 0
    style = console.result_style
    started = f"started {local_time(record.started_at)}"
    driven = f", driven by {record.holder}" if record.holder else ""
    parameters = parameters_text(state.plan.parameters)
    console.result(f"{state.plan.pipeline}, run {record.run_id}, {started}{driven}")
    if parameters:
        console.result(f"parameters: {parameters}")
    console.result(f"\n{block_table(state, style)}\n\n{totals_text(state, style)}")
    store = VariableStore(project.variables_root)
    for block in failures(state):
        console.result(f"\n{failure_text(block, state.plan, store, style)}")
    return 0


RUNS = Command(
    about="List the runs of a project, the newest first.",
    examples=("runs", "runs --pipeline flights --limit 5", "runs --project my_project --json"),
    configure=_configure_runs,
    execute=_execute_runs,
)

STATUS = Command(
    about="Show where a run is: its blocks, and what went wrong.",
    examples=("status last", "status 20260504-1402", "status last --json"),
    configure=_configure_status,
    execute=_execute_status,
)
