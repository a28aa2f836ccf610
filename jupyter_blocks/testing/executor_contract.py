"""The promises every executor keeps, as a test class to inherit from.

    from jupyter_blocks.testing.executor_contract import ExecutorContract

    class TestMyExecutor(ExecutorContract):
        def open(self, context):
            return MyExecutor(context)

Each test runs real blocks in a real project folder; add what is special to your backend beside it.
"""

from __future__ import annotations

import abc
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.executors.base import (
    BlockTask,
    Executor,
    ExecutorContext,
    JobHandle,
    Observation,
    Phase,
    Reason,
    attempt_id,
)
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["ContractProject", "ExecutorContract"]

_BLOCKS = {
    "number": "return 41 + 1",
    "talker": "print('hello from the block'); return 1",
    "failing": "raise ValueError('this is wrong')",
    "leaving": "import os; os._exit(3)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "counting": "import pathlib; pathlib.Path(kwargs['mark']).open('a').write('x'); return 1",
    "sleeping": (
        "import pathlib, time; pathlib.Path(kwargs['mark']).write_text('started'); time.sleep(600)"
    ),
}


@dataclass
class ContractProject:
    """A project folder with the blocks of the contract, and its tasks."""

    root: Path
    parameters: dict[str, Any] = field(default_factory=dict)
    variables: str = ""
    """Folder or URI of the variable store; empty: a folder of the project."""

    def __post_init__(self) -> None:
        """Write the block files."""
        folder = self.root / "data_loaders"
        folder.mkdir(parents=True)
        (self.root / "metadata.yaml").write_text("project_type: standalone\n", "utf-8")
        for name, body in _BLOCKS.items():
            text = f"@data_loader\ndef {name}(**kwargs):\n    {body}\n"
            (folder / f"{name}.py").write_text(text, "utf-8")
        self.marks.mkdir(exist_ok=True)

    @property
    def store(self) -> VariableStore:
        """Where the attempts leave their outputs."""
        return VariableStore(self.variables or str(self.root / ".variables"))

    @property
    def marks(self) -> Path:
        """A folder beside the project, where blocks leave traces that the tests look for."""
        return self.root.parent / "marks"

    def mark(self, block: str) -> Path:
        """The trace of one block."""
        return self.marks / f"{block}.mark"

    def block(self, name: str, text: str) -> None:
        """Write a block of one's own."""
        (self.root / "data_loaders" / f"{name}.py").write_text(text, "utf-8")

    def log(self, task: BlockTask) -> str:
        """All that is in the log of an attempt that is over."""
        log = self.store.log(task.prefix)
        if isinstance(log, Path):
            return log.read_text("utf-8")
        data = b""
        while piece := log.read(len(data), is_over=True):
            data += piece
        return data.decode("utf-8")

    def task(self, block: str, number: int = 1, **changes: Any) -> BlockTask:
        """The task of one attempt, with fields of one's own."""
        attempt = attempt_id("contract", "run", block, number)
        task = BlockTask(
            run_id="run",
            pipeline="contract",
            block=block,
            type="data_loader",
            attempt_id=attempt,
            attempt=number,
            project=str(self.root),
            working_dir=str(self.root),
            file=f"data_loaders/{block}.py",
            parameters={"mark": str(self.mark(block)), **self.parameters},
            variables=self.variables or str(self.root / ".variables"),
            prefix=self.store.prefix("contract", "run", block, attempt),
        )
        return replace(task, **changes)


