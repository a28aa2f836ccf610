"""Running `jupyter blocks` for tests: in this process, in one of its own, and on a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pytest

from jupyter_blocks.cli import main

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-P", "-m", "jupyter_blocks"]


@dataclass(frozen=True)
class Answer:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


def blocks(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Answer:
    """Run a command in this process."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return Answer(code, out, err)


def environment(**variables: str) -> dict[str, str]:
    """The environment of a command in a process of its own, whatever that of the tests is."""
    ours = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return {**ours, "PYTHONPATH": str(ROOT), **variables}


def start(*words: str | Path, cwd: Path | None = None, **variables: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        cwd=cwd,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def shell(*words: str | Path, cwd: Path | None = None, **variables: str) -> Answer:
    """Run a command in a process of its own, to its end."""
    process = start(*words, cwd=cwd, **variables)
    out, err = process.communicate(timeout=120)
    return Answer(process.returncode, out, err)


def terminal(*words: str | Path, rows: int = 24, columns: int = 100, **variables: str) -> Any:
    """Run a command on a terminal of the given size; answers with the pexpect child."""
    return pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], *map(str, words)],
        dimensions=(rows, columns),
        env={**environment(), "TERM": "xterm-256color", **variables},
        encoding="utf-8",
        timeout=60,
    )
