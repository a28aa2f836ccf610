"""The analysis of a notebook of many cells: `python -m benchmarks.analysis [--cells N ...]`.

Prints CPU milliseconds of the analysis alone and of the server's whole answer, with problems,
drift and freshness against the exported project: the first time in a process, once more with
nothing changed, and after an edit of one cell. The least of several times, since machines are busy.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import analyze_notebook, parsed
from jupyter_blocks.binding.recent import Recent
from jupyter_blocks.export import export_notebook
from jupyter_blocks.notebook import parse_notebook
from jupyter_blocks.server.analysis import Analyzer
from jupyter_blocks.server.places import Places

ROUNDS = 9
Cell = tuple[str, str]
"""Tag (`markdown` for a cell of text) and source."""

SETUP: tuple[Cell, ...] = (
    ("markdown", "# Steps\n\nOne table after the other."),
    (
        "imports",
        """import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from pathlib import Path

np.random.seed(0)
pd.set_option('display.max_rows', 5)""",
    ),
    ("parameters", "limit = 10\nfolder = 'data'"),
    ("functions", "def clean(table):\n    found = table.dropna()\n    return found.round(2)"),
    ("loader:load", "table_0 = pd.read_csv('rows.csv')\ntable_0 = table_0[table_0['b'] > limit]"),
)
CHAIN: tuple[Cell, ...] = (
    (
        "transformer",
        """table_{next} = clean(table_{n})
table_{next}["a"] = table_{next}["b"] * {n}
means = table_{next}.groupby("a").agg({{"b": "mean"}}).reset_index()
for power in range(3):
    means = means.assign(x=lambda rows: rows["b"] + power)
means.to_csv("means_{n}.csv")""",
    ),
)
"""Nothing but blocks, each with the table of the one above."""
MIXED: tuple[Cell, ...] = (
    (
        "transformer",
        """# what was measured in step {n}
table_{next} = clean(table_{n})
table_{next}["a"] = table_{next}["b"] * {n}
means_{n} = table_{next}.groupby("a").agg({{"b": "mean"}}).reset_index()
for power in range(3):
    means_{n} = means_{n}.assign(x=lambda rows: rows["b"] + power)""",
    ),
    (
        "transformer",
        """kinds_{n} = {{}}
for name, group in table_{next}.groupby("a"):
    if len(group) < limit:
        continue
    try:
        kinds_{n}[name] = float(group["b"].quantile(0.9))
    except ValueError as error:
        print(f"{{name}}: {{error}}")
best_{n} = max(kinds_{n}, key=kinds_{n}.get) if kinds_{n} else None""",
    ),
    (
        "exporter",
        """fig, axes = plt.subplots(1, 2, figsize=(10, 4))
axes[0].hist(table_{next}["a"], bins=30)
axes[0].set_title(f"Step {n}, best {{best_{n}}}")
means_{n}.plot.bar(x="a", y="b", ax=axes[1])
for axis in axes:
    axis.grid(True)
plt.tight_layout()
plt.show()""",
    ),
    (
        "functions",
        """def weigh_{n}(rows, by=2, *, keep=True):
    total = 0
    weights = []
    for row in rows:
        if row is None and not keep:
            continue
        weights.append(row * by)
        total += weights[-1]
    return [weight / (total or 1) for weight in weights]""",
    ),
    ("", "table_{next}.head()"),
    (
        "transformer",
        """x = np.asarray(means_{n}["b"])
