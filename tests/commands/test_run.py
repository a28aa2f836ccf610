"""`jupyter blocks run`."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from jupyter_blocks.journal import Journal
from tests.commandline import Answer, blocks, shell, start
from tests.notebooks import notebook
from tests.projects import block, write_project

CELLS = (
    ("parameters", "month = 1"),
    ("loader:load", "numbers = [month, 2, 3]"),
    ("transformer:total", "total = sum(numbers)"),
    ("exporter:save", "print('total is', total)"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two blocks that work, one that does not, one after it."""
    specs = [
        block("load", "print('hello')\nreturn kwargs['month']"),
        block("good", "return load + 1", ["load"]),
        block("bad", "print('so far')\nraise ValueError('no luck')", ["load"]),
        block("after", upstream=["bad"]),
    ]
    return write_project(tmp_path / "project", specs, variables={"month": 1}).root


def statuses(answer: Answer) -> dict[str, str]:
    """Of the blocks, in the document."""
    return {name: entry["status"] for name, entry in answer.document["blocks"].items()}


def test_a_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exported, run, reported; the table is the result, all else is on stderr."""
    path = notebook(tmp_path, *CELLS)
    answer = blocks(capsys, "run", path)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].split() == ["block", "status", "executor", "time", "size"]
    assert [line.split()[1] for line in lines[1:4]] == ["load", "total", "save"]
    assert re.fullmatch(r"demo succeeded in .*: 3 ok \(run \S+\)", lines[-1])
    assert re.match(r"demo, run \S+: 3 blocks, month=1\n", answer.err)
    assert "save | total is 6\n" in answer.err
    assert re.search(r"^ok +total +local_python +\d", answer.err, re.M)


def test_a_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and everything about the block that failed, with what to do next."""
    answer = blocks(capsys, "run", project)
    assert answer.code == 1
    assert "1 failed, 1 upstream failed" in answer.out
    assert "Block 'bad' failed\n  ValueError: no luck\n  transformers/bad.py, line" in answer.err
    assert "so far" in answer.err[answer.err.index("Block 'bad'") :]
    run_id = re.search(r"run (\S+):", answer.err)
    assert run_id
    assert f"jupyter blocks logs {run_id[1]} bad\n" in answer.err
    assert f"jupyter blocks run {project} --resume {run_id[1]}\n" in answer.err


def test_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The promised shape."""
    answer = blocks(capsys, "run", project, "pipe", "--json")
    assert answer.code == 1
    document = answer.document
    assert list(document) == ["run_id", "pipeline", "status", "blocks"]
    assert (document["pipeline"], document["status"]) == ("pipe", "FAILED")
    good = document["blocks"]["good"]
    promised = {"status", "executor", "reason", "attempts", "duration_s", "error", "outputs"}
    assert promised <= set(good)
    assert good["outputs"]["output_0"]["type"] == "json"
    assert document["blocks"]["bad"]["error"]["message"] == "no luck"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--param", "month=7"], 8),
        (["--runtime-vars", '{"month": 5}'], 6),
    ],
)
def test_parameters(
    options: list[str], expected: int, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Typed by their defaults, or JSON."""
    blocks(capsys, "run", project, "--to", "good", *options)
    shown = blocks(capsys, "show", project, "good", "--json")
    assert shown.document["value"] == expected


