"""A kernel of its own: `ipykernel` in a process of its own, spoken to as JupyterLab does.

A shell inside of our process would be lighter, but it is no kernel: top-level await and code that
starts an event loop, `get_ipython().kernel`, widgets, and figures drawn at the end of each cell
behave otherwise there. The process is started here and not by name, because the kernel has to be
the Python that runs the pipeline, whatever kernels are installed.
"""

from __future__ import annotations

import ast
import os
import re
import secrets
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jupyter_blocks.errors import BlocksError

__all__ = ["Kernel", "KernelDiedError", "Reply"]

_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 1.0
"""How long a kernel may take to end by itself: ipykernel can wait for a thread of its own."""
_LOOK_INTERVAL_MS = 1_000
_LAST_OUTPUT_S = 1.0
"""How long the end of a cell's output is waited for after the cell has ended."""
_FIRST_OUTPUT_S = 0.05
"""The same while it starts: what is said before the connection stands never arrives."""
_LAST_LINES = 40
_LONGEST_PATH = 80
"""Longest path, in characters, that the sockets of a kernel may have in front of their names."""
_OPTIONS = (
    # The history would go to a database in the user's home folder.
    "--HistoryManager.enabled=False",
    # Values of last expressions are taken from there.
    "--InteractiveShell.cache_size=1000",
)
_VARIABLES = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""Without it, the debugger that every kernel brings along writes a warning."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class KernelDiedError(BlocksError):
    """The kernel's process has ended in the middle of something."""


@dataclass(frozen=True)
class Reply:
    """What came of executing one cell."""

    number: int
    """Execution count: its place in `Out`."""
    error: str = ""
    """Type and text of what it raised, or nothing."""


class Kernel:
    """A running kernel; use it as a context manager."""

    def __init__(self, folder: Path, working_dir: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._working_dir = working_dir
        self._environment = environment
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Any = None
        self._is_heard = False
        """Whether anything of what the kernel writes has arrived."""
        self._ended = ""
        """The last request of which all output has arrived."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The last lines that cells wrote, tracebacks included."""
        return tuple(self._lines)

    def __enter__(self) -> Self:
        try:
            self._start()
            self._wait_until_ready()
        except BaseException:
            self._stop(patience_s=0.0)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop(_STOP_TIMEOUT_S if error is None else 0.0)

    def run(self, code: str, *, counts: bool = True) -> Reply:
        """Execute a cell to its end; one that does not count must not show a value."""
        request = self._client.execute(
            code, store_history=counts, allow_stdin=False, stop_on_error=True
        )
        content = self._reply(request)
        if content["status"] == "ok":
            return Reply(content["execution_count"])
        name = content.get("ename", content["status"])
        return Reply(content.get("execution_count", 0), f"{name}: {content.get('evalue', '')}")

    def ask(self, expression: str) -> Any:
        """The value of an expression that comes to plain data; nothing notices that it was asked.

        What it raises is a `BlocksError`.
        """
        request = self._client.execute(
            "", silent=True, store_history=False, user_expressions={"answer": expression}
        )
        answer = self._reply(request)["user_expressions"]["answer"]
        if answer["status"] != "ok":
            raise BlocksError(f"{answer['ename']}: {answer['evalue']}")
        return ast.literal_eval(answer["data"]["text/plain"])

    # the process

    def _start(self) -> None:
        # Loaded here: it brings tornado and zmq along.
        from jupyter_client.blocking.client import BlockingKernelClient
        from jupyter_client.connect import write_connection_file

        file = self._folder / "kernel.json"
        address: dict[str, Any] = {}
        if len(str(self._folder)) <= _LONGEST_PATH:
            # Files instead of ports: nobody else can take them in between.
            address = {"transport": "ipc", "ip": str(self._folder / "kernel")}
        write_connection_file(str(file), key=secrets.token_hex(16).encode(), **address)
        with (self._folder / "kernel.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - ipykernel of this Python
                [sys.executable, "-m", "ipykernel_launcher", "-f", str(file), *_OPTIONS],
                cwd=self._working_dir,
                env={**self._environment, **_VARIABLES, "JPY_PARENT_PID": str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._client = BlockingKernelClient(connection_file=str(file))
        self._client.load_connection_file()
        self._client.start_channels()

    def _wait_until_ready(self) -> None:
        """Until it answers, and what it writes arrives."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            self._reply(self._client.kernel_info(), _FIRST_OUTPUT_S)
            if self._is_heard:
                return
        raise BlocksError("The kernel does not answer.", hint="Is the machine very busy?")

    def _stop(self, patience_s: float) -> None:
        if self._client is not None:
            with suppress(Exception):
                self._client.shutdown()
        if self._process is not None:
            try:
                self._process.wait(patience_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._client is not None:
            self._client.stop_channels()

    # messages

    def _reply(self, request: str, patience_s: float = _LAST_OUTPUT_S) -> dict[str, Any]:
        """The content of the reply to a request; what is written meanwhile is taken in."""
        for message in self._messages():
            if message["parent_header"].get("msg_id") == request and "status" in message["content"]:
                self._take_last_output(request, patience_s)
                content: dict[str, Any] = message["content"]
                return content
        raise KernelDiedError(f"its kernel died with exit code {self._exit_code()}")

    def _messages(self) -> Iterator[dict[str, Any]]:
        """Replies, as long as the kernel lives."""
        import zmq

        poller = zmq.Poller()
        channels = {self._client.shell_channel.socket: self._client.shell_channel}
        channels[self._client.iopub_channel.socket] = self._client.iopub_channel
        for socket in channels:
            poller.register(socket, zmq.POLLIN)
        while True:
            ready = dict(poller.poll(_LOOK_INTERVAL_MS))
            if self._client.iopub_channel.socket in ready:
                self._take_in(self._client.get_iopub_msg(timeout=0))
            if self._client.shell_channel.socket in ready:
                yield self._client.get_shell_msg(timeout=0)
            elif not ready and self._exit_code() is not None:
                return

    def _exit_code(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    def _take_last_output(self, request: str, patience_s: float) -> None:
        import queue

        with suppress(queue.Empty):
            while self._ended != request:
                self._take_in(self._client.get_iopub_msg(timeout=patience_s))

    def _take_in(self, message: Mapping[str, Any]) -> None:
        """Keep the last lines of what is written, and which request has ended."""
        self._is_heard = True
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            self._lines.extend(content["text"].splitlines())
        elif kind == "error":
            for text in content["traceback"]:
                self._lines.extend(_COLOURS.sub("", text).splitlines())
        elif kind == "status" and content["execution_state"] == "idle":
            self._ended = message["parent_header"].get("msg_id", "")
