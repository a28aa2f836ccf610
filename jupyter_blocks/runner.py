"""What to do next: the pure decision at the heart of a run.

`decide` looks at the state of a run and at new facts and answers with effects: events to record,
attempts to submit, to commit and to stop. It reads no clock, touches no file and changes nothing;
the dispatcher carries the effects out and asks again, until there is nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_blocks.ahead import Turn, line_behind, started_ahead
from jupyter_blocks.effects import (
    Commit,
    CommitFailed,
    Committed,
    Drop,
    Effect,
    Fact,
    HandOver,
    Record,
    Stop,
    Submit,
)
from jupyter_blocks.executors.base import Observation, Phase, Reason
from jupyter_blocks.run import BlockRun, BlockStatus, EventKind, RunEvent, RunState

__all__ = ["decide", "next_deadline"]

LOSS_BUDGET = 3
"""How often an attempt lost with its machine is repeated, whatever the block's own retries say."""

LOSS_PAUSE_S = 1.0
_PAUSES_S = {Reason.THROTTLED: 5.0, Reason.NO_CAPACITY: 30.0}
"""What costs no attempt: it was not begun, and is tried again until its executor gives up."""
_LOST = frozenset({Reason.INFRASTRUCTURE, Reason.START_FAILED})


def decide(
    state: RunState, facts: Sequence[Fact], now: float, room: Mapping[str, int | None]
) -> list[Effect]:
    """What to do next.

    `now` is Unix time in seconds; `room` says how many attempts each executor takes at present
    (none: any number). Facts about attempts that have ended are ignored. No effects means: wait.
    """
    if facts:
        turn, news = Turn(room), [fact for fact in facts if not _is_old(state, fact)]
        effects = [effect for fact in news for effect in _on_fact(state, fact, now, turn)]
        return [*effects, *turn.following(state)]
    if state.doomed:
        return list(_doomed(state, now))
    if state.cancelling:
        stopping = list(_cancel_all(state, now))
        if stopping:
            return stopping
    effects = [*_timeouts(state, now), *_submissions(state, now, room)]
    if not effects and not state.open_blocks and not state.active and not state.status.is_final:
        data = {"status": str(state.outcome())}
        return [Record(RunEvent(EventKind.RUN_FINISHED, now, data=data))]
    return effects


def next_deadline(state: RunState) -> float | None:
    """Unix time at which `decide` is worth asking again even if nothing happens."""
    times = [state.next_timer()]
    if state.has_timeouts:
        times += [_deadline(state.blocks[name]) for name in state.active.values()]
    return min((time for time in times if time is not None), default=None)


def _deadline(block: BlockRun) -> float | None:
    timeout_s = block.planned.timeout_s
    if timeout_s is None or block.attempt_started_at is None or block.stopping:
        return None
    if block.handle is None or block.phase == Phase.PENDING:
        return None  # it waits for a machine; its time begins when it runs
    return block.attempt_started_at + timeout_s


def _timeouts(state: RunState, now: float) -> Iterator[Effect]:
    if not state.has_timeouts:
        return
    for attempt_id, name in state.active.items():
        deadline = _deadline(state.blocks[name])
        if deadline is not None and deadline <= now:
            yield from _stop(name, attempt_id, Reason.TIMEOUT, now)


def _stop(name: str, attempt_id: str, reason: Reason, now: float) -> Iterator[Effect]:
    yield Record(RunEvent(EventKind.STOPPING, now, name, attempt_id, {"reason": str(reason)}))
    yield Stop(name, attempt_id)


def _cancel_all(state: RunState, now: float) -> Iterator[Effect]:
    active = set(state.active.values())
    for block in state.blocks.values():
        if block.status.is_final:
            continue
        if block.name in state.handed:
            yield Stop(block.name, block.attempt_id)
        if block.name not in active or block.name in state.handed:
            yield Record(_block_finished(block, BlockStatus.CANCELLED, now, "the run was stopped"))
        elif not block.stopping:
            yield from _stop(block.name, block.attempt_id, Reason.CANCELLED, now)


