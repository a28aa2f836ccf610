"""Where tests keep variables: a folder, memory, S3 as moto plays it, and a fake of Google's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.fakegcs import FakeGcs, fake_gcs
from tests.motoserver import moto_server

BUCKET = "blocks-tests"
KINDS = ("local", "memory", "s3", "gs")
REMOTE = ("s3", "gs")


@contextmanager
def servers() -> Iterator[Servers]:
    """Servers that are started when the first test asks for them, and end with the block."""
    found = Servers()
    try:
        yield found
    finally:
        found.close()


class Servers:
    """The two services, each started once."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Any, Any]] = {}

    def s3(self) -> str:
        """URL of S3, with the bucket in it."""
        if "s3" not in self._open:
            url = self._start("s3", moto_server())
            urlopen(Request(f"{url}/{BUCKET}", method="PUT"), timeout=10).close()
        return str(self._open["s3"][1])

    def gcs(self) -> FakeGcs:
        """Google Cloud Storage, with the bucket in it."""
        if "gs" not in self._open:
            self._start("gs", fake_gcs(BUCKET))
        fake: FakeGcs = self._open["gs"][1]
        return fake

    def close(self) -> None:
        for manager, _ in self._open.values():
            manager.__exit__(None, None, None)

    def _start(self, name: str, manager: Any) -> Any:
        self._open[name] = manager, manager.__enter__()
        return self._open[name][1]


def use(kind: str, name: str, found: Servers, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the environment up for a kind of store; the URI of an empty one."""
    for variable in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "GOOGLE_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    if kind == "s3":
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.s3())
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    if kind == "gs":
        fake = found.gcs()
        fake.faults.clear()
        fake.requests.clear()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.endpoint.removeprefix("http://"))
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    return f"{kind}://{BUCKET}/{name}"
