"""Worker processes of the local executor, seen from outside: start, feed, watch, stop.

One thread reads what the workers say and notices how they end; everything it learns becomes an
`Ended` that the executor collects. A worker that dies takes only its own task with it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors import frames
from jupyter_blocks.executors.base import Reason
from jupyter_blocks.executors.starters import (
    CAN_FORK,
    EXIT_WAIT_S,
    ForkStarter,
    SpawnStarter,
    Starter,
)

__all__ = ["Ended", "Worker", "WorkerPool"]

MOST_WAITING_BYTES = 64 * 1024
"""No more is handed over to a worker that is busy, so that the dispatcher never waits for it."""
LONG_LINE = 2
GATHER_S = 0.004
"""While a line is longer than that, its reports are taken so many seconds apart."""


@dataclass(frozen=True)
class Ended:
    """One task is over."""

    attempt_id: str
    report: Mapping[str, Any] | None
    """What the worker reported; none when it died first."""
    exit_code: int | None = None
    """How a worker that died ended: negative for a signal; none where nobody knows."""
    pid: int | None = None
    reason: Reason = Reason.NONE
    """Set where the worker died, or was stopped, for the sake of another task."""


@dataclass(eq=False)
class Worker:
    """One worker process."""

    connection: socket.socket
    inbox: frames.Inbox
    pid: int | None = None
    line: dict[str, int] = field(default_factory=dict)
    """Tasks it has been given and has not reported, in order, with the bytes they took to say."""
    begun: str = ""
    """The last one known to be under way; none: the first."""
    stopped: str = ""
    """The one it was asked to stop."""
    held: frozenset[str] = frozenset()
    """Attempts whose outputs it keeps in memory."""
    to_drop: set[str] = field(default_factory=set)
    terminate: bool = False
    """Whether it is to be asked to stop."""
    retired: bool = False
    """Whether it has been asked to stop, so that it gets no more tasks."""
    kill_at: float | None = None
    """Monotonic time at which it is killed."""

    @property
    def computing(self) -> str:
        """The task whose function runs; those in front of it are being stored."""
        return self.begun if self.begun in self.line else next(iter(self.line), "")

    def waiting(self) -> list[str]:
        """Tasks that have not begun."""
        names = list(self.line)
        return names[names.index(self.computing) + 1 :] if names else []


class WorkerPool:
    """Up to `size` warm workers, started as they are needed."""

    def __init__(
        self,
        size: int,
        preload: Sequence[str],
        notify: Callable[[], None],
        *,
        fork: bool = CAN_FORK,
    ) -> None:
        self.size = size
        self._starter: Starter = ForkStarter.take(preload) if fork else SpawnStarter(preload)
        self._notify = notify
        self._workers: list[Worker] = []
        self._ended: list[Ended] = []
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._closing = False
        self._reader = threading.Thread(target=self._read, name="local workers", daemon=True)
        self._reader.start()

    @property
    def busy(self) -> int:
        """How many tasks are under way."""
        with self._lock:
            return sum(1 for worker in self._workers if worker.line)

    def run(self, task: Mapping[str, Any], inputs: frozenset[str]) -> None:
        """Give a task to an idle worker, best one that holds some of the `inputs` in memory."""
        with self._lock:
            idle = [w for w in self._workers if not w.line and not w.retired]
            worker = max(idle, key=lambda each: len(each.held & inputs), default=None)
            if worker is None or (
                not worker.held & inputs and worker.held and len(self._workers) < self.size
            ):
                worker = self._start()
            _give(worker, task, _message(worker, task))

    def hand_over(self, task: Mapping[str, Any], behind: str) -> bool:
        """Give a task to the worker of the task `behind`; false if it takes no more."""
        with self._lock:
            worker = self._worker(behind)
            if worker is None or worker.stopped or worker.retired:
                return False
            # It reads when it has time to; what waits until then lies in a buffer of the system.
            data = _message(worker, task)
            waiting = sum(worker.line[name] for name in worker.waiting())
            if waiting + len(data) > MOST_WAITING_BYTES:
                return False
            _give(worker, task, data)
            return True

    def _worker(self, attempt_id: str) -> Worker | None:
        return next((each for each in self._workers if attempt_id in each.line), None)

    def drop(self, attempt_id: str) -> None:
        """Let workers forget the outputs of an attempt, at the latest with their next task."""
        with self._lock:
            for worker in self._workers:
                if attempt_id not in worker.held:
                    continue
                worker.held -= {attempt_id}
                if worker.line:
                    worker.to_drop.add(attempt_id)
                else:
                    with contextlib.suppress(OSError):
                        frames.send(worker.connection, {"drop": [attempt_id]})

    def stop(self, attempt_id: str, grace_s: float) -> None:
        """Ask the task to stop, and kill its worker after `grace_s` seconds."""
        with self._lock:
            worker = self._worker(attempt_id)
            if worker is not None and worker.kill_at is None:
                worker.stopped = attempt_id
                worker.terminate = True
                worker.kill_at = time.monotonic() + grace_s
        self._waker.send(b"s")

    def collect(self) -> list[Ended]:
        """Take what has ended since the last call."""
        with self._lock:
            ended, self._ended = self._ended, []
        return ended

    def has(self, attempt_id: str) -> bool:
        """Whether a worker has a task, begun or not."""
        with self._lock:
            return self._worker(attempt_id) is not None

    def pid(self, attempt_id: str) -> int | None:
        """The process that runs a task."""
        with self._lock:
            worker = self._worker(attempt_id)
            return worker.pid if worker else None

    def waiting(self) -> frozenset[str]:
        """Tasks that workers have been given and have not begun."""
        with self._lock:
            return frozenset(name for worker in self._workers for name in worker.waiting())

    def close(self) -> None:
        """Kill what still runs and end all processes."""
        self._closing = True
        self._waker.send(b"c")
        self._reader.join()
        with self._lock:
            for worker in self._workers:
                if worker.line:
                    _signal(worker, signal.SIGKILL)
                worker.connection.close()
            self._workers.clear()
        self._starter.close()
        self._selector.close()
        self._wake.close()
        self._waker.close()

    def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        try:
            self._starter.start(theirs)
        except ExecutorError:
            ours.close()
            raise
        finally:
            theirs.close()
        worker = Worker(ours, frames.Inbox(ours))
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        self._waker.send(b"n")
        return worker

    # the reader thread

    def _read(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select(self._until_next_kill()):
                if key.data is None:
                    self._wake.recv(4096)
                else:
                    self._listen(key.data)
            self._signal_workers()

    def _listen(self, worker: Worker) -> None:
        messages = worker.inbox.take(wait=False)
        if messages is None:
            self._bury(worker)
            return
        with self._lock:
            for message in messages:
                self._hear(worker, message)
        if messages:
            self._notify()
        if len(worker.line) > LONG_LINE:
            # More reports are on their way: take them together.
            time.sleep(GATHER_S)

    def _hear(self, worker: Worker, message: Mapping[str, Any]) -> None:
        if "pid" in message:
            worker.pid = message["pid"]
        elif "begun" in message:
            worker.begun = message["begun"]
        else:
            attempt_id, report = message["attempt_id"], message["report"]
            worker.held = frozenset(message["held"])
            if worker.line.pop(attempt_id, None) is None:
                return  # dropped before it said so
            self._ended.append(Ended(attempt_id, report, pid=worker.pid))
            if report["status"] != "succeeded":
                self._drop_waiting(worker)
            if attempt_id == worker.stopped:
                worker.terminate, worker.kill_at, worker.stopped = False, None, ""
                if worker.retired:
                    _signal(worker, signal.SIGKILL)
                    self._end_line(worker)

    def _drop_waiting(self, worker: Worker) -> None:
        """End those that read what will not be there; one that has begun says so itself."""
        for name in [name for name in worker.line if name != worker.begun]:
            del worker.line[name]
            self._ended.append(Ended(name, None, None, worker.pid, Reason.DROPPED))

    def _bury(self, worker: Worker) -> None:
        self._selector.unregister(worker.connection)
        exit_code = self._starter.exit_code(worker.pid)
        with self._lock:
            self._workers.remove(worker)
            worker.connection.close()
            self._end_line(worker, worker.stopped or worker.computing, exit_code)
        self._notify()

    def _end_line(self, worker: Worker, culprit: str = "", exit_code: int | None = None) -> None:
        """End what a worker will never report: those in front of the culprit were being stored."""
        reason = Reason.INFRASTRUCTURE if culprit in worker.line else Reason.DROPPED
        for name in worker.line:
            if name == culprit:
                self._ended.append(Ended(name, None, exit_code, worker.pid))
                reason = Reason.DROPPED
            else:
                self._ended.append(Ended(name, None, None, worker.pid, reason))
        worker.line.clear()

    def _until_next_kill(self) -> float | None:
        with self._lock:
            times = [w.kill_at for w in self._workers if w.kill_at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _signal_workers(self) -> None:
        with self._lock:
            for worker in self._workers:
                if worker.pid is None or worker.kill_at is None:
                    continue
                if worker.terminate:
                    worker.terminate, worker.retired = False, True
                    _signal(worker, signal.SIGTERM)
                elif worker.kill_at <= time.monotonic():
                    _signal(worker, signal.SIGKILL)
                    worker.kill_at = time.monotonic() + EXIT_WAIT_S


def _message(worker: Worker, task: Mapping[str, Any]) -> bytes:
    return frames.packed({"task": task, "drop": sorted(worker.to_drop)})


def _give(worker: Worker, task: Mapping[str, Any], data: bytes) -> None:
    worker.to_drop.clear()
    worker.line[str(task["attempt_id"])] = len(data)
    # A worker that has just died is noticed by the reader, which ends the task.
    with contextlib.suppress(OSError):
        worker.connection.sendall(data)


def _signal(worker: Worker, number: signal.Signals) -> None:
    """Signal a worker; when it is killed, the processes it started go with it."""
    if worker.pid is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL:
            os.killpg(worker.pid, number)
        else:
            os.kill(worker.pid, number)
