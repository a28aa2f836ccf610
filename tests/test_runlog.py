"""Reading logs, whole and while they grow."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_blocks.attemptlog import captured
from jupyter_blocks.runlog import LogLine, LogTail, log_of, read_log
from jupyter_blocks.variables.store import VariableStore


def record(text: str, stream: str = "stdout", ts: float = 1.0) -> str:
    """One line of a log file."""
    return json.dumps({"ts": ts, "stream": stream, "text": text}) + "\n"


def test_reads_what_the_worker_writes(tmp_path: Path) -> None:
    """What a block prints through any door is there, line by line, in order."""
    path = tmp_path / "log.jsonl"
    with captured(path):
        import os
        import sys

        print("one\ntwo")
        print("three", end="")
        sys.stdout.flush()
        print(" parts")
        print("careful", file=sys.stderr)
        os.write(1, b"raw\n")
        print("no end", end="")
    lines = read_log(path)
    texts = [(line.stream, line.text) for line in lines]
    assert texts == [
        ("stdout", "one"),
        ("stdout", "two"),
        ("stdout", "three parts"),
        ("stderr", "careful"),
        ("", "raw"),
        ("stdout", "no end"),
    ]
    assert all((line.ts is None) == (line.stream == "") for line in lines)


def test_there_may_be_no_file(tmp_path: Path) -> None:
    """A block that wrote nothing has no log."""
    assert read_log(tmp_path / "missing") == []


def test_follows_a_growing_file(tmp_path: Path) -> None:
    """Each look gives what is new; half a line is kept until its end comes."""
    path = tmp_path / "log.jsonl"
    tail = LogTail(path)
    assert list(tail.read()) == []
    first, second = record("one\n"), record("two\n", ts=2.0)
    path.write_text(first + second[:10])
    assert list(tail.read()) == [LogLine("one", "stdout", 1.0)]
    path.write_text(first + second + "raw without end")
    assert list(tail.read()) == [LogLine("two", "stdout", 2.0)]
    assert list(tail.finish()) == [LogLine("raw without end")]
    assert list(tail.finish()) == []


def test_streams_are_put_together_each_for_itself(tmp_path: Path) -> None:
    """Half a line of stdout does not swallow a line of stderr."""
    path = tmp_path / "log.jsonl"
    path.write_text(record("a") + record("warn\n", "stderr") + record("b\nc\n"))
    assert [line.text for line in read_log(path)] == ["warn", "ab", "c"]


def test_progress_bars_show_their_last_state(tmp_path: Path) -> None:
    """A line rewritten with carriage returns is what a terminal would show in the end."""
    path = tmp_path / "log.jsonl"
    path.write_text(record("10%\r50%\r100%\n") + "raw 1\rraw 2\n" + record("dos\r\n"))
    assert [line.text for line in read_log(path)] == ["100%", "raw 2", "dos"]


def test_odd_lines_are_text(tmp_path: Path) -> None:
    """JSON of others, half a record and bytes that are no UTF-8 are lines like others."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n{"ts": 1\n\xff\xfe\n')
    assert [line.text for line in read_log(path)] == ['{"a": 1}', '{"ts": 1', "\ufffd\ufffd"]


def test_looking_for_a_log_makes_no_folder(tmp_path: Path) -> None:
    """Readers leave the store as it is; the file is where the worker writes it."""
    store = VariableStore(tmp_path)
    path = log_of(store, "pipe", "run", "a/b", "attempt")
    assert list(tmp_path.iterdir()) == []
    assert path == store.log_path(store.prefix("pipe", "run", "a/b", "attempt"))
