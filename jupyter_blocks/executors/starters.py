"""Ways to start worker processes of the local executor: forked from a warm process, or spawned."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors import frames

__all__ = ["CAN_FORK", "EXIT_WAIT_S", "ForkStarter", "SpawnStarter", "Starter", "warm_up"]

CAN_FORK = sys.platform == "linux"
"""Elsewhere numeric libraries do not survive a fork."""

EXIT_WAIT_S = 5.0
"""How long a process that should end is waited for, in seconds."""


class Starter(Protocol):
    """A way to start workers."""

    def start(self, connection: socket.socket) -> None:
        """Start a worker that serves `connection`, which stays the caller's to close."""

    def exit_code(self, pid: int | None) -> int | None:
        """How a worker ended that has closed its connection; waits a little for the answer."""

    def close(self) -> None:
        """End everything that was started."""


class ForkStarter:
    """Forks workers from one process in which the wanted modules are loaded already."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        # In memory, for `tempfile` takes longer to import than all of this to do.
        self._errors = os.fdopen(os.memfd_create("errors"), "r+b", buffering=0)
        self._process = _spawn("fork-server", theirs, (), self._errors)
        theirs.close()
        self._exit_codes: dict[int, int] = {}

    @classmethod
    def take(cls, preload: Sequence[str]) -> ForkStarter:
        """The fork server that was warmed up, or a new one, loading the modules now."""
        starter = _warm.pop() if _warm else cls()
        with contextlib.suppress(OSError):  # one that has died says why when it is to fork
            starter._control.sendall(b"p")
            frames.send(starter._control, {"modules": list(preload)})
        return starter

    def start(self, connection: socket.socket) -> None:
        """Start a worker that serves `connection`; raises `ExecutorError` when that fails."""
        try:
            socket.send_fds(self._control, [b"f"], [connection.fileno()])
        except OSError as error:
            raise ExecutorError(
                f"The local worker processes cannot be started: {self._last_words()}"
            ) from error

    def exit_code(self, pid: int | None) -> int | None:
        """How a worker ended; none when nobody knows."""
        if pid is None:
            return None
        self._control.settimeout(EXIT_WAIT_S)
        while pid not in self._exit_codes:
            message = frames.receive(self._control)
            if message is None:
                return None
            self._exit_codes[message["pid"]] = message["exit_code"]
        return self._exit_codes.pop(pid)

    def close(self) -> None:
        """End everything that was started."""
        self._control.close()
        _reap(self._process)
        self._errors.close()

    def _last_words(self) -> str:
        self._process.wait(EXIT_WAIT_S)
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"


_warm: list[ForkStarter] = []


def warm_up() -> None:
    """Start a fork server for the run that is about to be planned, if this system can fork.

    It starts up while the caller reads and plans. If no run takes it, it ends with this process.
    """
    if CAN_FORK and not _warm:
        _warm.append(ForkStarter())


class SpawnStarter:
    """Starts each worker as a process of its own, where forking is not safe (macOS)."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = preload
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, connection: socket.socket) -> None:
        """Start a worker that serves `connection`; raises `ExecutorError` when that fails."""
        process = _spawn("worker", connection, self._preload, subprocess.DEVNULL)
        self._processes[process.pid] = process

    def exit_code(self, pid: int | None) -> int | None:
        """How a worker ended; none when nobody knows."""
        process = self._processes.pop(pid, None) if pid is not None else None
        if process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(EXIT_WAIT_S)
        return None

    def close(self) -> None:
        """End everything that was started."""
        for process in self._processes.values():
            _reap(process)


def _spawn(
    mode: str, connection: socket.socket, preload: Sequence[str], errors: Any
) -> subprocess.Popen[bytes]:
    # Neither `runpy` nor the garbage collector is wanted while modules are imported.
    start = (
        "import gc, sys; gc.disable(); "
        "from jupyter_blocks.executors.process import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-P", "-c", start, mode]
    return subprocess.Popen(  # noqa: S603 - our own module
        [*command, str(connection.fileno()), *preload],
        pass_fds=(connection.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True,
        env={**os.environ, "MPLBACKEND": os.environ.get("MPLBACKEND", "agg")},
    )


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Let a process whose socket is closed end by itself, and kill it if it does not."""
    try:
        process.wait(EXIT_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
