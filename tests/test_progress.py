"""What is shown while a run goes on."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.console import Console
from jupyter_blocks.plan import Action, RunPlan
from jupyter_blocks.progress import ECHOED_LINES, PlainProgress, header_text
from jupyter_blocks.run import BlockStatus, EventKind, RunEvent, RunState
from jupyter_blocks.runlog import log_of
from jupyter_blocks.variables.store import VariableStore
from tests.plans import plan


class Screen:
    """A plain display of a run without a dispatcher."""

    def __init__(self, run_plan: RunPlan, folder: Path) -> None:
        self.state = RunState(run_plan)
        self.store = VariableStore(folder)
        self.stderr = io.StringIO()
        console = Console(io.StringIO(), self.stderr, environment={})
        self.progress = PlainProgress(self.state, self.store, console)

    def tell(self, kind: EventKind, block: str = "", ts: float = 1.0, **data: Any) -> None:
        """Let something happen."""
        attempt = f"{block}-{self.state.blocks[block].sequence}" if block else ""
        if kind is EventKind.SUBMITTING:
            attempt = f"{block}-{data['sequence']}"
        event = RunEvent(kind, ts, block, attempt, data)
        self.state.apply(event)
        self.progress.on_event(self.state, event)

    def attempt(self, block: str, log: Sequence[str] = (), number: int = 1, **ended: Any) -> None:
        """Let an attempt run."""
        self.tell(EventKind.SUBMITTING, block, sequence=number, attempt=number)
        if log:
            self.log(block, log)
        data = {"phase": "SUCCEEDED", "duration_s": 0.91, **ended}
        self.tell(EventKind.ATTEMPT_FINISHED, block, **data)

    def log(self, block: str, lines: Sequence[str]) -> None:
        """Write to the log of the present attempt."""
        run_plan = self.state.plan
        attempt = self.state.blocks[block].attempt_id
        path = log_of(self.store, run_plan.pipeline, run_plan.run_id, block, attempt)
        assert isinstance(path, Path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            for line in lines:
                record = {"ts": 1.0, "stream": "stdout", "text": f"{line}\n"}
                file.write(json.dumps(record) + "\n")

    @property
    def lines(self) -> list[str]:
        """What was written."""
        return self.stderr.getvalue().splitlines()


@pytest.fixture
def screen(tmp_path: Path) -> Screen:
    """Of a chain of three blocks."""
    return Screen(
        plan({"load_flights": (), "clean": ("load_flights",), "save": ("clean",)}), tmp_path
    )


def test_one_line_for_each_block_that_ends(screen: Screen) -> None:
    """Word, block, executor, time, rows: aligned, because all names are known before."""
    with screen.progress:
        screen.attempt("load_flights")
        outputs = {"flights": {"type": "table", "rows": 336_776, "bytes": 10}}
        done = {"status": "SUCCEEDED", "outputs": outputs}
        screen.tell(EventKind.BLOCK_FINISHED, "load_flights", **done)
        error = {"type": "ValueError", "message": "no such month"}
        screen.attempt("clean", phase="FAILED", error=error)
        screen.tell(EventKind.BLOCK_FINISHED, "clean", status="FAILED", reason="x")
        reason = "'clean' failed"
        screen.tell(EventKind.BLOCK_FINISHED, "save", status="UPSTREAM_FAILED", reason=reason)
    assert screen.lines == [
        "ok       load_flights  local_python    0.91 s  336,776 rows",
        "FAILED   clean         local_python    0.91 s  ValueError: no such month",
        "not run  save                                  'clean' failed",
    ]


def test_retries_are_told(screen: Screen) -> None:
    """With the reason and when it is tried again."""
    with screen.progress:
        screen.attempt("load_flights", phase="FAILED")
        reason = "timed out; tried again in 5 s"
        waits = {"status": "RETRYING", "due_at": 9.0, "reason": reason}
        screen.tell(EventKind.BLOCK_WAITS, "load_flights", **waits)
    assert screen.lines == [f"retry    load_flights  local_python    0.91 s  {reason}"]


def test_a_block_that_counts_as_never_begun_is_not_mentioned(screen: Screen) -> None:
    """It waits as it did before."""
    with screen.progress:
        screen.attempt("clean", phase="CANCELLED", reason="dropped")
        waits = {"status": "WAITING", "due_at": 9.0, "reason": "it begins again"}
        screen.tell(EventKind.BLOCK_WAITS, "clean", **waits)
    assert screen.lines == []


@pytest.mark.parametrize("status", BlockStatus)
def test_every_status_has_a_line(screen: Screen, status: BlockStatus) -> None:
    """Whatever a block comes to, telling it does not end the run."""
    with screen.progress:
        screen.tell(EventKind.BLOCK_FINISHED, "clean", status=str(status))
    assert len(screen.lines) == (status is not BlockStatus.WAITING)


def test_polls_are_told_now_and_then(screen: Screen) -> None:
    """A sensor that polls often does not fill the log."""
    with screen.progress:
        for number, ts in enumerate((1.0, 2.0, 5.0, 11.5), start=1):
            screen.attempt("load_flights", number=number)
            waits = {"status": "POLLING", "due_at": ts + 1, "reason": f"poll {number}"}
            screen.tell(EventKind.BLOCK_WAITS, "load_flights", ts=ts, **waits)
    assert [line[-6:] for line in screen.lines] == ["poll 1", "poll 4"]


def test_what_blocks_write_is_echoed_before_their_line(screen: Screen) -> None:
    """Also what came after the last look, and of a block that was cut off."""
    with screen.progress:
        screen.attempt("load_flights", ["reading", "read"])
        screen.tell(EventKind.BLOCK_FINISHED, "load_flights", status="SUCCEEDED")
        screen.tell(EventKind.SUBMITTING, "clean", sequence=1, attempt=1)
        screen.log("clean", ["half way"])
    assert screen.lines == [
        "load_flights | reading",
        "load_flights | read",
        "ok       load_flights  local_python    0.91 s",
        "clean | half way",
    ]


def test_what_blocks_write_is_echoed_while_they_run(screen: Screen) -> None:
    """Nobody has to wait for the end to see how far a block is."""
    with screen.progress:
        screen.tell(EventKind.SUBMITTING, "load_flights", sequence=1, attempt=1)
        screen.log("load_flights", ["10 %"])
        deadline = time.monotonic() + 30
        while not screen.lines and time.monotonic() < deadline:
            time.sleep(0.01)
        assert screen.lines == ["load_flights | 10 %"]


def test_a_chatty_block_is_cut(screen: Screen) -> None:
    """So many lines of an attempt, then how to read the others."""
    with screen.progress:
        screen.attempt("load_flights", [str(number) for number in range(ECHOED_LINES + 50)])
    assert len(screen.lines) == ECHOED_LINES + 1
    assert screen.lines[-1] == (
        "load_flights | (50 more lines: jupyter blocks logs run-1 load_flights)"
    )


def test_a_wish_to_stop_is_acknowledged(screen: Screen) -> None:
    """At once, with what to do if that is too slow."""
    screen.progress.stop_hint = " Press Ctrl-C again to stop at once."
    with screen.progress:
        screen.tell(EventKind.RUN_CANCELLING)
    assert screen.lines == ["Stopping ... Press Ctrl-C again to stop at once."]


def test_header() -> None:
    """Which run of which pipeline, how many blocks, with which parameters."""
    run_plan = plan({"a": (), "b": ()}, {"a": {"action": Action.CACHED}})
    assert header_text(run_plan) == "test, run run-1: 1 of 2 blocks"
    whole = RunPlan("run-2", "test", run_plan.blocks[1:], {"month": 1})
    assert header_text(whole) == "test, run run-2: 1 block, month=1"
