"""Stores of every kind, each with nothing in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.variables.openstorage import open_storage
from jupyter_blocks.variables.storage import Storage
from tests.places import KINDS, Servers, servers, use


@pytest.fixture(scope="session")
def services() -> Iterator[Servers]:
    """S3 and Google Cloud Storage, started when they are asked for."""
    with servers() as found:
        yield found


@pytest.fixture(params=KINDS)
def root(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    services: Servers,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """An empty place of each kind."""
    if request.param == "local":
        return str(tmp_path / "store")
    return use(request.param, uuid.uuid4().hex, services, monkeypatch)


@pytest.fixture
def storage(root: str) -> Storage:
    """The storage at an empty place of each kind."""
    return open_storage(root)
