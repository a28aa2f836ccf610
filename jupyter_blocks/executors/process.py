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
import warnings
from types import FrameType
from typing import Any, NoReturn

from jupyter_blocks.executors import frames
from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.worker import run_task

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


class _Worker:
    """Runs tasks that arrive on a socket, until the other side closes it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._memory: dict[tuple[str, str], Any] = {}
        self._busy = False

    def serve(self) -> None:
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        frames.send(self._connection, {"pid": os.getpid()})
        while (message := frames.receive(self._connection)) is not None:
            self._forget(message.get("drop", ()))
            if "task" in message:
                self._run(message["task"])

    def _forget(self, attempt_ids: list[str]) -> None:
        gone = set(attempt_ids)
        for key in [key for key in self._memory if key[0] in gone]:
            del self._memory[key]

    def _run(self, document: dict[str, Any]) -> None:
        task = BlockTask.from_json(document)
        self._busy = True
        try:
            report = run_task(task, memory=self._memory)
        except KeyboardInterrupt:
            report = {"status": "cancelled", "reason": "cancelled"}
        finally:
            self._busy = False
        held = sorted({attempt for attempt, _ in self._memory})
        frames.send(
            self._connection, {"attempt_id": task.attempt_id, "report": report, "held": held}
        )

    def _on_terminate(self, _number: int, _frame: FrameType | None) -> None:
        if not self._busy:
            os._exit(0)
        self._busy = False
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
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


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


if __name__ == "__main__":
    main(sys.argv[1:])
