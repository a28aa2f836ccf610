"""A kernel in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.check.kernel import Kernel, KernelDiedError
from jupyter_blocks.errors import BlocksError


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel that works in a folder of the test."""
    with Kernel(tmp_path, tmp_path, os.environ) as running:
        yield running


def test_cells_run_in_one_namespace(kernel: Kernel) -> None:
    """Values of last expressions are in `Out`, under the number of the cell."""
    assert kernel.run("x = 20").error == ""
    reply = kernel.run("x + 1")
    assert kernel.ask(f"Out[{reply.number}]") == 21


def test_asking_leaves_no_trace(kernel: Kernel) -> None:
    """Nor do cells that do not count and show nothing."""
    kernel.run("1")
    kernel.ask("[2, 'two']")
    kernel.run("x = 3", counts=False)
    assert kernel.ask("[Out, _, x]") == [{1: 1}, 1, 3]
    assert kernel.run("4").number == 2


def test_errors_are_said(kernel: Kernel) -> None:
    """In the reply, and with their traceback among the lines; the kernel goes on."""
    assert kernel.run("print('first')\n1 / 0").error == "ZeroDivisionError: division by zero"
    assert kernel.lines[0] == "first"
    assert kernel.lines[-1] == "ZeroDivisionError: division by zero"
    with pytest.raises(BlocksError, match="NameError"):
        kernel.ask("nothing")
    assert kernel.ask("1") == 1


def test_only_the_last_lines_are_kept(kernel: Kernel) -> None:
    """However much a cell writes."""
    kernel.run("for i in range(20_000): print(i)")
    assert len(kernel.lines) < 100
    assert kernel.lines[-1] == "19999"


def test_a_kernel_that_dies_is_noticed(kernel: Kernel) -> None:
    """While it runs a cell."""
    with pytest.raises(KernelDiedError, match="exit code 3"):
        kernel.run("import os\nos._exit(3)")


def test_the_process_ends_with_the_kernel(tmp_path: Path) -> None:
    """Also where a thread of the notebook would go on."""
    with Kernel(tmp_path, tmp_path, os.environ) as kernel:
        pid = kernel.ask("__import__('os').getpid()")
        kernel.run("import threading, time\nthreading.Thread(target=time.sleep, args=[99]).start()")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_long_paths(tmp_path: Path) -> None:
    """Sockets of files have a limit; beyond it ports are used."""
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    with Kernel(folder, tmp_path, os.environ) as kernel:
        assert kernel.ask("1 + 1") == 2
