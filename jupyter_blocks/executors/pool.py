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
from jupyter_blocks.executors.starters import (
    CAN_FORK,
    EXIT_WAIT_S,
    ForkStarter,
    SpawnStarter,
    Starter,
)

__all__ = ["Ended", "Worker", "WorkerPool"]


@dataclass(frozen=True)
class Ended:
    """One task is over."""

    attempt_id: str
    report: Mapping[str, Any] | None
    """What the worker reported; none when it died first."""
    exit_code: int | None = None
    """How a worker that died ended: negative for a signal; none where nobody knows."""
    pid: int | None = None


@dataclass(eq=False)
class Worker:
    """One worker process."""

    connection: socket.socket
    pid: int | None = None
    attempt_id: str = ""
    """Task under way; empty: idle."""
    held: frozenset[str] = frozenset()
    """Attempts whose outputs it keeps in memory."""
    to_drop: set[str] = field(default_factory=set)
    terminate: bool = False
    """Whether it is to be asked to stop."""
    retired: bool = False
    """Whether it has been asked to stop, so that it gets no more tasks."""
    kill_at: float | None = None
    """Monotonic time at which it is killed."""


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
            return sum(1 for worker in self._workers if worker.attempt_id)

    def run(self, task: Mapping[str, Any], inputs: frozenset[str]) -> None:
        """Give a task to an idle worker, best one that holds some of the `inputs` in memory."""
        with self._lock:
            idle = [w for w in self._workers if not w.attempt_id and not w.retired]
            worker = max(idle, key=lambda each: len(each.held & inputs), default=None)
            if worker is None or (
                not worker.held & inputs and worker.held and len(self._workers) < self.size
            ):
                worker = self._start()
            worker.attempt_id = str(task["attempt_id"])
            message: dict[str, Any] = {"task": task}
            if worker.to_drop:
                message["drop"] = sorted(worker.to_drop)
                worker.to_drop.clear()
            # A worker that has just died is noticed by the reader, which ends the task.
            with contextlib.suppress(OSError):
                frames.send(worker.connection, message)

    def drop(self, attempt_id: str) -> None:
        """Let workers forget the outputs of an attempt, at the latest with their next task."""
        with self._lock:
            for worker in self._workers:
                if attempt_id not in worker.held:
                    continue
                worker.held -= {attempt_id}
                if worker.attempt_id:
                    worker.to_drop.add(attempt_id)
                else:
                    with contextlib.suppress(OSError):
                        frames.send(worker.connection, {"drop": [attempt_id]})

    def stop(self, attempt_id: str, grace_s: float) -> None:
        """Ask the task to stop, and kill its worker after `grace_s` seconds."""
        with self._lock:
            for worker in self._workers:
                if worker.attempt_id == attempt_id and worker.kill_at is None:
                    worker.terminate = True
                    worker.kill_at = time.monotonic() + grace_s
        self._waker.send(b"s")

    def collect(self) -> list[Ended]:
        """Take what has ended since the last call."""
        with self._lock:
            ended, self._ended = self._ended, []
        return ended

    def has(self, attempt_id: str) -> bool:
        """Whether a task is under way."""
        with self._lock:
            return any(worker.attempt_id == attempt_id for worker in self._workers)

    def pid(self, attempt_id: str) -> int | None:
        """The process that runs a task."""
        with self._lock:
            pids = [w.pid for w in self._workers if w.attempt_id == attempt_id]
        return pids[0] if pids else None

    def close(self) -> None:
        """Kill what still runs and end all processes."""
        self._closing = True
        self._waker.send(b"c")
        self._reader.join()
        with self._lock:
            for worker in self._workers:
                if worker.attempt_id:
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
        worker = Worker(ours)
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
        message = frames.receive(worker.connection)
        if message is None:
            self._bury(worker)
        elif "pid" in message:
            worker.pid = message["pid"]
        else:
            with self._lock:
                worker.attempt_id = ""
                worker.terminate, worker.kill_at = False, None
                if worker.retired:
                    _signal(worker, signal.SIGKILL)
                worker.held = frozenset(message["held"])
                ended = Ended(message["attempt_id"], message["report"], pid=worker.pid)
                self._ended.append(ended)
            self._notify()

    def _bury(self, worker: Worker) -> None:
        self._selector.unregister(worker.connection)
        exit_code = self._starter.exit_code(worker.pid)
        with self._lock:
            self._workers.remove(worker)
            worker.connection.close()
            if worker.attempt_id:
                ended = Ended(worker.attempt_id, None, exit_code, worker.pid)
                self._ended.append(ended)
        self._notify()

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


def _signal(worker: Worker, number: signal.Signals) -> None:
    """Signal a worker; when it is killed, the processes it started go with it."""
    if worker.pid is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL:
            os.killpg(worker.pid, number)
        else:
            os.kill(worker.pid, number)
