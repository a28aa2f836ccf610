"""Files below a folder: what is special about local storage."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from jupyter_blocks.variables.formats import Sink, Source
from jupyter_blocks.variables.storage import AlreadyExistsError, LocalStorage
from tests.variables.test_storage import files


def test_without_hard_links_creating_is_exclusive_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have no links; pointers work there, too."""
    storage = LocalStorage(tmp_path / "store")

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    storage.create("a", b"1")
    with pytest.raises(AlreadyExistsError):
        storage.create("a", b"2")
    assert storage.point("latest", "a", lambda _: True)
    assert storage.read("a") == storage.read("latest") == b"1"
    storage.publish("b", b"2", "latest", lambda _: True)
    assert storage.read("b") == storage.read("latest") == b"2"
    with pytest.raises(AlreadyExistsError):
        storage.publish("b", b"3", "latest", lambda _: True)
    assert files(storage) == ["a", "b", "latest"]


def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    """The text names the object and says how to make room."""
    script = (
        "import resource, sys; from jupyter_blocks.variables.storage import LocalStorage\n"
        "from jupyter_blocks.errors import VariableError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "storage = LocalStorage(sys.argv[1])\n"
        "for write in (storage.create, storage.replace):\n"
        "    try: write('a', bytes(5000))\n"
        "    except VariableError as error: print(error)\n"
        "try:\n"
        "    with storage.writer('b') as file: file.write(bytes(5000))\n"
        "except VariableError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line[:3] for line in lines] == ["'a'", "'a'", "'b'"]
    assert all("could not be written: File too large" in line for line in lines)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 10, 70_000, 5_000_000])
def test_digests_are_those_of_all_bytes(tmp_path: Path, size: int) -> None:
    """Small writes are gathered, large ones hashed beside the writing; the order stays."""
    storage = LocalStorage(tmp_path)
    sink = Sink(storage, "attempt", "out")
    pieces = [bytes([number]) * size for number in range(3)] + [b"end"]
    with sink.file(".bin") as file:
        for piece in pieces:
            file.write(bytearray(piece))
    (item,) = sink.objects
    whole = b"".join(pieces)
    assert (item.size, item.sha256) == (len(whole), sha256(whole).hexdigest())
    assert bytes(Source(storage, "attempt", (item,), verify=True).buffer(".bin")) == whole


def test_a_write_that_fails_says_so_while_its_bytes_are_hashed(tmp_path: Path) -> None:
    """And the file is taken away."""
    script = (
        "import resource, sys; from jupyter_blocks.variables.storage import LocalStorage\n"
        "from jupyter_blocks.variables.formats import Sink\n"
        "from jupyter_blocks.errors import VariableError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))\n"
        "try:\n"
        "    with Sink(LocalStorage(sys.argv[1]), 'attempt', 'out').file('.bin') as file:\n"
        "        file.write(bytes(5_000_000)); file.write(bytes(5_000_000))\n"
        "except VariableError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "could not be written: File too large" in done.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
