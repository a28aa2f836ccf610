"""Carries out what `runner.decide` wants: submits, observes, commits, stops, records.

The only writer of run state. It keeps the order that makes a crash harmless: intent before a remote
submit, commit before success, and the journal before anybody is told.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jupyter_blocks.effects import (
    Commit,
    CommitFailed,
    Committed,
    Drop,
    Effect,
    Fact,
    HandOver,
    LookAgain,
    Record,
    Stop,
    Submit,
)
from jupyter_blocks.errors import VariableError
from jupyter_blocks.executors.base import (
    BlockTask,
    Executor,
    InputRef,
    JobHandle,
    Observation,
    Phase,
    Reason,
)
from jupyter_blocks.hosts import Finish, Host, answer, nothing, open_host
from jupyter_blocks.journal import Journal
from jupyter_blocks.planner import reference
from jupyter_blocks.run import EventKind, RunEvent, RunState
from jupyter_blocks.runner import decide, next_deadline
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["Dispatcher", "Listener"]

FLUSH_INTERVAL_S = 0.2
COMMAND_INTERVAL_S = 0.5

Listener = Callable[[RunState, RunEvent], None]
"""Told of every event, after it has been applied."""

TaskFactory = Callable[[RunState, Submit], BlockTask]
"""Makes the task of an attempt from the state of the run."""


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
        self._hosts = {name: open_host(executor) for name, executor in executors.items()}
        self._make_task = make_task
        self._wake = wake
        self._listener = listener
        self._facts: list[Fact] = []
        self._unwritten: list[RunEvent] = []
        self._written_at = 0.0
        self._cancel_wanted = threading.Event()
        self._commands_seen = journal.data_version()
        self._commands_read_at = 0.0
        self._readers = state.plan.readers()
        self._published: set[str] = set()
        """Blocks whose outputs are committed, though that may not be told yet."""
        self._publishing: set[str] = set()

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
                host.close()
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
        if all(host.limit is None for host in self._hosts.values()):
            return {name: host.places(0) for name, host in self._hosts.items()}
        active = Counter(
            self.state.blocks[name].planned.executor for name in self.state.active.values()
        )
        return {name: host.places(active[name]) for name, host in self._hosts.items()}

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Record(event):
                self._record(event)
            case Submit():
                self._submit(effect)
            case HandOver():
                self._hand_over(effect)
            case Drop():
                self._drop(effect)
            case LookAgain():
                self._wake.set()
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
            submitted = answer(submit)
            self._record(intent)
            self._facts += self._submitted(host, task, submitted)
            return
        self._record(intent)
        if host.executor.outlives_dispatcher:
            self._flush()
        self._call(host, submit, lambda call: self._submitted(host, task, call))

    def _submitted(self, host: Host, task: BlockTask, call: Callable[[], JobHandle]) -> list[Fact]:
        try:
            handle = call()
        except Exception as error:  # whatever a backend raises is a failed start
            detail = f"{host.executor.name} could not start it: {error}"
            reason = getattr(error, "reason", Reason.START_FAILED)
            return [Observation(task.attempt_id, Phase.FAILED, reason, detail)]
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

    def _hand_over(self, effect: HandOver) -> None:
        """Give a block to the worker that makes its inputs; who takes no more gets it later."""
        host = self._hosts[self.state.blocks[effect.block].planned.executor]
        front = self.state.blocks[effect.behind]
        take = getattr(host.executor, "hand_over", None)
        if take is None or front.attempt_id not in self.state.active:
            return
        submit = Submit(effect.block, effect.sequence, effect.attempt)
        task = self._make_task(self.state, submit)
        handle = None
        with contextlib.suppress(Exception):  # then it is submitted when its inputs are there
            handle = take(task, front.attempt_id)
        if handle is not None:
            data = {**vars(submit), "behind": effect.behind, "handle": vars(handle)}
            now = time.time()
            self.state.apply(
                RunEvent(EventKind.HANDED_OVER, now, task.block, task.attempt_id, data)
            )

    def _drop(self, effect: Drop) -> None:
        self._forget(effect.block)
        now = time.time()
        self.state.apply(RunEvent(EventKind.DROPPED, now, effect.block, effect.attempt_id))

    def _commit(self, effect: Commit) -> None:
        if not self._published.issuperset(self.state.open_upstream(effect.block)):
            # Nothing is published on top of what is not; it will be told of again.
            self._wake.set()
            return
        host = self._hosts[self.state.blocks[effect.block].planned.executor]
        if host.thread is not None:
            # The store of what ran elsewhere is as far away as that; success may be seen again.
            if effect.attempt_id in self._publishing:
                return
            self._publishing.add(effect.attempt_id)
            effect = replace(effect, ahead=())
        self._call(host, lambda: self._publish(effect), lambda call: self._told(effect, call))

    def _publish(self, effect: Commit) -> Manifest:
        """Verify and commit; in a thread where the executor has some, and then nothing ahead."""
        manifest = self._verified(effect)
        if effect.ahead:
            self._name_outputs(effect, reference(manifest))
            self._submit_ahead(effect)
        self._store.commit(manifest)
        return manifest

    def _told(self, effect: Commit, call: Callable[[], Manifest]) -> list[Fact]:
        try:
            manifest = call()
        except (VariableError, OSError, ValueError, KeyError) as error:
            detail = f"its outputs cannot be published: {error}"
            return [CommitFailed(effect.attempt_id, detail)]
        self._published.add(effect.block)
        # What is handed over in this very turn finds them, whichever worker made them.
        stored = reference(manifest)
        self._name_outputs(effect, stored)
        outputs = effect.report.get("outputs") or manifest.summary()
        return [Committed(effect.attempt_id, stored, outputs, effect.report)]

    def _name_outputs(self, effect: Commit, stored: InputRef) -> None:
        """Let tasks name them: workers keep them in memory, or read them by their digest."""
        data = {"stored": vars(stored)}
        self.state.apply(
            RunEvent(EventKind.STORED, time.time(), effect.block, effect.attempt_id, data)
        )

    def _submit_ahead(self, effect: Commit) -> None:
        """Start what waits for these outputs alone: it computes while they are published."""
        for submit in effect.ahead:
            planned = self.state.blocks[submit.block].planned
            if self._hosts[planned.executor].thread is None:
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
        self._call(host, lambda: host.executor.cancel(handle, effect.grace_s), nothing)

    # looking around

    def _look(self, woken: bool) -> None:
        self._read_commands()
        now = time.monotonic()
        for host in self._hosts.values():
            self._facts += host.finished_calls()
            due = now >= host.next_look()
            if not due and not (woken and host.thread is None):
                continue
            handles = self._handles(host)
            if handles and not host.observing:
                host.observed_at = now
                host.observing = True
                self._observe(host, handles)

    def _handles(self, host: Host) -> list[JobHandle]:
        blocks = (self.state.blocks[name] for name in self.state.active.values())
        return [
            block.handle
            for block in blocks
            if block.handle is not None and block.handle.executor == host.executor.name
        ]

    def _observe(self, host: Host, handles: Sequence[JobHandle]) -> None:
        def observed(call: Callable[[], Any]) -> list[Fact]:
            host.observing = False
            try:
                return list(call())
            except Exception as error:  # a backend that does not answer: nothing is known
                said = str(error)
                return [Observation(it.attempt_id, Phase.UNKNOWN, detail=said) for it in handles]

        self._call(host, lambda: host.executor.observe(handles), observed)

    def _call(self, host: Host, function: Callable[[], Any], finish: Finish) -> None:
        self._facts += host.call(function, finish, self._wake.set)

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
            host.next_look() - time.monotonic()
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
            self._call(host, lambda: host.executor.release(handle), nothing)
