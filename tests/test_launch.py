"""Whole runs of real projects: real workers, real files, real journal."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.errors import Problem, RunHeldError, UsageError, ValidationError
from jupyter_blocks.journal import Journal
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.project import Project, open_project
from jupyter_blocks.run import RunState, RunStatus
from jupyter_blocks.variables.store import VariableStore
from tests.projects import block, write_project

CHAIN = [
    block("load", "return 20"),
    block("double", "return load * 2", ["load"]),
    block("export", "return double + 2", ["double"], "data_exporter"),
]


def run(project: Project, pipeline: str = "pipe", **request: Any) -> RunState:
    launch = prepare(project, project.pipeline(pipeline), RunRequest(**request))
    with launch.dispatcher() as dispatcher:
        state = dispatcher.run()
        launch.finish(state)
    return state


def plan(project: Project, **request: Any) -> dict[str, tuple[str, str]]:
    launch = prepare(project, project.pipeline("pipe"), RunRequest(**request))
    return {planned.name: (str(planned.action), planned.reason) for planned in launch.plan.blocks}


def statuses(state: RunState) -> dict[str, str]:
    return {name: str(run.status) for name, run in state.blocks.items()}


def value(project: Project, name: str) -> Any:
    store = VariableStore(project.variables_root)
    manifest = store.latest("pipe", name)
    assert manifest is not None
    return store.load(manifest, next(iter(manifest.outputs)))


def rewrite(project: Project, path: str, old: str, new: str) -> None:
    file = project.root / path
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_values_travel_down_the_pipeline(tmp_path: Path) -> None:
    """Each block gets what its upstream blocks returned, and every output is stored."""
    project = write_project(tmp_path, CHAIN)
    state = run(project)
    assert state.status is RunStatus.SUCCEEDED
    assert value(project, "export") == 42
    outcome = state.as_json()["blocks"]["double"]
    assert outcome["executor"] == "local_python"
    assert outcome["attempts"] == 1
    assert outcome["outputs"]["output_0"]["type"] == "json"


def test_parameters_reach_the_blocks(tmp_path: Path) -> None:
    """Runtime variables are keyword arguments of hand-written blocks."""
    blocks = [block("load", "return kwargs['month'] + kwargs['extra']")]
    project = write_project(tmp_path, blocks, variables={"month": 1, "extra": 10})
    run(project, params=("month=5",))
    assert value(project, "load") == 15


def test_independent_blocks_run_at_the_same_time(tmp_path: Path) -> None:
    """Two blocks that wait for each other both finish."""
    meet = """
        import pathlib, time
        pathlib.Path(kwargs["configuration"]["mine"]).touch()
        deadline = time.monotonic() + 60
        while not pathlib.Path(kwargs["configuration"]["other"]).exists():
            assert time.monotonic() < deadline, "the other block never started"
            time.sleep(0.01)
        return 1
    """
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    project = write_project(
        tmp_path / "project",
        [
            block("a", meet, configuration={"mine": one, "other": two}),
            block("b", meet, configuration={"mine": two, "other": one}),
        ],
    )
    assert run(project, max_workers=2).status is RunStatus.SUCCEEDED


def test_a_failing_block_shows_the_users_own_error(tmp_path: Path) -> None:
    """Message, file and line are the user's; healthy branches finish."""
    project = write_project(
        tmp_path,
        [
            block("load", "return 1"),
            block("bad", "x = load\nreturn x / 0", ["load"]),
            block("below", "return bad", ["bad"]),
            block("healthy", "return load + 1", ["load"]),
        ],
    )
    state = run(project)
    assert statuses(state) == {
        "load": "SUCCEEDED",
        "bad": "FAILED",
        "below": "UPSTREAM_FAILED",
        "healthy": "SUCCEEDED",
    }
    error = state.blocks["bad"].error
    assert error is not None
    assert error["type"] == "ZeroDivisionError"
    assert error["file"] == "transformers/bad.py"
    assert error["line"] == 4
    assert "return x / 0" in error["traceback"]
    assert "jupyter_blocks/" not in error["traceback"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os; os._exit(7)", "exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise MemoryError", "memory"),
    ],
)
def test_a_dying_block_takes_nobody_with_it(tmp_path: Path, body: str, words: str) -> None:
    """A crash is named, and other branches finish."""
    slow = "import time; time.sleep(0.3); return 1"
    project = write_project(tmp_path, [block("bad", body), block("good", slow)])
    state = run(project, max_workers=2)
    assert statuses(state) == {"bad": "FAILED", "good": "SUCCEEDED"}
    assert words in state.blocks["bad"].reason + str(state.blocks["bad"].error)


