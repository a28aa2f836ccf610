"""Blocks on Google Cloud Run: the real SDK against a fake that runs what is submitted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.api import run
from jupyter_blocks.executors.base import Executor, ExecutorContext
from jupyter_blocks.executors.cloud_run.backend import open_cloud_run
from jupyter_blocks.testing.containers import ContainerHost, worker_image
from jupyter_blocks.testing.fake_cloud_run import fake_cloud_run
from jupyter_blocks.testing.remote_contract import GOOD_IMAGE, Cloud, RemoteExecutorContract
from jupyter_blocks.variables.store import VariableStore
from tests.projects import block, write_project

MAIN_TESTS = (
    "test_a_crash_takes_no_neighbour_with_it",
    "test_a_good_block_leaves_a_verified_manifest",
    "test_a_lying_image_is_found_out",
    "test_a_secret_is_found_nowhere",
    "test_another_process_adopts_what_runs",
    "test_inputs_are_read_from_the_store",
    "test_logs_arrive_while_the_block_runs",
)
"""Those that a store of another kind could break."""


class TestCloudRun(RemoteExecutorContract):
    """The contract of all executors with workers elsewhere."""

    @pytest.fixture
    def cloud(self, host: ContainerHost) -> Iterator[Cloud]:
        with fake_cloud_run(host) as cloud:
            yield cloud

    def open_in(self, cloud: Cloud, context: ExecutorContext) -> Executor:
        return open_cloud_run(context)


OTHERS = {name: None for name in dir(TestCloudRun) if name.startswith("test_")}
for kept in MAIN_TESTS:
    del OTHERS[kept]


class TestCloudRunOnGcs(type("MainTests", (TestCloudRun,), OTHERS)):  # type: ignore[misc]
    """The main promises once more, with Google's own storage."""

    @pytest.fixture
    def variables(self, gs_variables: str) -> str:
        return gs_variables


def test_one_run_here_and_on_cloud_run(
    tmp_path: Path, gs_variables: str, role: dict[str, str]
) -> None:
    """Settings from metadata.yaml, values in Google's storage, and no job left behind."""
    root = tmp_path / "shop"
    with fake_cloud_run(ContainerHost({GOOD_IMAGE: worker_image()}, role, [root])) as cloud:
        settings = {
            "remote_variables_dir": gs_variables,
            "gcp_cloud_run_config": {**cloud.settings(), "image": GOOD_IMAGE},
        }
        project = write_project(
            root,
            [
                block("load", "import pandas as pd\nreturn pd.DataFrame({'a': [1, 2, 3]})"),
                block("far", "return int(load.a.sum())", ["load"], executor_type="gcp_cloud_run"),
                block("back", "return far + 1", ["far"]),
            ],
            settings=settings,
        )
        done = run("pipe", project.root)
        assert done.ok, done.blocks
        store = VariableStore(project.variables_root)
        assert store.load(store.blocks("pipe")["back"], "output_0") == 7
        assert cloud.jobs() == 1
        assert any(request.startswith("DELETE") for request in cloud.requests)
