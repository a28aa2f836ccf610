"""What is kept from one analysis to the next changes no answer, whatever was edited in between."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_blocks.errors import BlocksError
from jupyter_blocks.export import export_notebook
from jupyter_blocks.server.analysis import Analyzer
from jupyter_blocks.server.places import Places
from tests.notebooks import Source, notebook_document

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="asks a process that forks")

START: tuple[Source, ...] = (
    ("imports", "import random\nimport numpy as np\nimport pandas as pd\nrandom.seed(1)"),
    ("parameters", "limit = 2\nfolder = 'data'"),
    ("functions", "def clean(rows):\n    rows.append(limit)\n    return sorted(rows)"),
    ("loader:load", "a = [1, 2]\nb = np.arange(4)"),
    ("transformer", "c = clean(a)\nd = b[1:]"),
    ("exporter:out", "pd.Series(c).to_csv(folder + '/c.csv')\nprint(b, d)"),
)
SOURCES = (
    "a = [random.random()]",
    "a.append(3)\nb = np.array(a)",
    "c = a",
    "c = clean(b)",
    "b += 1",
    "d = pd.read_csv(folder + '/c.csv')",
    "d.to_csv('d.csv')",
    "def clean(rows):\n    return rows[:]",
    "def clean(rows):\n    rows.clear()\n    return np.random.rand(3)",
    "def twice(v):\n    return clean(v) * len(c)",
    "e = twice(a)",
    "import pandas as np",
    "from random import seed\nseed(3)",
    "np.random.seed(limit)",
    "pd.set_option('display.max_rows', limit)",
    "pd.options.display.width = len(a)",
    "import matplotlib.pyplot as plt\nplt.plot(b)",
    "plt.show()",
    "limit = 5",
    "folder = 'other'",
    "del a",
    "if len(c) > 1:\n    a = [0]",
    "for item in a:\n    b = b + item",
    "from __future__ import annotations",
    "x: Missing = 1",
    "%matplotlib inline\nprint(a)",
    "%%bash\nls",
    "this is no Python",
    "#| block: exporter:said\nprint(d)",
    "assert len(c) > 1",
    "class Box:\n    held = []\nbox = Box()",
    "Box.held.append(a)",
    "from os.path import *",
    "",
)
TAGS = (
    *("", "", "loader", "loader:load", "transformer", "transformer", "transformer:mid"),
    *("exporter", "exporter:out", "sensor", "custom", "continue", "imports", "functions"),
    *("parameters", "skip", "test:load", "upstream:load transformer", "markdown", "lodaer"),
)
SETTINGS: tuple[dict[str, Any], ...] = ({}, {}, {}, {"retries": 2}, {"executor": "pyspark"})

sources = st.lists(st.sampled_from(SOURCES), min_size=1, max_size=2).map("\n".join)
cells = st.tuples(st.sampled_from(TAGS), sources, st.sampled_from(SETTINGS))
places = st.integers(0, 12)
edits = st.one_of(
    st.tuples(st.just("insert"), places, cells),
    st.tuples(st.just("delete"), places, st.none()),
    st.tuples(st.just("change"), places, sources),
    st.tuples(st.just("move"), places, places),
    st.tuples(st.just("tag"), places, st.sampled_from(TAGS)),
    st.tuples(st.just("export"), places, st.none()),
    st.tuples(st.just("by hand"), places, st.none()),
)


@pytest.fixture(scope="module")
def cold() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has the package loaded and forks for each answer: nothing is ever kept."""
    process = subprocess.Popen(
        [sys.executable, "-c", _FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    yield process
    process.communicate(timeout=60)
    assert process.returncode == 0


@given(st.lists(edits, min_size=1, max_size=7))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_answer_after_edits_is_that_of_a_new_server(
    cold: subprocess.Popen[bytes], edited: list[tuple[str, int, Any]]
) -> None:
    """DAG, reasons, problems, drift and freshness: the same bytes after every edit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "demo.ipynb"
        analyzer, state = Analyzer(Places(path.parent)), list(START)
        for edit in [("start", 0, None), *edited]:
            state = _edited(state, edit, path)
            data = json.dumps(notebook_document(*state)).encode()
            answer = analyzer.analyze(path, data)
            assert json.loads(answer) == json.loads(_asked(cold, path, data)), state
            assert answer == analyzer.analyze(path, data)


def _edited(state: list[Source], edit: tuple[str, int, Any], path: Path) -> list[Source]:
    """The cells after an edit; exports and edits of files are done to the files."""
    what, place, value = edit
    state, at = list(state), place % max(len(state), 1)
    if what == "insert":
        state.insert(place % (len(state) + 1), value)
    elif what == "export":
        _export(state, path)
    elif what == "by hand":
        _change_a_file(path.parent, place)
    elif what != "start" and state:
        tag, source, *rest = state.pop(at)
        if what == "move":
            state.insert(value % (len(state) + 1), (tag, source, *rest))
        elif what == "change":
            state.insert(at, (tag, value, *rest))
        elif what == "tag":
            state.insert(at, (value, source, *rest))
    return state


def _export(state: list[Source], path: Path) -> None:
    path.write_text(json.dumps(notebook_document(*state)))
    try:
        export_notebook(path, force=True)
    except BlocksError:
        return


def _change_a_file(folder: Path, number: int) -> None:
    """Change one file without changing its size, so that only its time tells."""
    files = sorted(file for file in folder.rglob("*.py") if "/.blocks/" not in str(file))
    if files:
        file = files[number % len(files)]
        text = file.read_text()
        file.write_text(f"{text[:-2]}{'#' if text[-2:-1] != '#' else ' '}\n")


def _asked(process: subprocess.Popen[bytes], path: Path, data: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    for part in (str(path).encode(), data):
        process.stdin.write(struct.pack("!I", len(part)) + part)
    process.stdin.flush()
    (size,) = struct.unpack("!I", process.stdout.read(4))
    return process.stdout.read(size)


_FORKING = """
import os, struct, sys
from pathlib import Path
from jupyter_blocks.server.analysis import Analyzer
from jupyter_blocks.server.places import Places

def part():
    size = sys.stdin.buffer.read(4)
    return sys.stdin.buffer.read(struct.unpack("!I", size)[0]) if size else None

while (path := part()) is not None:
    path, data = Path(path.decode()), part()
    child = os.fork()
    if child == 0:
        answer = Analyzer(Places(path.parent)).analyze(path, data)
        sys.stdout.buffer.write(struct.pack("!I", len(answer)) + answer)
        sys.stdout.buffer.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("The analysis failed.")
"""
