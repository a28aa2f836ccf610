"""Blocks that a worker is given several at once, and those that begin beside a sealing one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.project import Project
from jupyter_blocks.run import EventKind, RunEvent, RunState
from jupyter_blocks.variables.store import VariableStore
from tests.projects import block, write_project

LENGTH = 24
MIDDLE = 15
TABLE = "import numpy as np, pandas as pd\nframe = pd.DataFrame({'x': np.arange(700_000.0)})\n"

WAIT_FOR_NEXT = """
import pathlib, time
from jupyter_blocks.variables import unsealed
sealed = unsealed.Unsealed._write_manifest
def wait_for_next(self, manifest):
    deadline = time.monotonic() + 30
    while manifest.block == 'load' and not pathlib.Path('begun').exists():
        assert time.monotonic() < deadline, 'the next block did not begin'
        time.sleep(0.01)
    {then}
    return sealed(self, manifest)
unsealed.Unsealed._write_manifest = wait_for_next
"""
"""Put into a block: the worker seals `load` only when the next block has begun."""

BEGIN = "import pathlib\npathlib.Path('begun').touch()\n"


def drive(
    project: Project,
    on_event: Callable[[Any, RunEvent], None] = lambda _dispatcher, _event: None,
    **request: Any,
) -> tuple[RunState, list[RunEvent]]:
    """A run on one worker, and its events."""
    options = {"max_workers": 1, **request}
    launch = prepare(project, project.pipeline("pipe"), RunRequest(**options))
    events: list[RunEvent] = []
    with launch.dispatcher(lambda _state, event: told(event)) as dispatcher:

        def told(event: RunEvent) -> None:
            events.append(event)
            on_event(dispatcher, event)

        state = dispatcher.run()
    launch.finish(state)
    return state, events


def statuses(state: RunState) -> list[str]:
    return [str(block.status) for block in state.blocks.values()]


def chain(tmp_path: Path, middle: str = "", **settings: Any) -> Project:
    """Blocks that count up; the one in the middle first does what `middle` says."""
    blocks = [block("b0", "return 0")]
    for number in range(1, LENGTH):
        above = f"b{number - 1}"
        is_middle = number == MIDDLE
        body = f"{middle if is_middle else ''}\nreturn {above} + 1"
        blocks.append(block(f"b{number}", body, [above], **(settings if is_middle else {})))
    return write_project(tmp_path, blocks)


def value(project: Project, name: str) -> Any:
    store = VariableStore(project.variables_root)
    manifest = store.latest("pipe", name)
    return None if manifest is None else store.load(manifest, "output_0")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks run in the folder of their test, where their marks lie."""
    monkeypatch.chdir(tmp_path)


def test_a_long_chain_of_short_blocks_adds_up(tmp_path: Path) -> None:
    """Every block is stored, published and told once, in order, with its inputs named."""
    project = chain(tmp_path / "p")
    state, events = drive(project)
    assert statuses(state) == ["SUCCEEDED"] * LENGTH
    assert value(project, f"b{LENGTH - 1}") == LENGTH - 1
    finished = [event.block for event in events if event.kind is EventKind.BLOCK_FINISHED]
    assert finished == [f"b{number}" for number in range(LENGTH)]
    begun = [event.block for event in events if event.kind is EventKind.SUBMITTING]
    assert begun == finished
    store = VariableStore(project.variables_root)
    for number in range(1, LENGTH):
        above, below = (store.latest("pipe", f"b{n}") for n in (number - 1, number))
        assert above is not None
        assert below is not None
        (named,) = below.inputs
        assert (named["digest"], named["content"]) == (above.digest, above.content)
        assert below.fingerprint["inputs"] == {f"b{number - 1}": above.content}
    changed = prepare(project, project.pipeline("pipe"), RunRequest(changed=True))
    assert not changed.plan.running


def test_a_failure_in_a_line_ends_it_and_a_resumed_run_goes_on(tmp_path: Path) -> None:
    """What was handed over behind it is as if it had never been."""
    fails = "import pathlib\nassert pathlib.Path('repaired').exists(), 'not yet'"
    project = chain(tmp_path / "p", fails)
    state, events = drive(project)
    after = LENGTH - MIDDLE - 1
    expected = ["SUCCEEDED"] * MIDDLE + ["FAILED"] + ["UPSTREAM_FAILED"] * after
    assert statuses(state) == expected
    assert {event.block for event in events if event.kind is EventKind.SUBMITTING} == {
        f"b{number}" for number in range(MIDDLE + 1)
    }
    assert value(project, f"b{MIDDLE + 1}") is None
    Path("repaired").touch()
    state, events = drive(project, resume="last")
    assert statuses(state) == ["CACHED"] * MIDDLE + ["SUCCEEDED"] * (after + 1)
    assert value(project, f"b{LENGTH - 1}") == LENGTH - 1


