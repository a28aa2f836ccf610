"""Measure and print the table: `python -m benchmarks [--quick] [--long]`."""

from __future__ import annotations

import argparse
import platform
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks import projects
from benchmarks.measure import Figure, blocks, compare, python

PANDAS = python("-c", "import pandas")


def cold_start(folder: Path, rounds: int) -> Iterator[str]:
    """A run of three blocks without tables, against `import pandas`."""
    projects.chain(folder / "three", 3)
    figures = compare(
        {
            "python -c pass": python("-c", "pass"),
            "import pandas": PANDAS,
            "jupyter-blocks --help": blocks("--help"),
            "run, 3 no-op blocks": blocks("run", "three", "noop"),
        },
        folder,
        rounds,
    )
    yield from rows(figures, "import pandas", "0.5x wall of `import pandas`")


def small_tables(folder: Path, rounds: int) -> Iterator[str]:
    """A run of three blocks with small tables, against `import pandas`."""
    projects.tables(folder / "small", 1000)
    figures = compare(
        {"import pandas ": PANDAS, "run, 3 small tables": blocks("run", "small", "tables")},
        folder,
        rounds,
    )
    yield from rows(figures, "import pandas ", "1.3x wall of `import pandas`")


def no_ops(folder: Path, rounds: int, lengths: tuple[int, ...]) -> Iterator[str]:
    """Chains and a fan of no-op blocks: the cost of each block beyond the first run's."""
    projects.chain(folder / "one", 1)
    commands = {"run, 1 block": blocks("run", "one", "noop")}
    for length in lengths:
        projects.chain(folder / f"chain{length}", length)
        commands[f"run, chain of {length}"] = blocks("run", f"chain{length}", "noop")
    if max(lengths) < 10_000:
        projects.fan(folder / "fan200", 200)
        commands["run, fan-out of 200"] = blocks("run", "fan200", "noop")
    figures = compare(commands, folder, rounds)
    base = figures["run, 1 block"]
    for name, figure in figures.items():
        count = int(name.rsplit(" ", 1)[-1]) if name != "run, 1 block" else 0
        each = f"{(figure.wall_s - base.wall_s) / count * 1000:.2f} ms per block" if count else ""
        yield row(name, figure, each, "1 ms per block" if count else "")


def large_values(folder: Path, rounds: int, work: str, share: int) -> Iterator[str]:
    """Three blocks on large values against a plain script that stores nothing."""
    count = projects.WORKS[work].rows // share
    projects.tables(folder / work, count, work)
    plain = f"plain script, {work}"
    figures = compare(
        {
            plain: python(f"{work}/plain.py"),
            f"run, 3 blocks, {work}, {count:,}": blocks("run", work, "tables"),
        },
        folder,
        rounds,
    )
    goal = "1.2x wall, 1.4x CPU, 1.3x memory" if work == "mixed" else ""
    yield from rows(figures, plain, goal)


def rows(figures: dict[str, Figure], base: str, goal: str) -> Iterator[str]:
    """Rows of one table, with ratios to one of them."""
    reference = figures[base]
    for name, figure in figures.items():
        ratios = ""
        if name != base:
            ratios = (
                f"{figure.wall_s / reference.wall_s:.2f}x wall, "
                f"{figure.cpu_s / reference.cpu_s:.2f}x CPU, "
                f"{figure.peak_mib / reference.peak_mib:.2f}x memory"
            )
        yield row(name, figure, ratios, goal if name.startswith("run") else "")


def row(name: str, figure: Figure, ratios: str, goal: str) -> str:
    """One row of the Markdown table."""
    return (
        f"| {name.strip()} | {figure.wall_s * 1000:.0f} | {figure.cpu_s * 1000:.0f} | "
        f"{figure.peak_mib:.0f} | {ratios} | {goal} |"
    )


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("--long", action="store_true", help="a chain of 10,000 blocks, too")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    rounds = 2 if options.quick else 5
    versions = f"pandas {version('pandas')}, pyarrow {version('pyarrow')}"
    lines = [
        f"Python {platform.python_version()}, {versions}; minimum of {rounds} alternated runs.",
        "",
        "| what | wall ms | CPU ms | peak MiB | ratio | goal |",
        "| --- | ---: | ---: | ---: | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tables = (
            cold_start(folder, rounds),
            small_tables(folder, rounds),
            no_ops(folder, rounds, (10, 100) if options.quick else (10, 100, 1000)),
            *(
                large_values(folder, rounds, work, 10 if options.quick else 1)
                for work in projects.WORKS
            ),
            *([no_ops(folder, 1, (10_000,))] if options.long else []),
        )
        for table in tables:
            for line in table:
                print(line, flush=True)
                lines.append(line)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
