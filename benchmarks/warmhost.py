"""Machines of a fake cloud whose containers start at once: forked from a process that has the
worker loaded already. What a container runs is the worker all the same.

For measuring a dispatcher, not for proving a backend: a process that is forked sees what its parent
sees. `jupyter_blocks.testing.containers` is for that.

As a load generator (`load=True`) it forks nothing either: one process runs the workers' code of all
containers, one after the other, so that as little as possible of the machine goes into the fake.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class WarmContainer:
    """One forked worker."""

    number: int
    environment: Mapping[str, str]
    ended: Callable[[Any], None]
    pid: int = 0
    exit_code: int | None = None
    out_of_memory: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_running(self) -> bool:
        return self.exit_code is None

    def output(self) -> str:
        return ""

    def signal(self, number: int) -> None:
        if self.is_running and self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, grace_s: float) -> None:  # noqa: ARG002 - the next is not needed
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def wait(self, timeout_s: float = 30.0) -> int | None:
        self.over.wait(timeout_s)
        return self.exit_code

    def remove(self) -> None:
        self.kill()


class WarmHost:
    """Starts containers; takes the place of a `ContainerHost`."""

    def __init__(self, role: Mapping[str, str], at_once: int = 4, *, load: bool = False) -> None:
        self.role = role
        self.containers: list[WarmContainer] = []
        self.images: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._places = threading.Semaphore(at_once)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.warmhost", *(["--load"] if load else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def run(
        self,
        image: str,  # noqa: ARG002
        command: Sequence[str],  # noqa: ARG002
        environment: Mapping[str, str],
        *,
        mounts: Sequence[Any] = (),  # noqa: ARG002
        memory_mib: float | None = None,  # noqa: ARG002
        ended: Callable[[Any], None] = lambda _container: None,
    ) -> WarmContainer:
        with self._lock:
            container = WarmContainer(len(self.containers), {**self.role, **environment}, ended)
            self.containers.append(container)
        threading.Thread(target=self._start, args=(container,), daemon=True).start()
        return container

    def _start(self, container: WarmContainer) -> None:
        self._places.acquire()  # a machine has so many cores
        words = json.dumps({"number": container.number, "environment": container.environment})
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(f"{words}\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            container = self.containers[told["number"]]
            if "pid" in told:
                container.pid = told["pid"]
                continue
            container.exit_code = told["exit_code"]
            container.over.set()
            self._places.release()
            container.ended(container)

    @property
    def pid(self) -> int:
        """Of the process that runs or forks the workers."""
        return self._process.pid

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def _tell(**words: Any) -> None:
    os.write(1, (json.dumps(words) + "\n").encode())


def _serve() -> None:
    """Fork a worker for each line."""
    from jupyter_blocks import worker

    running: dict[int, int] = {}

    def reap(*_: object) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            _tell(number=running.pop(pid), exit_code=os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGCHLD, reap)
    buffer = b""
    while True:
        try:
            piece = os.read(0, 1 << 16)
        except InterruptedError:
            continue
        if not piece:
            return
        *lines, buffer = (buffer + piece).split(b"\n")
        for line in lines:
            order = json.loads(line)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
                null = os.open(os.devnull, os.O_RDWR)
                for number in (0, 1, 2):
                    os.dup2(null, number)
                os.environ.update(order["environment"])
                os._exit(worker.main())
            running[pid] = order["number"]
            _tell(number=order["number"], pid=pid)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _generate() -> None:
    """Run the worker for each line, in this very process."""
    from jupyter_blocks import worker

    answers = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    for line in sys.stdin:
        order = json.loads(line)
        os.environ.update(order["environment"])
        code = worker.main()
        answers.write(json.dumps({"number": order["number"], "exit_code": code}) + "\n")
        answers.flush()


if __name__ == "__main__":
    if "--load" in sys.argv:
        _generate()
    else:
        _serve()
