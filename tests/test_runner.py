"""What the runner decides, without any process, file or clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_blocks.block import RetryPolicy, SensorPolicy
from jupyter_blocks.effects import Commit, CommitFailed, HandOver, Record, Submit
from jupyter_blocks.executors.base import JobHandle, Observation, Phase, Reason
from jupyter_blocks.plan import Action
from jupyter_blocks.run import BlockStatus, EventKind, RunEvent, RunStatus
from jupyter_blocks.runner import decide, next_deadline
from tests.plans import Simulation, plan

CHAIN = {"a": (), "b": ("a",), "c": ("b",)}
DIAMOND = {"a": (), "left": ("a",), "right": ("a",), "end": ("left", "right")}


def statuses(simulation: Simulation) -> dict[str, str]:
    return {name: str(block.status) for name, block in simulation.state.blocks.items()}


def failure(reason: Reason) -> Observation:
    return Observation("", Phase.FAILED, reason, f"because of {reason}")


def test_a_chain_runs_in_order() -> None:
    """Each block starts when its upstream block has succeeded."""
    simulation = Simulation(plan(CHAIN))
    assert simulation.run().status is RunStatus.SUCCEEDED
    assert [block for _, block in simulation.submitted] == ["a", "b", "c"]


def test_independent_branches_are_under_way_together() -> None:
    """Nothing waits for a block it does not depend on."""
    simulation = Simulation(plan(DIAMOND))
    simulation.run()
    assert simulation.most_active == 2


def test_no_more_attempts_than_there_is_room_for() -> None:
    """An executor is never given more than it takes."""
    simulation = Simulation(plan({f"b{i}": () for i in range(20)}), room=3)
    simulation.run()
    assert simulation.most_active == 3
    assert simulation.state.status is RunStatus.SUCCEEDED


def test_a_failed_block_dooms_its_descendants_and_nothing_else() -> None:
    """Healthy branches finish; everything below the failure says whose fault it is."""
    blocks = {**DIAMOND, "below": ("end",), "other": ()}
    simulation = Simulation(plan(blocks), {"left": [Phase.FAILED]})
    state = simulation.run()
    assert state.status is RunStatus.FAILED
    assert statuses(simulation) == {
        "a": "SUCCEEDED",
        "left": "FAILED",
        "right": "SUCCEEDED",
        "end": "UPSTREAM_FAILED",
        "below": "UPSTREAM_FAILED",
        "other": "SUCCEEDED",
    }
    assert state.blocks["below"].reason == "'left' failed"


def test_a_false_condition_skips_what_is_below_without_failing_the_run() -> None:
    """A condition that does not hold is no failure."""
    false = Observation("", Phase.SUCCEEDED, Reason.CONDITION_FALSE, "")
    simulation = Simulation(plan(CHAIN), {"b": [false]})
    assert simulation.run().status is RunStatus.SUCCEEDED
    assert statuses(simulation) == {
        "a": "SUCCEEDED",
        "b": "CONDITION_FAILED",
        "c": "CONDITION_FAILED",
    }


@pytest.mark.parametrize(
    ("reason", "attempts"),
    [
        (Reason.USER_ERROR, 3),
        (Reason.TEST_FAILED, 3),
        (Reason.CRASHED, 3),
        (Reason.CONFIGURATION, 1),
        (Reason.OUT_OF_MEMORY, 1),
        (Reason.UNSTORABLE, 1),
        (Reason.INFRASTRUCTURE, 4),
        (Reason.START_FAILED, 4),
        (Reason.START_TIMEOUT, 1),
    ],
)
def test_each_kind_of_failure_has_its_budget(reason: Reason, attempts: int) -> None:
    """User errors use the block's retries, lost machines their own, hopeless ones none."""
    retry = {"b": {"retry": RetryPolicy(retries=2)}}
    simulation = Simulation(plan(CHAIN, retry), {"b": [failure(reason)]})
    assert simulation.run().status is RunStatus.FAILED
    assert simulation.attempts("b") == attempts
    assert str(reason) in simulation.state.blocks["b"].reason