class ExecutorContract(abc.ABC):
    """Inherit, supply `open`, and the executor is held to the contract."""

    wait_s = 60.0
    """How long an attempt may take to get where a test wants it."""
    look_interval_s = 0.1
    """How long to wait at the most between two looks at an attempt."""

    @abc.abstractmethod
    def open(self, context: ExecutorContext) -> Executor:
        """Open the executor that is tested."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> ContractProject:
        """A project with a block for every way to end."""
        return ContractProject(tmp_path / "project")

    @pytest.fixture
    def executor(self, project: ContractProject) -> Iterator[Executor]:
        """The executor, closed after the test."""
        self._changed = threading.Event()
        executor = self.open(
            ExecutorContext(str(project.root), max_workers=2, notify=self._changed.set)
        )
        yield executor
        executor.close()

    def wait(
        self,
        executor: Executor,
        handle: JobHandle,
        until: Callable[[Observation], bool] = lambda seen: seen.phase.is_final,
    ) -> Observation:
        """Observe one attempt until something holds of it."""
        deadline = time.monotonic() + self.wait_s
        while time.monotonic() < deadline:
            self._changed.clear()
            (seen,) = executor.observe([handle])
            if until(seen):
                return seen
            self._changed.wait(min(executor.poll_interval_s, self.look_interval_s))
        raise AssertionError(f"nothing happened to {handle} in {self.wait_s:g} s")

    def manifest(self, project: ContractProject, task: BlockTask) -> Manifest:
        """The manifest the attempt has left in the store."""
        return project.store.manifest(task.pipeline, task.run_id, task.block, task.attempt_id)

    def test_a_good_block_leaves_a_verified_manifest(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """Success means that the outputs are in the store."""
        task = project.task("number")
        seen = self.wait(executor, executor.submit(task))
        assert seen.phase is Phase.SUCCEEDED
        manifest = self.manifest(project, task)
        (name,) = manifest.outputs
        assert project.store.load(manifest, name) == 42

    def test_a_failing_block_says_what_it_raised(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """User errors are told apart from everything else, with the user's own words."""
        seen = self.wait(executor, executor.submit(project.task("failing")))
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.USER_ERROR)
        assert "this is wrong" in seen.detail

    @pytest.mark.parametrize("block", ["leaving", "killed"])
    def test_a_crash_takes_no_neighbour_with_it(
        self, executor: Executor, project: ContractProject, block: str
    ) -> None:
        """A process that dies fails its own attempt only, and the next one runs."""
        bad, good = executor.submit(project.task(block)), executor.submit(project.task("number"))
        assert self.wait(executor, bad).phase is Phase.FAILED
        assert self.wait(executor, good).phase is Phase.SUCCEEDED
        after = executor.submit(project.task("talker"))
        assert self.wait(executor, after).phase is Phase.SUCCEEDED

    def test_submitting_twice_runs_once(self, executor: Executor, project: ContractProject) -> None:
        """An attempt id is an idempotency key."""
        task = project.task("counting")
        first = executor.submit(task)
        again = executor.submit(task)
        assert self.wait(executor, first).phase is Phase.SUCCEEDED
        assert self.wait(executor, again).phase is Phase.SUCCEEDED
        executor.submit(task)
        assert Path(task.parameters["mark"]).read_text("utf-8") == "x"

    def test_a_handle_is_plain_json(self, executor: Executor, project: ContractProject) -> None:
        """Another process can carry on with it."""
        handle = executor.submit(project.task("number"))
        again = JobHandle(**json.loads(json.dumps(vars(handle))))
        assert self.wait(executor, again).phase is Phase.SUCCEEDED

    def test_a_request_is_pure(self, executor: Executor, project: ContractProject) -> None:
        """The request of a task is data, the same each time, and starts nothing."""
        task = project.task("counting")
        request: Mapping[str, Any] = executor.job_request(task)
        assert json.loads(json.dumps(request)) == json.loads(
            json.dumps(executor.job_request(replace(task)))
        )
        assert executor.find([task.attempt_id]) == []

    def test_a_running_attempt_is_found_again(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """`find` names what exists and creates nothing."""
        task = project.task("sleeping")
        handle = executor.submit(task)
        assert executor.find([task.attempt_id, "unknown"]) == [handle]
        executor.cancel(handle, 1.0)
        self.wait(executor, handle)

    def test_cancelling_ends_the_work(self, executor: Executor, project: ContractProject) -> None:
        """A running block is stopped; asking again, or too late, is no error."""
        task = project.task("sleeping")
        handle = executor.submit(task)
        self.wait(executor, handle, lambda _seen: Path(task.parameters["mark"]).exists())
        executor.cancel(handle, 5.0)
        executor.cancel(handle, 5.0)
        seen = self.wait(executor, handle)
        assert seen.phase in (Phase.CANCELLED, Phase.FAILED)
        executor.cancel(handle, 5.0)
        executor.release(handle)

    def test_one_observation_for_each_handle(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """A bad item never hides the others."""
        good = executor.submit(project.task("number"))
        self.wait(executor, good)
        unknown = JobHandle(good.executor, attempt_id("contract", "run", "nothing", 1), good.data)
        seen = executor.observe([unknown, good])
        assert [observation.attempt_id for observation in seen] == [
            unknown.attempt_id,
            good.attempt_id,
        ]
        assert seen[1].phase is Phase.SUCCEEDED

    def test_output_is_in_the_log(self, executor: Executor, project: ContractProject) -> None:
        """What a block prints can be read from the store."""
        task = project.task("talker")
        self.wait(executor, executor.submit(task))
        assert "hello from the block" in project.log(task)

    def test_releasing_twice_is_fine(self, executor: Executor, project: ContractProject) -> None:
        """Letting go of something that is gone is no error."""
        handle = executor.submit(project.task("number"))
        self.wait(executor, handle)
        executor.release(handle)
        executor.release(handle)
