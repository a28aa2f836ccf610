"""Stores that this process and the containers of fake clouds reach."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from tests import places

ROLE = (
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "STORAGE_EMULATOR_HOST",
    "NO_PROXY",
    "no_proxy",
)
"""Environment that lets a process into the store."""


@pytest.fixture(scope="session")
def servers() -> Iterator[places.Servers]:
    """S3 and Google Cloud Storage, started when they are asked for."""
    with places.servers() as found:
        yield found


@pytest.fixture
def s3_variables(servers: places.Servers, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty store in S3."""
    return places.use("s3", uuid.uuid4().hex, servers, monkeypatch)


@pytest.fixture
def variables(s3_variables: str) -> str:
    """The store of the conformance suites, where a test class names no other."""
    return s3_variables


@pytest.fixture
def gs_variables(servers: places.Servers, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty store in Google Cloud Storage."""
    return places.use("gs", uuid.uuid4().hex, servers, monkeypatch)


@pytest.fixture
def role() -> dict[str, str]:
    """What the machines of a fake cloud may do: reach the store."""
    return {name: os.environ[name] for name in ROLE if name in os.environ}
