"""The promises of executors whose blocks run on other machines, as a test class to inherit from.

Beside `open_in`, a backend supplies its cloud: a fake that really runs what is submitted, and fails
on demand. For the real thing see `real_platform`.
"""

from __future__ import annotations

import abc
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.errors import VariableError
from jupyter_blocks.executors.base import (
    BlockTask,
    Executor,
    ExecutorContext,
    Observation,
    Phase,
    Reason,
)
from jupyter_blocks.testing.containers import (
    ContainerHost,
    can_hide,
    lying_image,
    worker_image,
)
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.platform_contract import PlatformContract
from jupyter_blocks.variables.storage import Storage

__all__ = ["CANARY", "GOOD_IMAGE", "LYING_IMAGE", "Cloud", "RemoteExecutorContract"]

GOOD_IMAGE = "registry.test/blocks:1"
LYING_IMAGE = "registry.test/liar:1"
MISSING_IMAGE = "registry.test/nothing:1"
CANARY = "canary-b7c1d6 \"quoted\" & 'more'"
"""A secret. It may be found nowhere but in the environment of the block that asked for it."""


@dataclass
class Cloud(abc.ABC):
    """A cloud to test with: where it is, and what may be done to it."""

    host: ContainerHost
    """Where its containers run."""
    requests: list[str] = field(default_factory=list)
    """Bodies of all requests it was sent."""

    @abc.abstractmethod
    def settings(self) -> dict[str, Any]:
        """The project's section for the executor, without the image."""

    @abc.abstractmethod
    def fail(self, calls: int, status: int, *, when: str = "any", done: bool = False) -> None:
        """Answer the next calls with an HTTP status; `when`: `create`, `list`, `stop`, or `any`.

        With `done` they are carried out and only their answer is lost.
        """

    @abc.abstractmethod
    def lose(self, attempt_id: str) -> None:
        """Take the machine of an attempt away (a spot machine, a node that died)."""

    @abc.abstractmethod
    def jobs(self) -> int:
        """How many jobs were ever created."""