def test_retries_pause_exponentially_up_to_the_cap() -> None:
    """Each pause is twice the one before, and none is longer than max_delay."""
    policy = RetryPolicy(retries=4, delay_s=5, max_delay_s=15)
    simulation = Simulation(plan({"a": ()}, {"a": {"retry": policy}}), {"a": [Phase.FAILED]})
    simulation.run()
    times = [time for time, _ in simulation.submitted]
    assert [b - a for a, b in pairwise(times)] == [5, 10, 15, 15]


def test_a_block_that_recovers_counts_its_attempts() -> None:
    """Success after failures is success."""
    policy = RetryPolicy(retries=2, delay_s=1)
    simulation = Simulation(
        plan(CHAIN, {"b": {"retry": policy}}), {"b": [Phase.FAILED, Phase.SUCCEEDED]}
    )
    state = simulation.run()
    assert state.status is RunStatus.SUCCEEDED
    assert state.blocks["b"].attempts == 2


def test_a_sensor_is_asked_again_until_it_agrees() -> None:
    """Polls are not retries, and happen at the interval."""
    no = Observation("", Phase.SUCCEEDED, Reason.SENSOR_WAITING)
    settings = {"a": {"type": "sensor", "sensor": SensorPolicy(poll_interval_s=30)}}
    simulation = Simulation(plan(CHAIN, settings), {"a": [no, no, Phase.SUCCEEDED]})
    state = simulation.run()
    assert state.status is RunStatus.SUCCEEDED
    assert [time for time, block in simulation.submitted if block == "a"] == [1000, 1030, 1060]
    assert state.blocks["a"].attempts == 1


def test_a_sensor_fails_at_its_timeout() -> None:
    """The last poll is at the timeout, not an interval later."""
    no = Observation("", Phase.SUCCEEDED, Reason.SENSOR_WAITING)
    settings = {"a": {"type": "sensor", "sensor": SensorPolicy(poll_interval_s=30, timeout_s=45)}}
    simulation = Simulation(plan(CHAIN, settings), {"a": [no]})
    state = simulation.run()
    assert state.status is RunStatus.FAILED
    assert simulation.now == 1045
    assert state.blocks["a"].reason == "the sensor was not satisfied within 45 s"
    assert state.blocks["b"].status is BlockStatus.UPSTREAM_FAILED


def test_a_block_is_stopped_at_its_timeout() -> None:
    """The runner asks at the deadline, stops the attempt then, and names the timeout."""
    simulation = Simulation(plan(CHAIN, {"a": {"timeout_s": 10.0}}))
    simulation.step([])
    assert next_deadline(simulation.state) == 1010
    simulation.now = 1009.9
    assert simulation.step([]) == []
    simulation.now = 1010
    simulation.step([])
    assert simulation.stopped == ["a"]
    assert simulation.run().status is RunStatus.FAILED
    assert simulation.state.blocks["a"].reason == "stopped after its timeout of 10 s"


def test_cancelling_stops_what_runs_and_cancels_the_rest() -> None:
    """Nothing new starts once the run is being cancelled."""
    simulation = Simulation(plan(CHAIN))
    simulation.step([])
    simulation.state.apply(RunEvent(EventKind.RUN_CANCELLING, simulation.now))
    assert simulation.run().status is RunStatus.CANCELLED
    assert simulation.stopped == ["a"]
    assert set(statuses(simulation).values()) == {"CANCELLED"}
    assert simulation.attempts("b") == 0


def test_work_that_ended_well_counts_even_if_it_was_being_stopped() -> None:
    """A result that is there is kept."""
    simulation = Simulation(plan({"a": ()}, {"a": {"timeout_s": 10.0}}))
    simulation.step([])
    simulation.now = 1011
    simulation.step([])
    simulation.script["a"] = [Phase.SUCCEEDED]
    assert simulation.run().status is RunStatus.SUCCEEDED


