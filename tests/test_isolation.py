"""What one block changes in the worker, the next one does not see."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from jupyter_blocks.decorators import end_cell, keep_figures
from jupyter_blocks.isolation import figures_as_in_notebooks, isolated


@pytest.fixture
def _own_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def change_zone() -> None:
    """Do what a block does that wants local time."""
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    # name: (what a block does, what must be as before)
    "folder": (lambda: os.chdir("/"), os.getcwd),
    "new variable": (lambda: os.environ.update(JB_X="1"), lambda: dict(os.environ)),
    "changed variable": (lambda: os.environ.update(HOME="/x"), lambda: dict(os.environ)),
    "removed variable": (lambda: os.environ.pop("HOME"), lambda: dict(os.environ)),
    "time zone": (change_zone, lambda: time.localtime(0).tm_hour),
    "arguments": (lambda: sys.argv.append("x"), lambda: list(sys.argv)),
    "recursion": (lambda: sys.setrecursionlimit(12_345), sys.getrecursionlimit),
    "signal": (
        lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
        lambda: signal.getsignal(signal.SIGTERM),
    ),
    "warnings": (lambda: warnings.simplefilter("ignore"), lambda: list(warnings.filters)),
    "log level": (lambda: logging.root.setLevel(5), lambda: logging.root.level),
    "log handler": (
        lambda: logging.root.addHandler(logging.NullHandler()),
        lambda: list(logging.root.handlers),
    ),
    "log disabled": (lambda: logging.disable(50), lambda: logging.root.manager.disable),
    "numpy errors": (lambda: np.seterr(all="raise"), np.geterr),
    "numpy printing": (lambda: np.set_printoptions(precision=2), np.get_printoptions),
    "pandas option": (
        lambda: pd.set_option("display.max_rows", 7),
        lambda: pd.get_option("display.max_rows"),
    ),
    "pandas function": (
        lambda: pd.set_option("display.float_format", lambda number: f"{number:.1f}"),
        lambda: pd.get_option("display.float_format"),
    ),
    "matplotlib": (lambda: mpl.rcParams.update({"lines.linewidth": 9}), lambda: dict(mpl.rcParams)),
    "style": (lambda: plt.style.use("ggplot"), lambda: dict(mpl.rcParams)),
    "figures": (plt.figure, plt.get_fignums),
}


@pytest.mark.usefixtures("_own_time_zone")
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_ends_with_the_block(tmp_path: Path, name: str, fails: bool) -> None:
    """Whether the block succeeds or not."""
    change, look = CHANGES[name]
    mpl.use("agg")
    before = look()
    try:
        with isolated(str(tmp_path), {}, ["block.py"]):
            change()
            if fails:
                raise ValueError
    except ValueError:
        pass
    assert look() == before


def test_a_block_finds_folder_arguments_and_variables(tmp_path: Path) -> None:
    """And a backend of matplotlib that needs no screen."""
    with isolated(str(tmp_path), {"JB_GIVEN": "yes"}, ["block.py"]):
        assert Path.cwd() == tmp_path
        assert sys.argv == ["block.py"]
        assert os.environ["JB_GIVEN"] == "yes"
        assert "MPLBACKEND" in os.environ


def test_a_backend_the_user_chose_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is only the default."""
    monkeypatch.setenv("MPLBACKEND", "svg")
    with isolated("", {}, []):
        assert os.environ["MPLBACKEND"] == "svg"


def test_a_missing_folder_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    """The worker stays usable."""
    before = Path.cwd(), list(sys.argv)
    with pytest.raises(FileNotFoundError), isolated(str(tmp_path / "gone"), {}, ["x"]):
        pass
    assert (Path.cwd(), list(sys.argv)) == before


def test_a_seed_set_by_one_block_does_not_reach_the_next() -> None:
    """Neither Python's stream nor numpy's goes on where the last block left it."""
    drawn = []
    for _ in range(2):
        with isolated("", {}, []):
            drawn.append((random.random(), np.random.rand()))
            random.seed(0)
            np.random.seed(0)
    with isolated("", {}, []):
        drawn.append((random.random(), np.random.rand()))
    assert len({first for first, _ in drawn}) == len({second for _, second in drawn}) == 3


def test_forked_workers_draw_different_numbers() -> None:
    """They begin with the same state in memory."""
    code = (
        "import os, random, numpy\n"
        "from jupyter_blocks.isolation import isolated\n"
        "with isolated('', {}, []): pass\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        with isolated('', {}, []):\n"
        "            print(random.random(), numpy.random.rand(), flush=True)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    pairs = [line.split() for line in done.stdout.splitlines()]
    assert len({first for first, _ in pairs}) == len({second for _, second in pairs}) == 3


def test_libraries_that_are_not_loaded_stay_unloaded() -> None:
    """Keeping blocks apart costs nothing for those who use none of them."""
    code = (
        "import sys\n"
        "from jupyter_blocks.isolation import isolated\n"
        "with isolated('', {}, []): pass\n"
        "names = ('numpy', 'pandas', 'matplotlib', 'logging')\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_figures_of_exported_blocks_end_as_in_notebooks(tmp_path: Path) -> None:
    """When they are shown, and with a cell that has begun one; hand-written blocks keep theirs."""
    mpl.use("agg")
    for _ in range(2):
        with isolated(str(tmp_path), {}, []):
            figures_as_in_notebooks()
            figure, axes = plt.subplots()
            plt.show(figure)
            assert plt.get_fignums() == []
            axes.plot([1])
            plt.figure()
            end_cell()
            assert plt.get_fignums() == []
            plt.figure()
        assert (plt.get_backend(), plt.get_fignums()) == ("agg", [])
    with isolated(str(tmp_path), {}, []):
        plt.figure()
        plt.show()
        assert plt.get_fignums() == [1]


def test_a_backend_that_a_block_chooses_is_its_own(tmp_path: Path) -> None:
    """Its figures stay open; those of the next block do not."""
    mpl.use("agg")
    for choose, left in ((keep_figures, [1]), (lambda: None, []), (lambda: mpl.use("svg"), [1])):
        with isolated(str(tmp_path), {}, []):
            figures_as_in_notebooks()
            choose()
            plt.figure()
            plt.show()
            assert plt.get_fignums() == left


LATE = """
import sys
from jupyter_blocks.decorators import keep_figures
from jupyter_blocks.isolation import figures_as_in_notebooks, isolated
with isolated("", {}, []):
    figures_as_in_notebooks()
    KEEP
    assert "matplotlib" not in sys.modules
    import matplotlib.pyplot as plt
    plt.figure()
    plt.show()
    print(plt.get_fignums())
"""


@pytest.mark.parametrize(("keep", "left"), [("pass", "[]"), ("keep_figures()", "[1]")])
def test_matplotlib_may_be_loaded_later(keep: str, left: str) -> None:
    """By the block itself, where no worker has loaded it before."""
    code = LATE.replace("KEEP", keep)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == left
