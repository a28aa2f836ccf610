"""What holds of executors with workers on any platform, a fake or a real one.

Only what the store tells is looked at: the blocks leave no traces on this machine.
"""

from __future__ import annotations

import time

from jupyter_blocks.executors.base import Executor, InputRef, Phase, Reason
from jupyter_blocks.testing.executor_contract import ContractProject, ExecutorContract

__all__ = ["PlatformContract"]


class PlatformContract(ExecutorContract):
    """Inherit `RemoteExecutorContract` for a fake, `RealPlatformContract` for the real thing."""

    def test_helper_modules_come_along(self, executor: Executor, project: ContractProject) -> None:
        """A block imports from its project as at home, from its parent's name too."""
        (project.root / "utils").mkdir()
        (project.root / "utils" / "numbers_of_mine.py").write_text("ANSWER = 42\n", "utf-8")
        project.block(
            "importing",
            "from utils.numbers_of_mine import ANSWER\n\n"
            "@data_loader\ndef importing(**kwargs):\n    return ANSWER\n",
        )
        task = project.task("importing")
        assert self.wait(executor, executor.submit(task)).phase is Phase.SUCCEEDED
        assert project.store.load(self.manifest(project, task), "output_0") == 42

    def test_inputs_are_read_from_the_store(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """What a block of this machine wrote, a block of the cloud reads."""
        about = {"pipeline": "contract", "run_id": "run", "block": "local", "attempt_id": "a" * 26}
        prefix = project.store.prefix(**about)
        manifest = project.store.write(prefix, {"output_0": {"a": [1, 2, 3]}}, about)
        project.store.commit(manifest)
        project.block(
            "reading", "@transformer\ndef reading(x, **kwargs):\n    return sum(x['a'])\n"
        )
        upstream = (InputRef("local", "run", "a" * 26, manifest.digest, manifest.content),)
        task = project.task("reading", type="transformer", upstream=upstream)
        assert self.wait(executor, executor.submit(task)).phase is Phase.SUCCEEDED
        assert project.store.load(self.manifest(project, task), "output_0") == 6

    def test_logs_arrive_while_the_block_runs(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """A reader on this machine sees a line long before the end."""
        project.block(
            "chatty",
            "import time\n@data_loader\ndef chatty(**kwargs):\n"
            "    print('first words', flush=True)\n    time.sleep(600)\n",
        )
        task = project.task("chatty")
        handle = executor.submit(task)
        deadline = time.monotonic() + self.wait_s
        while "first words" not in project.log(task):
            executor.observe([handle])
            assert time.monotonic() < deadline
            time.sleep(self.look_interval_s)
        executor.cancel(handle, 2.0)
        self.wait(executor, handle)

    def test_too_much_memory_is_named_with_the_limit(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """Out of memory is not a crash like others."""
        project.block(
            "greedy",
            "@data_loader\ndef greedy(**kwargs):\n"
            "    import time\n    held = bytearray(1500 << 20)\n"
            "    time.sleep(600)\n    return len(held)\n",
        )
        task = project.task("greedy", resources={"memory_mib": 1024})
        seen = self.wait(executor, executor.submit(task))
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.OUT_OF_MEMORY)
        assert "1024" in seen.detail

    def test_a_good_task_is_not_complained_about(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """What would run is let through."""
        assert executor.check(project.task("number")) == []

    def test_variables_in_a_folder_are_refused(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """Before the run, with the setting to change."""
        task = project.task("number", variables=str(project.root / ".variables"))
        (problem,) = executor.check(task)
        assert "remote_variables_dir" in problem.message
