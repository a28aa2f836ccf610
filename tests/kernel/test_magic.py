"""`%blocks` in a real kernel, and what it shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.kernel.magic import RUN_OPTIONS
from tests.commandline import shell
from tests.kernel.kernels import Kernel, kernel
from tests.kernel.test_cells import FLIGHTS, stale, store_of
from tests.notebooks import notebook

PAGE = Path(__file__).parent.parent.parent / "docs" / "executors.md"


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """A notebook of three blocks."""
    return notebook(tmp_path, *FLIGHTS, name="flights.ipynb")


def completions(running: Kernel, line: str) -> list[str]:
    """What Tab offers at the end of a line."""
    running.client.complete(line, len(line))
    while True:
        reply = running.client.get_shell_msg(timeout=30)
        if reply["msg_type"] == "complete_reply":
            return [str(match).split()[-1] for match in reply["content"]["matches"]]


def test_status_run_load_and_show(flights: Path) -> None:
    """One session with the magic, from nothing stored to a value in the namespace."""
    with kernel(flights) as running:
        assert "never run" in running.run("%blocks").text
        ran = running.run("%blocks run")
        assert "flights succeeded" in ran.text
        assert "load_flights" in ran.displays[-1]["text/html"]
        status = running.run("%blocks status")
        assert status.text.count("fresh") == 3
        assert "Loaded net from block 'add_net'" in running.run("%blocks load net").stdout
        assert running.ask("len(net)") == "3"
        shown = running.run("%blocks show net")
        assert "3 rows" in shown.text
        assert "<td>delay</td>" in shown.displays[0]["text/html"]
        assert "0 of 0" in running.run("%blocks run --changed").text or stale(flights) == {}


def test_cells_after_a_loaded_value_are_fresh(flights: Path) -> None:
    """A value from the store is what the block stored."""
    with kernel(flights) as running:
        running.run("%blocks run --to load_flights")
        running.run("%blocks load flights")
        running.cell(4)
    assert list(stale(flights)) == ["total"]


def test_run_from_here_and_with_parameters(flights: Path) -> None:
    """Runs the blocks asked for."""
    with kernel(flights) as running:
        running.run("%blocks run --param factor=3")
        running.cell(4)
        assert "add_net" in running.run("%blocks run --from here").text
        assert "no pipeline parameter" not in running.run("%blocks run --changed").stderr


def test_a_failed_block_is_told(tmp_path: Path) -> None:
    """The error with its place; the cell itself is not an error."""
    path = notebook(tmp_path, ("loader:bad", "x = 1 / 0"))
    with kernel(path) as running:
        ran = running.run("%blocks run")
    assert ran.status == "ok"
    assert "ZeroDivisionError" in ran.text
    assert "demo failed" in ran.text


def test_interrupting_stops_a_run(tmp_path: Path) -> None:
    """Ctrl-C ends a run and gives the kernel back."""
    path = notebook(tmp_path, ("loader:slow", "import time\ntime.sleep(60)\nx = 1"))
    with kernel(path) as running:
        message = running.client.execute("%blocks run")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = running.client.get_iopub_msg(timeout=30)
            text = str(found["content"].get("data", {}).get("text/plain", ""))
            if "slow" in text and "running" in text.lower():
                break
        running.manager.interrupt_kernel()
        answer = running._answer(message)
        assert "Stopping" in answer.stdout
        assert "was stopped" in answer.text
        assert running.ask("1 + 1") == "2"


def test_export_and_check(flights: Path) -> None:
    """Commands in processes of their own, with their output in the cell."""
    with kernel(flights) as running:
        running.run("%blocks export")
        assert (flights.parent / "transformers" / "add_net.py").is_file()
        assert "flights" in running.run("%blocks check").text


def test_what_runs_is_the_saved_notebook(flights: Path) -> None:
    """A cell of no block may be new; a block that is not saved yet is said to be missing."""
    with kernel(flights) as running:
        running.cell(3)
        running.run("look = 1", cellId="new", deletedCells=[])
        assert "saved" not in running.run("%blocks run --to load_flights").text
        running.run("two = 2", cellId="newer", deletedCells=[], tags=["loader:two"])
        assert "Blocks have changed since" in running.run("%blocks run --to load_flights").text


def test_figures_are_shown_as_pictures(tmp_path: Path) -> None:
    """As they were drawn when they were stored."""
    path = notebook(
        tmp_path,
        ("", "from matplotlib.figure import Figure"),
        ("loader:plot", "plot = Figure(figsize=(2, 2))\nplot.subplots().plot([1, 2])"),
        ("exporter:out", "print(plot)"),
    )
    with kernel(path) as running:
        running.cell(1)
        running.cell(2)
        shown = running.run("%blocks show plot")
    assert "data:image/png;base64,iVBOR" in shown.displays[0]["text/html"]
    assert "output of plot" in shown.text


def test_graph_and_names_are_escaped(tmp_path: Path) -> None:
    """The DAG is a picture with a text; data cannot become HTML."""
    path = notebook(
        tmp_path,
        ("loader:table", "import pandas as pd\ntable = pd.DataFrame({'<b>x</b>': ['<script>']})"),
        ("exporter:out", "print(table)"),
    )
    with kernel(path) as running:
        graph = running.run("%blocks graph")
        assert "data:image/svg+xml;base64," in graph.displays[0]["text/html"]
        assert "table" in graph.displays[0]["text/plain"]
        running.cell(1)
        html = running.run("%blocks show table").displays[0]["text/html"]
    assert "<script>" not in html
    assert "<b>x</b>" not in html
    assert "&lt;script&gt;" in html


@pytest.fixture
def one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor of somebody else, installed for the kernels of a test: that of the docs."""
    place = tmp_path / "packages"
    about = place / "one_process-1.0.dist-info"
    about.mkdir(parents=True)
    page = PAGE.read_text("utf-8")
    (place / "one_process.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: one-process\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[jupyter_blocks.executors]\none_process = one_process:OneProcessExecutor\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(place))


@pytest.mark.usefixtures("one_process")
def test_run_on_an_executor_of_somebody_else(flights: Path) -> None:
    """Found by its entry point, offered, drawn while it runs, and named in the result."""
    with kernel(flights) as running:
        assert completions(running, "%blocks run --executor o") == ["one_process"]
        answer = running.run("%blocks run --executor one_process")
        assert answer.status == "ok"
        assert "3 ok" in answer.displays[-1]["text/plain"]
        assert len(answer.displays) > 1
        answer = running.run("%blocks run --executor one_proces")
        assert "local_python, one_process" in answer.text
    store = store_of(flights)
    assert store.load(store.blocks("flights")["add_net"], "net")["net"].sum() == 12
    status = shell("status", "last", "--json", cwd=flights.parent).document
    assert {each["executor"] for each in status["blocks"].values()} == {"one_process"}


def test_completion(flights: Path) -> None:
    """Words, options, blocks, outputs and executors, and nothing that only Python knows."""
    with kernel(flights) as running:
        assert completions(running, "%blocks st") == ["status"]
        assert completions(running, "%blocks run --") == list(RUN_OPTIONS)
        assert completions(running, "x = 1\n%blocks run --changed --f") == ["--from"]
        assert completions(running, "%blocks load ") == [
            "add_net", "flights", "load_flights", "net", "total",
        ]  # fmt: skip
        assert completions(running, "%blocks run --executor local_p") == ["local_python"]
        assert completions(running, "%blocks run --from he") == ["here"]
        assert "print" in completions(running, "pri")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("statsu", "Did you mean 'status'?"),
        ("load nothing", "There is no block and no output 'nothing'"),
        ("show add_net", "has no stored outputs"),
        ("run --what", "%blocks help"),
        ("run --from here", "No block has run in this kernel yet."),
        ("help", "%blocks run"),
    ],
)
def test_mistakes_are_told_in_a_line(line: str, said: str, lone: Kernel) -> None:
    """No traceback of ours."""
    answer = lone.run(f"%blocks {line}")
    assert answer.status == "ok"
    assert said in answer.text
    assert "Traceback" not in answer.text


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel whose notebook nobody has run."""
    path = notebook(tmp_path_factory.mktemp("lone"), *FLIGHTS, name="flights.ipynb")
    with kernel(path) as running:
        yield running


def test_a_kernel_without_a_notebook_says_so(tmp_path: Path) -> None:
    """And how to name one."""
    with kernel(tmp_path / "none.ipynb", session=False) as running:
        assert "%blocks use FILE" in running.run("%blocks").stderr
        path = notebook(tmp_path, *FLIGHTS, name="a.ipynb")
        notebook(tmp_path, *FLIGHTS, name="b.ipynb")
        running.run(f"%blocks use {path.name}")
        assert "never run" in running.run("%blocks").text
