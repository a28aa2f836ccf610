"""What all executors with workers on other machines share, on the smallest backend there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.executors.base import Executor, ExecutorContext
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.testing.containers import ContainerHost
from jupyter_blocks.testing.executor_contract import ContractProject
from jupyter_blocks.testing.remote_contract import Cloud, RemoteExecutorContract
from tests.executors.processcloud import ProcessBackend, ProcessCloud


class TestProcessCloud(RemoteExecutorContract):
    """Blocks in processes that share nothing with this one but the store."""

    @pytest.fixture
    def variables(self, s3_variables: str) -> str:
        return s3_variables

    @pytest.fixture
    def cloud(
        self, project: ContractProject, role: dict[str, str], tmp_path: Path
    ) -> Iterator[Cloud]:
        host = ContainerHost(self.images(tmp_path), role, [project.root])
        yield ProcessCloud(host)
        host.close()

    def open_in(self, cloud: Cloud, context: ExecutorContext) -> Executor:
        assert isinstance(cloud, ProcessCloud)
        return RemoteExecutor(ProcessBackend(cloud), context)
