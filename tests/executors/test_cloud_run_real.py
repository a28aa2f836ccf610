"""The promises on a real project of Google Cloud; skipped unless one is named.

JUPYTER_BLOCKS_REAL_CLOUD_RUN=PROJECT,REGION,IMAGE,STORE and application default credentials. The
image is one that `jupyter blocks image` describes; the store is a folder of a bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.executors.base import Executor, ExecutorContext
from jupyter_blocks.executors.cloud_run.backend import open_cloud_run
from jupyter_blocks.testing.containers import ContainerHost, worker_image
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.fake_cloud_run import fake_cloud_run
from jupyter_blocks.testing.real_platform import RealPlatformContract, named_place
from jupyter_blocks.testing.remote_contract import GOOD_IMAGE


class TestRealCloudRun(RealPlatformContract):
    """Blocks as jobs of Cloud Run."""

    variable = "JUPYTER_BLOCKS_REAL_CLOUD_RUN"
    parts = ("PROJECT", "REGION", "IMAGE", "STORE")

    def settings(self, place: Mapping[str, str]) -> dict[str, Any]:
        return {
            "project_id": place["PROJECT"],
            "region": place["REGION"],
            "image": place["IMAGE"],
        }

    def open(self, context: ExecutorContext) -> Executor:
        return open_cloud_run(context)


def test_the_same_on_a_fake(
    tmp_path: Path, gs_variables: str, role: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place of the fake is read as one of a project, and its first promises are kept."""
    real = TestRealCloudRun()
    real.wait_s = 60.0
    with fake_cloud_run(ContainerHost({GOOD_IMAGE: worker_image()}, role, [tmp_path])) as cloud:
        place = f"{cloud.project},{cloud.region},{GOOD_IMAGE},{gs_variables}"
        monkeypatch.setenv(real.variable, place)
        found = named_place(real.variable, real.parts)
        project = ContractProject(tmp_path / "project", variables=found["STORE"])
        executor = real.opened(project, found, endpoint=cloud.url)
        real.test_all_is_well(executor)
        real.test_a_good_block_leaves_a_verified_manifest(executor, project)
        executor.close()
