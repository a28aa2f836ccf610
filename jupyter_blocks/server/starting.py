"""Starts runs in processes of their own, and remembers how many of them are under way."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from jupyter_blocks.errors import Problem, ValidationError
from jupyter_blocks.server.faults import RequestError

__all__ = ["Starter"]

_SECRETS = ("JUPYTER_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_SESSION_NAME")
"""What is the server's own business and nothing for the code of blocks."""
_SHOWN_STDERR = 2_000
_KINDS = {"RunHeldError": 409}


@dataclass
class Starter:
    """Starts the processes of runs."""

    allowed_executors: tuple[str, ...] = ()
    max_runs: int = 8
    timeout_s: float = 120.0
    """After so long without an answer a process that was to plan a run is stopped."""
    python: str = sys.executable
    _children: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, project: Path, pipeline: str, request: Mapping[str, Any]) -> str:
        """The id of a run that is planned and under way.

        Raises `RequestError` or `ValidationError` with what the new process found wrong.
        """
        asked = {
            "project": str(project),
            "pipeline": pipeline,
            "request": dict(request),
            "allowed_executors": list(self.allowed_executors),
        }
        with tempfile.TemporaryFile() as errors:
            child = self._spawn(project, errors)
            try:
                line = _first_line(child, json.dumps(asked).encode(), self.timeout_s)
            except BaseException:
                child.kill()
                raise
            return _run_id(line, errors)

    def running(self) -> int:
        """How many processes started here have not ended."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]
            return len(self._children)

    def close(self) -> None:
        """Let go of the processes: they live on, and are no business of this server any more."""
        if self.running():
            with self._lock:
                for child in self._children:
                    child.returncode = 0  # else Python warns of a child that nobody waits for
                self._children = []

    def _spawn(self, cwd: Path, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        if self.running() >= self.max_runs:
            raise RequestError(
                429,
                f"{self.max_runs} runs are under way already.",
                hint="Wait for one to end, cancel one, or raise BlocksApp.max_runs.",
            )
        child = subprocess.Popen(  # noqa: S603 - no shell, and no word of a client
            [self.python, "-m", "jupyter_blocks.server.detached"],
            cwd=cwd,
            env={name: value for name, value in os.environ.items() if name not in _SECRETS},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        with self._lock:
            self._children.append(child)
        return child


def _first_line(child: subprocess.Popen[bytes], asked: bytes, timeout_s: float) -> bytes:
    assert child.stdin is not None  # noqa: S101 - both are pipes
    assert child.stdout is not None  # noqa: S101
    try:
        with child.stdin as stream:
            stream.write(asked)
    except BrokenPipeError:
        pass  # what it has to say about that is on its stderr
    end, line = time.monotonic() + timeout_s, b""
    with child.stdout as answers:
        while not line.endswith(b"\n"):
            if not select.select([answers], [], [], max(end - time.monotonic(), 0))[0]:
                raise RequestError(504, f"The run could not be planned within {timeout_s:.0f} s.")
            piece = os.read(answers.fileno(), 65_536)
            if not piece:
                break
            line += piece
    return line


def _run_id(line: bytes, errors: IO[bytes]) -> str:
    try:
        answer = json.loads(line)
    except ValueError:
        errors.seek(0)
        last = errors.read()[-_SHOWN_STDERR:].decode("utf-8", "replace").strip().splitlines()
        raise RequestError(
            500, "The process of the run ended before it began.", hint=last[-1] if last else ""
        ) from None
    if "error" not in answer:
        return str(answer["run_id"])
    error = answer["error"]
    if error.get("problems"):
        raise ValidationError(Problem(**problem) for problem in error["problems"])
    raise RequestError(_KINDS.get(error["kind"], 400), error["message"], hint=error["hint"])
