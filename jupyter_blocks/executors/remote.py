"""An executor for any platform that runs containers: what all of them have in common.

Code and task go to the variable store, the platform is asked to run one command with three
environment values, and the report comes back through the store. A platform's word only explains
why there is no report.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from jupyter_blocks.errors import BlocksError, Problem, VariableNotFoundError
from jupyter_blocks.executors.apicalls import ApiCalls, ApiError, Rate
from jupyter_blocks.executors.base import (
    BlockTask,
    ExecutorContext,
    JobHandle,
    Observation,
    Phase,
    Reason,
)
from jupyter_blocks.executors.jobs import Backend, FailureKind, Finding, JobState, SubmitError
from jupyter_blocks.executors.outgoing import Outgoing, Parcel
from jupyter_blocks.executors.patience import START_TIMEOUT_S, Patience
from jupyter_blocks.executors.reports import EXIT_TAKEN
from jupyter_blocks.executors.settingsreader import SettingsReader
from jupyter_blocks.executors.verdict import Verdict, of_report, without_report
from jupyter_blocks.heartbeat import last_heartbeat
from jupyter_blocks.taskboot import TASK, result_key
from jupyter_blocks.variables.openstorage import open_storage, split_object
from jupyter_blocks.variables.storage import Storage

__all__ = ["RemoteExecutor"]

SUBMIT_GIVE_UP_S = 300.0
OBSERVE_GIVE_UP_S = 5.0
STOP_GIVE_UP_S = 30.0
SILENCE_S = 180.0
"""A worker that has given no sign of life for so long is not alive, where nobody else knows."""
LOOK_INTERVAL_S = 5.0
"""How often the report of an attempt is looked for while its job still runs."""
_TAIL_LINES = 5

_REASONS: Mapping[FailureKind, Reason] = {
    FailureKind.THROTTLED: Reason.THROTTLED,
    FailureKind.UNAVAILABLE: Reason.THROTTLED,
    FailureKind.NO_CAPACITY: Reason.NO_CAPACITY,
    FailureKind.CREDENTIALS: Reason.CONFIGURATION,
    FailureKind.PERMISSION: Reason.CONFIGURATION,
    FailureKind.NOT_FOUND: Reason.CONFIGURATION,
    FailureKind.INVALID: Reason.CONFIGURATION,
}


@dataclass
class _Watch:
    """What this process has seen of one attempt."""

    since: float
    """Monotonic time of the first look."""
    seen: bool = False
    """Whether the platform has known it once."""
    absences: int = 0
    """Looks in a row in which it did not."""
    stopping: bool = False
    """Whether this process has asked for its end."""
    looked_at: float = 0.0
    beat: int = 0
    beat_at: float = 0.0
    final: Observation | None = None


class RemoteExecutor:
    """Runs attempts as jobs of a platform. Safe for use by threads."""

    outlives_dispatcher = True
    answers_at_once = False
    concurrent_calls = 16

    def __init__(self, backend: Backend, context: ExecutorContext) -> None:
        self.name = backend.name
        self.poll_interval_s = backend.poll_interval_s
        self._backend = backend
        self._context = context
        reading = SettingsReader(backend.name, context.settings)
        calls_per_s = reading.number("calls_per_s") or backend.calls_per_s
        start_timeout_s = reading.number("start_timeout_s")
        reading.check()
        self._api = ApiCalls(Rate(calls_per_s), backend.failure, backend.renew)
        self._patience = Patience(START_TIMEOUT_S if start_timeout_s is None else start_timeout_s)
        self._watches: dict[str, _Watch] = {}
        self._lock = threading.RLock()
        self._storages: dict[str, Storage] = {}
        self._outgoing = Outgoing(backend.name, context)

    # before the run

    def check(self, task: BlockTask) -> list[Problem]:
        """What is wrong with the store, the settings, the code and the request of a task."""
        try:
            self._outgoing.check(task)
            parcel, request = self._prepared(task)
        except BlocksError as error:
            problem = Problem(
                "executor-settings", str(error), pipeline=task.pipeline, block=task.block
            )
            return [problem]
        return self._backend.check(parcel.task, request)

    def job_request(self, task: BlockTask) -> Mapping[str, Any]:
        """What is sent to the platform; pure, and without secrets."""
        _, request = self._prepared(task)
        return request

    def _prepared(self, task: BlockTask) -> tuple[Parcel, dict[str, Any]]:
        """What goes to the store for a task, and what goes to the platform; nothing is sent."""
        parcel = self._outgoing.parcel(task)
        return parcel, self._backend.request(parcel.task, parcel.command)

    def capacity(self) -> int | None:
        """No limit but the one of the run."""
        return self._context.max_workers

    def diagnose(self) -> list[Finding]:
        """What the platform says about credentials, permissions and settings."""
        return self._backend.diagnose()

    # an attempt

    def submit(self, task: BlockTask) -> JobHandle:
        """Store the code and the task, then start the job; `SubmitError` if that fails."""
        parcel, request = self._prepared(task)
        self._outgoing.send(parcel, self._storage(task.variables))
        try:
            job = self._api(
                lambda: self._backend.create(request, task.attempt_id), SUBMIT_GIVE_UP_S
            )
        except ApiError as error:
            reason, words = _REASONS[error.failure.kind], str(error)
            if reason is Reason.NO_CAPACITY:
                reason, words = self._without_room(_waiting_block(parcel.uri), words)
            raise SubmitError(words, reason) from error
        return self._handle(task.attempt_id, job, parcel.uri)

    def find(self, attempt_ids: Sequence[str]) -> list[JobHandle]:
        """The jobs of these attempts that the platform knows."""
        jobs = self._api(lambda: self._backend.find(attempt_ids), SUBMIT_GIVE_UP_S)
        return [
            self._handle(attempt_id, found.job, found.environment[TASK])
            for attempt_id, found in jobs.items()
        ]

    def observe(self, handles: Sequence[JobHandle]) -> list[Observation]:
        """What is known of each; all are unknown while the platform does not answer."""
        open_handles = [handle for handle in handles if self._watch(handle).final is None]
        states: Mapping[str, JobState] = {}
        trouble = ""
        if open_handles:
            try:
                states = self._api(lambda: self._backend.states(open_handles), OBSERVE_GIVE_UP_S)
            except ApiError as error:
                trouble = str(error)
        return [self._observed(handle, states, trouble) for handle in handles]

    def cancel(self, handle: JobHandle, grace_s: float) -> None:
        """End the job; one that has ended is fine."""
        if "job" in handle.data:
            self._watch(handle).stopping = True
            self._api(lambda: self._backend.stop(handle.data["job"], grace_s), STOP_GIVE_UP_S)

    def logs(self, handle: JobHandle, cursor: str) -> tuple[list[str], str]:
        """What the platform holds of the container's output."""
        if cursor or "job" not in handle.data:
            return [], cursor
        return self._backend.tail(handle.data["job"]), "end"

    def release(self, handle: JobHandle) -> None:
        """Remove what is left of the job at the platform."""
        with self._lock:
            self._watches.pop(handle.attempt_id, None)
        self._patience.forget(handle.attempt_id)
        if "job" in handle.data:
            self._api(lambda: self._backend.delete(handle.data["job"]), STOP_GIVE_UP_S)

    def close(self) -> None:
        """Stop asking; the jobs go on."""
        self._api.close()

    # what came of it

    def _handle(self, attempt_id: str, job: Mapping[str, Any], task_uri: str) -> JobHandle:
        return JobHandle(self.name, attempt_id, {"job": dict(job), "task": task_uri})

    def _place(self, handle: JobHandle) -> tuple[Storage, str]:
        """The storage of an attempt, and what its keys begin with."""
        root, key = split_object(handle.data["task"])
        return self._storage(root), key.rpartition("/")[0]

    def _storage(self, variables: str) -> Storage:
        with self._lock:
            if variables not in self._storages:
                self._storages[variables] = open_storage(variables)
            return self._storages[variables]

    def _watch(self, handle: JobHandle) -> _Watch:
        with self._lock:
            return self._watches.setdefault(handle.attempt_id, _Watch(time.monotonic()))

    def _observed(
        self, handle: JobHandle, states: Mapping[str, JobState], trouble: str
    ) -> Observation:
        watch = self._watch(handle)
        if watch.final is not None:
            return watch.final
        if trouble:
            return Observation(handle.attempt_id, Phase.UNKNOWN, detail=trouble)
        try:
            seen = self._judge(handle, watch, states.get(handle.attempt_id))
        except (BlocksError, OSError, ValueError) as error:
            return Observation(handle.attempt_id, Phase.UNKNOWN, detail=str(error))
        if seen.phase.is_final:
            watch.final = seen
        return seen

    def _judge(self, handle: JobHandle, watch: _Watch, state: JobState | None) -> Observation:
        now = time.monotonic()
        verdict = self._verdict(handle, watch, state, now)
        if verdict.phase is Phase.RUNNING and now - watch.looked_at < LOOK_INTERVAL_S:
            return verdict.observation(handle.attempt_id)
        if verdict.phase is Phase.PENDING:
            return verdict.observation(handle.attempt_id)
        watch.looked_at = now
        report = self._report(handle)
        if report is not None and not (state and _was_taken_away(watch, report, verdict)):
            return of_report(handle.attempt_id, report, state.node if state else "")
        if verdict.reason is Reason.NO_CAPACITY:
            reason, words = self._without_room(_waiting_block(handle.data["task"]), verdict.detail)
            verdict = replace(verdict, reason=reason, detail=words)
        elif verdict.phase is Phase.FAILED:
            verdict = verdict.with_lines(self._last_lines(handle))
        return verdict.observation(handle.attempt_id)

    def _verdict(
        self, handle: JobHandle, watch: _Watch, state: JobState | None, now: float
    ) -> Verdict:
        """What can be said without the worker's report."""
        if state is None:
            return self._absent(watch, now)
        watch.seen, watch.absences = True, 0
        if state.phase is Phase.PENDING:
            return self._pending(handle, state)
        self._patience.forget(handle.attempt_id)
        if state.reason is not Reason.NO_CAPACITY:
            self._patience.forget(_waiting_block(handle.data["task"]))
        if state.phase is Phase.RUNNING:
            self._patience.something_runs()
            return Verdict(Phase.RUNNING, node=state.node, detail=state.detail)
        if state.exit_code == EXIT_TAKEN:
            return self._taken(handle, watch, now)
        return without_report(state, self._heartbeat(handle))

    def _absent(self, watch: _Watch, now: float) -> Verdict:
        """The platform does not know the job: not yet, or not any more."""
        watch.absences += 1
        if not watch.seen and now - watch.since < self._backend.settle_s:
            return Verdict(Phase.PENDING, detail="not visible yet")
        if watch.seen and watch.absences < 2:
            return Verdict(Phase.RUNNING)
        if watch.stopping:
            return Verdict(Phase.CANCELLED, Reason.CANCELLED, "stopped")
        return Verdict(
            Phase.LOST,
            Reason.INFRASTRUCTURE,
            "the job is gone and has left no result: somebody deleted it, or its machine was lost",
        )

    def _pending(self, handle: JobHandle, state: JobState) -> Verdict:
        for_room = state.reason is Reason.NO_CAPACITY
        if not self._patience.is_over(handle.attempt_id, for_room=for_room):
            return Verdict(Phase.PENDING, detail=state.detail, node=state.node)
        self.cancel(handle, 0.0)
        words = f": {state.detail}" if state.detail else ""
        detail = f"did not start within {self._patience.limit_s:g} s{words}"
        return Verdict(Phase.FAILED, Reason.START_TIMEOUT, detail)

    def _without_room(self, block: str, words: str) -> tuple[Reason, str]:
        """Whether a block that found no machine is to be tried again, and what to say."""
        if not self._patience.is_over(block):
            return Reason.NO_CAPACITY, words
        self._patience.forget(block)
        limit_s = self._patience.limit_s
        return Reason.START_TIMEOUT, f"no machine had room for it within {limit_s:g} s: {words}"

    def _taken(self, handle: JobHandle, watch: _Watch, now: float) -> Verdict:
        """Another worker has the attempt; it is waited for as long as it lives."""
        beat = int((self._heartbeat(handle) or {}).get("seq", 0))
        if beat != watch.beat or not watch.beat_at:
            watch.beat, watch.beat_at = beat, now
        if now - watch.beat_at < SILENCE_S:
            return Verdict(Phase.RUNNING, detail="another worker has claimed the attempt")
        return Verdict(
            Phase.LOST,
            Reason.INFRASTRUCTURE,
            f"the worker that claimed the attempt has been silent for {SILENCE_S:g} s",
        )

    def _report(self, handle: JobHandle) -> dict[str, Any] | None:
        storage, prefix = self._place(handle)
        try:
            report = json.loads(storage.read(result_key(prefix)))
        except VariableNotFoundError:
            return None
        return report if isinstance(report, dict) else None

    def _heartbeat(self, handle: JobHandle) -> Mapping[str, Any] | None:
        return last_heartbeat(*self._place(handle))

    def _last_lines(self, handle: JobHandle) -> list[str]:
        # A log that cannot be read never changes what became of a block.
        with suppress(Exception):
            return self._backend.tail(handle.data["job"])[-_TAIL_LINES:]
        return []


def _waiting_block(task_uri: str) -> str:
    """What all attempts of a block in a run have in common: the URI without the attempt."""
    return task_uri.rsplit("/", 2)[0]


def _was_taken_away(watch: _Watch, report: Mapping[str, Any], verdict: Verdict) -> bool:
    """Whether the platform stopped a worker that nobody here wanted stopped.

    A worker on a machine that is emptied says "cancelled"; why is for the platform to say.
    """
    if watch.stopping or report.get("status") != "cancelled":
        return False
    is_blamed = verdict.reason in (Reason.INFRASTRUCTURE, Reason.TIMEOUT)
    return is_blamed or verdict.phase is Phase.RUNNING
