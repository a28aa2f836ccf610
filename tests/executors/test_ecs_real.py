"""The main promises on a real account of AWS; skipped unless a place in one is named.

`JUPYTER_BLOCKS_REAL_ECS=REGION,CLUSTER,SUBNET,IMAGE,STORE,TASK_ROLE,EXECUTION_ROLE` and credentials
are needed. The image must hold this version; the store is a prefix in S3 that the task role may
use.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.executors.base import ExecutorContext, Phase, Reason
from jupyter_blocks.executors.ecs.backend import open_ecs
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.testing import executor_contract
from jupyter_blocks.testing.executor_contract import ContractProject, ExecutorContract

REAL = os.environ.get("JUPYTER_BLOCKS_REAL_ECS", "")


@pytest.mark.skipif(not REAL, reason="JUPYTER_BLOCKS_REAL_ECS names no place")
class TestRealEcs:
    """Blocks that leave no traces on this machine, so only what the store tells is looked at."""

    wait = ExecutorContract.wait
    manifest = ExecutorContract.manifest

    @pytest.fixture
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContractProject:
        monkeypatch.setattr(executor_contract, "WAIT_S", 900.0)
        store = f"{REAL.split(',')[4]}/{uuid.uuid4().hex}"
        return ContractProject(tmp_path / "project", variables=store)

    @pytest.fixture
    def executor(self, project: ContractProject) -> Iterator[RemoteExecutor]:
        self._changed = threading.Event()
        region, cluster, subnet, image, _, task_role, execution_role = REAL.split(",")
        settings = {
            "region": region,
            "cluster": cluster,
            "subnets": [subnet],
            "image": image,
            "task_role_arn": task_role,
            "execution_role_arn": execution_role,
        }
        executor = open_ecs(ExecutorContext(str(project.root), settings))
        yield executor
        executor.close()

    def test_all_is_well(self, executor: RemoteExecutor) -> None:
        """The account is ready."""
        assert [found for found in executor.diagnose() if not found.is_good] == []

    def test_a_good_block(self, executor: RemoteExecutor, project: ContractProject) -> None:
        """Asked for twice, it runs once, and its output is in the store."""
        task = project.task("number")
        handle = executor.submit(task)
        assert executor.submit(task) == handle
        assert self.wait(executor, handle).phase is Phase.SUCCEEDED
        (name,) = self.manifest(project, task).outputs
        assert project.store.load(self.manifest(project, task), name) == 42
        assert executor.find([task.attempt_id]) == [handle]
        executor.release(handle)

    def test_a_failing_block(self, executor: RemoteExecutor, project: ContractProject) -> None:
        """It says what it raised."""
        seen = self.wait(executor, executor.submit(project.task("failing")))
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.USER_ERROR)

    def test_too_much_memory(self, executor: RemoteExecutor, project: ContractProject) -> None:
        """It is named, with the limit."""
        project.block(
            "greedy",
            "@data_loader\ndef greedy(**kwargs):\n    return len(b'x' * (3 << 30))\n",
        )
        task = project.task("greedy", resources={"memory_mib": 1024})
        seen = self.wait(executor, executor.submit(task))
        assert seen.reason is Reason.OUT_OF_MEMORY
        assert "1024" in seen.detail

    def test_cancelling(self, executor: RemoteExecutor, project: ContractProject) -> None:
        """A running block ends."""
        project.block(
            "waiting", "import time\n@data_loader\ndef waiting(**_):\n    time.sleep(999)\n"
        )
        handle = executor.submit(project.task("waiting"))
        self.wait(executor, handle, lambda seen: seen.phase is Phase.RUNNING)
        executor.cancel(handle, 30.0)
        assert self.wait(executor, handle).phase is Phase.CANCELLED
