"""The journal keeps what it acknowledged, lists runs truthfully and has one writer per run."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_blocks.errors import ProjectError, RunHeldError, UsageError
from jupyter_blocks.executors.base import Phase
from jupyter_blocks.journal import Journal
from jupyter_blocks.run import EventKind, RunEvent, RunStatus
from tests.plans import Simulation, plan

CHAIN = {"a": (), "b": ("a",)}


def finished_events() -> list[RunEvent]:
    simulation = Simulation(plan(CHAIN))
    events: list[RunEvent] = []
    apply = simulation.state.apply

    def record(event: RunEvent) -> None:
        events.append(event)
        apply(event)

    simulation.state.apply = record  # type: ignore[method-assign]
    simulation.run()
    return events


def start(journal: Journal) -> None:
    journal.start(plan(CHAIN), [RunEvent(EventKind.RUN_STARTED, 10.0)])


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Another process sees the same state."""
    with Journal(tmp_path) as journal:
        start(journal)
        journal.append("run-1", finished_events())
    with Journal(tmp_path) as journal:
        state = journal.state("run-1")
        assert state.status is RunStatus.SUCCEEDED
        assert state.blocks["b"].attempts == 1
        assert journal.plan("run-1") == plan(CHAIN)
        assert journal.find("last").status is RunStatus.SUCCEEDED
        assert journal.starts("run-1") == 1


def test_a_run_without_end_and_without_dispatcher_is_interrupted(tmp_path: Path) -> None:
    """Running means that somebody drives it."""
    with Journal(tmp_path) as journal:
        start(journal)
        assert journal.find("last").status is RunStatus.INTERRUPTED
        with journal.hold("run-1"):
            record = journal.find("run-1")
            assert record.status is RunStatus.RUNNING
            assert record.holder.startswith(f"pid {os.getpid()} on ")
        assert journal.state("run-1").status is RunStatus.INTERRUPTED


def test_only_one_dispatcher_holds_a_run(tmp_path: Path) -> None:
    """The second one is told who is first and how to follow it."""
    with Journal(tmp_path) as first, Journal(tmp_path) as second, first.hold("run-1"):
        with pytest.raises(RunHeldError, match=f"pid {os.getpid()}.*attach run-1"):
            second.hold("run-1").__enter__()
        with second.hold("run-2"):
            pass
    with Journal(tmp_path) as journal, journal.hold("run-1"):
        pass


def test_the_system_lets_go_of_a_killed_dispatchers_run(tmp_path: Path) -> None:
    """A crash never leaves a stale lock."""
    code = (
        "import sys, time; from pathlib import Path; from jupyter_blocks.journal import Journal\n"
        "with Journal(Path(sys.argv[1])) as j, j.hold('run-1'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with Journal(tmp_path) as journal:
            assert journal.holder("run-1").startswith(f"pid {process.pid} ")
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert journal.holder("run-1") == ""
            with journal.hold("run-1"):
                pass


def test_events_are_added_all_or_none(tmp_path: Path) -> None:
    """A batch that fails leaves nothing behind."""
    with Journal(tmp_path) as journal:
        start(journal)
        bad = RunEvent(EventKind.RUNNING, 11.0, "a", "x", {"no": object()})
        with pytest.raises(TypeError):
            journal.append("run-1", [RunEvent(EventKind.RUN_CANCELLING, 10.5), bad])
        assert [event.kind for _, event in journal.events("run-1")] == [EventKind.RUN_STARTED]


def test_new_events_are_read_from_where_the_reader_was(tmp_path: Path) -> None:
    """Followers read each event once."""
    with Journal(tmp_path) as journal:
        start(journal)
        journal.append("run-1", [RunEvent(EventKind.RUN_CANCELLING, 11.0)])
        assert [(seq, e.kind) for seq, e in journal.events("run-1", after=1)] == [
            (2, EventKind.RUN_CANCELLING)
        ]


def test_commands_reach_the_dispatcher_once_per_start(tmp_path: Path) -> None:
    """A resumed run is not cancelled by an old request, and others are not cancelled at all."""
    with Journal(tmp_path) as journal, Journal(tmp_path) as other:
        start(journal)
        seen = journal.data_version()
        other.request("run-1", "cancel")
        assert journal.data_version() != seen
        assert journal.requests("run-1") == ["cancel"]
        assert journal.requests("run-2") == []
        start(journal)
        assert journal.requests("run-1") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [("nothing", "no run 'nothing'"), ("run-", "beginning of several runs: run-1, run-2")],
)
def test_unknown_and_ambiguous_runs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """The text says what there is."""
    with Journal(tmp_path) as journal:
        start(journal)
        other = {**vars(plan(CHAIN)), "run_id": "run-2"}
        journal.start(type(plan(CHAIN))(**other), [RunEvent(EventKind.RUN_STARTED, 20.0)])
        assert journal.find("run-1").run_id == "run-1"
        assert [record.run_id for record in journal.runs()] == ["run-2", "run-1"]
        with pytest.raises(UsageError, match=message):
            journal.find(text)


def test_no_runs_yet(tmp_path: Path) -> None:
    """`last` of nothing is an error in words."""
    with Journal(tmp_path) as journal, pytest.raises(UsageError, match="no runs yet"):
        journal.find("last")


def test_a_damaged_journal_points_to_repair(tmp_path: Path) -> None:
    """Damage is named, with the remedy."""
    (tmp_path / "journal.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(ProjectError, match="jupyter blocks repair"):
        Journal(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """An old version never writes into a journal it does not understand."""
    with Journal(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "journal.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ProjectError, match="newer version"):
        Journal(tmp_path)


def test_acknowledged_events_survive_sigkill(tmp_path: Path) -> None:
    """What `append` returned from is there after the process was killed."""
    code = (
        "import sys; from pathlib import Path\n"
        "from jupyter_blocks.journal import Journal\n"
        "from jupyter_blocks.run import EventKind, RunEvent\n"
        "from tests.plans import plan\n"
        "j = Journal(Path(sys.argv[1]))\n"
        "j.start(plan({}), [RunEvent(EventKind.RUN_STARTED, 0.0)])\n"
        "n = 1\n"
        "while True:\n"
        "    j.append('run-1', [RunEvent(EventKind.RUN_CANCELLING, float(n))])\n"
        "    n += 1; print(n, flush=True)\n"
    )
    acknowledged = 0
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as process:
        assert process.stdout is not None
        for _ in range(50):
            acknowledged = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split()
    acknowledged = int(rest[-1]) if rest and rest[-1].isdigit() else acknowledged
    with Journal(tmp_path) as journal:
        assert len(journal.events("run-1")) >= acknowledged


def test_failed_attempts_are_replayed(tmp_path: Path) -> None:
    """Errors and their budgets are part of the state."""
    simulation = Simulation(plan(CHAIN), {"a": [Phase.FAILED]})
    events: list[RunEvent] = []
    apply = simulation.state.apply
    simulation.state.apply = lambda event: (events.append(event), apply(event))[1]  # type: ignore[method-assign]
    simulation.run()
    with Journal(tmp_path) as journal:
        start(journal)
        journal.append("run-1", events)
        assert journal.state("run-1").as_json() == simulation.state.as_json()
