"""The promises for real platforms, kept by a platform of processes: no account is needed here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.errors import BlocksError
from jupyter_blocks.executors.base import Executor, ExecutorContext
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.testing.containers import ContainerHost, lying_image, worker_image
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.real_platform import RealPlatformContract, named_place
from jupyter_blocks.testing.remote_contract import GOOD_IMAGE, LYING_IMAGE
from tests.executors.processcloud import ProcessBackend, ProcessCloud

VARIABLE = "JUPYTER_BLOCKS_REAL_PROCESSES"


class OnProcesses(RealPlatformContract):
    """A platform that sees nothing of this test's folders, as a real one."""

    variable = VARIABLE
    parts = ("IMAGE", "STORE")
    wait_s = 60.0
    look_interval_s = 0.1

    @pytest.fixture(autouse=True)
    def _platform(
        self,
        tmp_path: Path,
        s3_variables: str,
        role: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Any:
        images = {
            GOOD_IMAGE: worker_image(),
            LYING_IMAGE: lying_image(tmp_path_factory.mktemp("liar")),
        }
        self.cloud = ProcessCloud(ContainerHost(images, role, [tmp_path]))
        monkeypatch.setenv(VARIABLE, f"{GOOD_IMAGE}, {s3_variables}")
        yield
        self.cloud.host.close()

    def settings(self, place: Mapping[str, str]) -> dict[str, Any]:
        return {"image": place["IMAGE"]}

    def open(self, context: ExecutorContext) -> Executor:
        return RemoteExecutor(ProcessBackend(self.cloud), context)


class TestRealPlatformContract(OnProcesses):
    """All of it."""

    @pytest.mark.parametrize(
        "promise",
        [
            "test_a_good_block_leaves_a_verified_manifest",
            "test_a_running_attempt_is_found_again",
            "test_cancelling_ends_the_work",
            "test_helper_modules_come_along",
            "test_submitting_twice_runs_once",
            "test_too_much_memory_is_named_with_the_limit",
        ],
    )
    def test_a_platform_that_runs_nothing_is_found_out(
        self, project: ContractProject, place: dict[str, str], promise: str
    ) -> None:
        """Whatever its jobs say of themselves."""
        executor = self.opened(project, place, image=LYING_IMAGE)
        self.wait_s = 2.0
        with pytest.raises((AssertionError, BlocksError)):
            getattr(self, promise)(executor, project)
        executor.close()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A skipped test says which variable to set, and to what."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"set {VARIABLE}=REGION,IMAGE$"):
        named_place(VARIABLE, ["REGION", "IMAGE"])


def test_a_place_with_a_part_missing_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is skipped that somebody meant to run."""
    monkeypatch.setenv(VARIABLE, "eu-west-1")
    with pytest.raises(pytest.fail.Exception, match=r"has 1 parts; .*=REGION,IMAGE has 2"):
        named_place(VARIABLE, ["REGION", "IMAGE"])
