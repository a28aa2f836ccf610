"""Jupyter servers in processes of their own, for tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

__all__ = ["Served", "served"]

START_S = 120.0
"""How long a server may take to start where other tests run beside it."""


@dataclass
class Served:
    """A running server."""

    address: str
    headers: dict[str, str]
    process: subprocess.Popen[bytes]

    def ask(self, path: str, body: Any = None) -> Any:
        """The JSON of an answer; `path` is below `blocks/`."""
        with self._open(path, body) as answer:
            return json.load(answer)

    def size(self, path: str, body: Any = None) -> int:
        """How many bytes an answer has; none of them is kept."""
        size = 0
        with self._open(path, body) as answer:
            while piece := answer.read(1 << 16):
                size += len(piece)
        return size

    def _open(self, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        return urlopen(Request(f"{self.address}/blocks/{path}", data, self.headers), timeout=120)


@contextmanager
def served(root: Path) -> Iterator[Served]:
    """A server on the folder `root`, on a free port of the loopback interface."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    token = os.urandom(16).hex()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyter_server", "--ServerApp.allow_root=True"),
            *(f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1"),
            *("--ServerApp.open_browser=False", "--ServerApp.log_level=ERROR"),
            *(f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}"),
            "--ServerApp.jpserver_extensions={'jupyter_blocks': True}",
        ],
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(root), "JUPYTER_DATA_DIR": str(root)},
    )
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    found = Served(f"http://127.0.0.1:{port}", headers, process)
    try:
        _wait_for(found)
        yield found
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(server: Served) -> None:
    until = time.monotonic() + START_S
    while server.process.poll() is None and time.monotonic() < until:
        try:
            server.ask("projects")
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"The server did not start; its exit code: {server.process.poll()}.")
