"""Wide fan-outs on a slow platform: `python -m benchmarks.remote [--blocks N ...] [--rate R]`.

A fake Kubernetes cluster on loopback answers each call after 200 ms and refuses more than so many
a second; the official client talks to it over HTTP, as to any cluster. Prints how close each run
comes to what the limit allows, the calls that were refused, the most calls in any second, the
memory of the dispatcher, and whose processor time it was: where that of all together comes near
the wall time, the machine is the limit and not the rate.

With `--load` the cluster is a load generator: no process is started for a block, one process runs
the workers of all blocks in turn. All that the dispatcher sees is the same.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks import projects
from benchmarks.warmhost import WarmHost
from jupyter_blocks.testing.fake_kubernetes import FakeKubernetes
from jupyter_blocks.testing.fake_kubernetes_http import Fault, Faults

CALLS_PER_BLOCK = 2
"""One that creates a job, one that deletes it; all else is shared."""
IMAGE = "registry.test/blocks:1"


@dataclass
class TimedFaults(Faults):
    """Knows when each call came."""

    came_at: list[float] = field(default_factory=list)

    def next(self, method: str, query: Mapping[str, str]) -> Fault | None:
        self.came_at.append(time.monotonic())
        return super().next(method, query)


@dataclass
class Watched:
    """What was seen of the dispatcher's process."""

    memory_mib: list[float] = field(default_factory=list)
    cpu_s: float = 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.remote", description=__doc__)
    parser.add_argument("--blocks", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rate", type=float, default=50.0, help="calls a second that are allowed")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds each call takes")
    parser.add_argument("--most-seconds", type=float, default=600.0, help="for each run")
    parser.add_argument("--load", action="store_true", help="start no process for each block")
    args = parser.parse_args()
    kind = "load generator" if args.load else "a process for each block"
    print(f"{args.latency * 1000:g} ms a call, {args.rate:g} calls a second, {kind}", flush=True)
    for count in args.blocks:
        with tempfile.TemporaryDirectory() as name:
            _run(Path(name), count, args)


def _run(folder: Path, count: int, args: argparse.Namespace) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}
    host: Any = WarmHost(environment, at_once=1 if args.load else 4, load=args.load)
    host.images[IMAGE] = None
    cluster = FakeKubernetes(host, folder=folder / "cluster", latency_s=args.latency, page_size=500)
    faults = TimedFaults(most_calls_per_s=args.rate)
    cluster.faults = faults
    try:
        _measure(folder, count, cluster, faults, args)
    finally:
        cluster.close()


def _measure(
    folder: Path,
    count: int,
    cluster: FakeKubernetes,
    faults: TimedFaults,
    args: argparse.Namespace,
) -> None:
    project = folder / "fan"
    projects.same_fan(project, count)
    settings = {
        "project_type": "standalone",
        "k8s_executor_config": {
            **cluster.settings(),
            "namespace": cluster.namespace,
            "image": IMAGE,
            "shared_variables": True,
            "calls_per_s": args.rate,
        },
    }
    (project / "metadata.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    started, fake_started = time.monotonic(), time.process_time()
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_blocks", "run", str(project), "--executor", "k8s"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watched = Watched()
    watcher = threading.Thread(target=_watch, args=(process.pid, watched), daemon=True)
    watcher.start()
    try:
        _, errors = process.communicate(timeout=args.most_seconds)
    finally:
        process.kill()
    wall_s, fake_s = time.monotonic() - started, time.process_time() - fake_started
    if process.returncode != 0:
        raise SystemExit(errors[-2000:])
    ideal_s = count * CALLS_PER_BLOCK / args.rate
    host: Any = cluster.host
    workers_s = _cpu_s(host.pid)
    print(f"{count} blocks: {wall_s:.1f} s, {ideal_s / wall_s:.2f} of what the limit allows")
    most = _most_in_a_second(faults.came_at)
    print(f"  {len(faults.came_at)} calls, {faults.refused} refused, at most {most} in a second")
    memory = watched.memory_mib
    print(f"  dispatcher: {max(memory):.0f} MiB at most, {memory[len(memory) // 2]:.0f} half-way")
    total_s = watched.cpu_s + fake_s + workers_s
    print(
        f"  processor: dispatcher {watched.cpu_s:.1f} s, cluster {fake_s:.1f} s, workers "
        f"{workers_s:.1f} s; together {total_s / wall_s:.2f} of a core; load of the machine "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        flush=True,
    )


def _watch(pid: int, watched: Watched) -> None:
    """Note five times a second the memory and the processor time of a process, until it ends."""
    while True:
        try:
            text = Path(f"/proc/{pid}/statm").read_text("ascii")
            cpu_s = _cpu_s(pid)
        except (OSError, IndexError):
            return
        pages = int(text.split()[1])
        if not pages:
            return
        watched.memory_mib.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
        watched.cpu_s = cpu_s
        time.sleep(0.2)


def _cpu_s(pid: int) -> float:
    """Processor time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _most_in_a_second(times: Sequence[float]) -> int:
    """The most calls that came within any second."""
    most = first = 0
    for last, time_s in enumerate(times):
        while time_s - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


if __name__ == "__main__":
    main()