def test_outputs_that_cannot_be_published_fail_the_block() -> None:
    """Success without a valid manifest is a failure."""
    simulation = Simulation(plan({"a": ()}))
    simulation.step([])
    simulation.step([CommitFailed("a-1", "its outputs cannot be published: no manifest")])
    simulation._running.clear()
    assert simulation.run().status is RunStatus.FAILED
    assert "no manifest" in simulation.state.blocks["a"].reason


def test_news_about_finished_attempts_changes_nothing() -> None:
    """Observations arrive late and twice."""
    simulation = Simulation(plan({"a": ()}))
    simulation.run()
    late = Observation("a-1", Phase.FAILED, Reason.CRASHED)
    assert decide(simulation.state, [late], 2000.0, {}) == []


def test_an_unknown_phase_is_not_an_end() -> None:
    """A backend that does not answer leaves the attempt as it was."""
    simulation = Simulation(plan({"a": ()}))
    simulation.step([])
    (noted,) = simulation.step([Observation("a-1", Phase.UNKNOWN)])
    assert isinstance(noted, Record)
    assert noted.event.kind is EventKind.NOTED
    assert simulation.state.blocks["a"].status is BlockStatus.RUNNING


def test_stored_blocks_are_not_submitted() -> None:
    """Cached and skipped blocks let the blocks below run at once."""
    settings = {
        "a": {"action": Action.CACHED},
        "b": {"action": Action.SKIPPED},
        "c": {"waits_for": ()},
    }
    simulation = Simulation(plan(CHAIN, settings))
    assert simulation.run().status is RunStatus.SUCCEEDED
    assert [block for _, block in simulation.submitted] == ["c"]


def test_an_empty_plan_ends_at_once() -> None:
    """Nothing to do is success."""
    assert Simulation(plan({})).run().status is RunStatus.SUCCEEDED


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    size = draw(st.integers(1, 12))
    names = [f"b{i}" for i in range(size)]
    return {
        name: tuple(sorted(draw(st.sets(st.sampled_from(names[:i])) if i else st.just(set()))))
        for i, name in enumerate(names)
    }


OUTCOMES = [
    Phase.SUCCEEDED,
    Phase.FAILED,
    Phase.LOST,
    failure(Reason.THROTTLED),
    failure(Reason.NO_CAPACITY),
    failure(Reason.OUT_OF_MEMORY),
    Observation("", Phase.SUCCEEDED, Reason.CONDITION_FALSE),
]