def test_a_worker_that_dies_in_a_line_is_blamed_on_the_block_that_ran(tmp_path: Path) -> None:
    """Those in front have been told, those behind have never begun, and a retry goes on."""
    dies = (
        "import os, pathlib\nif not pathlib.Path('died').exists():\n"
        "    pathlib.Path('died').touch()\n    os.kill(os.getpid(), 9)"
    )
    project = chain(tmp_path / "p", dies, retry_config={"retries": 1, "delay": 0})
    state, _ = drive(project)
    assert statuses(state) == ["SUCCEEDED"] * LENGTH
    tries = {name: each.attempts for name, each in state.blocks.items() if each.attempts != 1}
    assert tries == {f"b{MIDDLE}": 2}


def test_a_run_that_is_cancelled_in_a_line_begins_nothing_more(tmp_path: Path) -> None:
    """The block that runs is interrupted; those behind it are cancelled without having begun."""
    waits = "import pathlib, time\npathlib.Path('waits').touch()\ntime.sleep(600)"
    project = chain(tmp_path / "p", waits)

    def cancel(dispatcher: Any, event: RunEvent) -> None:
        if event.kind is EventKind.SUBMITTING and event.block == f"b{MIDDLE}":
            threading.Timer(0.05, dispatcher.cancel).start()

    state, events = drive(project, cancel)
    cancelled = ["CANCELLED"] * (LENGTH - MIDDLE)
    assert statuses(state) == ["SUCCEEDED"] * MIDDLE + cancelled
    assert not state.active
    begun = [event.block for event in events if event.kind is EventKind.SUBMITTING]
    assert begun == [f"b{number}" for number in range(MIDDLE + 1)]


def test_a_timeout_in_a_line_is_that_of_the_block_that_ran(tmp_path: Path) -> None:
    """Time counts from when a block began, not from when it was handed over."""
    project = chain(tmp_path / "p", "import time\ntime.sleep(600)", timeout=1)
    state, _ = drive(project)
    after = LENGTH - MIDDLE - 1
    expected = ["SUCCEEDED"] * MIDDLE + ["FAILED"] + ["UPSTREAM_FAILED"] * after
    assert statuses(state) == expected
    assert "timeout of 1 s" in state.blocks[f"b{MIDDLE}"].reason