def _doomed(state: RunState, now: float) -> Iterator[Effect]:
    for name, culprit in state.doomed.items():
        block = state.blocks[name]
        if name not in state.handed and block.attempt_id in state.active and not block.stopping:
            # Started ahead, while the outputs of the culprit were being published.
            yield from _stop(name, block.attempt_id, Reason.CANCELLED, now)
        upstream = state.blocks[culprit].status
        status, reason = {
            BlockStatus.CONDITION_FAILED: (
                BlockStatus.CONDITION_FAILED,
                f"the condition of '{culprit}' did not hold",
            ),
            BlockStatus.CANCELLED: (BlockStatus.CANCELLED, "the run was stopped"),
        }.get(upstream, (BlockStatus.UPSTREAM_FAILED, f"'{culprit}' failed"))
        if upstream is BlockStatus.UPSTREAM_FAILED:
            reason = state.blocks[culprit].reason
        yield Record(_block_finished(block, status, now, reason))


def _submissions(
    state: RunState, now: float, room: Mapping[str, int | None]
) -> Iterator[Submit | HandOver]:
    left = dict(room)
    for name in [*state.due(now), *state.ready]:
        block = state.blocks[name]
        free = left.get(block.planned.executor)
        if free == 0:
            if not any(left.values()):
                return
            continue
        if free is not None:
            left[block.planned.executor] = free - 1
        polls = block.status is BlockStatus.POLLING
        yield Submit(name, block.sequence + 1, block.attempts + (0 if polls else 1))
        if free is not None:
            yield from line_behind(state, [name])


def _on_fact(state: RunState, fact: Fact, now: float, turn: Turn) -> Iterator[Effect]:
    name = state.active.get(fact.attempt_id)
    if name is None:
        return
    block = state.blocks[name]
    if isinstance(fact, Committed):
        if not block.status.is_final:
            yield from _on_committed(block, fact, now)
    elif isinstance(fact, CommitFailed):
        if not block.status.is_final:
            yield from _on_failure(block, Reason.PROTOCOL, fact.detail, None, now)
            yield from _void(state, block, now)
    elif name in state.handed:
        yield from _on_handed(state, block, fact, now, turn)
    else:
        yield from _on_observation(state, block, fact, now, turn)


def _is_old(state: RunState, fact: Fact) -> bool:
    """Whether it says that a block that was handed over has not begun: of lines, most facts do."""
    if not isinstance(fact, Observation) or fact.phase is not Phase.PENDING:
        return False
    return state.active.get(fact.attempt_id) in state.handed


def _on_handed(
    state: RunState, block: BlockRun, fact: Observation, now: float, turn: Turn
) -> Iterator[Effect]:
    """What is seen of a block that has not begun, as far as was known until now."""
    if block.status.is_final or fact.reason is Reason.DROPPED:
        if fact.phase.is_final:
            yield Drop(block.name, fact.attempt_id)
    elif fact.phase is not Phase.PENDING:
        took_s = (fact.result or {}).get("duration_s", 0.0)
        data = {"sequence": block.sequence, "attempt": state.handed[block.name]}
        began = now - took_s
        yield Record(RunEvent(EventKind.SUBMITTING, began, block.name, fact.attempt_id, data))
        yield from _on_observation(state, block, fact, now, turn)


