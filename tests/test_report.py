"""What is said when a run has ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.executors.base import Phase
from jupyter_blocks.journal import RunRecord
from jupyter_blocks.plan import Action, RunPlan
from jupyter_blocks.report import (
    block_table,
    error_place,
    failure_text,
    failures,
    plan_document,
    plan_table,
    run_table,
    totals_text,
)
from jupyter_blocks.run import EventKind, RunEvent, RunState, RunStatus
from jupyter_blocks.runlog import log_of
from jupyter_blocks.variables.store import VariableStore
from tests.plans import Simulation, plan

CACHED = {"action": Action.CACHED, "reason": "unchanged since it last ran"}
CELL = {"notebook": "flights.ipynb", "cell": 11, "cell_line": 5}
FILE = {"file": "transformers/join.py", "line": 23}


def failed_state(**error: Any) -> RunState:
    """A run whose second block failed."""
    run_plan = plan({"load": (), "join": ("load",), "save": ("join",)}, {"load": CACHED})
    run_plan = RunPlan("run-1", "flights", run_plan.blocks)
    state = Simulation(run_plan, {"join": [Phase.FAILED]}).run()
    block = state.blocks["join"]
    block.error = {"type": "KeyError", "message": "'visib'", "traceback": "", **error}
    block.duration_s = 0.42
    state.started_at, state.finished_at = 10.0, 13.21
    return state


def test_table_of_blocks() -> None:
    """Every block with its state in a word and a symbol, time where it ran, and why it is so."""
    assert block_table(failed_state()).split("\n") == [
        "   block  status           executor        time  note",
        "=  load   cached                                 unchanged since it last ran",
        "✗  join   FAILED           local_python  0.42 s  KeyError: 'visib'",
        "⊘  save   upstream failed                        'join' failed",
    ]


def test_totals() -> None:
    """How it ended, how long it took, how many of each."""
    assert totals_text(failed_state()) == (
        "flights failed in 3.21 s: 1 failed, 1 upstream failed, 1 cached (run run-1)"
    )


@pytest.mark.parametrize(
    ("error", "place"),
    [
        ({}, ""),
        (FILE, "transformers/join.py, line 23"),
        (CELL, "flights.ipynb, cell 11, line 5"),
        (CELL | FILE, "flights.ipynb, cell 11, line 5 (transformers/join.py, line 23)"),
    ],
)
def test_place_of_an_error(error: dict[str, Any], place: str) -> None:
    """The cell the user wrote first, then the file it became."""
    assert error_place(error) == place


def test_failure(tmp_path: Path) -> None:
    """Message, place, the user's own frames, and the last lines of the log."""
    state = failed_state(traceback='cell 11, line 5\n    joined["visib"]\nKeyError', **CELL)
    store = VariableStore(tmp_path)
    block = failures(state)[0]
    path = log_of(store, "flights", "run-1", "join", block.attempt_id)
    assert isinstance(path, Path)
    path.parent.mkdir(parents=True)
    path.write_text(
        "".join(
            json.dumps({"ts": 1.0, "stream": "stdout", "text": f"line {number}\n"}) + "\n"
            for number in range(30)
        )
    )
    text = failure_text(block, state.plan, store)
    assert text.startswith(
        "Block 'join' failed\n"
        "  KeyError: 'visib'\n"
        "  flights.ipynb, cell 11, line 5\n"
        "\n"
        "    cell 11, line 5\n"
        '        joined["visib"]\n'
        "    KeyError\n"
    )
    assert text.endswith("line 29")
    assert "line 20\n" in text
    assert "line 19\n" not in text
    assert "jupyter blocks logs run-1 join" in text


def test_failure_after_several_tries(tmp_path: Path) -> None:
    """How often it was tried is said."""
    state = failed_state()
    state.blocks["join"].attempts = 3
    text = failure_text(failures(state)[0], state.plan, VariableStore(tmp_path))
    assert text.split("\n")[0] == "Block 'join' failed after 3 tries"


def test_plan_for_people() -> None:
    """What would run, where, and both reasons."""
    run_plan = plan({"load": (), "join": ("load",)}, {"load": CACHED})
    text = plan_table(RunPlan("r", "flights", run_plan.blocks, {"month": 1}))
    assert text.split("\n") == [
        "flights: 1 of 2 blocks would run with month=1",
        "",
        "block  action  why                          executor      why there",
        "load   cached  unchanged since it last ran",
        "join   run     everything runs              local_python  default",
    ]


def test_plan_for_programs() -> None:
    """The shape that `--dry-run --json` promises."""
    run_plan = plan({"load": (), "join": ("load",)}, {"load": CACHED})
    document = plan_document(RunPlan("r", "flights", run_plan.blocks, {"month": 1}))
    assert json.loads(json.dumps(document)) == {
        "run_id": None,
        "pipeline": "flights",
        "parameters": {"month": 1},
        "blocks": [
            {
                "name": "load",
                "type": "transformer",
                "action": "cached",
                "reason": "unchanged since it last ran",
                "executor": "local_python",
                "executor_reason": "default",
                "upstream": [],
            },
            {
                "name": "join",
                "type": "transformer",
                "action": "run",
                "reason": "everything runs",
                "executor": "local_python",
                "executor_reason": "default",
                "upstream": ["load"],
            },
        ],
    }


def test_runs() -> None:
    """When each began, how long it took or takes, and who drives it."""
    records = [
        RunRecord("run-2", "flights", RunStatus.RUNNING, 1000.0, None, "pid 7 on host"),
        RunRecord("run-1", "flights", RunStatus.SUCCEEDED, 100.0, 103.0),
        RunRecord("run-0", "flights", RunStatus.INTERRUPTED, 50.0, None),
    ]
    lines = run_table(records, now=1012.4).split("\n")
    assert "running" in lines[1]
    assert lines[1].endswith("12.4 s  pid 7 on host")
    assert lines[2].split()[-4:] == ["min", "ago", "3.00", "s"]
    assert lines[3].split()[0] == "■"


def test_a_run_that_goes_on_has_no_end() -> None:
    """Totals of a run that is under way say so."""
    state = RunState(plan({"a": ()}))
    state.apply(RunEvent(EventKind.RUN_STARTED, 1.0))
    assert totals_text(state) == "test is running: 1 waiting (run run-1)"
