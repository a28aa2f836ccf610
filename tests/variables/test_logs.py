"""Logs in numbered segments: together they are what was written, and they stream."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jupyter_blocks.errors import VariableError
from jupyter_blocks.runlog import LogTail, read_log
from jupyter_blocks.variables import logs
from jupyter_blocks.variables.openstorage import open_storage
from jupyter_blocks.variables.storage import Storage

PREFIX = "pipelines/p/runs/r/b/a"


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setattr(logs, "SEND_INTERVAL_S", 0.05)
    monkeypatch.setattr(logs, "LOOK_INTERVAL_S", 0.0)
    return open_storage(f"memory://logs/{tmp_path}")


def elsewhere(storage: Storage, tmp_path: Path) -> logs.SegmentedLog:
    """A reader on another machine, where the file is not."""
    log = logs.SegmentedLog(storage, PREFIX)
    log._spool = tmp_path / "nothing"
    return log


def wait_for(storage: Storage, number: int) -> None:
    deadline = time.monotonic() + 10
    while not storage.exists(logs.segment_key(PREFIX, number)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_log_streams_in_segments(storage: Storage, tmp_path: Path) -> None:
    """Whole lines while it grows, the rest at the end; the local file is gone then."""
    tail = LogTail(elsewhere(storage, tmp_path))
    here = LogTail(logs.SegmentedLog(storage, PREFIX))
    with logs.sent_in_segments(storage, PREFIX) as path:
        assert list(tail.read()) == []
        with path.open("ab", buffering=0) as file:
            file.write(b"one\ntw")
            wait_for(storage, 1)
            assert [line.text for line in tail.read()] == ["one"]
            assert [line.text for line in here.read()] == ["one"]
            file.write(b"o\nthree\nrest")
            wait_for(storage, 2)
            assert [line.text for line in tail.read()] == ["two", "three"]
    assert not path.exists()
    assert [line.text for line in tail.finish()] == ["rest"]
    assert [line.text for line in here.finish()] == ["two", "three", "rest"]
    lines = read_log(elsewhere(storage, tmp_path))
    assert [line.text for line in lines] == ["one", "two", "three", "rest"]


def test_a_silent_block_sends_nothing(storage: Storage) -> None:
    """Not even an empty object."""
    with logs.sent_in_segments(storage, PREFIX) as path:
        path.touch()
    assert list(storage.entries()) == []
    assert read_log(logs.SegmentedLog(storage, PREFIX)) == []


def test_a_log_that_cannot_be_sent_stays(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is, is said; the block does not fail for it."""

    def refuse(*_: object, **__: object) -> None:
        raise VariableError("no")

    monkeypatch.setattr(storage, "create", refuse)
    with logs.sent_in_segments(storage, PREFIX) as path:
        path.write_text("kept\n")
    assert f"The log stays in {path}: no" in capsys.readouterr().err
    assert path.read_text() == "kept\n"
    path.unlink()