def _on_observation(
    state: RunState, block: BlockRun, fact: Observation, now: float, turn: Turn
) -> Iterator[Effect]:
    if fact.phase is Phase.RUNNING:
        if (block.node != fact.node or block.phase) and not block.status.is_final:
            data = {"node": fact.node}
            yield Record(RunEvent(EventKind.RUNNING, now, block.name, fact.attempt_id, data))
    elif not fact.phase.is_final:
        if (fact.phase, fact.detail) != (block.phase, block.note) and not block.status.is_final:
            data = {"phase": str(fact.phase), "detail": fact.detail}
            yield Record(RunEvent(EventKind.NOTED, now, block.name, fact.attempt_id, data))
    elif block.status.is_final:
        report = fact.result or {}
        yield Record(_attempt_finished(block, Phase.CANCELLED, Reason.CANCELLED, report, now))
    elif Reason.DROPPED in (fact.reason, block.stopping):
        yield from _on_dropped(block, fact, now)
    elif _comes_too_soon(state, block, fact, turn):
        return
    elif fact.phase is Phase.SUCCEEDED:
        yield from _on_success(state, block, fact, now, turn)
    else:
        reason = fact.reason or Reason.INFRASTRUCTURE
        if fact.phase is Phase.CANCELLED and not block.stopping:
            reason = Reason.INFRASTRUCTURE
        yield from _on_failure(block, reason, fact.detail, fact.result, now)
        yield from _void(state, block, now)
        turn.looks_again = turn.looks_again or len(state.line(block.name)) > 1


def _comes_too_soon(state: RunState, block: BlockRun, fact: Observation, turn: Turn) -> bool:
    """Whether blocks in front are not through: nothing about this one counts before they are."""
    still = set(state.open_upstream(block.name))
    if not still or (still <= turn.committing.keys() and _has_outputs(fact)):
        return False
    turn.looks_again = turn.looks_again or still <= turn.committing.keys()
    return True


def _has_outputs(fact: Observation) -> bool:
    without = (Reason.SENSOR_WAITING, Reason.CONDITION_FALSE)
    return fact.phase is Phase.SUCCEEDED and fact.reason not in without


def _void(state: RunState, block: BlockRun, now: float) -> Iterator[Effect]:
    """Stop what was begun on values of a block that are not going to be published."""
    for name in state.line(block.name)[1:]:
        other = state.blocks[name]
        if name not in state.handed and not other.stopping and not other.status.is_final:
            yield from _stop(name, other.attempt_id, Reason.DROPPED, now)


def _on_dropped(block: BlockRun, fact: Observation, now: float) -> Iterator[Effect]:
    if block.stopping is Reason.CANCELLED:
        yield from _on_failure(block, Reason.CANCELLED, fact.detail, fact.result, now)
        return
    report = fact.result or {}
    yield Record(_attempt_finished(block, Phase.CANCELLED, Reason.DROPPED, report, now))
    words = "it begins again when all it reads is stored"
    yield Record(_waits(block, BlockStatus.WAITING, now, words, now))


def _on_success(
    state: RunState,
    block: BlockRun,
    fact: Observation,
    now: float,
    turn: Turn,
) -> Iterator[Effect]:
    report = fact.result or {}
    if fact.reason is Reason.SENSOR_WAITING:
        yield from _on_sensor_waiting(block, report, now)
    elif fact.reason is Reason.CONDITION_FALSE:
        yield Record(_attempt_finished(block, fact.phase, fact.reason, report, now))
        reason = fact.detail or "its condition did not hold"
        yield Record(_block_finished(block, BlockStatus.CONDITION_FAILED, now, reason))
        yield from _void(state, block, now)
    else:
        ahead = tuple(started_ahead(state, block, turn))
        turn.committing[block.name] = ahead
        yield Commit(block.name, fact.attempt_id, report, ahead)


def _on_committed(block: BlockRun, fact: Committed, now: float) -> Iterator[Effect]:
    yield Record(_attempt_finished(block, Phase.SUCCEEDED, Reason.NONE, fact.report, now))
    data = {
        "status": str(BlockStatus.SUCCEEDED),
        "reason": block.planned.reason,
        "outputs": dict(fact.outputs),
        "stored": vars(fact.stored) if fact.stored else None,
    }
    yield Record(RunEvent(EventKind.BLOCK_FINISHED, now, block.name, block.attempt_id, data))


