"""The executor `k8s` on a real cluster, for whoever has one (docs/executors/kubernetes.md).

`JUPYTER_BLOCKS_REAL_K8S=NAMESPACE,IMAGE,STORE` and a kubeconfig are needed; the image must hold
this version of the package.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.executors.base import Executor, ExecutorContext, Phase, Reason
from jupyter_blocks.executors.kubernetes.backend import open_kubernetes
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.testing.executor_contract import ContractProject, ExecutorContract

PLACE = os.environ.get("JUPYTER_BLOCKS_REAL_K8S", "")

pytestmark = pytest.mark.skipif(not PLACE, reason="JUPYTER_BLOCKS_REAL_K8S names no cluster")


class TestRealKubernetes(ExecutorContract):
    """The part of the contract that needs no look into the containers."""

    # Their blocks leave marks in a folder of this machine, which cannot be seen from a cluster.
    test_submitting_twice_runs_once = None  # type: ignore[assignment]
    test_cancelling_ends_the_work = None  # type: ignore[assignment]
    test_a_running_attempt_is_found_again = None  # type: ignore[assignment]

    def open(self, context: ExecutorContext) -> Executor:
        raise AssertionError(f"`executor` opens it, with its settings: {context}")

    @pytest.fixture
    def project(self, tmp_path: Path) -> ContractProject:
        store = PLACE.split(",")[2].rstrip("/")
        return ContractProject(tmp_path / "project", variables=f"{store}/{uuid.uuid4().hex}")

    @pytest.fixture
    def executor(
        self, project: ContractProject, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Executor]:
        # A cluster may have to fetch the image, or a node.
        monkeypatch.setattr("jupyter_blocks.testing.executor_contract.WAIT_S", 900.0)
        executor = self.opened(project)
        yield executor
        executor.close()

    def opened(self, project: ContractProject, **settings: object) -> RemoteExecutor:
        self._changed = threading.Event()
        namespace, image, _ = PLACE.split(",")
        given = {"namespace": namespace, "image": image, **settings}
        return open_kubernetes(ExecutorContext(str(project.root), settings=given))

    def test_all_is_well(self, executor: RemoteExecutor) -> None:
        """Before anything runs."""
        assert [finding for finding in executor.diagnose() if not finding.is_good] == []

    def test_a_missing_image(self, project: ContractProject) -> None:
        """A real kubelet's words are understood."""
        executor = self.opened(project, image="registry.invalid/nothing:1")
        handle = executor.submit(project.task("number"))
        seen = self.wait(executor, handle, lambda seen: "registry.invalid" in seen.detail)
        executor.release(handle)
        executor.close()
        assert seen.phase in (Phase.PENDING, Phase.FAILED)

    def test_too_much_memory(self, executor: Executor, project: ContractProject) -> None:
        """A real kernel kills it."""
        project.block(
            "greedy",
            "@data_loader\ndef greedy(**kwargs):\n    return len(bytearray(1500 << 20))\n",
        )
        handle = executor.submit(project.task("greedy", resources={"memory_mib": 1024}))
        seen = self.wait(executor, handle)
        executor.release(handle)
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.OUT_OF_MEMORY)

    def test_cancelling(self, executor: Executor, project: ContractProject) -> None:
        """The pod ends, and the Job is gone."""
        task = project.task("sleeping")
        handle = executor.submit(task)
        self.wait(executor, handle, lambda seen: seen.phase is Phase.RUNNING)
        executor.cancel(handle, 5.0)
        assert self.wait(executor, handle).phase is Phase.CANCELLED
        assert executor.find([task.attempt_id]) == []