y = np.array(weigh_{n}(list(kinds_{n}.values())))
slopes_{n} = np.linalg.lstsq(x.reshape(-1, 1), x * 2, rcond=None)[0]
shares_{n} = pd.Series(y, name="share").describe()""",
    ),
    ("markdown", "## Written"),
    ("exporter", 'means_{n}.to_csv("means_{n}.csv", index=False)\nprint(slopes_{n}, shares_{n})'),
)

"""Text, functions, looks at a table, plots, and blocks with loops and conditions."""
SHAPES = {"chain": CHAIN, "mixed": MIXED}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=[50, 200, 500])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--profile", choices=("edit", "first"), help="show where the time goes")
    args = parser.parse_args()
    print(
        f"{'cells':>5} {'shape':<6} {'of what':<9} {'first':>7} {'again':>7} {'edited':>7}  ms CPU"
    )
    for cells, shape in product(args.cells, args.shapes):
        with tempfile.TemporaryDirectory() as folder:
            path = (Path(folder) / "steps.ipynb").resolve()
            edits = _Edits(SHAPES[shape], cells)
            path.write_bytes(edits.document())
            export_notebook(path)
            if args.profile:
                _profile(path, edits, args.profile)
                continue
            for what, times in (
                ("analysis", _analyses(path, edits)),
                ("answer", _answers(path, edits)),
            ):
                print(
                    f"{cells:5} {shape:<6} {what:<9} {' '.join(f'{took:7.1f}' for took in times)}"
                )


@dataclass
class _Edits:
    """A notebook of so many cells, and that notebook with another edit each time."""

    shape: tuple[Cell, ...]
    cells: int
    count: int = 0

    def document(self, edit: str = "") -> bytes:
        """Its bytes; `edit` is a line more in a cell in the middle."""
        cells = [*SETUP]
        for number in range(self.cells - len(SETUP)):
            step, place = divmod(number, len(self.shape))
            tag, source = self.shape[place]
            cells.append((tag, source.format(n=step, next=step + 1)))
        middle = next(
            at for at in range(self.cells // 2, self.cells) if cells[at][0] == "transformer"
        )
        cells[middle] = (cells[middle][0], f"{cells[middle][1]}\n{edit}")
        found: dict[str, Any] = {
            "cells": [_cell(number, tag, source) for number, (tag, source) in enumerate(cells)],
            "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return json.dumps(found).encode()

    def edited(self) -> bytes:
        """Its bytes after one more edit."""
        self.count += 1
        return self.document(f"checked_{self.count} = 1")


def _cell(number: int, tag: str, source: str) -> dict[str, Any]:
    kind = "markdown" if tag == "markdown" else "code"
    tags = [tag] if tag and kind == "code" else []
    cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {"tags": tags}, "source": source}
    return cell if kind == "markdown" else {**cell, "outputs": [], "execution_count": None}


def _analyses(path: Path, edits: _Edits) -> tuple[float, float, float]:
    """The analysis alone: the first time, once more, after an edit."""

    def took(data: bytes, forgets: bool = False) -> float:
        notebook = parse_notebook(data, path)
        return _took(lambda: analyze_notebook(notebook), forgets)

    first = min(took(edits.document(), forgets=True) for _ in range(ROUNDS))
    again = min(took(edits.document()) for _ in range(ROUNDS))
    return first, again, min(took(edits.edited()) for _ in range(ROUNDS))


def _answers(path: Path, edits: _Edits) -> tuple[float, float, float]:
    """The same of all that a server answers, from the bytes that come in to those that go out."""

    def took(analyzer: Analyzer, data: bytes, forgets: bool = False) -> float:
        return _took(lambda: analyzer.analyze(path, data), forgets)

    first = min(took(_analyzer(path), edits.document(), forgets=True) for _ in range(ROUNDS))
    analyzer = _analyzer(path)
    took(analyzer, edits.document())
    again = min(took(analyzer, edits.document()) for _ in range(ROUNDS))
    return first, again, min(took(analyzer, edits.edited()) for _ in range(ROUNDS))


def _profile(path: Path, edits: _Edits, what: str) -> None:
    analyzer, profile = _analyzer(path), cProfile.Profile()
    _forget()
    analyzer.analyze(path, edits.document())
    for _ in range(ROUNDS):
        if what == "first":
            _forget()
        profile.runcall(analyzer.analyze, path, edits.edited())
    profile.print_stats("cumulative")


def _analyzer(path: Path) -> Analyzer:
    return Analyzer(Places(path.parent))


def _forget() -> None:
    """As in a new process."""
    parsed._KEPT = Recent(parsed.MOST_CHARACTERS)


def _took(work: Callable[[], object], forgets: bool) -> float:
    if forgets:
        _forget()
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