LARGE = {
    "table": (f"{TABLE}return frame", "frame = load\n", "float(frame['x'].sum())"),
    "array": ("import numpy as np\nreturn np.arange(700_000.0)", "", "float(load.sum())"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_the_next_block_begins_while_a_large_value_is_sealed(tmp_path: Path, kind: str) -> None:
    """It is hashed and described meanwhile; both are published, the first one first."""
    load, prepare_input, result = LARGE[kind]
    project = write_project(
        tmp_path / "p",
        [
            block("load", WAIT_FOR_NEXT.format(then="pass") + load),
            block("total", f"{BEGIN}{prepare_input}return {result}", ["load"]),
        ],
    )
    state, events = drive(project)
    assert statuses(state) == ["SUCCEEDED"] * 2
    assert value(project, "total") == float(sum(range(700_000)))
    assert len(value(project, "load")) == 700_000
    finished = [event.block for event in events if event.kind is EventKind.BLOCK_FINISHED]
    assert finished == ["load", "total"]
    assert VariableStore(project.variables_root).verify() == []


def test_what_is_done_to_a_value_that_is_being_sealed_never_reaches_the_store(
    tmp_path: Path,
) -> None:
    """Not even through the back doors that pandas leaves open."""
    changes = (
        "load.iloc[0, 0] = -1.0\nload['y'].array[:] = 7\nload['x'].array[:] = 7\n"
        "load['x'] = 7.0\nreturn len(load)"
    )
    project = write_project(
        tmp_path / "p",
        [
            block(
                "load",
                f"{WAIT_FOR_NEXT.format(then='time.sleep(0.3)')}{TABLE}"
                "frame['y'] = pd.array(range(len(frame)), dtype='Int64')\nreturn frame",
            ),
            block("change", f"{BEGIN}{changes}", ["load"]),
        ],
    )
    state, _ = drive(project)
    assert statuses(state) == ["SUCCEEDED"] * 2
    stored = value(project, "load")
    assert stored["x"].tolist() == [float(number) for number in range(700_000)]
    assert stored["y"].tolist() == list(range(700_000))


def test_a_disk_that_is_full_for_a_while_repeats_what_began_too_early(tmp_path: Path) -> None:
    """Nothing that read the outputs counts; the block is tried again, then those below it."""
    full = (
        "if manifest.block == 'load' and not pathlib.Path('was-full').exists():\n"
        "        pathlib.Path('was-full').touch()\n"
        "        raise OSError(28, 'No space left on device')"
    )
    body = "import pathlib\nwith open('seen', 'a') as file: file.write('x')\nreturn len(load)"
    project = write_project(
        tmp_path / "p",
        [
            block("load", f"{WAIT_FOR_NEXT.format(then=full)}{TABLE}return frame"),
            block("count", f"{BEGIN}{body}", ["load"]),
            block("double", "return 2 * count", ["count"]),
        ],
    )
    state, events = drive(project)
    assert statuses(state) == ["SUCCEEDED"] * 3
    assert value(project, "double") == 1_400_000
    assert state.blocks["load"].attempts == 2
    finished = [event.block for event in events if event.kind is EventKind.BLOCK_FINISHED]
    assert finished == ["load", "count", "double"]
    again = RunState.replay(state.plan, events)
    assert [str(each.status) for each in again.blocks.values()] == statuses(state)


def test_nothing_is_published_on_top_of_what_cannot_be_stored(tmp_path: Path) -> None:
    """The block below has run, and counts as one whose upstream failed."""
    never = (
        "from jupyter_blocks.errors import UnstorableError\n"
        "    if manifest.block == 'load': raise UnstorableError('it cannot be stored')"
    )
    project = write_project(
        tmp_path / "p",
        [
            block("load", f"{WAIT_FOR_NEXT.format(then=never)}{TABLE}return frame"),
            block("count", f"{BEGIN}return len(load)", ["load"]),
            block("apart", "return 1"),
        ],
    )
    state, _ = drive(project)
    assert statuses(state) == ["FAILED", "UPSTREAM_FAILED", "SUCCEEDED"]
    assert "cannot be stored" in state.blocks["load"].reason
    assert value(project, "count") is None
    assert not state.active


def test_a_crash_beside_a_sealing_block_costs_it_nothing_but_time(tmp_path: Path) -> None:
    """It is tried again alone and published; the crash is that of the block that crashed."""
    project = write_project(
        tmp_path / "p",
        [
            block("load", f"{WAIT_FOR_NEXT.format(then='time.sleep(1)')}{TABLE}return frame"),
            block("crash", f"{BEGIN}import os\nos.kill(os.getpid(), 11)", ["load"]),
        ],
    )
    state, _ = drive(project)
    assert statuses(state) == ["SUCCEEDED", "FAILED"]
    assert "SIGSEGV" in state.blocks["crash"].reason
    assert len(value(project, "load")) == 700_000


def test_a_process_that_a_block_forks_finds_no_thread_cut_off(tmp_path: Path) -> None:
    """Sealing ends before any fork: whatever it holds would stay locked in the child."""
    forks = (
        "import os\npid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)\n"
        "import threading\nreturn ' '.join(each.name for each in threading.enumerate())"
    )
    project = write_project(
        tmp_path / "p",
        [
            block("load", f"{WAIT_FOR_NEXT.format(then='time.sleep(0.3)')}{TABLE}return frame"),
            block(
                "fork",
                f"import warnings\nwarnings.simplefilter('ignore')\n{BEGIN}{forks}",
                ["load"],
            ),
        ],
    )
    state, _ = drive(project)
    assert statuses(state) == ["SUCCEEDED"] * 2
    assert value(project, "fork") == "MainThread"


def test_what_another_worker_made_in_the_same_moment_is_found(tmp_path: Path) -> None:
    """A block handed over behind `c` reads `b`, which ended with `a` on the other worker."""
    ends = "import pathlib\npathlib.Path('{0}').touch()\nreturn 1"
    blocks = [
        block("a", ends.format("a")),
        block("b", ends.format("b")),
        block("c", "import time\ntime.sleep(0.5)\nreturn a + 10", ["a"]),
        block("d", "return b + c", ["b", "c"]),
    ]
    project = write_project(tmp_path / "p", blocks)

    def look_away(_dispatcher: Any, event: RunEvent) -> None:
        if event.kind is EventKind.SUBMITTING and event.block == "b":
            deadline = time.monotonic() + 30
            while not (Path("a").exists() and Path("b").exists()):
                assert time.monotonic() < deadline, "the blocks did not run"
                time.sleep(0.01)
            time.sleep(0.2)

    state, events = drive(project, look_away, max_workers=2)
    assert statuses(state) == ["SUCCEEDED"] * 4
    assert value(project, "d") == 12
    assert state.blocks["d"].sequence == 1, "it was begun in vain"
    assert EventKind.BLOCK_WAITS not in {event.kind for event in events}


def test_a_task_that_is_too_long_to_wait_is_given_later(tmp_path: Path) -> None:
    """What a busy worker has not read yet must never hold up the dispatcher."""
    blocks = [block("b0", "return len(kwargs['text'])")]
    blocks += [block(f"b{n}", f"return b{n - 1} + 1", [f"b{n - 1}"]) for n in range(1, 4)]
    project = write_project(tmp_path / "p", blocks)
    state, _ = drive(project, runtime_vars={"text": "x" * 300_000})
    assert statuses(state) == ["SUCCEEDED"] * 4
    assert value(project, "b3") == 300_003
