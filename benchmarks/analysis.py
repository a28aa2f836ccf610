"""The analysis of a notebook of many cells: `python -m benchmarks.analysis [--cells N]`.

Prints CPU milliseconds: of the first analysis in a process, of the same notebook once more, and
after an edit of one cell; and of the server's whole answer after an edit, with drift and freshness
against the exported project. The least of several times, since machines are busy.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import analyze_notebook, parsed
from jupyter_blocks.binding.recent import Recent
from jupyter_blocks.export import export_notebook
from jupyter_blocks.notebook import Notebook, parse_notebook
from jupyter_blocks.server.analysis import Analyzer
from jupyter_blocks.server.places import Places

ROUNDS = 7
SETUP = (
    ("imports", "import numpy as np\nimport pandas as pd\n\nnp.random.seed(0)"),
    ("functions", "def clean(table):\n    found = table.dropna()\n    return found.round(2)"),
    ("loader:load", "table_0 = pd.read_csv('rows.csv')\npd.set_option('display.max_rows', 5)"),
)
STEP = """table_{above} = clean(table_{number})
table_{above}["a"] = table_{above}["b"] * {number}
means = table_{above}.groupby("a").agg({{"b": "mean"}}).reset_index()
for power in range(3):
    means = means.assign(x=lambda rows: rows["b"] + power)
means.to_csv("means_{number}.csv")"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=200)
    cells = parser.parse_args().cells
    first = [_first(_notebook(cells)) for _ in range(ROUNDS)]
    again = [_took(_notebook(cells)) for _ in range(ROUNDS)]
    edited = [_took(_notebook(cells, f"checked_{count} = 1")) for count in range(ROUNDS)]
    with tempfile.TemporaryDirectory() as folder:
        answered = _answers(Path(folder), cells)
    for what, times in (
        ("first", first),
        ("again", again),
        ("one cell edited", edited),
        ("answer of the server", answered),
    ):
        print(f"{what}: {min(times):.0f} ms CPU for {cells} cells")


def _answers(folder: Path, cells: int) -> list[float]:
    """What the server takes for an edit of a notebook whose files are there."""
    path = folder / "steps.ipynb"
    path.write_bytes(_document(cells))
    export_notebook(path)
    analyzer, times = Analyzer(Places(folder.resolve())), []
    for count in range(ROUNDS + 1):
        data = _document(cells, f"answered_{count} = 1")
        began = time.process_time()
        analyzer.analyze(path.resolve(), data)
        times.append((time.process_time() - began) * 1000)
    return times[1:]


def _first(notebook: Notebook) -> float:
    parsed._KEPT = Recent(parsed.MOST_CHARACTERS)
    return _took(notebook)


def _took(notebook: Notebook) -> float:
    began = time.process_time()
    pipeline = analyze_notebook(notebook)
    took = (time.process_time() - began) * 1000
    assert pipeline.is_valid
    return took


def _notebook(cells: int, edit: str = "") -> Notebook:
    return parse_notebook(_document(cells, edit), Path("steps.ipynb"))


def _document(cells: int, edit: str = "") -> bytes:
    steps = [
        ("transformer", STEP.format(number=number, above=number + 1))
        for number in range(cells - len(SETUP))
    ]
    middle = len(steps) // 2
    steps[middle] = (steps[middle][0], f"{steps[middle][1]}\n{edit}")
    document: dict[str, Any] = {
        "cells": [
            {"cell_type": "code", "metadata": {"tags": [tag]}, "source": source, "outputs": []}
            for tag, source in (*SETUP, *steps)
        ],
        "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    return json.dumps(document).encode()


if __name__ == "__main__":
    main()
