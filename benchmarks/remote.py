"""A wide fan-out on a slow platform: `python -m benchmarks.remote [--blocks N] [--rate R]`.

A fake Kubernetes cluster on loopback answers each call after 200 ms and refuses more than so many
a second, and its machines start workers at once. Prints how close the run comes to what the limit
allows, how many calls were refused, the largest burst, and the memory of the dispatcher.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from benchmarks import projects
from benchmarks.warmhost import WarmHost
from jupyter_blocks.testing.fake_kubernetes import FakeKubernetes

CALLS_PER_BLOCK = 2
"""One that creates a job, one that deletes it; all else is shared."""
IMAGE = "registry.test/blocks:1"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50.0, help="calls a second that are allowed")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds each call takes")
    parser.add_argument("--most-seconds", type=float, default=600.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        host: Any = WarmHost({"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())})
        host.images[IMAGE] = None
        cluster = FakeKubernetes(
            host,
            folder=folder / "cluster",
            latency_s=args.latency,
            page_size=500,
        )
        cluster.faults.most_calls_per_s = args.rate
        try:
            _measure(folder, cluster, args)
        finally:
            cluster.close()


def _measure(folder: Path, cluster: FakeKubernetes, args: argparse.Namespace) -> None:
    project = folder / "fan"
    projects.fan(project, args.blocks)
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
    memory: list[float] = []
    calls = [0]
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_blocks", "run", str(project), "--executor", "k8s"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watching = (process.pid, cluster, memory, calls)
    watcher = threading.Thread(target=_watch, args=watching, daemon=True)
    watcher.start()
    _, errors = process.communicate(timeout=args.most_seconds)
    wall_s = time.monotonic() - started
    if process.returncode != 0:
        raise SystemExit(errors[-2000:])
    bursts = [later - earlier for earlier, later in pairwise(calls)]
    ideal_s = args.blocks * CALLS_PER_BLOCK / args.rate
    quarter = max(1, len(memory) // 4)
    print(f"{args.blocks} blocks, {args.latency * 1000:g} ms a call, {args.rate:g} calls a second")
    print(f"wall {wall_s:.1f} s, {ideal_s / wall_s:.2f} of what the limit allows ({ideal_s:.1f} s)")
    refused = cluster.faults.refused
    print(f"{len(cluster.calls)} calls, {refused} refused, at most {max(bursts)} in a second")
    early, late = max(memory[:quarter]), max(memory[-quarter:])
    print(f"dispatcher {early:.0f} MiB in the first quarter, {late:.0f} MiB in the last")


def _watch(pid: int, cluster: FakeKubernetes, memory: list[float], calls: list[int]) -> None:
    """Note every second the memory of a process and the calls so far, until it ends."""
    while True:
        calls.append(len(cluster.calls))
        try:
            text = Path(f"/proc/{pid}/statm").read_text("ascii")
        except OSError:
            return
        memory.append(int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20)
        time.sleep(1.0)


if __name__ == "__main__":
    main()
