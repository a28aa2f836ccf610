"""What happened in a run: its events, and the state they add up to.

A run is the sum of its events. The dispatcher applies each event as it happens; `status`, `attach`
and `--resume` apply the stored ones. Nothing here decides anything or touches a file.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jupyter_blocks.executors.base import InputRef, JobHandle, Reason
from jupyter_blocks.plan import Action, PlannedBlock, RunPlan

__all__ = [
    "BlockRun",
    "BlockStatus",
    "EventKind",
    "RunEvent",
    "RunState",
    "RunStatus",
]


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
    STOPPING = "attempt.stopping"
    STORED = "attempt.stored"
    """Its outputs are stored, and about to be published; never written down."""
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


@dataclass
class BlockRun:
    """One block in one run."""

    name: str
    planned: PlannedBlock
    status: BlockStatus = BlockStatus.WAITING
    attempts: int = 0
    """Attempts made so far; polls of a sensor count as one."""
    sequence: int = 0
    """Number of the last attempt or poll; it makes attempt ids differ."""
    failures: int = 0
    """Failures taken from the block's own retry budget."""
    losses: int = 0
    """Failures taken from the budget for lost infrastructure."""
    attempt_id: str = ""
    """The attempt that is under way, or the last one."""
    handle: JobHandle | None = None
    stopping: Reason = Reason.NONE
    """Why the attempt under way is being stopped."""
    started_at: float | None = None
    """Unix time of the first attempt's start."""
    attempt_started_at: float | None = None
    finished_at: float | None = None
    duration_s: float = 0.0
    """Seconds the last attempt's work took, as the worker measured it."""
    first_poll_at: float | None = None
    due_at: float | None = None
    """Unix time of the next try or poll."""
    error: Mapping[str, Any] | None = None
    reason: str = ""
    """Why the block ended as it did, for people."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    stored: InputRef | None = None
    """Where its outputs are."""
    peak_rss_mib: float | None = None
    node: str = ""

    def as_json(self) -> dict[str, Any]:
        """The block's entry in `run --json`."""
        return {
            "status": str(self.status),
            "executor": self.planned.executor,
            "reason": self.reason or self.planned.reason,
            "executor_reason": self.planned.executor_reason,
            "attempts": self.attempts,
            "duration_s": round(self.duration_s, 6),
            "error": dict(self.error) if self.error else None,
            "outputs": {name: dict(output) for name, output in self.outputs.items()},
        }


