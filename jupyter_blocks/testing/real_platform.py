"""The promises of executors on real clusters and accounts, as a test class to inherit from.

    class TestMyPlatform(RealPlatformContract):
        variable = "MY_PLATFORM"
        parts = ("REGION", "IMAGE", "STORE")

        def settings(self, place):
            return {"region": place["REGION"], "image": place["IMAGE"]}

        def open(self, context):
            return open_my_platform(context)

`MY_PLATFORM=eu-west-1,registry/image:1,s3://bucket/tests pytest ...` runs it; without the variable
it is skipped.
"""

from __future__ import annotations

import abc
import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from jupyter_blocks.executors.base import Executor, ExecutorContext, JobHandle, Phase
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.platform_contract import PlatformContract

__all__ = ["RealPlatformContract", "named_place"]

_WAITING = (
    "import time\n@data_loader\ndef waiting(**kwargs):\n"
    "    print('at work', flush=True)\n    time.sleep(900)\n"
)


def named_place(variable: str, parts: Sequence[str]) -> dict[str, str]:
    """What an environment variable lists, with commas between; skips the test if it is not set.

    Fails where it lists more or less than `parts`.
    """
    text = os.environ.get(variable, "")
    wanted = f"{variable}={','.join(parts)}"
    if not text:
        pytest.skip(f"no real platform to test with: set {wanted}")
    values = [value.strip() for value in text.split(",")]
    if len(values) != len(parts):
        pytest.fail(f"{variable} has {len(values)} parts; {wanted} has {len(parts)}")
    return dict(zip(parts, values, strict=True))


class RealPlatformContract(PlatformContract):
    """Inherit, name the place, supply `settings` and `open`."""

    variable: ClassVar[str]
    """The environment variable that names a place on the platform."""
    parts: ClassVar[tuple[str, ...]]
    """What it lists; `IMAGE` and `STORE` (a URI that the machines may use) are among it."""
    # A platform may have to fetch the image, or a machine.
    wait_s = 900.0
    look_interval_s = 2.0

    @abc.abstractmethod
    def settings(self, place: Mapping[str, str]) -> dict[str, Any]:
        """The project's section for the executor."""

    @pytest.fixture
    def place(self) -> dict[str, str]:
        """Parts of the place by their names."""
        return named_place(self.variable, self.parts)

    @pytest.fixture
    def project(self, tmp_path: Path, place: dict[str, str]) -> ContractProject:
        """A project with a folder of its own in the store, which is left there."""
        store = f"{place['STORE'].rstrip('/')}/{uuid.uuid4().hex}"
        return ContractProject(tmp_path / "project", variables=store)

    @pytest.fixture
    def executor(self, project: ContractProject, place: dict[str, str]) -> Iterator[Executor]:
        """The executor, closed after the test."""
        executor = self.opened(project, place)
        yield executor
        executor.close()

    def opened(
        self, project: ContractProject, place: Mapping[str, str], **settings: Any
    ) -> Executor:
        """The executor with the settings of the place, and some of one's own."""
        self._changed = threading.Event()
        given = {**self.settings(place), **settings}
        return self.open(
            ExecutorContext(str(project.root), settings=given, notify=self._changed.set)
        )

    def working(self, executor: Executor, project: ContractProject) -> JobHandle:
        """An attempt whose block has begun and takes a quarter of an hour, if it is let."""
        project.block("waiting", _WAITING)
        task = project.task("waiting")
        handle = executor.submit(task)
        seen = self.wait(
            executor,
            handle,
            lambda seen: seen.phase.is_final or "at work" in project.log(task),
        )
        assert not seen.phase.is_final, seen
        return handle

    def test_all_is_well(self, executor: Executor) -> None:
        """The place is ready, by the executor's own diagnosis."""
        findings = executor.diagnose()  # type: ignore[attr-defined]
        bad = [finding for finding in findings if not finding.is_good]
        assert not bad, bad

    # Those of the contract whose blocks leave marks on this machine.

    def test_submitting_twice_runs_once(self, executor: Executor, project: ContractProject) -> None:
        """An attempt id is an idempotency key."""
        task = project.task("talker")
        first, again = executor.submit(task), executor.submit(task)
        assert self.wait(executor, first).phase is Phase.SUCCEEDED
        assert self.wait(executor, again).phase is Phase.SUCCEEDED
        assert project.log(task).count("hello from the block") == 1

    def test_a_running_attempt_is_found_again(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """`find` names what exists and creates nothing."""
        handle = self.working(executor, project)
        (found,) = executor.find([handle.attempt_id, "b" * 26])
        assert found.attempt_id == handle.attempt_id
        executor.cancel(found, 1.0)
        self.wait(executor, handle)
        executor.release(handle)

    def test_cancelling_ends_the_work(self, executor: Executor, project: ContractProject) -> None:
        """A running block is stopped; asking again, or too late, is no error."""
        handle = self.working(executor, project)
        executor.cancel(handle, 30.0)
        executor.cancel(handle, 30.0)
        assert self.wait(executor, handle).phase is Phase.CANCELLED
        executor.cancel(handle, 30.0)
        executor.release(handle)
