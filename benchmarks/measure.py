"""Measure whole commands: wall time, processor time and peak memory, of all their processes.

Machines are shared and noisy, so commands that are compared run in turn (A B A B ...) and only
ratios of minima are quoted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One run of one command."""

    wall_s: float
    cpu_s: float
    """User and system time of the command and all its finished descendants."""
    peak_mib: float
    """Largest resident size of any one of its processes."""


@dataclass(frozen=True)
class Figure:
    """The best of several runs."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run_once(command: Sequence[str], cwd: Path) -> Sample:
    """Run a command to its end; raises `RuntimeError` with its output if it fails."""
    log = cwd / "benchmark.log"
    # Compiled files are part of an installed package, so the warm-up round may write them.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"{command} failed:\n{log.read_text('utf-8', 'replace')}")
    return Sample(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(
    commands: Mapping[str, Sequence[str]],
    cwd: Path,
    rounds: int,
    warm_up: int = 1,
    prepare: Callable[[str], None] = lambda _name: None,
) -> dict[str, Figure]:
    """Run the commands in turn, `rounds` times after a warm-up, and keep each one's minima.

    `prepare` is told the name of each before it runs, outside the measurement.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for number in range(warm_up + rounds):
        for name, command in commands.items():
            prepare(name)
            sample = run_once(command, cwd)
            if number >= warm_up:
                samples[name].append(sample)
    return {
        name: Figure(
            min(sample.wall_s for sample in runs),
            min(sample.cpu_s for sample in runs),
            min(sample.peak_mib for sample in runs),
        )
        for name, runs in samples.items()
    }


def python(*arguments: str) -> list[str]:
    """A command line of this interpreter."""
    return [sys.executable, *arguments]


def blocks(*arguments: str) -> list[str]:
    """A command line of `jupyter-blocks`."""
    return [str(Path(sys.executable).with_name("jupyter-blocks")), *arguments]
