"""The processes of the local executor, seen from inside: the fork server and the workers.

The fork server imports the modules the blocks use, once, and forks a worker for each request; it
stays single threaded and runs no user code. A worker runs one task after the other. Both end when
the process they serve ends, whatever ended it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
import warnings
from collections import deque
from collections.abc import Iterable
from functools import partial
from types import FrameType
from typing import Any, NoReturn

from jupyter_blocks.executors import frames
from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.executors.lines import DROPPED, Sealing, settled
from jupyter_blocks.line import DroppedError, Line
from jupyter_blocks.worker import run_task

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


class _Worker:
    """Runs tasks that arrive on a socket, until the other side closes it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._inbox = frames.Inbox(connection)
        self._memory: dict[tuple[str, str], Any] = {}
        self._line: deque[dict[str, Any]] = deque()
        self._sealing: Sealing | None = None
        self._sending = threading.Lock()
        self._is_busy = False
        """Whether user code runs, which a signal is to interrupt."""
        self._is_idle = False
        """Whether there is nothing to be told before the process may end."""
        self._ends = False

    def serve(self) -> None:
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._fork_alone()
        self._send({"pid": os.getpid()})
        while (document := self._next()) is not None:
            self._run(BlockTask.from_json(document))
        self._wait_for_sealing()

    def _fork_alone(self) -> None:
        """Seal before any fork: what the thread holds would stay locked in the child.

        `os.register_at_fork` would come too late: by then libraries hold locks that sealing needs.
        """
        fork = os.fork

        def fork_after_sealing() -> int:
            self._wait_for_sealing()
            return fork()

        os.fork = fork_after_sealing

    def _next(self) -> dict[str, Any] | None:
        """The next task; none when it is time to end."""
        self._is_idle = not self._line and self._sealing is None
        while not self._ends and self._take(wait=not self._line):
            if self._line:
                self._is_idle = False
                return self._line.popleft()
        return None

    def _take(self, *, wait: bool) -> bool:
        """Look what has arrived; false when the other side is gone."""
        messages = self._inbox.take(wait=wait)
        for message in messages or ():
            self._forget(message.get("drop", ()))
            if "task" in message:
                self._line.append(message["task"])
        return messages is not None

    def _forget(self, attempt_ids: Iterable[str]) -> None:
        gone = set(attempt_ids)
        for key in [key for key in list(self._memory) if key[0] in gone]:
            self._memory.pop(key, None)

    def _run(self, task: BlockTask) -> None:
        try:
            # A limit of memory is one of the whole process.
            task = self._settle(task) if task.resources else self._begin(task)
            report = self._compute(task)
            if "seal" not in report:
                self._settle(task)
        except DroppedError:
            report = dict(DROPPED)
        seal = report.pop("seal", None)
        if seal is None:
            self._report(task, report)
        else:
            # Not before the one in front is through: its values are still in memory.
            self._wait_for_sealing()
            self._sealing = Sealing(report, seal, partial(self._report, task))

    def _begin(self, task: BlockTask) -> BlockTask:
        task = settled(task, self._memory, may_be_open=True)
        if self._sealing is not None:
            self._send({"begun": task.attempt_id})
        return task

    def _compute(self, task: BlockTask) -> dict[str, Any]:
        self._is_busy = True
        try:
            return run_task(task, memory=self._memory, line=Line(self._settle, self._goes_on))
        except KeyboardInterrupt:
            return {"status": "cancelled", "reason": "cancelled"}
        finally:
            self._is_busy = False

    def _settle(self, task: BlockTask) -> BlockTask:
        self._wait_for_sealing()
        return settled(task, self._memory)

    def _goes_on(self) -> bool:
        return self._take(wait=False) and bool(self._line) and not self._ends

    def _wait_for_sealing(self) -> None:
        sealing = self._sealing
        if sealing is not None and sealing.wait() and self._sealing is sealing:
            self._sealing = None

    def _report(self, task: BlockTask, report: dict[str, Any]) -> None:
        if report["status"] != "succeeded":
            self._forget([task.attempt_id])
        held = sorted({attempt for attempt, _ in list(self._memory)})
        self._send({"attempt_id": task.attempt_id, "report": report, "held": held})

    def _send(self, message: dict[str, Any]) -> None:
        with self._sending:
            frames.send(self._connection, message)

    def _on_terminate(self, _number: int, _frame: FrameType | None) -> None:
        self._ends = True
        if self._is_idle:
            os._exit(0)
        if self._is_busy:
            self._is_busy = False
            raise KeyboardInterrupt


def _die_with_parent(parent: int) -> None:
    """Have the kernel end this process with its parent (Linux; elsewhere end of file does it)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _work(connection: socket.socket) -> NoReturn:
    """Be a worker until the end of the process."""
    status = 1
    try:
        _Worker(connection).serve()
        status = 0
    finally:
        # Skip what the interpreter does at exit: threads and libraries of user code may hang there.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _preload(modules: list[str]) -> None:
    """Import what the blocks will import; what fails here fails again in the block, in words."""
    gc.disable()  # what is imported stays: looking for garbage in it takes time for nothing
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
    gc.enable()


class _ForkServer:
    """Forks workers and reports their ends."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._workers: set[int] = set()
        self._wakeup, write = os.pipe()
        os.set_blocking(write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        # Python warns of forks in processes with threads; numeric libraries keep idle ones and
        # restart them after a fork.
        warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)

    def serve(self) -> None:
        while True:
            control = self._control.fileno()
            readable, _, _ = select.select([control, self._wakeup], [], [])
            if self._wakeup in readable:
                os.read(self._wakeup, 4096)
                self._report_ends()
            if control in readable and not self._obey():
                self._end_workers()
                return

    def _obey(self) -> bool:
        """Carry out one command: `p`, preload the modules that follow, or `f`, fork a worker."""
        command, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        if command == b"p":
            message = frames.receive(self._control)
            _preload(message["modules"] if message else [])
        elif command == b"f":
            self._fork(descriptors)
        return bool(command)

    def _fork(self, descriptors: list[int]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            os.setsid()
            _die_with_parent(parent)
            _work(socket.socket(fileno=descriptors[0]))
        self._workers.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)

    def _end_workers(self) -> None:
        """End the workers: whoever would take their results is gone. Waiting accounts their use."""
        for pid in self._workers:
            for kill in (os.killpg, os.kill):  # a worker just forked leads no group yet
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()

    def _report_ends(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._workers.discard(pid)
            code = os.waitstatus_to_exitcode(status)
            frames.send(self._control, {"pid": pid, "exit_code": code})


def main(arguments: list[str]) -> None:
    """Serve on an inherited socket: `fork-server FD` or `worker FD MODULE...`."""
    mode, descriptor, *modules = arguments
    connection = socket.socket(fileno=int(descriptor))
    if mode == "worker":
        _preload(modules)
        _work(connection)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(ConnectionError):
        _ForkServer(connection).serve()
    # Somebody waits for the end of this process, and taking an interpreter apart takes a while.
    os._exit(0)
