"""What happened in a run: its events, and the state they add up to.

A run is the sum of its events. The dispatcher applies each event as it happens; `status`, `attach`
and `--resume` apply the stored ones. Nothing here decides anything or touches a file.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.executors.base import InputRef, JobHandle, Reason
from jupyter_blocks.plan import Action, PlannedBlock, RunPlan
from jupyter_blocks.runevents import BlockStatus, EventKind, RunEvent, RunStatus

__all__ = [
    "BlockRun",
    "BlockStatus",
    "EventKind",
    "RunEvent",
    "RunState",
    "RunStatus",
]


_SHORT_S = 0.005
"""Blocks that take less are handed over several at once."""
_LONGEST_LINE = 16


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
    phase: str = ""
    """`PENDING` or `UNKNOWN`, where its backend says so of the attempt under way; else empty."""
    note: str = ""
    """What the backend says besides, for people."""

    @property
    def noted(self) -> str:
        """Why the attempt under way does not run, or what is not known of it; else empty."""
        if self.status is not BlockStatus.RUNNING or not self.phase:
            return ""
        return f"{self.phase.lower()}: {self.note}" if self.note else self.phase.lower()

    def as_json(self) -> dict[str, Any]:
        """The block's entry in `run --json`."""
        return {
            "status": str(self.status),
            "executor": self.planned.executor,
            "reason": self.noted or self.reason or self.planned.reason,
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
        self.handed: dict[str, int] = {}
        """Blocks that were handed over and have not begun -> number of the attempt."""
        self.line_length = 1
        """How many blocks may wait on a worker: many where blocks take little time."""
        self.open_blocks = 0
        self.has_timeouts = any(planned.timeout_s is not None for planned in plan.blocks)
        """Whether a block may have to be stopped because it takes too long."""
        self._lines: dict[str, list[str]] = {}
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
            if self._missing[below] == 1 and self._is_free(below):
                yield below

    def waiting_for(self, name: str, others: Collection[str]) -> Iterator[str]:
        """Blocks below `name` that can run as soon as it and all of `others` have succeeded."""
        for below in self._downstream.get(name, ()):
            if self._is_free(below) and set(self.open_upstream(below)) <= {name, *others}:
                yield below

    def open_upstream(self, name: str) -> list[str]:
        """Blocks that block `name` still waits for."""
        waits_for = self.blocks[name].planned.waits_for
        return [upstream for upstream in waits_for if not self._is_settled(upstream)]

    def line(self, name: str) -> list[str]:
        """The block, and those that its worker goes on with, in order."""
        line = self._lines.get(name, [name])
        return line[line.index(name) :]

    def _is_free(self, name: str) -> bool:
        """Whether a block waits, and has not been handed over."""
        waits = self.blocks[name].status is BlockStatus.WAITING
        return waits and name not in self.doomed and name not in self.handed

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
        if block.attempt_id != event.attempt_id:
            block.handle = None
        block.attempt_id = event.attempt_id
        self.handed.pop(block.name, None)
        block.stopping = Reason.NONE
        block.phase = block.note = ""
        block.due_at = None
        block.started_at = block.started_at or event.ts
        block.attempt_started_at = event.ts
        if block.planned.is_sensor:
            block.first_poll_at = block.first_poll_at or event.ts
        block.status = BlockStatus.RUNNING
        self.active[event.attempt_id] = block.name

    def _handed_over(self, event: RunEvent) -> None:
        block, data = self.blocks[event.block], event.data
        block.sequence = data["sequence"]
        block.attempt_id = event.attempt_id
        block.attempt_started_at = None
        block.stopping = Reason.NONE
        block.handle = JobHandle(**data["handle"])
        self.handed[block.name] = data["attempt"]
        self.active[event.attempt_id] = block.name
        line = self._lines.setdefault(data["behind"], [data["behind"]])
        line.append(block.name)
        self._lines[block.name] = line

    def _dropped(self, event: RunEvent) -> None:
        self.active.pop(event.attempt_id, None)
        self.handed.pop(event.block, None)
        self._leave_line(event.block)
        self._may_be_ready(event.block)

    def _leave_line(self, name: str) -> None:
        line = self._lines.pop(name, None)
        if line is not None:
            line.remove(name)

    def _submitted(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        block.handle = JobHandle(**event.data["handle"])

    def _running(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        if block.phase != "UNKNOWN" or block.node != event.data.get("node", ""):
            block.attempt_started_at = event.ts
        block.node = event.data.get("node", "")
        block.phase = block.note = ""

    def _noted(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        block.phase, block.note = event.data["phase"], event.data.get("detail", "")

    def _stopping(self, event: RunEvent) -> None:
        self.blocks[event.block].stopping = Reason(event.data["reason"])

    def _stored(self, event: RunEvent) -> None:
        self.blocks[event.block].stored = InputRef(**event.data["stored"])

    def _attempt_finished(self, event: RunEvent) -> None:
        self.active.pop(event.attempt_id, None)
        block = self.blocks[event.block]
        data = event.data
        block.duration_s = data.get("duration_s", 0.0)
        self._leave_line(block.name)
        if data.get("phase") == "SUCCEEDED":
            is_short = block.duration_s < _SHORT_S
            length = self.line_length * 2 if is_short else self.line_length // 2
            self.line_length = min(max(length, 1), _LONGEST_LINE)
        block.peak_rss_mib = data.get("peak_rss_mib")
        block.error = data.get("error")
        block.failures += data.get("failure", 0)
        block.losses += data.get("loss", 0)
        block.attempts -= data.get("unbegun", 0)

    def _block_waits(self, event: RunEvent) -> None:
        block = self.blocks[event.block]
        block.status = BlockStatus(event.data["status"])
        block.reason = event.data.get("reason", "")
        due_at = float(event.data["due_at"])
        block.due_at = due_at
        heapq.heappush(self._timers, (due_at, block.name))
        self._may_be_ready(block.name)

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
        self._may_be_ready(name)

    def _may_be_ready(self, name: str) -> None:
        if self._missing[name] == 0 and self._is_free(name):
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
    EventKind.NOTED: RunState._noted,
    EventKind.STOPPING: RunState._stopping,
    EventKind.STORED: RunState._stored,
    EventKind.HANDED_OVER: RunState._handed_over,
    EventKind.DROPPED: RunState._dropped,
    EventKind.ATTEMPT_FINISHED: RunState._attempt_finished,
    EventKind.BLOCK_WAITS: RunState._block_waits,
    EventKind.BLOCK_FINISHED: RunState._block_finished,
}
