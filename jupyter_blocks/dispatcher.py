"""Carries out what `runner.decide` wants: submits, observes, commits, stops, records.

The only writer of run state. It keeps the order that makes a crash harmless: intent before a remote
submit, commit before success, and the journal before anybody is told.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.errors import BlocksError, VariableError
from jupyter_blocks.executors.base import (
    BlockTask,
    Executor,
    InputRef,
    JobHandle,
    Observation,
    Phase,
    Reason,
)
from jupyter_blocks.journal import Journal
from jupyter_blocks.planner import reference
from jupyter_blocks.run import EventKind, RunEvent, RunState
from jupyter_blocks.runner import (
    Commit,
    CommitFailed,
    Committed,
    Effect,
    Fact,
    Record,
    Stop,
    Submit,
    decide,
    next_deadline,
)
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["Dispatcher", "Listener"]

FLUSH_INTERVAL_S = 0.2
COMMAND_INTERVAL_S = 0.5

Listener = Callable[[RunState, RunEvent], None]
"""Told of every event, after it has been applied."""

Finish = Callable[[Callable[[], Any]], list[Fact]]
"""Takes the answer of a call, which raises what the call raised."""

TaskFactory = Callable[[RunState, Submit], BlockTask]
"""Makes the task of an attempt from the state of the run."""


@dataclass
class _Host:
    """One executor and the calls to it that are under way.

    An executor whose calls take long gets a thread of its own, so that it never holds up the
    others; its calls are made one after the other.
    """

    executor: Executor
    thread: ThreadPoolExecutor | None
    calls: list[tuple[Future[Any], Finish]] = field(default_factory=list)
    observed_at: float = 0.0
    observing: bool = False


class Dispatcher:
    """Drives one run from its state to its end."""

    def __init__(
        self,
        state: RunState,
        journal: Journal,
        store: VariableStore,
        executors: Mapping[str, Executor],
        make_task: TaskFactory,
        wake: threading.Event,
        listener: Listener = lambda _state, _event: None,
    ) -> None:
        self.state = state
        self._journal = journal
        self._store = store
        self._hosts = {name: _host(executor) for name, executor in executors.items()}
        self._make_task = make_task
        self._wake = wake
        self._listener = listener
        self._facts: list[Fact] = []
        self._unwritten: list[RunEvent] = []
        self._written_at = 0.0
        self._cancel_wanted = threading.Event()
        self._commands_seen = journal.data_version()
        self._commands_read_at = 0.0
        self._readers = _count_readers(state)

    def cancel(self) -> None:
        """Ask for a graceful end; to be called from another thread, not from a signal handler."""
        self._cancel_wanted.set()
        self._wake.set()

    def run(self) -> RunState:
        """Drive the run to its end."""
        try:
            while not self.state.status.is_final:
                # What is known already comes first: a look at attempts that are being committed
                # would only bring the same news again.
                if not self._facts:
                    woken = self._wake.is_set()
                    self._wake.clear()
                    self._look(woken)
                if not self._step():
                    self._wait()
        finally:
            self._flush()
            for host in self._hosts.values():
                if host.thread is not None:
                    host.thread.shutdown(wait=False, cancel_futures=True)
        return self.state

    # one turn

    def _step(self) -> bool:
        """Ask for a decision and carry it out; false when there is nothing to do."""
        facts, self._facts = self._facts, []
        effects = decide(self.state, facts, time.time(), self._room())
        if facts and not effects:
            # Nothing new in what was seen: then what is due by itself.
            effects = decide(self.state, [], time.time(), self._room())
        for effect in effects:
            self._carry_out(effect)
        return bool(effects)

    def _room(self) -> dict[str, int | None]:
        room: dict[str, int | None] = {}
        for name, host in self._hosts.items():
            room[name] = host.executor.capacity() if host.thread is None else None
        return room

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Record(event):
                self._record(event)
            case Submit():
                self._submit(effect)
            case Commit():
                self._commit(effect)
            case Stop():
                self._stop(effect)

    def _record(self, event: RunEvent) -> None:
        self.state.apply(event)
        self._unwritten.append(event)
        if (
            event.kind is EventKind.RUN_FINISHED
            or time.time() - self._written_at > FLUSH_INTERVAL_S
        ):
            self._flush()
        if event.kind is EventKind.BLOCK_FINISHED:
            self._release(event.block)
        elif event.kind is EventKind.ATTEMPT_FINISHED and event.data["phase"] != Phase.SUCCEEDED:
            self._forget(event.block)
        self._listener(self.state, event)

    def _flush(self) -> None:
        if self._unwritten:
            self._journal.append(self.state.plan.run_id, self._unwritten)
            self._unwritten = []
        self._written_at = time.time()

    # effects

    def _submit(self, effect: Submit) -> None:
        host = self._hosts[self.state.blocks[effect.block].planned.executor]
        task = self._make_task(self.state, effect)
        data: dict[str, Any] = {"sequence": effect.sequence, "attempt": effect.attempt}
        intent = RunEvent(EventKind.SUBMITTING, time.time(), effect.block, task.attempt_id, data)

        def submit() -> JobHandle:
            return host.executor.submit(task)

        if host.thread is None and not host.executor.outlives_dispatcher:
            # The worker begins while the rest is done.
            answer = _answer(submit)
            self._record(intent)
            self._facts += self._submitted(host, task, answer)
            return
        self._record(intent)
        if host.executor.outlives_dispatcher:
            self._flush()
        self._call(host, submit, lambda call: self._submitted(host, task, call))

    def _submitted(self, host: _Host, task: BlockTask, call: Callable[[], JobHandle]) -> list[Fact]:
        try:
            handle = call()
        except Exception as error:  # whatever a backend raises is a failed start
            detail = f"{host.executor.name} could not start it: {error}"
            return [Observation(task.attempt_id, Phase.FAILED, Reason.START_FAILED, detail)]
        event = RunEvent(
            EventKind.SUBMITTED,
            time.time(),
            task.block,
            task.attempt_id,
            {"handle": vars(handle)},
        )
        if host.executor.outlives_dispatcher:
            self._record(event)
        else:
            self.state.apply(event)
        return []

    def _commit(self, effect: Commit) -> None:
        try:
            manifest = self._verified(effect)
            stored = reference(manifest)
            if effect.ahead:
                self._submit_ahead(effect, stored)
            self._store.commit(manifest)
        except (VariableError, OSError, ValueError, KeyError) as error:
            detail = f"its outputs cannot be published: {error}"
            self._facts.append(CommitFailed(effect.attempt_id, detail))
            return
        outputs = effect.report.get("outputs") or manifest.summary()
        self._facts.append(Committed(effect.attempt_id, stored, outputs, effect.report))

    def _submit_ahead(self, effect: Commit, stored: InputRef) -> None:
        """Start what waits for these outputs alone: the worker computes while they are published.

        A worker keeps them in memory, or reads them by the digest of their manifest.
        """
        data = {"stored": vars(stored)}
        self.state.apply(
            RunEvent(EventKind.STORED, time.time(), effect.block, effect.attempt_id, data)
        )
        for submit in effect.ahead:
            self._submit(submit)

    def _verified(self, effect: Commit) -> Manifest:
        document = effect.report.get("manifest")
        if document is not None:
            return Manifest.from_json(document)
        plan = self.state.plan
        return self._store.manifest(plan.pipeline, plan.run_id, effect.block, effect.attempt_id)

    def _stop(self, effect: Stop) -> None:
        block = self.state.blocks[effect.block]
        host = self._hosts[block.planned.executor]
        handle = block.handle or JobHandle(host.executor.name, effect.attempt_id)
        self._call(host, lambda: host.executor.cancel(handle, effect.grace_s), _nothing)

    # looking around

    def _look(self, woken: bool) -> None:
        self._read_commands()
        now = time.monotonic()
        for host in self._hosts.values():
            self._finish_calls(host)
            due = now - host.observed_at >= host.executor.poll_interval_s
            if not due and not (woken and host.thread is None):
                continue
            handles = self._handles(host)
            if handles and not host.observing:
                host.observed_at = now
                host.observing = True
                self._observe(host, handles)

    def _handles(self, host: _Host) -> list[JobHandle]:
        blocks = (self.state.blocks[name] for name in self.state.active.values())
        return [
            block.handle
            for block in blocks
            if block.handle is not None and block.handle.executor == host.executor.name
        ]

    def _observe(self, host: _Host, handles: Sequence[JobHandle]) -> None:
        def observed(call: Callable[[], Any]) -> list[Fact]:
            host.observing = False
            # A backend that does not answer leaves its attempts as they were: unknown.
            with contextlib.suppress(Exception):
                return list(call())
            return []

        self._call(host, lambda: host.executor.observe(handles), observed)

    def _call(
        self,
        host: _Host,
        function: Callable[[], Any],
        finish: Finish,
    ) -> None:
        if host.thread is not None:
            call = host.thread.submit(function)
            call.add_done_callback(lambda _call: self._wake.set())
            host.calls.append((call, finish))
            return
        self._facts += finish(function)

    def _finish_calls(self, host: _Host) -> None:
        finished = [pair for pair in host.calls if pair[0].done()]
        host.calls = [pair for pair in host.calls if pair not in finished]
        for call, finish in finished:
            self._facts += finish(call.result)

    def _read_commands(self) -> None:
        now = time.monotonic()
        if now - self._commands_read_at >= COMMAND_INTERVAL_S:
            self._commands_read_at = now
            version = self._journal.data_version()
            if version != self._commands_seen:
                self._commands_seen = version
                if "cancel" in self._journal.requests(self.state.plan.run_id):
                    self._cancel_wanted.set()
        if self._cancel_wanted.is_set() and not self.state.cancelling:
            self._record(RunEvent(EventKind.RUN_CANCELLING, time.time()))

    def _wait(self) -> None:
        now = time.time()
        limits = [COMMAND_INTERVAL_S]
        deadline = next_deadline(self.state)
        if deadline is not None:
            limits.append(deadline - now)
        if self._unwritten:
            limits.append(self._written_at + FLUSH_INTERVAL_S - now)
        limits += [
            host.observed_at + host.executor.poll_interval_s - time.monotonic()
            for host in self._hosts.values()
            if self._handles(host)
        ]
        if not self._wake.wait(max(0.0, min(limits))):
            self._flush()

    # letting go

    def _release(self, name: str) -> None:
        """Let executors forget what nobody will read any more."""
        for upstream in self.state.blocks[name].planned.waits_for:
            self._readers[upstream] -= 1
            if self._readers[upstream] == 0:
                self._forget(upstream)
        if not self._readers.get(name):
            self._forget(name)

    def _forget(self, name: str) -> None:
        block = self.state.blocks[name]
        handle = block.handle
        if handle is not None:
            host = self._hosts[block.planned.executor]
            self._call(host, lambda: host.executor.release(handle), _nothing)


def _host(executor: Executor) -> _Host:
    if executor.answers_at_once:
        return _Host(executor, None)
    return _Host(executor, ThreadPoolExecutor(1, thread_name_prefix=executor.name))


def _count_readers(state: RunState) -> dict[str, int]:
    readers: dict[str, int] = {}
    for block in state.plan.running:
        for upstream in block.waits_for:
            readers[upstream] = readers.get(upstream, 0) + 1
    return readers


def _answer(function: Callable[[], JobHandle]) -> Callable[[], JobHandle]:
    """Call now; what it returned or raised is told later."""
    try:
        handle = function()
    except Exception as error:  # whatever a backend raises
        raised = error

        def fail() -> JobHandle:
            raise raised

        return fail
    return lambda: handle


def _nothing(call: Callable[[], Any]) -> list[Fact]:
    """Ignore what a call returned or raised: it can only have been too late."""
    with contextlib.suppress(BlocksError, OSError):
        call()
    return []
