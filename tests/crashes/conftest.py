"""Clouds that pipelines are cut off on."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jupyter_blocks.testing.containers import ContainerHost, worker_image
from jupyter_blocks.testing.fake_cloud_run import fake_cloud_run
from jupyter_blocks.testing.fake_ecs import fake_ecs
from jupyter_blocks.testing.fake_kubernetes import FakeKubernetes
from jupyter_blocks.testing.remote_contract import GOOD_IMAGE, Cloud
from tests import places
from tests.crashes.lab import Case, Lab, Victim
from tests.executors.conftest import ROLE, servers

__all__ = ["servers"]

SECTIONS = {
    "k8s": "k8s_executor_config",
    "ecs": "ecs_config",
    "gcp_cloud_run": "gcp_cloud_run_config",
}


@pytest.fixture
def local_lab(tmp_path: Path) -> Iterator[Lab]:
    """A pipeline whose blocks run on this machine."""
    with Victim() as victim:
        yield Lab(tmp_path, victim, Case())


@pytest.fixture
def far_lab(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    servers: places.Servers,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lab]:
    """A pipeline of which one block runs here and three on the cloud that the test names."""
    executor: str = request.param
    store = "gs" if executor == "gcp_cloud_run" else "s3"
    variables = places.use(store, uuid.uuid4().hex, servers, monkeypatch)
    role = {name: os.environ[name] for name in ROLE if name in os.environ}
    host = ContainerHost({GOOD_IMAGE: worker_image()}, role, [tmp_path / "projects"])
    (tmp_path / "projects").mkdir()
    with ExitStack() as stack:
        cloud = _cloud(executor, host, tmp_path, stack)
        section = {**cloud.settings(), "image": GOOD_IMAGE}
        case = Case(
            {"remote_variables_dir": variables, SECTIONS[executor]: section},
            dict.fromkeys(("load", "left", "save"), executor),
        )
        yield Lab(tmp_path, stack.enter_context(Victim()), case)


def _cloud(executor: str, host: ContainerHost, folder: Path, stack: ExitStack) -> Cloud:
    if executor == "ecs":
        return stack.enter_context(fake_ecs(host))
    if executor == "gcp_cloud_run":
        return stack.enter_context(fake_cloud_run(host))
    cluster = FakeKubernetes(host, folder=folder / "cluster")
    stack.callback(cluster.close)
    return cluster