class RunState:
    """The state of one run: the sum of the events applied so far.

    Besides the blocks it keeps the indexes that make each decision cheap: which blocks are ready,
    which attempts are under way, which timers are next. Applying an event costs time in proportion
    to the block's own edges, whatever the size of the pipeline.
    """

    def __init__(self, plan: RunPlan) -> None:
        self.plan = plan
        self.status = RunStatus.RUNNING
        self.cancelling = False
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.blocks: dict[str, BlockRun] = {}
        self.ready: dict[str, None] = {}
        """Blocks whose inputs are there, in plan order of becoming ready."""
        self.doomed: dict[str, str] = {}
        """Blocks that cannot run any more -> the upstream block that is to blame."""
        self.active: dict[str, str] = {}
        """Attempt id -> block, for attempts that are submitted and not finished."""
        self.open_blocks = 0
        self._missing: dict[str, int] = {}
        self._timers: list[tuple[float, str]] = []
        self._downstream: dict[str, list[str]] = {}
        for planned in plan.blocks:
            self._add(planned)
        for name, missing in self._missing.items():
            if missing == 0:
                self.ready[name] = None

    @classmethod
    def replay(cls, plan: RunPlan, events: Iterable[RunEvent]) -> RunState:
        """The state after stored events; `plan` is the newest plan of the run."""
        state = cls(plan)
        for event in events:
            state.apply(event)
        return state

    def _add(self, planned: PlannedBlock) -> None:
        block = BlockRun(planned.name, planned, sequence=planned.sequence, reason=planned.reason)
        self.blocks[planned.name] = block
        if planned.action is Action.RUN:
            self.open_blocks += 1
            waits_for = [name for name in planned.waits_for if not self._is_settled(name)]
            self._missing[planned.name] = len(waits_for)
            for name in waits_for:
                self._downstream.setdefault(name, []).append(planned.name)
            return
        block.status = (
            BlockStatus.CACHED if planned.action is Action.CACHED else BlockStatus.SKIPPED
        )
        block.stored = planned.stored
        block.outputs = planned.stored_outputs

    def _is_settled(self, name: str) -> bool:
        return name in self.blocks and self.blocks[name].status.is_final

    # what is next

    def waiting_only_for(self, name: str) -> Iterator[str]:
        """Blocks that can run as soon as block `name` has succeeded."""
        for below in self._downstream.get(name, ()):
            waits = self.blocks[below].status is BlockStatus.WAITING
            if waits and self._missing[below] == 1 and below not in self.doomed:
                yield below

    def is_read(self, name: str) -> bool:
        """Whether a block that runs in this run reads the outputs of block `name`."""
        return name in self._downstream

    def due(self, now: float) -> list[str]:
        """Blocks whose pause is over at Unix time `now`."""
        return [name for at, name in self._timers if at <= now and self._is_timer(at, name)]

    def next_timer(self) -> float | None:
        """Unix time of the next retry or poll; none if there is none."""
        while self._timers and not self._is_timer(*self._timers[0]):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _is_timer(self, at: float, name: str) -> bool:
        block = self.blocks[name]
        return block.due_at == at and block.status in (BlockStatus.RETRYING, BlockStatus.POLLING)

    # what happened

    def apply(self, event: RunEvent) -> None:
        """Add one event to the state."""
        _APPLY[event.kind](self, event)

    def _run_started(self, event: RunEvent) -> None:
        self.started_at = self.started_at or event.ts
        self.finished_at = None
        self.status = RunStatus.RUNNING
        self.cancelling = False

    def _run_cancelling(self, _event: RunEvent) -> None:
        self.cancelling = True

    def _run_finished(self, event: RunEvent) -> None:
        self.status = RunStatus(event.data["status"])
        self.finished_at = event.ts

    def _submitting(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        self.ready.pop(block.name, None)
        block.sequence = event.data["sequence"]
        block.attempts = event.data["attempt"]
        block.attempt_id = event.attempt_id
        block.handle = None
        block.stopping = Reason.NONE
        block.due_at = None
        block.started_at = block.started_at or event.ts
        block.attempt_started_at = event.ts
        if block.planned.is_sensor:
            block.first_poll_at = block.first_poll_at or event.ts
        block.status = BlockStatus.RUNNING
        self.active[event.attempt_id] = block.name

    def _submitted(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        block.handle = JobHandle(**event.data["handle"])

    def _running(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        block.node = event.data.get("node", "")
        block.attempt_started_at = event.ts

    def _stopping(self, event: RunEvent) -> None:
        self.blocks[event.block].stopping = Reason(event.data["reason"])

    def _stored(self, event: RunEvent) -> None:
        self.blocks[event.block].stored = InputRef(**event.data["stored"])

    def _attempt_finished(self, event: RunEvent) -> None:
        self.active.pop(event.attempt_id, None)
        block = self.blocks[event.block]
        data = event.data
        block.duration_s = data.get("duration_s", 0.0)
        block.peak_rss_mib = data.get("peak_rss_mib")
        block.error = data.get("error")
        block.failures += data.get("failure", 0)
        block.losses += data.get("loss", 0)

    def _block_waits(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        block.status = BlockStatus(event.data["status"])
        block.reason = event.data.get("reason", "")
        due_at = float(event.data["due_at"])
        block.due_at = due_at
        heapq.heappush(self._timers, (due_at, block.name))

    def _block_finished(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        if not block.status.is_final:
            self.open_blocks -= 1
        self.ready.pop(block.name, None)
        self.doomed.pop(block.name, None)
        block.status = BlockStatus(event.data["status"])
        block.reason = event.data.get("reason", block.reason)
        block.finished_at = event.ts
        block.outputs = event.data.get("outputs", {})
        if event.data.get("stored"):
            block.stored = InputRef(**event.data["stored"])
        for name in self._downstream.get(block.name, ()):
            self._upstream_finished(name, block)

    def _upstream_finished(self, name: str, upstream: BlockRun) -> None:
        if self.blocks[name].status.is_final:
            return
        if not upstream.status.lets_downstream_run:
            self.doomed.setdefault(name, upstream.name)
            return
        self._missing[name] -= 1
        waits = self.blocks[name].status is BlockStatus.WAITING
        if self._missing[name] == 0 and waits and name not in self.doomed:
            self.ready[name] = None

    # what it adds up to

    def outcome(self) -> RunStatus:
        """What the run comes to once every block is final."""
        statuses = {block.status for block in self.blocks.values()}
        if BlockStatus.FAILED in statuses:
            return RunStatus.FAILED
        if BlockStatus.CANCELLED in statuses:
            return RunStatus.CANCELLED
        return RunStatus.SUCCEEDED

    def as_json(self) -> dict[str, Any]:
        """The run as `run --json` prints it."""
        return {
            "run_id": self.plan.run_id,
            "pipeline": self.plan.pipeline,
            "status": str(self.status),
            "blocks": {name: block.as_json() for name, block in self.blocks.items()},
        }


_APPLY = {
    EventKind.RUN_STARTED: RunState._run_started,
    EventKind.RUN_RESUMED: RunState._run_started,
    EventKind.RUN_CANCELLING: RunState._run_cancelling,
    EventKind.RUN_FINISHED: RunState._run_finished,
    EventKind.SUBMITTING: RunState._submitting,
    EventKind.SUBMITTED: RunState._submitted,
    EventKind.RUNNING: RunState._running,
    EventKind.STOPPING: RunState._stopping,
    EventKind.STORED: RunState._stored,
    EventKind.ATTEMPT_FINISHED: RunState._attempt_finished,
    EventKind.BLOCK_WAITS: RunState._block_waits,
    EventKind.BLOCK_FINISHED: RunState._block_finished,
}
