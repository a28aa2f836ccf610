"""Many clients that follow one large run: `python -m benchmarks.server [--clients N] [--blocks N]`.

Starts a Jupyter server on loopback and a run of a chain of no-op blocks; each client polls the
state of the run by what changed since its last look. Prints how long reads took, and whether what
each client put together is the state of the run; on Linux also the processor time of the server
for each read, which says something on a busy machine, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tornado.httpclient import AsyncHTTPClient

from benchmarks import projects

TOKEN = os.urandom(16).hex()
HEADERS = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
POLL_S = 1.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--blocks", type=int, default=1000)
    parser.add_argument("--most-seconds", type=float, default=120.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        projects.chain(Path(folder) / "chain", args.blocks)
        port = _free_port()
        server = _start(Path(folder), port)
        try:
            asyncio.run(_measure(f"http://127.0.0.1:{port}/blocks", server.pid, args))
        finally:
            server.terminate()
            server.wait(20)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    options = (
        f"--ServerApp.port={port}",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.open_browser=False",
        f"--ServerApp.root_dir={folder}",
        f"--IdentityProvider.token={TOKEN}",
        "--ServerApp.jpserver_extensions={'jupyter_blocks': True}",
        "--ServerApp.allow_root=True",
        "--ServerApp.log_level=ERROR",
    )
    server = subprocess.Popen([sys.executable, "-m", "jupyter_server", *options])
    for _ in range(300):
        try:
            request = Request(f"http://127.0.0.1:{port}/blocks/projects", headers=HEADERS)
            with urlopen(request, timeout=5):
                return server
        except OSError:
            time.sleep(0.1)
    server.kill()
    raise SystemExit("The server did not start.")


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _measure(url: str, pid: int, args: argparse.Namespace) -> None:
    AsyncHTTPClient.configure(None, max_clients=args.clients + 4)
    client = AsyncHTTPClient()
    body = json.dumps({"project": "chain", "pipeline": "noop"})
    answer = await client.fetch(
        f"{url}/runs", method="POST", body=body, headers=HEADERS, request_timeout=120
    )
    run = f"{url}/runs/{json.loads(answer.body)['run_id']}?project=chain"
    began, cpu_s = time.monotonic(), _cpu_s(pid)
    followed = await asyncio.gather(
        *(_follow(client, run, number / args.clients, args) for number in range(args.clients))
    )
    cpu_s = _cpu_s(pid) - cpu_s
    final = json.loads((await client.fetch(run, headers=HEADERS)).body)
    times = sorted(took for took_all, _ in followed for took in took_all)
    lost = sum(_put_together(bodies) != final["blocks"] for _, bodies in followed)
    print(f"run: {final['status']}, {len(final['blocks'])} blocks")
    print(f"reads: {len(times)} by {args.clients} clients in {time.monotonic() - began:.1f} s")
    print(f"server: {cpu_s * 1000 / len(times):.1f} ms of processor time for each read")
    print(f"load of the machine: {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    for share in (0.5, 0.95, 0.99):
        print(f"p{share * 100:.0f}: {times[int(len(times) * share)] * 1000:.1f} ms")
    print(f"longest: {times[-1] * 1000:.1f} ms; clients with a lost state: {lost}")


async def _follow(
    client: AsyncHTTPClient, run: str, delay: float, args: argparse.Namespace
) -> tuple[list[float], list[bytes]]:
    """Times of the reads of one client, and what they gave."""
    await asyncio.sleep(delay * POLL_S)
    times: list[float] = []
    bodies: list[bytes] = []  # read at the end, so that no client waits for another's reading
    seq, end = -1, time.monotonic() + args.most_seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        answer = await client.fetch(f"{run}&since={seq}", headers=HEADERS)
        times.append(time.perf_counter() - start)
        bodies.append(answer.body)
        head = answer.body.partition(b',"blocks":')[0] + b"}"
        state = json.loads(head)
        seq = state["seq"]
        if state["status"] != "RUNNING":
            break
        await asyncio.sleep(POLL_S)
    return times, bodies


def _put_together(bodies: list[bytes]) -> dict[str, Any]:
    """The blocks as a client knows them after its last look."""
    blocks: dict[str, Any] = {}
    for state in map(json.loads, bodies):
        blocks = {**blocks, **state["blocks"]} if state["partial"] else state["blocks"]
    return blocks


if __name__ == "__main__":
    main()
