"""Whatever a block writes, by whatever means, is in the log of its attempt and nowhere else."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.attemptlog import captured
from jupyter_blocks.runlog import read_log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is to be."""
    return tmp_path / "000001.jsonl"


def records(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a log."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def lines(path: Path) -> list[tuple[str, str]]:
    """Stream and text of each line, as a reader of the log sees them."""
    return [(line.stream, line.text) for line in read_log(path)]


def test_printed_lines_are_records_with_time_and_stream(path: Path) -> None:
    """One JSON object per line."""
    before = time.time()
    with captured(path):
        print("hello")
        print("oh", "no", file=sys.stderr)
    first, second = records(path)
    assert before <= first.pop("ts") <= second.pop("ts") <= time.time()
    assert first == {"stream": "stdout", "text": "hello\n"}
    assert second == {"stream": "stderr", "text": "oh no\n"}


def log(text: str) -> None:
    """Log as a program does that has set up logging."""
    record = logging.LogRecord("jb", logging.WARNING, "", 0, text, (), None)
    logging.StreamHandler().handle(record)


WRITERS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "file descriptor": (lambda: os.write(1, b"raw\n"), "", "raw"),
    "child process": (
        lambda: subprocess.run([sys.executable, "-c", "print('child')"], check=True),
        "",
        "child",
    ),
    "child given the stream": (
        lambda: subprocess.run(["echo", "given"], stdout=sys.stderr, check=True),
        "",
        "given",
    ),
    "C library": (lambda: ctypes.CDLL(None).puts(b"from C"), "", "from C"),
    "bytes": (lambda: sys.stdout.buffer.write("grüße\n".encode()), "stdout", "grüße"),
    "no line feed": (lambda: print("half", end=""), "stdout", "half"),
    "lone surrogate": (lambda: print("\udcff"), "stdout", "\udcff"),
    "many lines at once": (lambda: sys.stdout.write("a\n" * 3), "stdout", "a"),
    "progress bar": (lambda: print("10%\r20%\r30%"), "stdout", "30%"),
    "logging": (lambda: log("careful"), "stderr", "careful"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_everything_written_is_in_the_log(path: Path, name: str) -> None:
    """Python, C code and child processes alike."""
    write, stream, text = WRITERS[name]
    with captured(path):
        write()
    assert (stream, text) in lines(path)


def test_a_line_is_there_as_soon_as_it_is_complete(path: Path) -> None:
    """So that logs can be followed; an unfinished line is there after a flush."""
    with captured(path):
        print("first")
        assert [text for _, text in lines(path)] == ["first"]
        print("sec", end="")
        assert len(records(path)) == 1
        print("ond", end="", flush=True)
        assert [text for _, text in lines(path)] == ["first", "second"]


def test_nothing_written_leaves_no_file(path: Path) -> None:
    """Thousands of quiet blocks leave no thousands of files."""
    with captured(path):
        pass
    assert not path.exists()


def test_the_streams_are_put_back(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Also when the block fails."""
    before = sys.stdout, sys.stderr
    with suppress(ValueError), captured(path):
        print("inside")
        raise ValueError
    assert (sys.stdout, sys.stderr) == before
    os.write(1, b"outside\n")
    assert capfd.readouterr().out == "outside\n"
    assert [text for _, text in lines(path)] == ["inside"]


def test_a_stream_somebody_kept_writes_to_the_attempt_under_way(tmp_path: Path) -> None:
    """As logging handlers of libraries do."""
    with captured(tmp_path / "1"):
        kept = sys.stderr
        print("one", file=kept)
    with captured(tmp_path / "2"):
        print("two", file=kept)
    assert [text for _, text in lines(tmp_path / "1")] == ["one"]
    assert [text for _, text in lines(tmp_path / "2")] == ["two"]


def test_a_block_cannot_close_the_streams(path: Path) -> None:
    """The worker goes on after it."""
    with captured(path):
        sys.stdout.close()
        print("still here")
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[attr-defined]
        assert not sys.stdout.isatty()
        assert sys.stdout.fileno() == 1
        assert sys.stdout.encoding == "utf-8"
        with pytest.raises(TypeError):
            sys.stdout.write(b"bytes")  # type: ignore[arg-type]
    assert [text for _, text in lines(path)] == ["still here"]


def test_threads_do_not_tear_lines_apart(path: Path) -> None:
    """Each line is one record, whoever else writes."""

    def write(name: str) -> None:
        for number in range(200):
            print(f"{name} {number}")

    with captured(path):
        threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = sorted("".join(record["text"] for record in records(path)).splitlines())
    assert found == sorted(f"{name} {number}" for name in "abc" for number in range(200))


def test_a_long_line_is_not_held_back_for_ever(path: Path) -> None:
    """A progress bar without line feeds does not fill the memory."""
    with captured(path):
        for _ in range(200):
            print("x" * 1000, end="")
        assert len(records(path)) >= 3
    assert [len(text) for _, text in lines(path)] == [200_000]
