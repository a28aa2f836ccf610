"""Attempts that go on without their dispatcher, and the next dispatcher that takes them over.

A run that is resumed asks each executor whose attempts outlive a dispatcher which of those that
were under way exist, and follows them as if it had submitted them itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jupyter_blocks.executors.base import Executor, JobHandle
from jupyter_blocks.run import EventKind, RunEvent, RunState

__all__ = ["CutOff", "adopted", "cut_off"]


@dataclass(frozen=True)
class CutOff:
    """An attempt that was under way when its dispatcher ended."""

    block: str
    attempt_id: str
    executor: str
    sequence: int
    attempt: int
    handle: JobHandle | None
    """None where the dispatcher ended before it heard that the attempt had been submitted."""


def cut_off(state: RunState) -> tuple[CutOff, ...]:
    """The attempts that were under way at the last event of a run."""
    found = []
    for attempt_id, name in state.active.items():
        block = state.blocks[name]
        executor, handle = block.planned.executor, block.handle
        found.append(CutOff(name, attempt_id, executor, block.sequence, block.attempts, handle))
    return tuple(found)


def adopted(
    attempts: Iterable[CutOff], state: RunState, executors: Mapping[str, Executor], now: float
) -> list[RunEvent]:
    """The events that make the attempts part of a resumed run.

    Left out are those of blocks that do not run any more or run elsewhere, and those that the
    executor has never heard of. Raises what an executor raises that cannot be asked: to start a
    second attempt beside one that may still run would be wrong.
    """
    events: list[RunEvent] = []
    for name, executor in executors.items():
        mine = [attempt for attempt in attempts if _belongs(attempt, name, state)]
        if mine and executor.outlives_dispatcher:
            found = _handles(mine, executor)
            for attempt in mine:
                if attempt.attempt_id in found:
                    events += _taken_over(attempt, found[attempt.attempt_id], now)
    return events


def _belongs(attempt: CutOff, executor: str, state: RunState) -> bool:
    return attempt.executor == executor and attempt.block in state.ready


def _handles(attempts: Sequence[CutOff], executor: Executor) -> dict[str, JobHandle]:
    """What is known of them: what the backend finds, and what their dispatcher had been told.

    An attempt that had been submitted and is not found may have ended, and left its result.
    """
    known = {a.attempt_id: a.handle for a in attempts if a.handle is not None}
    found = executor.find([attempt.attempt_id for attempt in attempts])
    return {**known, **{handle.attempt_id: handle for handle in found}}


def _taken_over(attempt: CutOff, handle: JobHandle, now: float) -> list[RunEvent]:
    numbers = {"sequence": attempt.sequence, "attempt": attempt.attempt, "adopted": True}
    place = attempt.block, attempt.attempt_id
    return [
        RunEvent(EventKind.SUBMITTING, now, *place, numbers),
        RunEvent(EventKind.SUBMITTED, now, *place, {"handle": vars(handle), "adopted": True}),
    ]
