"""Clients of AWS: one for each service, made when it is asked for, shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from jupyter_blocks.executors.ecs.settings import EcsSettings

__all__ = ["AwsClients", "open_client"]

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60
CONNECTIONS = 16


class AwsClients:
    """Safe for use by threads."""

    def __init__(self, settings: EcsSettings, make: Callable[[EcsSettings, str], Any]) -> None:
        self._settings = settings
        self._make = make
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        """The client of a service, such as `ecs`."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(self._settings, service)
            return self._clients[service]

    def renew(self) -> None:
        """Make new ones from now on, with the credentials that are there then."""
        with self._lock:
            self._clients.clear()


def open_client(settings: EcsSettings, service: str) -> Any:
    """A client of boto3 that makes every call once: trying again is our own business."""
    import boto3
    from botocore.config import Config
    from botocore.session import Session

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=CONNECTIONS,
        user_agent_extra="jupyter-blocks",
    )
    session = Session()
    session.register_component("data_loader", _models())
    session = boto3.Session(
        profile_name=settings.profile, region_name=settings.region, botocore_session=session
    )
    return session.client(service, endpoint_url=settings.endpoint_url, config=config)


@cache
def _models() -> Any:
    """The descriptions of services, read once: sessions differ in their credentials only."""
    from botocore.session import Session

    return Session().get_component("data_loader")
