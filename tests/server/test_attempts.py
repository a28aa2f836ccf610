"""What is said of the attempts of a run costs what is new, and is what the journal says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_blocks.journal import Journal
from jupyter_blocks.run import EventKind, RunEvent
from jupyter_blocks.server.runstates import ProjectRuns
from tests.plans import plan

BLOCKS = [f"b{number}" for number in range(40)]


def events_of(block: str, ts: float) -> list[RunEvent]:
    """One attempt of a block, from its beginning to its end."""
    attempt = f"{block}.1"
    return [
        RunEvent(EventKind.SUBMITTING, ts, block, attempt, {"attempt": 1, "sequence": 1}),
        RunEvent(EventKind.RUNNING, ts + 1, block, attempt),
        RunEvent(
            EventKind.ATTEMPT_FINISHED,
            ts + 5,
            block,
            attempt,
            {"phase": "SUCCEEDED", "duration_s": 2.0},
        ),
    ]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each look at a journal gives."""
    found: list[int] = []
    events = Journal.events

    def counted(self: Journal, run_id: str, after: int = 0) -> list[tuple[int, RunEvent]]:
        given = events(self, run_id, after)
        found.append(len(given))
        return given

    monkeypatch.setattr(Journal, "events", counted)
    return found


def test_a_look_at_the_attempts_reads_new_events_only(tmp_path: Path, reads: list[int]) -> None:
    """Each event is read once, however often a run view asks while the run goes on."""
    runs = ProjectRuns(tmp_path)
    with Journal(tmp_path) as journal:
        journal.start(plan(dict.fromkeys(BLOCKS, ())), [RunEvent(EventKind.RUN_STARTED, 1.0)])
        written = 1
        for number, name in enumerate(BLOCKS):
            for event in events_of(name, 10.0 * number):
                journal.append("run-1", [event])
                written += 1
                answer = json.loads(runs.attempts("run-1"))
                assert len(answer["attempts"]) == number + 1
                assert (
                    json.loads(runs.attempts("run-1", name))["attempts"]
                    == (answer["attempts"][number:])
                )
                runs.snapshot("run-1", 0)
        assert sum(reads) == written
    runs.close()


def test_attempts_are_told_in_their_order_with_their_times(tmp_path: Path) -> None:
    """The worker's own clock counts; attempts from before the run was resumed stay."""
    runs = ProjectRuns(tmp_path)
    drawn = plan({"a": (), "b": ()})
    with Journal(tmp_path) as journal:
        journal.start(drawn, [RunEvent(EventKind.RUN_STARTED, 1.0), *events_of("a", 10.0)])
        first = json.loads(runs.attempts("run-1"))
        journal.start(drawn, [RunEvent(EventKind.RUN_RESUMED, 50.0)])
        journal.append("run-1", events_of("b", 60.0)[:2])
        later = json.loads(runs.attempts("run-1"))
    runs.close()
    assert first == {
        "run_id": "run-1",
        "attempts": [
            {
                "block": "a",
                "attempt_id": "a.1",
                "attempt": 1,
                "started_at": 10.0,
                "running_at": 13.0,
                "finished_at": 15.0,
                "phase": "SUCCEEDED",
            }
        ],
    }
    assert later["attempts"][0] == first["attempts"][0]
    assert [item["block"] for item in later["attempts"]] == ["a", "b"]
    assert later["attempts"][1]["running_at"] == 61.0
    assert later["attempts"][1]["finished_at"] is None