def test_a_block_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """The timeout of metadata.yaml is enforced."""
    project = write_project(tmp_path, [block("slow", "import time; time.sleep(600)", timeout=1)])
    state = run(project)
    assert statuses(state) == {"slow": "FAILED"}
    assert "timeout of 1 s" in state.blocks["slow"].reason


def test_memory_limits_hold(tmp_path: Path) -> None:
    """A block that wants more than its `memory_mib` fails as out of memory."""
    body = "return len(bytearray(2_000_000_000))"
    own = {"resources": {"memory_mib": 200}}
    project = write_project(tmp_path, [block("big", body, jupyter_blocks=own), block("small")])
    state = run(project)
    assert statuses(state) == {"big": "FAILED", "small": "SUCCEEDED"}
    assert "200 MiB" in state.blocks["big"].reason


def test_what_executors_find_odd_is_said_and_the_block_runs(tmp_path: Path) -> None:
    """A wish that this machine cannot meet is a warning before the run, once for each block."""
    own = {"resources": {"memory_mib": 10**9}}
    project = write_project(tmp_path, [block("big", jupyter_blocks=own), block("small")])
    launch = prepare(project, project.pipeline("pipe"), RunRequest())
    warnings: list[Problem] = []
    with launch.dispatcher(warn=warnings.extend) as dispatcher:
        assert statuses(dispatcher.run()) == {"big": "SUCCEEDED", "small": "SUCCEEDED"}
    assert [(problem.code, problem.block) for problem in warnings] == [("too-much-memory", "big")]


def test_failures_are_retried_as_configured(tmp_path: Path) -> None:
    """retry_config counts further tries."""
    body = """
        import pathlib
        mark = pathlib.Path(kwargs["repo_path"]) / "tries"
        mark.open("a").write("x")
        assert len(mark.read_text()) == 3, "not yet"
        return 1
    """
    retry = {"retries": 2, "delay": 0.01}
    project = write_project(tmp_path, [block("flaky", body, retry_config=retry)])
    state = run(project)
    assert statuses(state) == {"flaky": "SUCCEEDED"}
    assert state.blocks["flaky"].attempts == 3


def test_a_sensor_holds_back_what_is_below(tmp_path: Path) -> None:
    """The sensor is asked until the file is there; others run meanwhile."""
    flag = tmp_path / "flag"
    project = write_project(
        tmp_path / "project",
        [
            block(
                "wait",
                f"import pathlib; return pathlib.Path({str(flag)!r}).exists()",
                kind="sensor",
                jupyter_blocks={"poll_interval": 0.05},
            ),
            block("other", f"import pathlib; pathlib.Path({str(flag)!r}).touch(); return 1"),
            {**block("after", "return 2", ["wait"])},
        ],
    )
    state = run(project, max_workers=1)
    assert set(statuses(state).values()) == {"SUCCEEDED"}


def test_skipped_sensors_count_as_satisfied(tmp_path: Path) -> None:
    """Blocks below a skipped sensor run."""
    project = write_project(
        tmp_path,
        [block("wait", "return False", kind="sensor"), block("after", "return 2", ["wait"])],
    )
    state = run(project, skip_sensors=True)
    assert statuses(state) == {"wait": "SKIPPED", "after": "SUCCEEDED"}


TESTED = """@data_loader
def load(**kwargs):
    return 1


@test
def test_output(output):
    assert output == 2, 'the output is not two'
"""


@pytest.mark.parametrize(("run_tests", "status"), [(True, "FAILED"), (False, "SUCCEEDED")])
def test_data_tests_run_unless_asked_not_to(tmp_path: Path, run_tests: bool, status: str) -> None:
    """A failing @test fails its block."""
    project = write_project(tmp_path, [block("load", TESTED)])
    state = run(project, run_tests=run_tests)
    assert statuses(state) == {"load": status}
    if run_tests:
        assert "the output is not two" in str(state.blocks["load"].error)


