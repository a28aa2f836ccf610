"""Measure other tools beside ours: `python -m benchmarks.peers [--quick] [--only NAME ...]`.

Each tool gets an environment of its own in `.venv-peers`, made on first use, with the pandas and
pyarrow of the environment that measures. What the tools do is in `with_*.py` beside this file: each
stores what its steps make in the way that is usual for it, where it stores anything.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks import projects
from benchmarks.measure import Figure, blocks, compare

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent.parent / ".venv-peers"


@dataclass(frozen=True)
class Peer:
    """A tool: what to install, and what it stores."""

    name: str
    script: str
    packages: tuple[str, ...]
    stores: str


PEERS = (
    Peer("plain script", "with_plain.py", (), "nothing"),
    Peer("plain script and files", "with_files.py", (), "pickle, Arrow"),
    Peer("Hamilton", "with_hamilton.py", ("sf-hamilton",), "pickle, in its cache"),
    Peer("Luigi", "with_luigi.py", ("luigi",), "pickle, Parquet"),
    Peer("Dask", "with_dask.py", ("dask",), "nothing"),
    Peer("Kedro", "with_kedro.py", ("kedro", "kedro-datasets"), "pickle, Parquet"),
    Peer("Ploomber", "with_ploomber.py", ("ploomber",), "pickle, Parquet"),
    Peer("Dagster", "with_dagster.py", ("dagster",), "pickle"),
    # Its version 3.8 does not start with newer ones of fastapi.
    Peer("Prefect", "with_prefect.py", ("prefect", "fastapi==0.139.*"), "pickle"),
)
OURS = "Jupyter Blocks"


def environment(peer: Peer) -> Path:
    """The Python of the environment of a tool, which is made if it is not there."""
    folder = ENVIRONMENTS / (peer.packages[0] if peer.packages else "plain")
    python = folder / "bin" / "python"
    made = folder / "made"
    if not made.exists():
        print(f"Installing {peer.name} ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        same = [f"{name}=={version(name)}" for name in ("pandas", "pyarrow")]
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *same, *peer.packages], check=True)
        made.write_text("")
    return python


def mebibytes(folder: Path) -> float:
    """Size of the packages of an environment, without the compiled copies of its modules."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc") / 2**20


def commands(
    peers: Sequence[Peer], kind: str, size: int, folder: Path
) -> tuple[dict[str, Sequence[str]], dict[str, Path]]:
    """The command of each tool for one kind of work, and where it stores what it makes."""
    found: dict[str, Sequence[str]] = {}
    stores: dict[str, Path] = {}
    for peer in peers:
        target = folder / f"{peer.script}-{kind}-{size}"
        script = str(HERE / peer.script)
        found[peer.name] = [str(environment(peer)), script, kind, str(size), str(target)]
        stores[peer.name] = target
    name = f"ours-{kind}-{size}"
    make = {"chain": projects.chain, "fan": projects.fan, "tables": projects.tables}[kind]
    make(folder / name, size)
    found[OURS] = blocks("run", name, "tables" if kind == "tables" else "noop")
    stores[OURS] = folder / name / ".variables"
    return found, stores


def measured(
    peers: Sequence[Peer], kind: str, size: int, folder: Path, rounds: int
) -> dict[str, Figure]:
    """Each tool on the same work, in turn, from nothing stored each time."""
    found, stores = commands(peers, kind, size, folder)

    def fresh(name: str) -> None:
        shutil.rmtree(stores[name], ignore_errors=True)

    return compare(found, folder, rounds, prepare=fresh)


def table(figures: Mapping[str, Mapping[str, Figure]], count: int) -> list[str]:
    """The table of all tools, as Markdown."""
    plain = {kind: each["plain script"] for kind, each in figures.items()}
    stores = {peer.name: peer.stores for peer in PEERS} | {OURS: "JSON, Arrow; journal, statistics"}
    base = mebibytes(ENVIRONMENTS / "plain")
    columns = ["tool", "stores", "3 steps, s", "chain, each", "fan-out, each"]
    columns += ["tables, wall", "CPU", "memory", "MiB installed"]
    lines = [f"| {' | '.join(columns)} |", f"| --- | --- |{' ---: |' * (len(columns) - 2)}"]
    for name in figures["cold"]:
        cold, big = figures["cold"][name], figures["tables"][name]
        each = [_each(figures[kind][name], cold, count) for kind in ("chain", "fan")]
        ratios = [
            f"{ours / theirs:.2f}x"
            for ours, theirs in (
                (big.wall_s, plain["tables"].wall_s),
                (big.cpu_s, plain["tables"].cpu_s),
                (big.peak_mib, plain["tables"].peak_mib),
            )
        ]
        peer = next((peer for peer in PEERS if peer.name == name), None)
        size = ""
        if peer is not None and peer.packages:
            size = f"{mebibytes(ENVIRONMENTS / peer.packages[0]) - base:.0f}"
        cells = [name, stores[name], f"{cold.wall_s:.2f}", *each, *ratios, size]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _each(figure: Figure, cold: Figure, count: int) -> str:
    """What a step adds to the run of three, in ms: wall time, and processor time."""
    times = (figure.wall_s - cold.wall_s, figure.cpu_s - cold.cpu_s)
    return " / ".join(
        f"{time_s / (count - 3) * 1000:.1f}" if time_s > 0 else "?" for time_s in times
    )


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, one round")
    parser.add_argument("--rounds", type=int, help="alternated runs of each")
    parser.add_argument("--only", nargs="*", default=[], help="names of tools")
    parser.add_argument("--make", action="store_true", help="only make the environments")
    options = parser.parse_args()
    wanted = {name.lower() for name in options.only}
    peers = [p for p in PEERS if not wanted or p.name.lower() in wanted or not p.packages]
    for peer in peers:
        environment(peer)
    if options.make:
        return
    count, rows = (20, 200_000) if options.quick else (100, 5_000_000)
    rounds = options.rounds or (1 if options.quick else 3)
    works = {"cold": ("chain", 3), "chain": ("chain", count), "fan": ("fan", count)}
    works["tables"] = ("tables", rows)
    figures = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number, (kind, (work, size)) in enumerate(works.items()):
            folder = Path(temporary) / str(number)
            folder.mkdir()
            figures[kind] = measured(peers, work, size, folder, rounds)
            print(f"{kind}: done", file=sys.stderr, flush=True)
            shutil.rmtree(folder)
    load = os.getloadavg()[0]
    sizes = f"{count} steps; {rows:,} rows"
    print(f"Minimum of {rounds} alternated runs; {sizes}; load {load:.1f}. Each: ms wall / CPU.\n")
    print("\n".join(table(figures, count)))


if __name__ == "__main__":
    main()
