"""`jupyter blocks logs`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.commandline import blocks, start
from tests.projects import block, write_project


def test_all_attempts_with_titles_and_times(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each attempt for itself, with how it ended."""
    answer = blocks(capsys, "logs", "last", "bad", "--project", ran)
    assert answer.code == 0
    titles = [line for line in answer.out.splitlines() if line.startswith("==")]
    assert [re.sub(r"\d\d:\d\d:\d\d", "TIME", title) for title in titles] == [
        "== bad, attempt 1 (failed: ValueError: no luck), TIME",
        "== bad, attempt 2 (failed: ValueError: no luck), TIME",
    ]
    assert len(re.findall(r"^\d\d:\d\d:\d\d\.\d{3}  trying$", answer.out, re.M)) == 2


def test_all_blocks(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that wrote something."""
    answer = blocks(capsys, "logs", "last", "--project", ran)
    assert "adding" in answer.out
    assert "careful" in answer.out
    assert "== load," not in answer.out


def test_a_block_that_wrote_nothing(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its attempt is named, so that silence is no mistake."""
    answer = blocks(capsys, "logs", "last", "load", "--project", ran)
    assert answer.out.startswith("== load, attempt 1 (ok)")


def test_json(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines with stream and time."""
    document = blocks(capsys, "logs", "last", "bad", "--project", ran, "--json").document
    assert [attempt["attempt"] for attempt in document["attempts"]] == [1, 2]
    lines = document["attempts"][0]["lines"]
    assert [(line["stream"], line["text"]) for line in lines] == [
        ("stdout", "trying"),
        ("stderr", "careful"),
    ]
    assert all(line["ts"] > 1.6e9 for line in lines)


def test_unknown_block(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error lists those there are."""
    answer = blocks(capsys, "logs", "last", "nobody", "--project", ran)
    assert answer.code == 2
    assert "has no block 'nobody'. Blocks: load, total, bad, after." in answer.err


def test_follows_a_run(tmp_path: Path) -> None:
    """Lines appear while the block runs; the command ends with the run."""
    flag = tmp_path / "flag"
    root = tmp_path / "project"
    slow = f"import time, pathlib\nprint('begun', flush=True)\nflag = pathlib.Path({str(flag)!r})\n"
    slow += "while not flag.exists():\n    time.sleep(0.02)\nprint('done')"
    write_project(root, [block("slow", slow)])
    run = start("run", root)
    assert run.stderr
    for line in run.stderr:
        if "begun" in line:
            break
    follow = start("logs", "last", "--follow", "--project", root)
    assert follow.stdout
    first = [follow.stdout.readline() for _ in range(2)]
    assert first[0].startswith("== slow, attempt 1 (running)")
    assert first[1].endswith("  begun\n")
    flag.touch()
    rest, _ = follow.communicate(timeout=60)
    assert rest.endswith("  done\n")
    assert follow.returncode == 0
    run.communicate(timeout=60)