def test_a_parameter_given_twice(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has to guess which one counts."""
    words = ["--param", "month=1", "--runtime-vars", '{"month": 2}']
    answer = blocks(capsys, "run", project, *words)
    assert answer.code == 2
    assert "Parameter 'month' is given by --param and by --runtime-vars." in answer.err


def test_selections(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--to, --block, --from and --changed cut the graph; inputs come from the store."""
    first = statuses(blocks(capsys, "run", project, "--to", "good", "--json"))
    assert first == {"load": "SUCCEEDED", "good": "SUCCEEDED", "bad": "SKIPPED", "after": "SKIPPED"}
    second = statuses(blocks(capsys, "run", project, "--block", "good", "--json"))
    assert second["load"] == "SKIPPED"
    assert second["good"] == "SUCCEEDED"
    third = statuses(blocks(capsys, "run", project, "--from", "bad", "--json"))
    assert third["bad"] == "FAILED"
    fourth = statuses(blocks(capsys, "run", project, "--changed", "--json"))
    assert (fourth["load"], fourth["good"], fourth["bad"]) == ("CACHED", "CACHED", "FAILED")


def test_dry_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What would run, with reasons; nothing does."""
    answer = blocks(capsys, "run", project, "--dry-run", "--to", "good")
    assert answer.code == 0
    assert answer.out.startswith("pipe: 2 of 4 blocks would run with month=1\n")
    document = blocks(capsys, "run", project, "--dry-run", "--json").document
    assert document["run_id"] is None
    assert [entry["action"] for entry in document["blocks"]] == ["run"] * 4
    assert blocks(capsys, "runs", "--project", project, "--json").document == {"runs": []}


def test_resume(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is done is kept, the rest runs."""
    assert blocks(capsys, "run", project).code == 1
    (project / "transformers" / "bad.py").write_text(
        "@transformer\ndef bad(load, **kwargs):\n    return 1\n"
    )
    answer = blocks(capsys, "run", project, "--resume", "last", "--json")
    assert answer.code == 0
    assert statuses(answer)["good"] == "CACHED"
    assert statuses(answer)["after"] == "SUCCEEDED"


def test_options_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--skip-sensors, --no-test, --max-workers and --executor reach the plan."""
    tested = "@data_loader\ndef load(**kwargs):\n    return 1\n"
    tested += "\n@test\ndef check(value):\n    assert 0\n"
    write_project(tmp_path, [block("wait", "return False", kind="sensor"), block("load", tested)])
    words = ["--skip-sensors", "--no-test", "--max-workers", "1", "--executor", "local_python"]
    answer = blocks(capsys, "run", tmp_path, *words, "--json")
    assert answer.code == 0
    assert statuses(answer) == {"wait": "SKIPPED", "load": "SUCCEEDED"}
    assert answer.document["blocks"]["load"]["executor_reason"] == "asked for with --executor"
    answer = blocks(capsys, "run", tmp_path, "--executor", "mainframe")
    assert answer.code == 2
    assert "Unknown executor 'mainframe'" in answer.err


def test_a_notebook_with_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, each with its cell; nothing is written, nothing runs."""
    path = notebook(tmp_path, ("loader:load", "x = missing"), ("transformer:t", "y = gone + x"))
    answer = blocks(capsys, "run", path)
    assert answer.code == 2
    assert re.search(r"^error: demo\.ipynb, cell 1, line 1: .*'missing'", answer.err, re.M)
    assert re.search(r"^error: demo\.ipynb, cell 2, line 1: .*'gone'", answer.err, re.M)
    assert not (tmp_path / "pipelines").exists()


def test_files_edited_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are named, and neither overwritten nor run."""
    path = notebook(tmp_path, *CELLS)
    assert blocks(capsys, "run", path).code == 0
    file = tmp_path / "transformers" / "total.py"
    edited = file.read_text().replace("sum(numbers)", "max(numbers)")
    file.write_text(edited)
    answer = blocks(capsys, "run", path)
    assert answer.code == 2
    assert "transformers/total.py was edited by hand" in answer.err
    assert file.read_text() == edited


def test_a_failing_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error is placed in the notebook first, then in the block file."""
    path = notebook(tmp_path, ("loader:load", "x = 1"), ("transformer:t", "\ny = x\nz = y / 0\nz"))
    answer = blocks(capsys, "run", path)
    assert answer.code == 1
    assert re.search(r"demo\.ipynb, cell 2, line \d \(transformers/t\.py, line \d+\)", answer.err)
    assert "jupyter_blocks/" not in answer.err


def test_sigterm_stops_gracefully(tmp_path: Path) -> None:
    """As a scheduler or a container does it: exit code 130, the run is recorded as stopped."""
    slow = "import time\nprint('sleeping', flush=True)\ntime.sleep(60)"
    write_project(tmp_path, [block("slow", slow)])
    process = start("run", tmp_path)
    assert process.stderr
    for line in process.stderr:
        if "sleeping" in line:
            break
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopping ..." in err
    assert "pipe was stopped" in out


def test_a_run_that_another_process_drives(tmp_path: Path) -> None:
    """Exit code 75, and who drives it."""
    write_project(tmp_path, [block("load", "raise ValueError")])
    assert shell("run", tmp_path).code == 1
    with Journal(tmp_path / ".blocks") as journal, journal.hold(journal.find("last").run_id):
        answer = shell("run", tmp_path, "--resume", "last", "--json")
    assert answer.code == 75
    assert "is driven by another process (pid" in answer.err
    assert answer.document["error"]["type"] == "RunHeldError"


def test_killed_and_resumed(tmp_path: Path) -> None:
    """Kill -9 of the dispatcher leaves what was committed; --resume finishes the run."""
    flag = tmp_path / "flag"
    slow = "import time, pathlib\nprint('sleeping', flush=True)\n"
    slow += f"while not pathlib.Path({str(flag)!r}).exists():\n    time.sleep(0.02)\nreturn load"
    root = tmp_path / "project"
    write_project(root, [block("load", "return 5"), block("slow", slow, ["load"])])
    process = start("run", root)
    assert process.stderr
    for line in process.stderr:
        if "sleeping" in line:
            break
    process.kill()
    process.communicate()
    assert shell("runs", "--project", root, "--json").document["runs"][0]["status"] == "INTERRUPTED"
    flag.touch()
    answer = shell("run", root, "--resume", "last", "--json")
    assert answer.code == 0
    assert statuses(answer) == {"load": "CACHED", "slow": "SUCCEEDED"}


def test_a_closed_terminal(tmp_path: Path) -> None:
    """SIGHUP stops the run gracefully; nobody reads what it writes any more."""
    slow = "import time\nprint('sleeping', flush=True)\ntime.sleep(60)"
    write_project(tmp_path, [block("slow", slow)])
    process = start("run", tmp_path)
    assert process.stderr
    assert process.stdout
    for line in process.stderr:
        if "sleeping" in line:
            break
    process.stderr.close()
    process.stdout.close()
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 130
    deadline = time.monotonic() + 30
    with Journal(tmp_path / ".blocks") as journal:
        while journal.find("last").holder and time.monotonic() < deadline:
            time.sleep(0.05)
        assert journal.find("last").status == "CANCELLED"
