"""`local_python` keeps the executor contract, forked and spawned, and dies with its dispatcher."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_blocks.executors import local
from jupyter_blocks.executors.base import Executor, ExecutorContext, Phase, Reason
from jupyter_blocks.executors.local import LocalExecutor, gpu_count
from jupyter_blocks.executors.pool import WorkerPool
from jupyter_blocks.testing.executor_contract import ContractProject, ExecutorContract


class TestForkedWorkers(ExecutorContract):
    """Workers forked from a warm process, as on Linux."""

    def open(self, context: ExecutorContext) -> Executor:
        return LocalExecutor(context)

    def test_no_more_workers_than_asked_for(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """Capacity counts what is under way."""
        assert executor.capacity() == 2
        handle = executor.submit(project.task("sleeping"))
        assert executor.capacity() == 1
        executor.cancel(handle, 1.0)
        self.wait(executor, handle)
        assert executor.capacity() == 2

    @pytest.mark.parametrize(
        ("block", "words"),
        [("leaving", "exit code 3"), ("killed", "SIGKILL")],
    )
    def test_a_crash_is_named(
        self, executor: Executor, project: ContractProject, block: str, words: str
    ) -> None:
        """The text says how the process ended."""
        seen = self.wait(executor, executor.submit(project.task(block)))
        assert seen.reason is Reason.CRASHED
        assert words in seen.detail

    def test_a_deaf_block_is_killed_after_the_grace(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """Code that swallows the interrupt does not run on."""
        path = project.root / "data_loaders/sleeping.py"
        path.write_text(
            "import pathlib, time\n"
            "@data_loader\n"
            "def deaf(**kwargs):\n"
            "    while True:\n"
            "        try:\n"
            "            pathlib.Path(kwargs['mark']).write_text('started')\n"
            "            time.sleep(600)\n"
            "        except BaseException:\n"
            "            pass\n"
        )
        task = project.task("sleeping")
        handle = executor.submit(task)
        self.wait(executor, handle, lambda seen: Path(task.parameters["mark"]).exists())
        executor.cancel(handle, 0.2)
        seen = self.wait(executor, handle)
        assert seen.phase is Phase.FAILED
        assert "SIGKILL" in seen.detail


class TestSpawnedWorkers(ExecutorContract):
    """Workers spawned one by one, where forking is not safe."""

    def open(self, context: ExecutorContext) -> Executor:
        executor = LocalExecutor(context)
        executor._pool.close()
        executor._pool = WorkerPool(2, (), context.notify, fork=False)
        return executor


def test_workers_end_with_their_dispatcher(tmp_path: Path) -> None:
    """A killed dispatcher leaves no process behind."""
    project = ContractProject(tmp_path / "project")
    mark = Path(project.task("sleeping").parameters["mark"])
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from jupyter_blocks.executors.base import ExecutorContext\n"
        "from jupyter_blocks.executors.local import LocalExecutor\n"
        "from jupyter_blocks.testing.executor_contract import ContractProject\n"
        "class Existing(ContractProject):\n"
        "    def __post_init__(self): pass\n"
        "project = Existing(Path(sys.argv[1]))\n"
        "executor = LocalExecutor(ExecutorContext(sys.argv[1], max_workers=1))\n"
        "task = project.task('sleeping')\n"
        "handle = executor.submit(task)\n"
        "mark = Path(task.parameters['mark'])\n"
        "while not (mark.exists() and mark.read_text()): time.sleep(0.01)\n"
        "print(executor._pool.pid(task.attempt_id), flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(project.root)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            worker = int(process.stdout.readline())
            assert mark.read_text() == "started"
        finally:
            process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{worker}").exists():
        state = Path(f"/proc/{worker}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state == "Z":
            break
        assert time.monotonic() < deadline, "the worker outlived its dispatcher"
        time.sleep(0.02)


def test_more_memory_than_there_is_gets_a_warning(tmp_path: Path) -> None:
    """The machine's size is named before anything runs."""
    executor = LocalExecutor(ExecutorContext(str(tmp_path)))
    try:
        project = ContractProject(tmp_path / "project")
        task = project.task("number")
        wishful = type(task)(**{**vars(task), "resources": {"memory_mib": 10**9}})
        (problem,) = executor.check(wishful)
        assert f"{local.total_memory_mib():.0f} MiB" in problem.message
        assert executor.check(task) == []
    finally:
        executor.close()


def test_a_kill_for_lack_of_memory_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the kernel has counted another kill for lack of memory, that is the reason."""
    executor = LocalExecutor(ExecutorContext(str(tmp_path)))
    try:
        ended = local.Ended("attempt", None, -signal.SIGKILL, os.getpid())
        assert executor._judge(ended).reason is Reason.CRASHED
        monkeypatch.setattr(local, "_oom_kills", lambda: executor._oom_kills + 1)
        assert executor._judge(ended).reason is Reason.OUT_OF_MEMORY
    finally:
        executor.close()


@pytest.mark.parametrize(
    ("wishes", "code", "words"),
    [
        ({"memory_mib": 10**9}, "too-much-memory", "asks for 1e+09 MiB of memory; this machine"),
        ({"gpu": 10**6}, "too-many-gpus", "asks for 1000000 GPUs; this machine has"),
    ],
)
def test_wishes_this_machine_cannot_meet(
    wishes: dict[str, int], code: str, words: str, tmp_path: Path
) -> None:
    """Are a warning with a way out, and the block runs all the same."""
    project = ContractProject(tmp_path)
    executor = LocalExecutor(ExecutorContext(str(tmp_path)))
    try:
        (problem,) = executor.check(project.task("value", resources=wishes))
        assert (problem.code, problem.severity) == (code, "warning")
        assert words in problem.message
        assert problem.hint
    finally:
        executor.close()


def test_gpus_are_counted_as_the_drivers_show_them(tmp_path: Path) -> None:
    """Devices of NVIDIA, and those nodes of AMD's that are no processor."""
    assert gpu_count(tmp_path) == 0
    for name in ("dev/nvidia0", "dev/nvidia1", "dev/nvidiactl", "dev/nvidia-uvm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for node, gpu_id in (("0", "0"), ("1", "4711")):
        folder = tmp_path / "sys/class/kfd/kfd/topology/nodes" / node
        folder.mkdir(parents=True)
        (folder / "gpu_id").write_text(f"{gpu_id}\n", "ascii")
    assert gpu_count(tmp_path) == 3
