"""The words of a run: where it is, where each of its blocks is, and the events that move them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["BlockStatus", "EventKind", "RunEvent", "RunStatus"]


class BlockStatus(StrEnum):
    """Where one block of a run is."""

    WAITING = "WAITING"
    """Its inputs are not there yet, or no executor has room."""
    RUNNING = "RUNNING"
    POLLING = "POLLING"
    """A sensor that said no and will be asked again."""
    RETRYING = "RETRYING"
    """Failed, and due to be tried again after a pause."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UPSTREAM_FAILED = "UPSTREAM_FAILED"
    SKIPPED = "SKIPPED"
    """Not asked for, or a sensor taken as satisfied."""
    CACHED = "CACHED"
    """Not run: its stored outputs are used."""
    CANCELLED = "CANCELLED"
    CONDITION_FAILED = "CONDITION_FAILED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the block in this run."""
        return self not in _OPEN

    @property
    def lets_downstream_run(self) -> bool:
        """Whether blocks below may run."""
        return self in _GOOD


_OPEN = frozenset(
    {BlockStatus.WAITING, BlockStatus.RUNNING, BlockStatus.POLLING, BlockStatus.RETRYING}
)
_GOOD = frozenset({BlockStatus.SUCCEEDED, BlockStatus.SKIPPED, BlockStatus.CACHED})


class RunStatus(StrEnum):
    """Where a run is."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    INTERRUPTED = "INTERRUPTED"
    """Its dispatcher ended before the run did; `run --resume` finishes it."""

    @property
    def is_final(self) -> bool:
        """Whether the run has ended."""
        return self is not RunStatus.RUNNING


class EventKind(StrEnum):
    """What an event says."""

    RUN_STARTED = "run.started"
    RUN_RESUMED = "run.resumed"
    RUN_CANCELLING = "run.cancelling"
    RUN_FINISHED = "run.finished"
    SUBMITTING = "attempt.submitting"
    """Intent: about to be submitted."""
    SUBMITTED = "attempt.submitted"
    RUNNING = "attempt.running"
    NOTED = "attempt.noted"
    """What its backend says of it: it waits for a machine, or nothing is known of it."""
    STOPPING = "attempt.stopping"
    STORED = "attempt.stored"
    """Its outputs are stored, and about to be published; never written down."""
    HANDED_OVER = "attempt.handed_over"
    """A worker will go on with it, behind another block; never written down."""
    DROPPED = "attempt.dropped"
    """It was handed over and never begun; never written down."""
    ATTEMPT_FINISHED = "attempt.finished"
    BLOCK_WAITS = "block.waits"
    """A retry or a sensor's next poll is due at a later time."""
    BLOCK_FINISHED = "block.finished"


@dataclass(frozen=True)
class RunEvent:
    """One thing that happened. `data` is plain JSON."""

    kind: EventKind
    ts: float
    """Unix time in seconds."""
    block: str = ""
    attempt_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
