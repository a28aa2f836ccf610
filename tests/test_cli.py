"""The command line as a whole: finding commands, errors, exit codes, streams, light start."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jupyter_blocks.cli
from jupyter_blocks._version import __version__
from jupyter_blocks.cli import COMMANDS, command_parser, load_command
from tests.commandline import COMMAND, blocks, environment, shell
from tests.projects import block, write_project

NAMES = sorted(COMMANDS)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one block."""
    return write_project(tmp_path / "project", [block("load")]).root


def test_commands_are_sorted_and_complete() -> None:
    """All that the design names, in the order of the list."""
    promised = "init start export run check suggest notebook graph show runs status logs cancel"
    promised += " attach executors clean repair demo completion image kernel"
    assert list(COMMANDS) == sorted(promised.split())


@pytest.mark.parametrize("name", NAMES)
def test_every_command_helps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Usage, what it does, every option with a text, examples, exit codes."""
    with pytest.raises(SystemExit) as end:
        blocks(capsys, name, "--help")
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: jupyter blocks {name}")
    assert f"examples:\n  jupyter blocks {name}" in text
    assert "exit codes:\n  " in text
    parser = command_parser(name, load_command(name))
    assert all(action.help for action in parser._actions)
    assert max(len(line) for line in text.splitlines()) <= 110


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_accepted(name: str) -> None:
    """What the help shows can be typed: the options exist and their values are read."""
    import shlex

    command = load_command(name)
    for example in command.examples:
        words = shlex.split(example.partition(">")[0])
        assert words[0] == name
        own = words[1 : words.index("--")] if "--" in words else words[1:]
        command_parser(name, command).parse_intermixed_args(own)


def test_help_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command with a line, and the exit codes."""
    with pytest.raises(SystemExit) as end:
        blocks(capsys, "--help")
    assert end.value.code == 0
    text = capsys.readouterr().out
    for entry in COMMANDS.values():
        assert re.search(rf"^    {entry.name}\s+{re.escape(entry.help)}$", text, re.M)
    for code in (0, 1, 2, 75, 130):
        assert re.search(rf"^  {code}\s+\w", text, re.M)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version of the package."""
    with pytest.raises(SystemExit):
        blocks(capsys, "--version")
    assert capsys.readouterr().out == f"jupyter-blocks {__version__}\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["rnu"], "There is no command 'rnu'. Did you mean 'run'?"),
        (["xyz"], "There is no command 'xyz'. `jupyter blocks --help` lists them."),
        (["a.ipynb"], "There is no command 'a.ipynb'. Did you mean `jupyter blocks run a.ipynb`?"),
        (["run"], "the following arguments are required: TARGET. See `jupyter blocks run --help`."),
        (["run", "x", "--nope"], "unrecognized arguments: --nope. See"),
        (["run", "x", "--max-workers", "0"], "'0' is not a whole number of 1 or more. See"),
        (["run", "x", "--runtime-vars", "{"], "--runtime-vars is not valid JSON"),
    ],
)
def test_mistakes_of_the_command_line(
    words: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One `error:` line that says what to do; exit code 2; nothing on stdout."""
    answer = blocks(capsys, *words)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert text in answer.err


def test_nothing_said_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with exit code 2: it is no result."""
    answer = blocks(capsys)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("usage: jupyter blocks")


def test_every_problem_has_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All at once, the place first."""
    specs = [
        block("a", upstream=["nobody"]),
        block("b", kind="custom", timeout="soon"),
        block("c", kind="custom", upstream_blocks=["d"]),
    ]
    write_project(tmp_path, specs)
    answer = blocks(capsys, "run", tmp_path)
    assert answer.code == 2
    lines = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    assert len(lines) >= 2
    assert all(
        re.match(r"error: pipelines/pipe/metadata\.yaml, line \d+: ", line) for line in lines
    )


def test_errors_as_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json an error is a document too, also one of the command line itself."""
    answer = blocks(capsys, "run", project, "nothing", "--json")
    assert answer.code == 2
    error = answer.document["error"]
    assert error["type"] == "UsageError"
    assert error["message"].startswith("Project 'project' has no pipeline 'nothing'.")
    assert error["problems"] == []
    assert "error: Project" in answer.err

    answer = blocks(capsys, "run", "--json", "--nope")
    assert answer.document["error"]["type"] == "UsageError"


def test_problems_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With their codes and places."""
    write_project(tmp_path, [block("a", upstream=["nobody"])])
    error = blocks(capsys, "graph", tmp_path, "--json").document["error"]
    assert error["type"] == "ValidationError"
    assert {problem["code"] for problem in error["problems"]} == {"unknown-upstream"}
    assert error["problems"][0]["line"] > 0


