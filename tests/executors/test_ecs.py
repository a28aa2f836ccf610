"""Blocks as tasks of ECS: boto3 against a fake that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_blocks.executors.base import Executor, ExecutorContext, Phase, Reason
from jupyter_blocks.executors.ecs.backend import open_ecs
from jupyter_blocks.executors.jobs import SubmitError
from jupyter_blocks.testing.containers import ContainerHost
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.fake_ecs import FakeEcs, fake_ecs
from jupyter_blocks.testing.remote_contract import GOOD_IMAGE, RemoteExecutorContract


class TestEcs(RemoteExecutorContract):
    """The contract of all executors, on Fargate."""

    @pytest.fixture
    def cloud(self, host: ContainerHost) -> Iterator[FakeEcs]:
        with fake_ecs(host) as fake:
            yield fake

    def open_in(self, cloud: Any, context: ExecutorContext) -> Executor:
        return open_ecs(context)

    def test_a_task_that_ecs_has_forgotten_has_its_result(
        self, executor: Executor, project: ContractProject, cloud: FakeEcs
    ) -> None:
        """Stopped tasks can be seen for an hour; the store keeps what they left."""
        cloud.api.stopped_ttl_s = 0.0
        seen = self.wait(executor, executor.submit(project.task("number")))
        assert seen.phase is Phase.SUCCEEDED

    def test_a_task_that_vanished_is_lost(
        self, executor: Executor, project: ContractProject, cloud: FakeEcs
    ) -> None:
        """Not found twice, and no result: its machine is to blame, not the block."""
        task = project.task("sleeping")
        handle = executor.submit(task)
        self.wait(executor, handle, lambda _seen: project.mark("sleeping").exists())
        cloud.vanish(task.attempt_id)
        seen = self.wait(executor, handle)
        assert (seen.phase, seen.reason) == (Phase.LOST, Reason.INFRASTRUCTURE)

    def test_a_task_definition_of_ones_own_on_ec2(
        self, project: ContractProject, cloud: FakeEcs
    ) -> None:
        """Its other containers, its memory and its network are left as they are."""
        container = {"memory": 900, "image": GOOD_IMAGE}
        cloud.api.do_register_task_definition(
            {
                "family": "mine",
                "containerDefinitions": [
                    {**container, "name": "proxy", "image": "proxy:1"},
                    {**container, "name": "worker"},
                ],
            }
        )
        mine = {"task_definition": "mine", "container_name": "worker", "launch_type": "EC2"}
        settings = {**mine, "image": None, "subnets": None, "security_groups": None}
        executor = self.reopened(project, cloud, **settings)
        task = project.task("number")
        assert executor.check(task) == []
        assert self.wait(executor, executor.submit(task)).phase is Phase.SUCCEEDED
        executor.close()
        (started,) = cloud.api.tasks.values()
        assert started.memory_mib() == 900

    @pytest.mark.parametrize(
        ("refusal", "words"),
        [
            ("RESOURCE:MEMORY", "No machine has enough MEMORY"),
            ("Capacity is unavailable at this time. Please try again later", "other zones"),
        ],
    )
    def test_no_room_is_waited_for_and_then_given_up(
        self, project: ContractProject, cloud: FakeEcs, refusal: str, words: str
    ) -> None:
        """A cluster without room is asked again as long as `start_timeout_s` says."""
        cloud.api.placements = [{"reason": refusal}] * 2
        executor = self.reopened(project, cloud)
        with pytest.raises(SubmitError, match=words) as caught:
            executor.submit(project.task("number", 1))
        executor.close()
        assert caught.value.reason is Reason.NO_CAPACITY
        executor = self.reopened(project, cloud, start_timeout_s=0)
        with pytest.raises(SubmitError, match=f"no machine .* within 0 s: .*{words}") as caught:
            executor.submit(project.task("number", 2))
        executor.close()
        assert caught.value.reason is Reason.START_TIMEOUT
        assert cloud.jobs() == 0