def _on_sensor_waiting(block: BlockRun, report: Mapping[str, Any], now: float) -> Iterator[Effect]:
    if block.stopping:
        yield from _on_failure(block, block.stopping, "", report, now)
        return
    policy = block.planned.sensor
    due_at = now + policy.poll_interval_s
    yield Record(_attempt_finished(block, Phase.SUCCEEDED, Reason.SENSOR_WAITING, report, now))
    if policy.timeout_s is not None and block.first_poll_at is not None:
        ends_at = block.first_poll_at + policy.timeout_s
        if now >= ends_at:
            detail = f"the sensor was not satisfied within {policy.timeout_s:g} s"
            yield Record(_block_finished(block, BlockStatus.FAILED, now, detail))
            return
        due_at = min(due_at, ends_at)
    reason = f"not satisfied yet, asked again every {policy.poll_interval_s:g} s"
    yield Record(_waits(block, BlockStatus.POLLING, due_at, reason, now))


def _on_failure(
    block: BlockRun,
    reason: Reason,
    detail: str,
    report: Mapping[str, Any] | None,
    now: float,
) -> Iterator[Effect]:
    if block.stopping is Reason.TIMEOUT:
        reason = Reason.TIMEOUT
        detail = f"stopped after its timeout of {block.planned.timeout_s:g} s"
    elif block.stopping is Reason.CANCELLED:
        reason = Reason.CANCELLED
    phase = Phase.CANCELLED if reason is Reason.CANCELLED else Phase.FAILED
    report = {**(report or {})}
    report["error"] = report.get("error") or {"type": str(reason), "message": detail}
    if reason is Reason.TIMEOUT:
        report["error"] = {"type": str(reason), "message": detail}
    pause_s, budget = _retry(block, reason)
    counted = {budget: 1} if budget else {}
    yield Record(_attempt_finished(block, phase, reason, report, now, counted))
    if reason is Reason.CANCELLED:
        yield Record(_block_finished(block, BlockStatus.CANCELLED, now, "the run was stopped"))
    elif pause_s is None:
        words = detail or str(report["error"].get("message", ""))
        yield Record(_block_finished(block, BlockStatus.FAILED, now, words))
    else:
        words = f"{detail or report['error'].get('message', '')}; tried again in {pause_s:g} s"
        yield Record(_waits(block, BlockStatus.RETRYING, now + pause_s, words, now))


def _retry(block: BlockRun, reason: Reason) -> tuple[float | None, str]:
    """Seconds until the next try (none: no more tries), and the budget this failure is taken from.

    User failures count against the block's retries, lost machines against a budget of their own,
    a platform without room or time for it against none.
    """
    if reason in _PAUSES_S:
        return _PAUSES_S[reason], "unbegun"
    if reason in _LOST:
        left = block.losses < LOSS_BUDGET
        return (LOSS_PAUSE_S * 2**block.losses if left else None), "loss"
    if reason.is_retried:
        policy = block.planned.retry
        left = block.failures < policy.retries
        return (policy.pause_s(block.failures + 1) if left else None), "failure"
    return None, "failure"


def _attempt_finished(
    block: BlockRun,
    phase: Phase,
    reason: Reason,
    report: Mapping[str, Any],
    now: float,
    counted: Mapping[str, int] | None = None,
) -> RunEvent:
    data: dict[str, Any] = {"phase": str(phase), "duration_s": report.get("duration_s", 0.0)}
    if reason:
        data["reason"] = str(reason)
    for key in ("error", "peak_rss_mib", "cpu_s", "silent"):
        if report.get(key) is not None:
            data[key] = report[key]
    data.update(counted or {})
    return RunEvent(EventKind.ATTEMPT_FINISHED, now, block.name, block.attempt_id, data)


def _waits(
    block: BlockRun, status: BlockStatus, due_at: float, reason: str, now: float
) -> RunEvent:
    data = {"status": str(status), "due_at": due_at, "reason": reason}
    return RunEvent(EventKind.BLOCK_WAITS, now, block.name, block.attempt_id, data)


def _block_finished(block: BlockRun, status: BlockStatus, now: float, reason: str) -> RunEvent:
    data = {"status": str(status), "reason": reason}
    return RunEvent(EventKind.BLOCK_FINISHED, now, block.name, block.attempt_id, data)
