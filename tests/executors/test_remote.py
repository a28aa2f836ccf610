"""What all executors with workers on other machines share, on the smallest backend there is."""

from __future__ import annotations

import pytest

from jupyter_blocks.executors.base import Executor, ExecutorContext
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.testing.containers import ContainerHost
from jupyter_blocks.testing.remote_contract import Cloud, RemoteExecutorContract
from tests.executors.processcloud import ProcessBackend, ProcessCloud


class TestProcessCloud(RemoteExecutorContract):
    """Blocks in processes that share nothing with this one but the store."""

    @pytest.fixture
    def cloud(self, host: ContainerHost) -> Cloud:
        return ProcessCloud(host)

    def open_in(self, cloud: Cloud, context: ExecutorContext) -> Executor:
        assert isinstance(cloud, ProcessCloud)
        return RemoteExecutor(ProcessBackend(cloud), context)
