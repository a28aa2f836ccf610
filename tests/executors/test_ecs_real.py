"""The promises on a real account of AWS; skipped unless a place in one is named.

`JUPYTER_BLOCKS_REAL_ECS=REGION,CLUSTER,SUBNET,IMAGE,STORE,TASK_ROLE,EXECUTION_ROLE` and credentials
are needed. The image must hold this version; the store is a prefix in S3 that the task role may
use.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.executors.base import Executor, ExecutorContext
from jupyter_blocks.executors.ecs.backend import open_ecs
from jupyter_blocks.testing.containers import ContainerHost, worker_image
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.fake_ecs import fake_ecs
from jupyter_blocks.testing.real_platform import RealPlatformContract, named_place
from jupyter_blocks.testing.remote_contract import GOOD_IMAGE

ROLE_ARN = "arn:aws:iam::123456789012:role"


class TestRealEcs(RealPlatformContract):
    """Blocks on Fargate."""

    variable = "JUPYTER_BLOCKS_REAL_ECS"
    parts = ("REGION", "CLUSTER", "SUBNET", "IMAGE", "STORE", "TASK_ROLE", "EXECUTION_ROLE")

    def settings(self, place: Mapping[str, str]) -> dict[str, Any]:
        return {
            "region": place["REGION"],
            "cluster": place["CLUSTER"],
            "subnets": [place["SUBNET"]],
            "image": place["IMAGE"],
            "task_role_arn": place["TASK_ROLE"],
            "execution_role_arn": place["EXECUTION_ROLE"],
        }

    def open(self, context: ExecutorContext) -> Executor:
        return open_ecs(context)


def test_the_same_on_a_fake(
    tmp_path: Path, s3_variables: str, role: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place of the fake is read as one of an account, and its first promises are kept."""
    real = TestRealEcs()
    real.wait_s = 60.0
    with fake_ecs(ContainerHost({GOOD_IMAGE: worker_image()}, role, [tmp_path])) as fake:
        for service in ("ECS", "ECR", "STS", "IAM", "CLOUDWATCH_LOGS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", fake.url)
        subnet = "subnet-0123456789abcdef0"
        roles = f"{ROLE_ARN}/task,{ROLE_ARN}/start"
        place = f"{fake.api.region},default,{subnet},{GOOD_IMAGE},{s3_variables},{roles}"
        monkeypatch.setenv(real.variable, place)
        found = named_place(real.variable, real.parts)
        project = ContractProject(tmp_path / "project", variables=found["STORE"])
        executor = real.opened(project, found)
        real.test_all_is_well(executor)
        real.test_a_good_block_leaves_a_verified_manifest(executor, project)
        executor.close()
