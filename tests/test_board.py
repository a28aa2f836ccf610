"""What a progress display knows, and which blocks it shows."""

from __future__ import annotations

import pytest

from jupyter_blocks.board import Board, result_text
from jupyter_blocks.executors.base import Phase
from jupyter_blocks.run import BlockStatus, EventKind, RunEvent, RunState
from tests.plans import Simulation, plan


def drive(board: Board, simulation: Simulation) -> None:
    """Run to the end, telling the board of every event."""
    apply = simulation.state.apply

    def told(event: RunEvent) -> None:
        apply(event)
        if event.block:
            board.update(simulation.state.blocks[event.block])

    simulation.state.apply = told  # type: ignore[method-assign]
    simulation.run()


def submit(state: RunState, board: Board, name: str) -> None:
    """Let a block run."""
    data = {"sequence": 1, "attempt": 1}
    state.apply(RunEvent(EventKind.SUBMITTING, 5.0, name, f"{name}-1", data))
    board.update(state.blocks[name])


def finish(state: RunState, board: Board, name: str, status: BlockStatus) -> None:
    """End a block."""
    state.apply(RunEvent(EventKind.BLOCK_FINISHED, 6.0, name, "", {"status": str(status)}))
    board.update(state.blocks[name])


def test_counts_follow_the_run() -> None:
    """At the end all that was to run is done, and every state is counted once."""
    run_plan = plan({"a": (), "b": ("a",), "c": ("b",), "d": ()})
    simulation = Simulation(run_plan, {"b": [Phase.FAILED]})
    board = Board(simulation.state)
    assert (board.done, board.to_run) == (0, 4)
    drive(board, simulation)
    assert board.done == 4
    assert dict(board.summary()) == {
        "1 failed": BlockStatus.FAILED,
        "1 not run": BlockStatus.UPSTREAM_FAILED,
    }
    assert sum(board.counts.values()) == 4


def test_a_small_run_is_shown_whole() -> None:
    """Every block has its line, in plan order."""
    board = Board(RunState(plan({"a": (), "b": (), "c": ()})))
    lines, hidden = board.choose(3)
    assert [line.name for line in lines] == ["a", "b", "c"]
    assert hidden == 0


def test_a_large_run_shows_what_matters() -> None:
    """Running and failed blocks are always shown, then what ended last and what comes next."""
    names = [f"b{number:03}" for number in range(150)]
    state = RunState(plan(dict.fromkeys(names, ())))
    board = Board(state)
    for name in names[:60]:
        submit(state, board, name)
    for name in names[:58]:
        failed = name == "b003"
        finish(state, board, name, BlockStatus.FAILED if failed else BlockStatus.SUCCEEDED)
    lines, hidden = board.choose(12)
    shown = [line.name for line in lines]
    assert {"b003", "b058", "b059", "b057", "b060"} <= set(shown)
    assert shown == sorted(shown)
    assert len(shown) == 12
    assert hidden == 138


@pytest.mark.parametrize("room", [1, 5, 149])
def test_never_more_lines_than_room(room: int) -> None:
    """Also when more blocks run than there is room for."""
    state = RunState(plan({f"b{number}": () for number in range(150)}))
    board = Board(state)
    for name in state.blocks:
        submit(state, board, name)
    lines, hidden = board.choose(room)
    assert len(lines) == room
    assert hidden == 150 - room


def test_a_running_block_counts_its_time() -> None:
    """While it runs there is a start; afterwards a duration."""
    state = RunState(plan({"a": ()}))
    board = Board(state)
    submit(state, board, "a")
    assert (board.lines["a"].since, board.lines["a"].duration_s) == (5.0, None)
    data = {"phase": "SUCCEEDED", "duration_s": 0.5}
    state.apply(RunEvent(EventKind.ATTEMPT_FINISHED, 6.0, "a", "a-1", data))
    finish(state, board, "a", BlockStatus.SUCCEEDED)
    assert (board.lines["a"].since, board.lines["a"].duration_s) == (None, 0.5)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"status": "SUCCEEDED", "outputs": {"x": {"rows": 1200, "bytes": 5}}}, "1,200 rows"),
        ({"status": "SUCCEEDED", "outputs": {"x": {"rows": None, "bytes": 5}}}, "5 B"),
        ({"status": "SUCCEEDED", "outputs": {}}, ""),
        ({"status": "UPSTREAM_FAILED", "reason": "'a' failed"}, "'a' failed"),
        ({"status": "FAILED", "reason": "timed out"}, "timed out"),
    ],
)
def test_result_in_a_few_words(data: dict[str, object], text: str) -> None:
    """Rows, else bytes, else why there is nothing."""
    state = RunState(plan({"a": ()}))
    state.apply(RunEvent(EventKind.BLOCK_FINISHED, 6.0, "a", "", data))
    assert result_text(state.blocks["a"]) == text


def test_an_error_is_named_by_its_type() -> None:
    """Type and message, on one line."""
    state = RunState(plan({"a": ()}))
    submit(state, Board(state), "a")
    error = {"type": "ValueError", "message": "no\nsuch thing"}
    data = {"phase": "FAILED", "error": error}
    state.apply(RunEvent(EventKind.ATTEMPT_FINISHED, 6.0, "a", "a-1", data))
    state.apply(RunEvent(EventKind.BLOCK_FINISHED, 6.0, "a", "", {"status": "FAILED"}))
    assert result_text(state.blocks["a"]) == "ValueError: no such thing"