class TestChanged:
    """`--changed` runs what is stale, and says why."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        project = write_project(tmp_path, CHAIN, variables={"month": 1})
        run(project)
        return project

    def test_nothing_changed_nothing_runs(self, project: Project) -> None:
        """Stored outputs are used."""
        state = run(project, changed=True)
        assert set(statuses(state).values()) == {"CACHED"}
        assert state.as_json()["blocks"]["load"]["outputs"]["output_0"]["type"] == "json"

    def test_changed_code_runs_with_everything_below(self, project: Project) -> None:
        """Only the block and its descendants."""
        rewrite(project, "transformers/double.py", "* 2", "* 3")
        assert plan(project, changed=True) == {
            "load": ("cached", "unchanged since it last ran"),
            "double": ("run", "its code changed"),
            "export": ("run", "'double' runs"),
        }
        assert statuses(run(project, changed=True))["export"] == "SUCCEEDED"
        assert value(project, "export") == 62

    def test_comments_are_not_code(self, project: Project) -> None:
        """Layout and comments do not make a block stale."""
        rewrite(project, "transformers/double.py", "* 2", "* 2  # twice")
        assert plan(project, changed=True)["double"][0] == "cached"

    def test_a_changed_parameter_is_named(self, project: Project) -> None:
        """The reason says which and how."""
        action, reason = plan(project, changed=True, params=("month=2",))["load"]
        assert (action, reason) == ("run", "parameter month changed (1 -> 2)")

    def test_a_changed_module_of_the_project_counts(self, project: Project) -> None:
        """Imports of the project's own modules are followed."""
        (project.root / "utils").mkdir()
        (project.root / "utils/tools.py").write_text("FACTOR = 2\n")
        file = project.root / "transformers/double.py"
        file.write_text("from utils.tools import FACTOR\n" + file.read_text("utf-8"))
        run(project)
        assert plan(project, changed=True)["double"][0] == "cached"
        (project.root / "utils/tools.py").write_text("FACTOR = 3\n")
        assert plan(project, changed=True)["double"] == ("run", "utils/tools.py changed")

    def test_an_input_that_was_rerun_alone_counts(self, project: Project) -> None:
        """Content counts, not time: the same value again is no change."""
        run(project, blocks=("load",))
        assert plan(project, changed=True)["double"][0] == "cached"
        rewrite(project, "data_loaders/load.py", "20", "30")
        run(project, blocks=("load",))
        assert plan(project, changed=True)["double"] == ("run", "input 'load' changed")


def test_a_satisfied_sensor_makes_nothing_stale(tmp_path: Path) -> None:
    """Sensors hand on nothing, so there is nothing to compare; they are not even asked."""
    sensor = block("wait", "return True", kind="sensor")
    project = write_project(tmp_path, [sensor, block("after", "return 2", ["wait"])])
    run(project)
    assert statuses(run(project, changed=True)) == {"wait": "SKIPPED", "after": "CACHED"}


class TestParts:
    """`--block`, `--from` and `--to` cut the pipeline."""

    def test_missing_inputs_name_the_block_to_run_first(self, tmp_path: Path) -> None:
        """Nothing runs without its inputs."""
        project = write_project(tmp_path, CHAIN)
        with pytest.raises(ValidationError, match=r"reads 'load'.*--block load.*--to double"):
            run(project, blocks=("double",))

    def test_one_block_uses_stored_inputs(self, tmp_path: Path) -> None:
        """Re-running a block takes its inputs from the store."""
        project = write_project(tmp_path, CHAIN)
        run(project)
        rewrite(project, "transformers/double.py", "* 2", "* 10")
        state = run(project, blocks=("double",))
        assert statuses(state) == {"load": "SKIPPED", "double": "SUCCEEDED", "export": "SKIPPED"}
        assert value(project, "double") == 200
        assert value(project, "export") == 42

    @pytest.mark.parametrize(
        ("request_", "running"),
        [
            ({"to_block": "double"}, {"load", "double"}),
            ({"from_block": "double"}, {"double", "export"}),
            ({"from_block": "double", "to_block": "double"}, {"double"}),
            ({"blocks": ("load", "export")}, {"load", "export"}),
        ],
    )
    def test_ranges(self, tmp_path: Path, request_: Mapping[str, Any], running: set[str]) -> None:
        """From takes what is below, to what is above, both what is between."""
        project = write_project(tmp_path, CHAIN)
        run(project)
        assert {n for n, (action, _) in plan(project, **request_).items() if action == "run"} == (
            running
        )

    def test_unknown_blocks_are_refused(self, tmp_path: Path) -> None:
        """A near miss gets a suggestion."""
        with pytest.raises(UsageError, match="Did you mean 'double'"):
            run(write_project(tmp_path, CHAIN), blocks=("duoble",))

    def test_an_empty_range_is_refused(self, tmp_path: Path) -> None:
        """From below to above there is nothing."""
        with pytest.raises(UsageError, match="does not come after"):
            run(write_project(tmp_path, CHAIN), from_block="export", to_block="load")


