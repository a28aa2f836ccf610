"""The executor `k8s` on a real cluster, for whoever has one (docs/executors/kubernetes.md).

`JUPYTER_BLOCKS_REAL_K8S=NAMESPACE,IMAGE,STORE` and a kubeconfig are needed; the image must hold
this version of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import kube_config

from jupyter_blocks.executors.base import Executor, ExecutorContext, Phase
from jupyter_blocks.executors.kubernetes.backend import open_kubernetes
from jupyter_blocks.testing.containers import ContainerHost, worker_image
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.fake_kubernetes import FakeKubernetes
from jupyter_blocks.testing.real_platform import RealPlatformContract, named_place
from jupyter_blocks.testing.remote_contract import GOOD_IMAGE


class TestRealKubernetes(RealPlatformContract):
    """Blocks as Jobs."""

    variable = "JUPYTER_BLOCKS_REAL_K8S"
    parts = ("NAMESPACE", "IMAGE", "STORE")

    def settings(self, place: Mapping[str, str]) -> dict[str, Any]:
        return {"namespace": place["NAMESPACE"], "image": place["IMAGE"]}

    def open(self, context: ExecutorContext) -> Executor:
        return open_kubernetes(context)

    def test_a_missing_image(self, project: ContractProject, place: dict[str, str]) -> None:
        """A real kubelet's words are understood."""
        executor = self.opened(project, place, image="registry.invalid/nothing:1")
        handle = executor.submit(project.task("talker"))
        seen = self.wait(executor, handle, lambda seen: "registry.invalid" in seen.detail)
        executor.release(handle)
        executor.close()
        assert seen.phase in (Phase.PENDING, Phase.FAILED)

    def test_a_cancelled_job_is_gone(self, executor: Executor, project: ContractProject) -> None:
        """Nobody finds it again."""
        handle = self.working(executor, project)
        executor.cancel(handle, 5.0)
        assert self.wait(executor, handle).phase is Phase.CANCELLED
        assert executor.find([handle.attempt_id]) == []


def test_the_same_on_a_fake(
    tmp_path: Path, s3_variables: str, role: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place of the fake is read as one of a cluster, and its first promises are kept."""
    real = TestRealKubernetes()
    real.wait_s = 60.0
    host = ContainerHost({GOOD_IMAGE: worker_image()}, role, [tmp_path / "project"])
    cluster = FakeKubernetes(host, folder=tmp_path / "cluster")
    # The client looks at KUBECONFIG once, when it is imported.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(cluster.kubeconfig))
    monkeypatch.setenv(real.variable, f"{cluster.namespace},{GOOD_IMAGE},{s3_variables}")
    found = named_place(real.variable, real.parts)
    project = ContractProject(tmp_path / "project", variables=found["STORE"])
    executor = real.opened(project, found)
    real.test_all_is_well(executor)
    real.test_a_good_block_leaves_a_verified_manifest(executor, project)
    executor.close()
    real.test_a_missing_image(project, found)
    executor = real.opened(project, found)
    real.test_a_cancelled_job_is_gone(executor, project)
    executor.close()
    cluster.close()