@settings(deadline=None)
@given(graphs(), st.data())
def test_every_run_ends_and_adds_up(graph: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    """Whatever blocks come to: the run ends, and a block runs only after all its inputs."""
    script = {
        name: [*data.draw(st.lists(st.sampled_from(OUTCOMES), max_size=4)), Phase.SUCCEEDED]
        for name in graph
    }
    retried = {name: {"retry": RetryPolicy(retries=1)} for name in graph}
    simulation = Simulation(plan(graph, retried), script, room=data.draw(st.integers(1, 4)))
    state = simulation.run()
    assert not state.active
    assert not state.ready
    assert state.open_blocks == 0
    for name, above in graph.items():
        block = state.blocks[name]
        assert block.status.is_final
        good = [state.blocks[up].status is BlockStatus.SUCCEEDED for up in above]
        assert (block.attempts > 0) == all(good)


@settings(deadline=None)
@given(graphs(), st.data())
def test_lines_end_and_add_up(graph: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    """With lines, too; what began too early counts only if all that it read came to be."""
    script = {
        name: [*data.draw(st.lists(st.sampled_from(OUTCOMES), max_size=4)), Phase.SUCCEEDED]
        for name in graph
    }
    retried = {name: {"retry": RetryPolicy(retries=1)} for name in graph}
    early = data.draw(st.sets(st.sampled_from(sorted(graph))))
    room = data.draw(st.integers(1, 4))
    simulation = Simulation(plan(graph, retried), script, room, lines=True, begins_early=early)
    state = simulation.run()
    assert not state.active
    assert not state.handed
    assert not state.ready
    assert state.open_blocks == 0
    for name, above in graph.items():
        good = all(state.blocks[up].status is BlockStatus.SUCCEEDED for up in above)
        assert state.blocks[name].status.is_final
        assert good or state.blocks[name].status is not BlockStatus.SUCCEEDED
        assert state.blocks[name].attempts > 0 or not good


@given(graphs())
def test_a_run_can_be_replayed_from_its_events(graph: dict[str, tuple[str, ...]]) -> None:
    """The state is the sum of its events, and nothing else."""
    simulation = Simulation(plan(graph), {"b0": [Phase.FAILED]})
    events: list[RunEvent] = []
    apply = simulation.state.apply

    def record(event: RunEvent) -> None:
        events.append(event)
        apply(event)

    simulation.state.apply = record  # type: ignore[method-assign]
    state = simulation.run()
    again = type(state).replay(state.plan, events)
    assert again.as_json() == state.as_json()


def test_submissions_keep_the_order_in_which_blocks_became_ready() -> None:
    """Ready blocks start in plan order."""
    simulation = Simulation(plan({"c": (), "a": (), "b": ()}), room=1)
    effects = decide(simulation.state, [], 1000.0, {"local_python": 2})
    assert [effect.block for effect in effects if isinstance(effect, Submit)] == ["c", "a"]


def test_the_next_block_starts_while_outputs_are_being_published() -> None:
    """What waits for an attempt alone is told with its commit, as far as there is room."""
    blocks = {"a": (), "b": ("a",), "c": ("a",), "d": ("a", "b"), "e": ("a",)}
    simulation = Simulation(plan(blocks))
    simulation.step([])
    commit, *others = decide(
        simulation.state, [Observation("a-1", Phase.SUCCEEDED)], 1000.0, {"local_python": 2}
    )
    assert isinstance(commit, Commit)
    assert [type(other) for other in others] == [HandOver]
    assert [submit.block for submit in commit.ahead] == ["b", "c"]


@pytest.mark.parametrize(
    ("kind", "ahead"),
    [("transformer", ["b"]), ("data_loader", ["b"]), ("data_exporter", []), ("custom", [])],
)
def test_blocks_with_effects_wait_for_what_they_read(kind: str, ahead: list[str]) -> None:
    """What an exporter sends out was published before."""
    simulation = Simulation(plan({"a": (), "b": ("a",)}, {"b": {"type": kind}}))
    simulation.step([])
    fact = Observation("a-1", Phase.SUCCEEDED)
    (commit,) = decide(simulation.state, [fact], 1000.0, {"local_python": 1})
    assert isinstance(commit, Commit)
    assert [submit.block for submit in commit.ahead] == ahead


def test_no_block_is_started_ahead_twice() -> None:
    """Two attempts that end together share the room and what is ready."""
    simulation = Simulation(plan(dict.fromkeys("abcde", ())), room=2)
    simulation.step([])
    facts = [Observation("a-1", Phase.SUCCEEDED), Observation("b-1", Phase.SUCCEEDED)]
    effects = decide(simulation.state, facts, 1000.0, {"local_python": 2})
    ahead = [each.block for effect in effects for each in getattr(effect, "ahead", ())]
    assert ahead == ["c", "d"]


@pytest.mark.parametrize("room", [None, 0])
def test_nothing_starts_ahead_without_known_room(room: int | None) -> None:
    """An executor elsewhere is given an attempt only once what it reads is published."""
    simulation = Simulation(plan(CHAIN))
    simulation.step([])
    fact = Observation("a-1", Phase.SUCCEEDED)
    (commit,) = decide(simulation.state, [fact], 1000.0, {"local_python": room})
    assert getattr(commit, "ahead", None) == ()


def test_what_started_ahead_of_a_failed_commit_is_stopped_and_never_published() -> None:
    """Its inputs do not exist: it is doomed like all below, and its success counts for nothing."""
    simulation = Simulation(plan(CHAIN), room=2)
    simulation.step([])
    effect, *_ = decide(
        simulation.state, [Observation("a-1", Phase.SUCCEEDED)], 1000.0, {"local_python": 1}
    )
    assert isinstance(effect, Commit)
    for submit in effect.ahead:
        simulation._carry_out(submit)
    simulation._running.pop("a-1")
    assert list(simulation.state.active) == ["a-1", "b-1"]
    simulation.step([CommitFailed("a-1", "the disk is full")])
    simulation.step([])
    assert simulation.stopped == ["b"]
    simulation._running.pop("b-1")
    assert simulation.step([Observation("b-1", Phase.SUCCEEDED)])
    assert simulation.run().status is RunStatus.FAILED
    assert statuses(simulation) == {"a": "FAILED", "b": "UPSTREAM_FAILED", "c": "UPSTREAM_FAILED"}
    assert not simulation.state.active


# what a backend says meanwhile


def _started(timeout_s: float | None = None) -> tuple[Simulation, str]:
    """A run whose only block has been submitted at 100, and the id of the attempt."""
    simulation = Simulation(plan({"a": ()}, {"a": {"timeout_s": timeout_s}}))
    data = {"sequence": 1, "attempt": 1}
    simulation.state.apply(RunEvent(EventKind.SUBMITTING, 100.0, "a", "x", data))
    handle = {"handle": vars(JobHandle("fake", "x"))}
    simulation.state.apply(RunEvent(EventKind.SUBMITTED, 100.0, "a", "x", handle))
    return simulation, "x"


def _tell(simulation: Simulation, seen: Observation, now: float) -> list[RunEvent]:
    """What is recorded of an observation; it is applied, too."""
    effects = decide(simulation.state, [seen], now, {})
    events = [effect.event for effect in effects if isinstance(effect, Record)]
    for event in events:
        simulation.state.apply(event)
    return events


def test_why_an_attempt_waits_is_noted_once() -> None:
    """And again when the reason changes; it is the block's reason until it runs."""
    simulation, attempt = _started()
    waits = Observation(attempt, Phase.PENDING, detail="no machine has room")
    assert [event.kind for event in _tell(simulation, waits, 101.0)] == [EventKind.NOTED]
    assert _tell(simulation, waits, 102.0) == []
    block = simulation.state.blocks["a"]
    assert block.as_json()["reason"] == "pending: no machine has room"
    pulls = Observation(attempt, Phase.PENDING, detail="the image is fetched")
    assert len(_tell(simulation, pulls, 103.0)) == 1
    assert len(_tell(simulation, Observation(attempt, Phase.RUNNING, node="n"), 104.0)) == 1
    assert block.noted == ""
    assert block.attempt_started_at == 104.0


def test_waiting_for_a_machine_takes_nothing_from_the_timeout() -> None:
    """The time of a block begins when it runs."""
    simulation, attempt = _started(timeout_s=10.0)
    assert next_deadline(simulation.state) == 110.0
    _tell(simulation, Observation(attempt, Phase.PENDING), 101.0)
    assert next_deadline(simulation.state) is None
    _tell(simulation, Observation(attempt, Phase.RUNNING, node="n"), 500.0)
    assert next_deadline(simulation.state) == 510.0


def test_submitting_takes_nothing_from_the_timeout() -> None:
    """A platform that does not answer for a while is not the block's fault."""
    simulation, attempt = _started(timeout_s=10.0)
    data = {"sequence": 2, "attempt": 1}
    simulation.state.apply(RunEvent(EventKind.SUBMITTING, 200.0, "a", f"{attempt}x", data))
    assert next_deadline(simulation.state) is None


def test_what_is_not_known_is_said_and_ends_nothing() -> None:
    """Neither the attempt, nor its time, nor its place change by it."""
    simulation, attempt = _started(timeout_s=1000.0)
    running = Observation(attempt, Phase.RUNNING, node="n")
    _tell(simulation, running, 104.0)
    unknown = Observation(attempt, Phase.UNKNOWN, detail="the API does not answer")
    (event,) = _tell(simulation, unknown, 200.0)
    assert event.kind is EventKind.NOTED
    block = simulation.state.blocks["a"]
    assert block.noted == "unknown: the API does not answer"
    assert block.status is BlockStatus.RUNNING
    _tell(simulation, running, 300.0)
    assert (block.noted, block.attempt_started_at) == ("", 104.0)
