"""The main promises on a real project of Google Cloud; skipped unless one is named.

JUPYTER_BLOCKS_REAL_CLOUD_RUN=PROJECT,REGION,IMAGE,STORE and application default credentials. The
image is one that `jupyter blocks image` describes; the store is a folder of a bucket.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.executors.base import Executor, ExecutorContext, Phase, Reason
from jupyter_blocks.executors.cloud_run.backend import open_cloud_run
from jupyter_blocks.testing import executor_contract
from jupyter_blocks.testing.executor_contract import ContractProject, ExecutorContract

REAL = os.environ.get("JUPYTER_BLOCKS_REAL_CLOUD_RUN", "")


@pytest.mark.skipif(not REAL, reason="JUPYTER_BLOCKS_REAL_CLOUD_RUN names no project")
class TestRealCloudRun:
    """Blocks that leave no traces on this machine, so only what the store tells is looked at."""

    wait = ExecutorContract.wait
    manifest = ExecutorContract.manifest

    @pytest.fixture
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContractProject:
        monkeypatch.setattr(executor_contract, "WAIT_S", 600.0)
        store = f"{REAL.split(',')[3]}/{uuid.uuid4().hex}"
        return ContractProject(tmp_path / "project", variables=store)

    @pytest.fixture
    def executor(self, project: ContractProject) -> Iterator[Executor]:
        self._changed = threading.Event()
        place, region, image, _ = REAL.split(",")
        settings = {"project_id": place, "region": region, "image": image}
        executor = open_cloud_run(ExecutorContext(str(project.root), settings))
        yield executor
        executor.close()

    def test_all_is_well(self, executor: Executor) -> None:
        """The project is ready."""
        findings = executor.diagnose()  # type: ignore[attr-defined]
        assert not [finding for finding in findings if not finding.is_good]

    def test_a_good_block(self, executor: Executor, project: ContractProject) -> None:
        """Its output is in the store, and its job is gone afterwards."""
        task = project.task("number")
        handle = executor.submit(task)
        executor.submit(task)
        assert self.wait(executor, handle).phase is Phase.SUCCEEDED
        (name,) = self.manifest(project, task).outputs
        assert project.store.load(self.manifest(project, task), name) == 42
        executor.release(handle)

    def test_a_failing_block(self, executor: Executor, project: ContractProject) -> None:
        """It says what it raised."""
        handle = executor.submit(project.task("failing"))
        seen = self.wait(executor, handle)
        executor.release(handle)
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.USER_ERROR)

    def test_too_much_memory(self, executor: Executor, project: ContractProject) -> None:
        """It is named, with the limit."""
        project.block(
            "greedy",
            "@data_loader\ndef greedy(**kwargs):\n    return len(b'x' * (3 << 30))\n",
        )
        handle = executor.submit(project.task("greedy", resources={"memory_mib": 1024}))
        seen = self.wait(executor, handle)
        executor.release(handle)
        assert seen.reason is Reason.OUT_OF_MEMORY

    def test_cancelling(self, executor: Executor, project: ContractProject) -> None:
        """A running block ends."""
        project.block(
            "waiting", "import time\n@data_loader\ndef waiting(**_):\n    time.sleep(999)\n"
        )
        handle = executor.submit(project.task("waiting"))
        self.wait(executor, handle, lambda seen: seen.phase is Phase.RUNNING)
        executor.cancel(handle, 10.0)
        assert self.wait(executor, handle).phase is Phase.CANCELLED
        executor.release(handle)
