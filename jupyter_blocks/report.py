"""What is said when a run has ended: a table of its blocks, totals, and what went wrong.

Also how a run, and a plan of one, look in `status`, `runs` and `--dry-run`. Text only; the JSON
documents are those of `run` and `plan`.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_blocks.board import result_text, trouble_text
from jupyter_blocks.console import PLAIN, Style
from jupyter_blocks.journal import RunRecord
from jupyter_blocks.plan import RunPlan
from jupyter_blocks.run import BlockRun, BlockStatus, RunState, RunStatus
from jupyter_blocks.runlog import LogLine, log_of, read_log
from jupyter_blocks.tables import Column, Painted, table
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import (
    STATUS_PAINTS,
    STATUS_SYMBOLS,
    STATUS_WORDS,
    ago,
    bytes_text,
    duration_text,
    local_time,
    one_line,
    parameters_text,
    plural,
    rows_text,
    size_of,
)

__all__ = [
    "block_table",
    "error_place",
    "failure_text",
    "failures",
    "plan_document",
    "plan_table",
    "run_table",
    "totals_text",
]

LOG_LINES = 10
"""Lines of the log that are shown with a failure."""

_GOOD = (BlockStatus.SUCCEEDED, BlockStatus.CACHED)


def block_table(state: RunState, style: Style = PLAIN) -> str:
    """One line for each block: status, executor, time, rows, size."""
    columns = (
        Column(""),
        Column("block"),
        Column("status"),
        Column("executor"),
        Column("tries", right=True, optional=True),
        Column("time", right=True),
        Column("rows", right=True),
        Column("size", right=True, optional=True),
        Column("note", shrink=True),
    )
    rows = (_block_row(block) for block in state.blocks.values())
    return table(columns, rows, style=style)


def _block_row(block: BlockRun) -> tuple[str | Painted, ...]:
    paint = STATUS_PAINTS[block.status]
    good = block.status in _GOOD
    size = size_of(block.outputs) if good else 0
    return (
        Painted(STATUS_SYMBOLS[block.status], paint),
        block.name,
        Painted(STATUS_WORDS[block.status], paint),
        Painted(block.planned.executor if block.attempts else "", "dim"),
        str(block.attempts) if block.attempts > 1 else "",
        duration_text(block.duration_s) if block.attempts else "",
        rows_text(block.outputs) if good else "",
        bytes_text(size) if size else "",
        Painted("" if block.status is BlockStatus.SUCCEEDED else _note(block), "dim"),
    )


def _note(block: BlockRun) -> str:
    """Why a block is where it is, where its status does not say it."""
    return block.reason if block.status is BlockStatus.CACHED else result_text(block)


def totals_text(state: RunState, style: Style = PLAIN) -> str:
    """`flights succeeded in 3.21 s: 9 ok, 2 cached (run 20260504-140211-abcde)`."""
    counts = Counter(block.status for block in state.blocks.values())
    parts = [
        f"{counts[status]} {STATUS_WORDS[status].lower()}"
        for status in BlockStatus
        if counts[status]
    ]
    words = {RunStatus.RUNNING: "is running", RunStatus.CANCELLED: "was stopped"}
    word = words.get(state.status, str(state.status).lower())
    took = ""
    if state.started_at and state.finished_at:
        took = f" in {duration_text(state.finished_at - state.started_at)}"
    painted = style.paint(word, STATUS_PAINTS[state.status])
    return f"{state.plan.pipeline} {painted}{took}: {', '.join(parts)} (run {state.plan.run_id})"


def failures(state: RunState) -> list[BlockRun]:
    """The blocks that failed themselves, in plan order."""
    return [block for block in state.blocks.values() if block.status is BlockStatus.FAILED]


def failure_text(block: BlockRun, plan: RunPlan, store: VariableStore, style: Style = PLAIN) -> str:
    """Everything there is to know about one failed block, and where to read more."""
    error = block.error or {}
    tries = f" after {plural(block.attempts, 'try').replace('trys', 'tries')}"
    lines = [
        style.paint(
            f"Block '{block.name}' failed{tries if block.attempts > 1 else ''}", "bold red"
        ),
        f"  {one_line(trouble_text(block), 2000)}",
    ]
    if place := error_place(error):
        lines.append(f"  {style.paint(place, 'bold')}")
    if traceback := str(error.get("traceback") or "").strip("\n"):
        lines += ["", textwrap.indent(traceback, "    ")]
    log = _last_log_lines(block, plan, store)
    if log:
        lines += ["", f"  Last lines it wrote (jupyter blocks logs {plan.run_id} {block.name}):"]
        lines += [style.paint(f"    {line.text}", "dim") for line in log]
    return "\n".join(lines)


def error_place(error: Mapping[str, Any]) -> str:
    """`flights.ipynb, cell 11, line 5 (transformers/join.py, line 23)`; empty if not known."""
    cell = ""
    if error.get("notebook"):
        parts = [str(error["notebook"])]
        parts += [f"cell {error['cell']}"] if error.get("cell") else []
        parts += [f"line {error['cell_line']}"] if error.get("cell_line") else []
        cell = ", ".join(parts)
    file = ""
    if error.get("file"):
        file = f"{error['file']}, line {error['line']}" if error.get("line") else str(error["file"])
    return f"{cell} ({file})" if cell and file else cell or file


def _last_log_lines(block: BlockRun, plan: RunPlan, store: VariableStore) -> list[LogLine]:
    if not block.attempt_id:
        return []
    log = log_of(store, plan.pipeline, plan.run_id, block.name, block.attempt_id)
    return read_log(log)[-LOG_LINES:]


def run_table(records: Iterable[RunRecord], now: float, style: Style = PLAIN) -> str:
    """One line for each run, newest first."""
    columns = (
        Column(""),
        Column("run"),
        Column("pipeline"),
        Column("status"),
        Column("started"),
        Column("ago", optional=True),
        Column("time", right=True),
        Column("driven by", shrink=True),
    )
    return table(columns, (_run_row(record, now) for record in records), style=style)


def _run_row(record: RunRecord, now: float) -> tuple[str | Painted, ...]:
    paint = STATUS_PAINTS[record.status]
    end = record.finished_at or (now if record.status is RunStatus.RUNNING else None)
    return (
        Painted(STATUS_SYMBOLS[record.status], paint),
        record.run_id,
        record.pipeline,
        Painted(str(record.status).lower(), paint),
        local_time(record.started_at),
        Painted(ago(record.started_at, now), "dim"),
        duration_text(end - record.started_at) if end else "",
        Painted(record.holder, "dim"),
    )


def plan_table(plan: RunPlan, style: Style = PLAIN) -> str:
    """What a run would do: block, action, executor, and both reasons."""
    columns = (
        Column("block"),
        Column("action"),
        Column("why", shrink=True),
        Column("executor"),
        Column("why there", shrink=True),
    )
    paints = {"run": "bold", "cached": "dim", "skipped": "dim"}
    rows = [
        (
            block.name,
            Painted(str(block.action), paints[block.action]),
            block.reason,
            block.executor if block.action == "run" else "",
            Painted(block.executor_reason if block.action == "run" else "", "dim"),
        )
        for block in plan.blocks
    ]
    heading = f"{plan.pipeline}: {len(plan.running)} of {plural(len(rows), 'block')} would run"
    if plan.parameters:
        heading += f" with {parameters_text(plan.parameters)}"
    return f"{heading}\n\n{table(columns, rows, style=style)}"


def plan_document(plan: RunPlan) -> dict[str, Any]:
    """The plan as `--dry-run --json` prints it."""
    keys = ("name", "type", "action", "reason", "executor", "executor_reason")
    return {
        "run_id": None,
        "pipeline": plan.pipeline,
        "parameters": dict(plan.parameters),
        "blocks": [
            {**{key: str(getattr(block, key)) for key in keys}, "upstream": list(block.upstream)}
            for block in plan.blocks
        ],
    }