def test_the_unexpected(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short text, exit code 1, and the traceback only for those who ask for it."""

    def broken(*_: object) -> None:
        raise RuntimeError("surprise")

    monkeypatch.setattr(jupyter_blocks.cli, "load_command", broken)
    answer = blocks(capsys, "runs", "--json")
    assert answer.code == 1
    assert answer.err.startswith("error: Something unexpected went wrong: RuntimeError: surprise\n")
    assert "JUPYTER_BLOCKS_DEBUG=1" in answer.err
    assert "Traceback" not in answer.err
    assert answer.document["error"]["type"] == "RuntimeError"

    monkeypatch.setenv("JUPYTER_BLOCKS_DEBUG", "1")
    assert "Traceback (most recent call last)" in blocks(capsys, "runs").err


def test_ctrl_c_before_anything_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, exit code 130."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jupyter_blocks.cli, "load_command", interrupted)
    answer = blocks(capsys, "runs")
    assert (answer.code, answer.err) == (130, "error: Interrupted.\n")


def test_a_reader_that_goes_away(project: Path) -> None:
    """`| head` neither breaks a run nor changes its exit code."""
    for number in range(50):
        (project / f"{number}.txt").touch()
    process = subprocess.Popen(
        [*COMMAND, "run", str(project), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) == 0
    assert "BrokenPipe" not in errors


def test_json_is_one_document_on_stdout(project: Path) -> None:
    """Progress and what blocks write are on stderr."""
    write_project(project, [block("load", "print('hello')\nreturn 1")])
    answer = shell("run", project, "--json")
    assert answer.code == 0
    assert list(answer.document) == ["run_id", "pipeline", "status", "blocks"]
    assert "load | hello" in answer.err
    assert "hello" not in answer.out


@pytest.mark.parametrize(
    "words", [["--help"], ["run", "{project}"], ["runs", "--project", "{project}"]]
)
def test_light_start(words: list[str], project: Path) -> None:
    """Neither help nor a run of plain blocks loads a large package into the dispatcher."""
    write_project(project, [block("load"), block("clean", upstream=["load"])])
    code = (
        "import sys\n"
        "from jupyter_blocks.cli import main\n"
        "try:\n"
        "    assert main(sys.argv[1:]) == 0\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    words = [word.format(project=project) for word in words]
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    heavy = {"pandas", "numpy", "pyarrow", "nbformat", "rich", "jinja2", "IPython", "matplotlib"}
    assert not heavy & loaded
    if words == ["--help"]:
        assert not {"yaml", "sqlite3"} & loaded


def test_module_and_script_are_the_same(project: Path) -> None:
    """`python -m jupyter_blocks` works where no script is installed."""
    answer = shell("runs", "--project", project, "--json")
    assert (answer.code, answer.document) == (0, {"runs": []})


def complete(line: str, cwd: Path, tmp_path: Path) -> set[str]:
    """What argcomplete answers a shell for a line."""
    out = tmp_path / "completions"
    variables = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(out),
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run(
        [*COMMAND], cwd=cwd, env=environment(**variables), check=True, capture_output=True
    )
    return {word.strip() for word in out.read_text().split("\n")}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jupyter-blocks r", {"repair", "run", "runs"}),
        ("jupyter-blocks run --ch", {"--changed"}),
        ("jupyter-blocks run pi", {"pipe"}),
        ("jupyter-blocks run pipe --block lo", {"load"}),
        ("jupyter-blocks run pipe --executor lo", {"local_python"}),
        ("jupyter-blocks status la", {"last"}),
        ("jupyter-blocks completion ba", {"bash"}),
    ],
)
def test_completion(line: str, words: set[str], project: Path, tmp_path: Path) -> None:
    """Commands, options, pipelines, blocks, executors, runs."""
    assert complete(line, project, tmp_path) == words


def test_completing_changes_nothing(project: Path, tmp_path: Path) -> None:
    """Also where there is no project at all."""
    assert complete("jupyter-blocks run x --block ", tmp_path, tmp_path) == {""}
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir())) == (
        '["completions", "project"]'
    )


def test_what_an_executor_finds_odd_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, before the blocks run; it stops nothing."""
    own = {"resources": {"memory_mib": 10**9, "gpu": 10**6}}
    project = write_project(tmp_path / "odd", [block("load", jupyter_blocks=own)])
    answer = blocks(capsys, "run", project.root)
    assert answer.code == 0
    assert "Block 'load' asks for 1e+09 MiB of memory" in answer.err
    assert "Block 'load' asks for 1000000 GPUs" in answer.err