class RemoteExecutorContract(PlatformContract):
    """Inherit, supply `open_in` and `cloud`, and two fixtures.

    `variables`: URI of an empty variable store that this process and the containers reach;
    `role`: the environment that lets the containers in.
    """

    image_setting = "image"
    """Name of the setting for the image."""

    @pytest.fixture
    @abc.abstractmethod
    def cloud(self, host: ContainerHost) -> Iterator[Cloud]:
        """The cloud, which has the machines of `host`; ended after the test."""

    @pytest.fixture
    def host(
        self, project: ContractProject, role: dict[str, str], tmp_path: Path
    ) -> Iterator[ContainerHost]:
        """The machines of the cloud, which cannot see the project; ended after the test."""
        images = {GOOD_IMAGE: worker_image(), LYING_IMAGE: lying_image(tmp_path / "liar")}
        host = ContainerHost(images, role, [project.root])
        yield host
        host.close()

    @abc.abstractmethod
    def open_in(self, cloud: Cloud, context: ExecutorContext) -> Executor:
        """Open the executor for a cloud."""

    def open(self, context: ExecutorContext) -> Executor:
        """Not used: `executor` needs the cloud."""
        raise AssertionError(f"open_in() opens {context}")

    @pytest.fixture
    def project(self, tmp_path: Path, variables: str) -> ContractProject:
        """A project whose variables are in object storage."""
        return ContractProject(tmp_path / "project", variables=variables)

    @pytest.fixture
    def executor(self, project: ContractProject, cloud: Cloud) -> Iterator[Executor]:
        """The executor, closed after the test."""
        executor = self.reopened(project, cloud)
        yield executor
        executor.close()

    def reopened(self, project: ContractProject, cloud: Cloud, **settings: Any) -> Executor:
        """An executor as another process would open it."""
        self._changed = threading.Event()
        merged = {self.image_setting: GOOD_IMAGE, **cloud.settings(), **settings}
        return self.open_in(
            cloud,
            ExecutorContext(
                str(project.root), settings=merged, max_workers=4, notify=self._changed.set
            ),
        )

    # what travels

    def test_the_project_is_nowhere_to_be_seen(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """The block has its code from the store, not from the folder it came from."""
        if not can_hide():
            pytest.skip("this user may not hide folders from a process")
        project.block(
            "where",
            "@data_loader\ndef where(**kwargs):\n    import os\n"
            f"    return [os.getcwd(), os.path.exists({str(project.root / 'metadata.yaml')!r})]\n",
        )
        task = project.task("where")
        assert self.wait(executor, executor.submit(task)).phase is Phase.SUCCEEDED
        manifest = self.manifest(project, task)
        assert project.store.load(manifest, "output_0") != str(project.root)
        assert project.store.load(manifest, "output_1") is False

    def test_a_secret_is_found_nowhere(self, project: ContractProject, cloud: Cloud) -> None:
        """A block uses it, prints it and fails with it; nothing that is kept or sent has it."""
        cloud.host.role = {**cloud.host.role, "VAULT": CANARY}
        project.block(
            "using",
            "import os, sys\n@data_loader\ndef using(**kwargs):\n"
            "    secret = os.environ['PASSWORD']\n"
            "    print(secret)\n    print(repr(secret), file=sys.stderr)\n"
            "    os.write(1, secret.encode() + b'\\n')\n"
            "    raise ValueError(f'cannot log in with {secret}')\n",
        )
        executor = self.reopened(project, cloud, secrets={"PASSWORD": "env:VAULT"})
        task = project.task("using")
        handle = executor.submit(task)
        seen = self.wait(executor, handle)
        executor.close()
        assert seen.reason is Reason.USER_ERROR
        assert "cannot log in with [secret]" in seen.detail
        assert "[secret]" in project.log(task)
        kept = dict(_objects(project.store.storage))
        told = [repr(seen), json.dumps(vars(handle)), *cloud.requests]
        for form in (CANARY, json.dumps(CANARY)[1:-1], repr(CANARY)[1:-1]):
            assert not [key for key, data in kept.items() if form.encode() in data]
            assert not [text for text in told if form in text]

    # how it ends

    def test_a_lying_image_is_found_out(self, project: ContractProject, cloud: Cloud) -> None:
        """A container that ends well without a result has not succeeded."""
        executor = self.reopened(project, cloud, **{self.image_setting: LYING_IMAGE})
        seen = self.wait(executor, executor.submit(project.task("number")))
        executor.close()
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.PROTOCOL)
        assert "no result" in seen.detail

    def test_a_missing_image_is_named(self, project: ContractProject, cloud: Cloud) -> None:
        """It is not waited for: no time brings an image that is not there."""
        executor = self.reopened(project, cloud, **{self.image_setting: MISSING_IMAGE})
        seen = self._submitted_or_seen(executor, project.task("number"))
        executor.close()
        assert seen.reason in (Reason.CONFIGURATION, Reason.START_FAILED)
        assert MISSING_IMAGE in seen.detail

    def test_missing_packages_are_listed(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """The worker says what its image lacks before it runs anything."""
        task = project.task("counting")
        outgoing = executor._outgoing  # type: ignore[attr-defined]
        make: Callable[[BlockTask], BlockTask] = outgoing._remote
        lacking = {"a-package-that-is-not-there": "1.2.3"}
        outgoing._remote = lambda task: replace(make(task), packages=lacking)
        seen = self.wait(executor, executor.submit(task))
        assert (seen.phase, seen.reason) == (Phase.FAILED, Reason.CONFIGURATION)
        assert "a-package-that-is-not-there 1.2.3" in seen.detail
        assert not project.mark("counting").exists()

    def test_a_lost_machine_is_not_the_blocks_fault(
        self, executor: Executor, project: ContractProject, cloud: Cloud
    ) -> None:
        """It counts against the budget for lost machines."""
        task = project.task("sleeping")
        handle = executor.submit(task)
        self.wait(executor, handle, lambda _seen: project.mark("sleeping").exists())
        cloud.lose(task.attempt_id)
        seen = self.wait(executor, handle)
        assert seen.reason is Reason.INFRASTRUCTURE
        assert seen.phase in (Phase.LOST, Phase.FAILED)

    # a platform in trouble

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_storm_costs_no_attempt(
        self, executor: Executor, project: ContractProject, cloud: Cloud, status: int
    ) -> None:
        """Calls are made again, and the block runs once."""
        cloud.fail(3, status)
        task = project.task("counting")
        seen = self.wait(executor, executor.submit(task))
        assert seen.phase is Phase.SUCCEEDED
        assert project.mark("counting").read_text("utf-8") == "x"

    def test_a_lost_reply_starts_no_second_job(
        self, executor: Executor, project: ContractProject, cloud: Cloud
    ) -> None:
        """The job was created, and its creator never heard of it."""
        cloud.fail(1, 500, when="create", done=True)
        task = project.task("counting")
        assert self.wait(executor, executor.submit(task)).phase is Phase.SUCCEEDED
        assert cloud.jobs() == 1
        assert project.mark("counting").read_text("utf-8") == "x"

    def test_another_process_adopts_what_runs(
        self, executor: Executor, project: ContractProject, cloud: Cloud
    ) -> None:
        """All that is needed is the id of the attempt."""
        task = project.task("sleeping")
        first = executor.submit(task)
        self.wait(executor, first, lambda _seen: project.mark("sleeping").exists())
        executor.close()
        other = self.reopened(project, cloud)
        (found,) = other.find([task.attempt_id, "b" * 26])
        assert self.wait(other, found, lambda seen: seen.phase is Phase.RUNNING)
        assert other.submit(task).attempt_id == task.attempt_id
        assert cloud.jobs() == 1
        other.cancel(found, 5.0)
        assert self.wait(other, found).phase in (Phase.CANCELLED, Phase.FAILED)
        other.close()

    def test_a_silent_platform_leaves_attempts_unknown(
        self, executor: Executor, project: ContractProject, cloud: Cloud, monkeypatch: Any
    ) -> None:
        """Nothing is concluded from an API that does not answer."""
        monkeypatch.setattr("jupyter_blocks.executors.remote.OBSERVE_GIVE_UP_S", 0.0)
        handle = executor.submit(project.task("sleeping"))
        self.wait(executor, handle, lambda _seen: project.mark("sleeping").exists())
        cloud.fail(1, 503, when="list")
        (seen,) = executor.observe([handle])
        assert seen.phase is Phase.UNKNOWN
        self.wait(executor, handle, lambda seen: seen.phase is Phase.RUNNING)
        executor.cancel(handle, 1.0)
        self.wait(executor, handle)

    def test_a_cancelled_block_may_clean_up(
        self, executor: Executor, project: ContractProject
    ) -> None:
        """SIGTERM comes first, and the worker says that it was stopped."""
        project.block(
            "tidy",
            "import pathlib, time\n@data_loader\ndef tidy(**kwargs):\n"
            "    mark = pathlib.Path(kwargs['mark'])\n"
            "    try:\n        mark.write_text('started')\n        time.sleep(600)\n"
            "    finally:\n        mark.write_text('tidied')\n",
        )
        handle = executor.submit(project.task("tidy"))
        self.wait(executor, handle, lambda _seen: project.mark("tidy").exists())
        executor.cancel(handle, 20.0)
        seen = self.wait(executor, handle)
        assert (seen.phase, seen.reason) == (Phase.CANCELLED, Reason.CANCELLED)
        assert project.mark("tidy").read_text("utf-8") == "tidied"

    def _submitted_or_seen(self, executor: Executor, task: BlockTask) -> Observation:
        """What comes of it, whether the platform refuses at once or later."""
        try:
            return self.wait(executor, executor.submit(task))
        except Exception as error:
            reason = getattr(error, "reason", Reason.NONE)
            return Observation(task.attempt_id, Phase.FAILED, reason, str(error))


def _objects(storage: Storage) -> Iterator[tuple[str, bytes]]:
    """All that is in a store, uncompressed where it is code."""
    for entry in storage.entries():
        try:
            yield entry.key, storage.read(entry.key)
        except VariableError:
            continue
