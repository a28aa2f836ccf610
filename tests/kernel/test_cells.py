"""What happens around the cells of a notebook, in real kernels."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jupyter_blocks.journal import CELL_RUN, Journal
from jupyter_blocks.opening import open_target
from jupyter_blocks.project import open_project
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore
from tests.commandline import shell
from tests.kernel.kernels import TIMEOUT_S, Kernel, kernel
from tests.notebooks import Source, notebook

FLIGHTS: tuple[Source, ...] = (
    ("", "import pandas as pd\n\ndef double(x):\n    return x * factor"),
    ("parameters", "factor = 2"),
    ("loader:load_flights", "flights = pd.DataFrame({'delay': [1, 2, 3]})"),
    ("transformer:add_net", "net = flights.assign(net=double(flights['delay']))"),
    ("exporter:total", "int(net['net'].sum())"),
)


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """A notebook of three blocks with imports, a function and a parameter."""
    return notebook(tmp_path, *FLIGHTS, name="flights.ipynb")


def store_of(path: Path) -> VariableStore:
    return VariableStore(open_project(path.parent).variables_root)


def stale(path: Path) -> dict[str, str]:
    """Block -> why `run --changed` would run it."""
    answer = shell("run", path.name, "--changed", "--dry-run", "--json", cwd=path.parent)
    assert answer.code == 0, answer.err
    plan = answer.document["blocks"]
    entries = plan.items() if isinstance(plan, dict) else ((each["name"], each) for each in plan)
    return {name: each["reason"] for name, each in entries if each["action"] == "run"}


def test_outputs_are_stored_and_the_next_kernel_has_them(flights: Path) -> None:
    """Restart the kernel, run only the last cell: it works."""
    with kernel(flights) as first:
        for number in range(1, 6):
            assert first.cell(number).status == "ok"
    with kernel(flights) as second:
        last = second.cell(5)
        status = second.run("%blocks").text
    assert last.result == "12"
    assert status.count("fresh") == 3
    assert stale(flights) == {}
    assert "Loaded net from block 'add_net' (run cell-" in last.stdout
    assert "fresh)" in last.stdout


def test_a_middle_cell_finds_imports_functions_and_parameters(flights: Path) -> None:
    """Not only values: what a block needs of the setup cells is there as well."""
    with kernel(flights) as first:
        for number in range(1, 4):
            first.cell(number)
    with kernel(flights) as second:
        assert second.cell(4).status == "ok"
        assert second.ask("list(net['net'])") == "[2, 4, 6]"


def test_what_cells_stored_is_fresh_for_run_changed(flights: Path) -> None:
    """`jupyter blocks run --changed` has nothing to do."""
    with kernel(flights) as running:
        for number in range(1, 6):
            running.cell(number)
    assert stale(flights) == {}


def test_values_changed_by_hand_make_stale_outputs(flights: Path) -> None:
    """What is computed from something else than the upstream block stored is not fresh."""
    with kernel(flights) as running:
        for number in range(1, 4):
            running.cell(number)
        running.run("other = flights\nother.loc[0, 'delay'] = 100")
        running.cell(4)
        status = running.run("%blocks").text
    assert "input 'load_flights' changed" in status
    assert "add_net" in stale(flights)


def test_a_cell_that_ran_before_a_helper_changed_is_stale(flights: Path) -> None:
    """The code that counts is the code that ran."""
    with kernel(flights) as running:
        for number in range(1, 5):
            running.cell(number)
        text = flights.read_text().replace("x * factor", "x * factor + 1")
        flights.write_text(text)
        assert "helpers" in running.run("%blocks").text
        running.cell(4)  # with the function as it ran
        assert "add_net" in stale(flights)
        running.cell(1)
        running.cell(4)
    assert store_of(flights).load(_latest(flights, "add_net"), "net")["net"][0] == 3


def _latest(path: Path, block: str) -> Manifest:
    manifest = store_of(path).latest("flights", block)
    assert manifest is not None
    return manifest


def test_clients_without_tags_are_understood(flights: Path) -> None:
    """VS Code and nbclient say nothing of tags: the saved notebook does."""
    with kernel(flights, session=False) as running:
        for _tags, source in FLIGHTS:  # type: ignore[misc]
            assert running.run(source).status == "ok"
    assert sorted(store_of(flights).blocks("flights")) == ["add_net", "load_flights", "total"]


def test_unsaved_cells_and_tags_count(flights: Path) -> None:
    """The live tags of the request beat those of the saved file."""
    with kernel(flights) as running:
        for number in range(1, 4):
            running.cell(number)
        running.run(
            "worst = flights['delay'].max()",
            cellId="new",
            deletedCells=[],
            tags=["transformer:worst"],
        )
        running.run("%blocks")
        assert "worst" in running.run("%blocks").text
    assert "worst" in store_of(flights).blocks("flights")


def test_decorated_functions_are_called_and_tested(tmp_path: Path) -> None:
    """A decorated function gets what its arguments name; its result is shown and stored."""
    path = notebook(
        tmp_path,
        ("", "from jupyter_blocks import loader, test, transformer"),
        ("", "@loader\ndef numbers():\n    return [1, 2, 3]"),
        (
            "",
            (
                "@transformer\ndef total(numbers):\n    numbers.append(4)\n"
                "    return sum(numbers)\n\n@test\ndef is_ten(value):\n    assert value == 10"
            ),
        ),
        ("", "@transformer\nasync def late(total):\n    return total + 1"),
        ("", "@transformer\ndef bad(total):\n    return 1\n\n@test\ndef no(x):\n    assert x == 2"),
    )
    with kernel(path) as first:
        first.cell(1)
        assert first.cell(2).result == "[1, 2, 3]"
        assert first.cell(3).result == "10"
        assert first.cell(3).result == "10"
        assert first.cell(5).error.startswith("AssertionError")
    with kernel(path) as second:
        answer = second.cell(4)
        assert answer.result == "11"
        assert "Loaded total from block 'total'" in answer.stdout
    assert sorted(store_of(path).blocks("demo")) == ["late", "numbers", "total"]


def test_mutable_values_are_stored_as_they_were(tmp_path: Path) -> None:
    """The next cell may change a value at once; what is stored is what the block gave."""
    path = notebook(
        tmp_path,
        ("loader:rows", "rows = [[number] * 10 for number in range(200_000)]"),
        ("transformer:count", "len(rows)"),
    )
    with kernel(path) as running:
        running.cell(1)
        running.run("rows.clear()")
    stored = store_of(path)
    manifest = stored.latest("demo", "rows")
    assert manifest is not None
    assert len(stored.load(manifest, "rows")) == 200_000


def warning(running: Kernel, cell: int) -> str:
    """What is said of a cell that is run: below it or, on a busy machine, below a later one."""
    answer = running.cell(cell)
    assert answer.status == "ok"
    until = time.monotonic() + TIMEOUT_S
    while not answer.stderr and time.monotonic() < until:
        answer = running.run("None")
    return answer.stderr


def test_unstorable_values_warn_once(tmp_path: Path) -> None:
    """The cell works; the warning names the value and the remedy."""
    path = notebook(
        tmp_path, ("loader:lock", "import threading\nlock = threading.Lock()"), ("loader:b", "lock")
    )
    with kernel(path) as running:
        said = warning(running, 1)
        answers = [running.cell(1), running.run("%blocks"), running.run("%blocks")]
    assert [answer.stderr for answer in answers] == ["", "", ""]
    assert "Not stored: Block 'lock'" in said
    assert "inside the block" in said


def test_an_iterator_of_a_plain_cell_is_left_to_the_cells_below(tmp_path: Path) -> None:
    """Storing would use it up: one note says so, with a way out; the rest of the block is kept."""
    path = notebook(
        tmp_path,
        ("loader:rows", "n = 3\nrows = ({'n': i} for i in range(n))\nhalves = map(float, [1, 2])"),
        ("transformer:total", "total = sum(row['n'] for row in rows) + n + sum(halves)"),
        ("exporter:said", "print(total)"),
    )
    with kernel(path) as running:
        note = warning(running, 1)
        assert running.cell(2).stderr == ""
        assert running.ask("total") == "9.0"
        assert note.startswith("Not stored: Block 'rows': output 'rows', 'halves': a generator")
        assert "would use it up" in note
        assert "`list(...)`" in note
        manifest = store_of(path).latest("demo", "rows")
        assert manifest is not None
        assert store_of(path).load(manifest, "n") == 3
    with kernel(path) as fresh:
        answer = fresh.cell(2)
        assert answer.error.startswith("NameError")
        assert answer.stderr.startswith(
            "'rows' could not be stored when block 'rows' ran. Run cell"
        )
        assert fresh.cell(3).stdout.endswith("\n9.0\n")
    assert list(stale(path)) == ["rows", "total", "said"]
    assert "could not be stored" in stale(path)["rows"]


def test_random_streams_go_on_after_a_restart(tmp_path: Path) -> None:
    """What is drawn in the next kernel is what the notebook draws."""
    path = notebook(
        tmp_path,
        ("loader:first", "import random\nrandom.seed(1)\na = random.random()"),
        ("transformer:second", "import random\nb = a + random.random()"),
        ("exporter:third", "print(b)"),
    )
    with kernel(path) as first:
        for number in (1, 2, 3):
            first.cell(number)
        there = first.ask("b")
        assert stale(path) == {}
    with kernel(path) as second:
        second.cell(2)
        assert second.ask("b") == there
    assert stale(path) == {}


def test_off_means_off(flights: Path) -> None:
    """`%blocks off`, or a setting of the notebook: nothing is provided, nothing stored."""
    with kernel(flights) as running:
        running.run("%blocks off")
        for number in range(1, 4):
            running.cell(number)
        running.run("%blocks")
    assert [each.name for each in flights.parent.iterdir()] == ["flights.ipynb"]
    path = notebook(flights.parent / "b", *FLIGHTS, name="flights.ipynb", kernel=False)
    with kernel(path) as running:
        for number in range(1, 4):
            running.cell(number)
        assert "(off)" in running.run("%blocks").text
    assert open_target(str(path)).pipeline.name == "flights"
    assert store_of(path).latest("flights", "load_flights") is None


def test_errors_of_ours_never_break_a_cell(flights: Path) -> None:
    """A project that cannot be read is a warning."""
    (flights.parent / "pipelines").mkdir()
    (flights.parent / "metadata.yaml").write_text("variables_dir: [\n")
    with kernel(flights) as running:
        for number in range(1, 4):
            assert running.cell(number).status == "ok"
        assert running.ask("len(flights)") == "3"


def test_the_journal_knows_the_cell_run(flights: Path) -> None:
    """By its id; the list of runs and `last` are about whole runs."""
    with kernel(flights) as running:
        for number in range(1, 4):
            running.cell(number)
    manifest = store_of(flights).latest("flights", "load_flights")
    assert manifest is not None
    assert manifest.run_id.startswith(CELL_RUN)
    with Journal(open_project(flights.parent).state_dir) as journal:
        assert str(journal.find(manifest.run_id).status) == "SUCCEEDED"
        assert journal.state(manifest.run_id).blocks["load_flights"].outputs
        assert journal.runs() == []


def test_repair_brings_cell_runs_back(flights: Path) -> None:
    """The journal is rebuilt with them; nothing is added to one that knows them."""
    with kernel(flights) as running:
        for number in range(1, 4):
            running.cell(number)
    manifest = _latest(flights, "load_flights")
    state_dir = open_project(flights.parent).state_dir
    for _ in range(2):
        answer = shell("repair", "--project", flights.parent)
        assert answer.code == 0, answer.err
        with Journal(state_dir) as journal:
            assert len(journal.events(manifest.run_id)) == 5
    for file in state_dir.glob("journal.db*"):
        file.unlink()
    assert shell("repair", "--project", flights.parent).code == 0
    with Journal(state_dir) as journal:
        assert str(journal.find(manifest.run_id).status) == "SUCCEEDED"
