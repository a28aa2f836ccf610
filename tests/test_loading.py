"""A block file is a real module while its attempt runs."""

from __future__ import annotations

import linecache
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_blocks.loading import BlockLoadError, loaded


def write(root: Path, text: str) -> str:
    """Write a block file; gives the project."""
    (root / "custom").mkdir(exist_ok=True)
    (root / "custom/block.py").write_text(text, "utf-8")
    return str(root)


def test_a_file_is_registered_only_while_it_is_used(tmp_path: Path) -> None:
    """Two blocks of one name never meet."""
    project = write(tmp_path, "x = __name__\n")
    with loaded(project, "custom", "block", file="custom/block.py") as file:
        assert sys.modules[file.module.__name__] is file.module
        assert file.module.x == "jupyter_blocks_project.custom.block"
    assert "jupyter_blocks_project.custom.block" not in sys.modules


def test_each_load_begins_anew(tmp_path: Path) -> None:
    """What an attempt did to globals does not reach the next one."""
    project = write(tmp_path, "seen = []\n")
    for _ in range(2):
        with loaded(project, "custom", "block", file="custom/block.py") as file:
            assert file.module.seen == []
            file.module.seen.append(1)


def test_marks_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Two tests of one name are two tests."""
    text = "@test\ndef t(): return 1\n@custom\ndef f(): ...\n@test\ndef t(): return 2\n"
    with loaded(write(tmp_path, text), "custom", "block", file="custom/block.py") as file:
        assert [mark.function() for mark in file.marked("test")] == [1, 2]
        assert len(file.marked("custom")) == 1


def test_a_function_from_elsewhere_counts_if_there_is_no_other(tmp_path: Path) -> None:
    """A file may mark a function that it imports."""
    text = "import os\nf = custom(os.getcwd)\n"
    with loaded(write(tmp_path, text), "custom", "block", file="custom/block.py") as file:
        assert [mark.function.__name__ for mark in file.marked("custom")] == ["getcwd"]


def test_an_exported_file_is_given_no_names(tmp_path: Path) -> None:
    """It imports what it needs, in Jupyter and outside."""
    project = write(tmp_path, "test\n")
    with (
        pytest.raises(NameError, match="'test' is not defined"),
        loaded(project, "custom", "block", file="custom/block.py", is_exported=True),
    ):
        pass


def test_given_values_do_not_stay_in_memory(tmp_path: Path) -> None:
    """Functions of the file live on in caches and callbacks; tables must not with them."""
    project = write(tmp_path, "def f(): ...\n")
    names = {"load": object(), "f": 5}
    with loaded(project, "custom", "block", file="custom/block.py", names=names) as file:
        assert file.module.load is names["load"]
        function = file.module.f
    assert "load" not in function.__globals__
    assert function.__globals__["f"] is function


def test_source_lines_are_those_of_the_file_now(tmp_path: Path) -> None:
    """A warm worker does not show lines of yesterday."""
    for text in ("x = 1\n", "x = 22\n"):
        project = write(tmp_path, text)
        with loaded(project, "custom", "block", file="custom/block.py") as file:
            assert linecache.getline(str(file.module.__file__), 1) == text


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """In our words, not as an error of the user's code."""
    with (
        pytest.raises(BlockLoadError, match="file of block 'block' cannot be read"),
        loaded(str(tmp_path), "custom", "block", file="custom/block.py"),
    ):
        pass


def test_other_processes_of_a_library_can_run_functions_of_the_file(tmp_path: Path) -> None:
    """joblib, and so scikit-learn, sends functions to processes that cannot import the file."""
    pytest.importorskip("joblib")
    text = (
        "import joblib\n"
        "def square(x):\n"
        "    return x * x\n"
        "def f():\n"
        "    work = (joblib.delayed(square)(n) for n in (2, 3))\n"
        "    return joblib.Parallel(n_jobs=2, backend='loky')(work)\n"
    )
    project = write(tmp_path, text)
    code = (
        "from jupyter_blocks.loading import loaded\n"
        f"with loaded({project!r}, 'custom', 'block', file='custom/block.py') as file:\n"
        "    print(file.module.f())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[4, 9]"