class TestResume:
    """`--resume` keeps what the run committed and does the rest."""

    def test_a_mended_block_goes_on_where_the_run_failed(self, tmp_path: Path) -> None:
        """Fix the code, resume, and only the rest runs, under the same run id."""
        blocks = [*CHAIN[:1], block("double", "return load / 0", ["load"]), CHAIN[2]]
        project = write_project(tmp_path, blocks)
        failed = run(project)
        assert failed.status is RunStatus.FAILED
        rewrite(project, "transformers/double.py", "/ 0", "* 2")
        state = run(project, resume="last")
        assert state.plan.run_id == failed.plan.run_id
        assert statuses(state) == {"load": "CACHED", "double": "SUCCEEDED", "export": "SUCCEEDED"}
        assert value(project, "export") == 42
        with Journal(project.state_dir) as journal:
            assert [record.status for record in journal.runs()] == [RunStatus.SUCCEEDED]

    def test_a_finished_run_has_nothing_left_to_do(self, tmp_path: Path) -> None:
        """Resuming it changes nothing."""
        project = write_project(tmp_path, CHAIN)
        run(project)
        assert set(statuses(run(project, resume="last")).values()) == {"CACHED"}

    def test_parameters_stay_those_of_the_run(self, tmp_path: Path) -> None:
        """A run has one set of parameters."""
        bad = "assert kwargs['month'] == 2 and kwargs.get('fixed'); return kwargs['month']"
        project = write_project(tmp_path, [block("load", bad)], variables={"month": 1})
        run(project, params=("month=2",))
        rewrite(project, "data_loaders/load.py", " and kwargs.get('fixed')", "")
        with pytest.raises(UsageError, match="goes on with the parameters"):
            run(project, resume="last", params=("month=3",))
        assert run(project, resume="last").status is RunStatus.SUCCEEDED
        assert value(project, "load") == 2

    @pytest.mark.parametrize(
        "options",
        [{"changed": True}, {"blocks": ("double",)}, {"from_block": "double"}],
        ids=lambda options: next(iter(options)),
    )
    def test_what_the_run_left_out_stays_left_out(
        self, tmp_path: Path, options: dict[str, Any]
    ) -> None:
        """The blocks it was started for are finished, with the outputs it found at its start."""
        project = write_project(tmp_path, CHAIN)
        run(project)
        rewrite(project, "transformers/double.py", "* 2", "/ 0")
        failed = run(project, **options)
        assert failed.blocks["double"].status == "FAILED"
        rewrite(project, "transformers/double.py", "/ 0", "* 3")
        rewrite(project, "data_loaders/load.py", "20", "1000")
        state = run(project, resume="last")
        before = statuses(failed)
        assert before["load"] in {"CACHED", "SKIPPED"}
        assert statuses(state)["load"] == before["load"]
        assert value(project, "double") == 60
        assert statuses(state)["export"] == ("SKIPPED" if "blocks" in options else "SUCCEEDED")
        assert statuses(run(project, resume="last"))["load"] == before["load"]

    def test_what_was_cached_and_is_gone_is_made_again(self, tmp_path: Path) -> None:
        """Somebody cleaned up in between."""
        project = write_project(tmp_path, CHAIN)
        run(project)
        rewrite(project, "transformers/double.py", "* 2", "/ 0")
        run(project, changed=True)
        rewrite(project, "transformers/double.py", "/ 0", "* 2")
        for path in sorted(Path(project.variables_root).rglob("load*"), reverse=True):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        state = run(project, resume="last")
        assert statuses(state)["load"] == "SUCCEEDED"
        assert value(project, "double") == 40

    def test_the_executor_asked_for_stays(self, tmp_path: Path) -> None:
        """The rest runs where the run was told to run."""
        project = write_project(
            tmp_path, [CHAIN[0], block("double", "return load / 0", ["load"]), CHAIN[2]]
        )
        run(project, executor="local_python")
        state = run(project, resume="last")
        assert state.blocks["export"].planned.executor_reason == "asked for with --executor"

    @pytest.mark.parametrize("option", [{"changed": True}, {"blocks": ("load",)}])
    def test_other_blocks_cannot_be_asked_for(self, tmp_path: Path, option: dict[str, Any]) -> None:
        """A run has one selection."""
        project = write_project(tmp_path, CHAIN)
        run(project)
        with pytest.raises(UsageError, match="goes on with the blocks it was started for"):
            run(project, resume="last", **option)

    def test_a_killed_run_is_finished(self, tmp_path: Path) -> None:
        """A kill -9 of the dispatcher loses nothing that was committed, and leaves nothing half."""
        hold = """
            import pathlib, time
            mark = pathlib.Path(kwargs["repo_path"]) / "hold"
            mark.with_name("started").touch()
            while not mark.exists():
                time.sleep(0.01)
            return load + 1
        """
        project = write_project(
            tmp_path, [block("load", "return 1"), block("slow", hold, ["load"])]
        )
        with start(project) as process:
            wait_for(project.root / "started")
            wait_for(project.root / ".variables/pipelines/pipe/latest/load.json")
            process.send_signal(signal.SIGKILL)
            process.wait()
        with Journal(project.state_dir) as journal:
            assert journal.find("last").status is RunStatus.INTERRUPTED
        assert VariableStore(project.variables_root).latest("pipe", "slow") is None
        (project.root / "hold").touch()
        state = run(project, resume="last")
        assert statuses(state) == {"load": "CACHED", "slow": "SUCCEEDED"}
        assert value(project, "slow") == 2


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Run the pipeline in a process of its own."""
    code = (
        "import sys\n"
        "from jupyter_blocks.launch import RunRequest, prepare\n"
        "from jupyter_blocks.project import open_project\n"
        "project = open_project(sys.argv[1])\n"
        "launch = prepare(project, project.pipeline('pipe'), RunRequest(params=sys.argv[2:]))\n"
        "with launch.dispatcher() as dispatcher:\n"
        "    print(dispatcher.run().status)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(project.root), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)


def test_failure_callbacks_wait_for_the_last_attempt(tmp_path: Path) -> None:
    """A failure that is tried again is none yet."""
    tell = """
        @callback("failure")
        def tell(**kwargs):
            with open(kwargs["repo_path"] + "/told.txt", "a") as file:
                print(kwargs["__error"], file=file)
    """
    body = """
        with open(kwargs["repo_path"] + "/tries.txt", "a+") as file:
            print("x", file=file)
            file.seek(0)
            raise ValueError(f"try {len(file.readlines())}")
    """
    project = write_project(
        tmp_path,
        [{**block("load", body), "retry_config": {"retries": 2, "delay": 0}}],
    )
    file = project.root / "data_loaders/load.py"
    file.write_text(file.read_text("utf-8") + textwrap.dedent(tell), "utf-8")
    assert run(project).blocks["load"].attempts == 3
    assert (project.root / "told.txt").read_text("utf-8") == "try 3\n"


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    """Each run reads its own values, however the two interleave."""
    project = write_project(
        tmp_path,
        [
            block("load", "import time; time.sleep(0.2); return kwargs['month']"),
            block("check", "assert load == kwargs['month'], load; return load", ["load"]),
        ],
        variables={"month": 0},
    )
    processes = [start(project, f"month={month}") for month in (1, 2, 3)]
    assert [process.communicate()[0] for process in processes] == ["SUCCEEDED\n"] * 3
    store = VariableStore(project.variables_root)
    months = set()
    for run_id in store.runs("pipe"):
        manifest = store.committed("pipe", run_id, "check")
        assert manifest is not None
        months.add(store.load(manifest, "output_0"))
    assert months == {1, 2, 3}


def test_a_run_that_is_driven_cannot_be_resumed(tmp_path: Path) -> None:
    """The second dispatcher is told who is first."""
    body = """
        import pathlib, time
        pathlib.Path(kwargs["repo_path"], "started").touch()
        time.sleep(600)
    """
    project = write_project(tmp_path, [block("slow", body)])
    with start(project) as process:
        wait_for(project.root / "started")
        with pytest.raises(RunHeldError, match=f"pid {process.pid}"):
            run(project, resume="last")
        process.kill()


def test_cancelling_from_another_process(tmp_path: Path) -> None:
    """A request in the journal ends the run gracefully."""
    body = """
        import pathlib, time
        pathlib.Path(kwargs["repo_path"], "started").touch()
        time.sleep(600)
    """
    project = write_project(tmp_path, [block("slow", body), block("below", "return 1", ["slow"])])
    with start(project) as process:
        wait_for(project.root / "started")
        with Journal(project.state_dir) as journal:
            journal.request(journal.find("last").run_id, "cancel")
        assert process.stdout is not None
        assert process.stdout.read() == "CANCELLED\n"
    with Journal(project.state_dir) as journal:
        assert statuses(journal.state("last" and journal.find("last").run_id)) == {
            "slow": "CANCELLED",
            "below": "CANCELLED",
        }


def test_cancelling_from_a_thread(tmp_path: Path) -> None:
    """`Dispatcher.cancel` may be called from anywhere."""
    project = write_project(tmp_path, [block("slow", "import time; time.sleep(600)")])
    launch = prepare(project, project.pipeline("pipe"), RunRequest())
    with launch.dispatcher() as dispatcher:
        timer = threading.Timer(0.3, dispatcher.cancel)
        timer.start()
        assert dispatcher.run().status is RunStatus.CANCELLED
        timer.join()


class TestExecutorChoice:
    """The first setting that speaks decides, and the plan says which."""

    def choose(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        environment: str = "",
        option: str | None = None,
        **keys: Any,
    ) -> str:
        if environment:
            monkeypatch.setenv("DEFAULT_EXECUTOR_TYPE", environment)
        blocks: Sequence[Mapping[str, Any]] = keys.pop("blocks", [block("load")])
        project = write_project(tmp_path, blocks, **keys)
        launch = prepare(project, project.pipeline("pipe"), RunRequest(executor=option))
        return launch.plan.blocks[0].executor_reason

    def test_the_default(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing said: local."""
        monkeypatch.delenv("DEFAULT_EXECUTOR_TYPE", raising=False)
        assert self.choose(tmp_path, monkeypatch) == "default"

    def test_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """DEFAULT_EXECUTOR_TYPE is the last word before the default."""
        assert self.choose(tmp_path, monkeypatch, "local_python") == "DEFAULT_EXECUTOR_TYPE is set"

    def test_the_block_beats_the_pipeline(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One block can say local_python against everything above it."""
        blocks = [block("load", executor_type="local_python_force")]
        reason = self.choose(tmp_path, monkeypatch, "k8s", blocks=blocks, executor_type="ecs")
        assert reason == "executor_type of the block"

    def test_the_option_beats_everything(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """--executor is for all blocks."""
        reason = self.choose(tmp_path, monkeypatch, option="local_python", executor_type="ecs")
        assert reason == "asked for with --executor"

    def test_never_a_silent_fallback(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An executor that is not there is an error naming those that are."""
        blocks = [block("load"), block("two", executor_type="k8")]
        with pytest.raises(
            ValidationError, match=r"'k8' for block 'two'.*Available: .*local_python"
        ):
            self.choose(tmp_path, monkeypatch, blocks=blocks)


def test_logs_of_each_attempt_are_kept(tmp_path: Path) -> None:
    """Every attempt has a log of its own, errors of child processes included."""
    body = """
        import pathlib, subprocess
        mark = pathlib.Path(kwargs["repo_path"]) / "tries"
        mark.open("a").write("x")
        print("try", len(mark.read_text()))
        subprocess.run(["sh", "-c", "echo from a child >&2"], check=True)
        assert len(mark.read_text()) == 2
        return 1
    """
    retry = {"retries": 1, "delay": 0.01}
    project = write_project(tmp_path, [block("flaky", body, retry_config=retry)])
    state = run(project)
    store = VariableStore(project.variables_root)
    with Journal(project.state_dir) as journal:
        attempts = [
            event.attempt_id
            for _, event in journal.events(state.plan.run_id)
            if event.kind == "attempt.submitting"
        ]
    logs = [
        store.log_path(store.prefix("pipe", state.plan.run_id, "flaky", attempt)).read_text("utf-8")
        for attempt in attempts
    ]
    assert [f"try {n}" in log for n, log in zip((1, 2), logs, strict=True)] == [True, True]
    assert "from a child" in logs[0]
    line = json.loads(logs[0].splitlines()[0])
    assert line["stream"] == "stdout"
    assert abs(line["ts"] - time.time()) < 3600


def test_planning_leaves_no_trace(tmp_path: Path) -> None:
    """A dry run has no side effects."""
    project = write_project(tmp_path, CHAIN)
    assert plan(project)["load"][0] == "run"
    assert not (tmp_path / ".blocks").exists()
    assert not (tmp_path / ".variables").exists()


def test_the_project_folder_may_move(tmp_path: Path) -> None:
    """Nothing machine-specific is written: stored outputs are found in the moved project."""
    project = write_project(tmp_path / "before", CHAIN)
    run(project)
    (tmp_path / "before").rename(tmp_path / "after")
    moved = open_project(tmp_path / "after")
    assert set(statuses(run(moved, changed=True)).values()) == {"CACHED"}
