"""A project folder: opened, found, created, and what a TARGET means in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_blocks.block import RetryPolicy
from jupyter_blocks.errors import ProjectError, UsageError, ValidationError
from jupyter_blocks.project import (
    create_project,
    ensure_private,
    find_project,
    open_project,
    resolve_target,
)

BLOCK = "@custom\ndef f():\n    return 1\n"


@pytest.fixture(autouse=True)
def _no_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAGE_DATA_DIR", raising=False)


def make(root: Path, *pipelines: str, settings: str = "") -> Path:
    """A project with pipelines of one block each."""
    (root / "pipelines").mkdir(parents=True)
    (root / "metadata.yaml").write_text(settings, "utf-8")
    (root / "custom").mkdir()
    (root / "custom" / "a.py").write_text(BLOCK, "utf-8")
    for name in pipelines:
        (root / "pipelines" / name).mkdir()
        text = "blocks: [{uuid: a, type: custom}]\n"
        (root / "pipelines" / name / "metadata.yaml").write_text(text, "utf-8")
    return root


def test_a_project_knows_its_pipelines_and_paths(tmp_path: Path) -> None:
    """Opening reads one file; pipelines are read when they are asked for."""
    project = open_project(make(tmp_path / "demo", "b", "a"))
    assert (project.name, project.root) == ("demo", tmp_path / "demo")
    assert project.pipelines() == ["a", "b"]
    assert project.pipeline("a").graph.order == ("a",)
    assert project.block_file(project.pipeline("a").block("a")) == tmp_path / "demo/custom/a.py"
    assert project.state_dir == tmp_path / "demo/.blocks"


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    """The text says what is missing and how to get a project."""
    with pytest.raises(ProjectError, match=r"holds no metadata.yaml.*jupyter blocks init"):
        open_project(tmp_path)
    with pytest.raises(ProjectError, match="does not exist"):
        open_project(tmp_path / "nope")


@pytest.mark.parametrize(
    ("settings", "environment", "expected"),
    [
        ("", "", "{root}/.variables"),
        ("variables_dir: data\n", "", "{root}/data"),
        ("variables_dir: .\n", "", "{root}"),
        ("variables_dir: /elsewhere\n", "", "/elsewhere/demo"),
        ("variables_dir: ~/.mage_data\n", "", "{home}/.mage_data/demo"),
        ("variables_dir: data\n", "/from/env", "/from/env/demo"),
        ("variables_dir: '{{ env_var(\"JB_DATA\") }}'\n", "", "/interpolated/demo"),
        ("remote_variables_dir: s3://bucket/path_prefix\n", "", "{root}/.variables"),
        ("remote_variables_dir: s3://mine/x\n", "local", "{root}/local"),
        ("remote_variables_dir: s3://mine/x\n", "", "s3://mine/x"),
        ("variables_dir: data\nremote_variables_dir: gs://mine/x\n", "", "gs://mine/x"),
        ("", "s3://mine/x?region=eu-west-1", "s3://mine/x?region=eu-west-1"),
        ("variables_dir: file:///some%20where\n", "", "/some where"),
    ],
)
def test_variables_are_stored_where_mage_would_store_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: str,
    environment: str,
    expected: str,
) -> None:
    """Environment, then settings, then the project folder; never two projects in one folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JB_DATA", "/interpolated")
    if environment:
        monkeypatch.setenv("MAGE_DATA_DIR", environment)
    root = make(tmp_path / "demo", settings=settings)
    home = tmp_path / "home"
    assert open_project(root).variables_root == expected.format(root=root, home=home)


@pytest.mark.parametrize("scheme", ["ftp", "memory"])
def test_uris_that_cannot_hold_variables_are_refused_when_needed(
    tmp_path: Path, scheme: str
) -> None:
    """The project still opens: its graph can be drawn."""
    settings = f"remote_variables_dir: {scheme}://b/x\n"
    project = open_project(make(tmp_path / "demo", settings=settings))
    with pytest.raises(ProjectError, match=r"demo/metadata.yaml .*s3://bucket/prefix"):
        _ = project.variables_root


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("a: [1\n", "metadata.yaml, line 2: Not valid YAML"),
        ("- a\n", "metadata.yaml, line 1: The file is not a mapping"),
        ("x: 1\nretry_config:\n  retries: x\n", "metadata.yaml, line 3: 'retries' must be a whole"),
        ("k8s_executor_config: small\n", "line 1: 'k8s_executor_config' must be a mapping"),
    ],
)
def test_wrong_settings_are_said_with_their_line(
    tmp_path: Path, settings: str, message: str
) -> None:
    """A project that cannot be used says where its metadata.yaml is wrong."""
    with pytest.raises(ValidationError, match=message):
        open_project(make(tmp_path / "demo", settings=settings))


def test_a_wrong_template_is_said_with_its_line(tmp_path: Path) -> None:
    """The file is a template before it is YAML."""
    root = make(tmp_path / "demo", settings="a: 1\nb: {{ nope() }}\n")
    with pytest.raises(ProjectError, match=r"metadata.yaml of project 'demo': Line 2: 'nope'"):
        open_project(root)


def test_settings_are_trimmed_and_retries_and_executors_found(tmp_path: Path) -> None:
    """Sections of executors go by the executor's name, those of third parties too."""
    settings = (
        "retry_config: {retries: 2}\nk8s_executor_config: {namespace: ' x '}\n"
        "slurm_config: {partition: long}\necs_config:\n"
    )
    project = open_project(make(tmp_path / "demo", settings=settings))
    assert project.retry == RetryPolicy(2)
    assert project.executor_settings("k8s") == {"namespace": "x"}
    assert project.executor_settings("slurm") == {"partition": "long"}
    assert project.executor_settings("ecs") == {}
    assert project.executor_settings("emr") == {}


def test_an_unset_environment_variable_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is empty, and one can see why."""
    monkeypatch.delenv("JB_CLUSTER", raising=False)
    settings = "a: 1\necs_config:\n  cluster: {{ env_var('JB_CLUSTER') }}\n"
    (warning,) = open_project(make(tmp_path / "demo", settings=settings)).warnings
    assert (warning.code, warning.line) == ("unset-variable", 3)


def test_a_wrong_pipeline_is_refused_with_everything_that_is_wrong(tmp_path: Path) -> None:
    """Mistakes of metadata.yaml and of the block files come together."""
    root = make(tmp_path / "demo", "p")
    text = "blocks: [{uuid: a, type: custom, timeout: x}, {uuid: b, type: custom}]\n"
    (root / "pipelines/p/metadata.yaml").write_text(text, "utf-8")
    (root / "custom/a.py").write_text("def f(:\n", "utf-8")
    with pytest.raises(ValidationError) as caught:
        open_project(root).pipeline("p")
    codes = {problem.code for problem in caught.value.problems}
    assert codes == {"wrong-type", "missing-file", "syntax-error"}


@pytest.mark.parametrize("name", ["fligts", "../demo", ""])
def test_an_unknown_pipeline_is_answered_with_those_there_are(tmp_path: Path, name: str) -> None:
    """And never looked for outside the pipelines folder."""
    with pytest.raises(
        UsageError, match=r"has no pipeline .* (Did you mean 'flights'|Pipelines: )"
    ):
        open_project(make(tmp_path / "demo", "flights")).pipeline(name)


def test_a_project_is_found_from_any_folder_in_it(tmp_path: Path) -> None:
    """The nearest folder above that has metadata.yaml and pipelines/."""
    root = make(tmp_path / "demo", "p")
    found = find_project(root / "pipelines" / "p")
    assert found is not None
    assert found.root == root
    assert find_project(tmp_path) is None


def test_creating_a_project_leaves_an_existing_one_alone(tmp_path: Path) -> None:
    """Two calls make one project; nothing of the machine is written."""
    project = create_project(tmp_path / "new", "Flights")
    text = (tmp_path / "new/metadata.yaml").read_text("utf-8")
    assert project.name == "Flights"
    assert create_project(tmp_path / "new").project_id == project.project_id
    assert (tmp_path / "new/metadata.yaml").read_text("utf-8") == text
    assert str(tmp_path) not in text
    assert project.pipelines() == []


def test_the_project_id_survives_moving_the_folder(tmp_path: Path) -> None:
    """A Mage project without project_uuid gets an id of its own, kept in its state folder."""
    first = open_project(make(tmp_path / "one")).project_id
    (tmp_path / "one").rename(tmp_path / "two")
    assert open_project(tmp_path / "two").project_id == first
    assert open_project(make(tmp_path / "three")).project_id != first
    assert (tmp_path / "two/.blocks/.gitignore").read_text("utf-8") == "*\n"


def test_processes_that_race_agree_on_the_project_id(tmp_path: Path) -> None:
    """The first one's id counts for all."""
    root = make(tmp_path / "demo")
    code = (
        "import sys; from jupyter_blocks.project import open_project;"
        f"project = open_project({str(root)!r}); sys.stdin.read(1); print(project.project_id)"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    answers = {racer.communicate("x")[0] for racer in racers}
    assert len(answers) == 1
    assert len(answers.pop().strip()) == 32
    assert sorted(path.name for path in (root / ".blocks").iterdir()) == [
        ".gitignore",
        "project_id",
    ]


def test_private_folders_keep_themselves_out_of_git(tmp_path: Path) -> None:
    """An own .gitignore that somebody changed stays as it is."""
    folder = ensure_private(tmp_path / "a" / "b")
    assert (folder / ".gitignore").read_text("utf-8") == "*\n"
    (folder / ".gitignore").write_text("x\n", "utf-8")
    assert (ensure_private(folder) / ".gitignore").read_text("utf-8") == "x\n"


# targets


@pytest.mark.parametrize(
    ("target", "pipeline", "cwd", "expected"),
    [
        ("one", None, ".", "only"),
        ("two", "b", ".", "b"),
        ("two/", "a", ".", "a"),
        (".", "a", "two", "a"),
        ("a", None, "two", "a"),
        ("a", None, "two/pipelines/b", "a"),
        ("two/pipelines/b", None, ".", "b"),
    ],
)
def test_a_target_names_a_pipeline(
    tmp_path: Path, target: str, pipeline: str | None, cwd: str, expected: str
) -> None:
    """A project folder with a pipeline, a folder with one, or a name in the current project."""
    make(tmp_path / "one", "only")
    make(tmp_path / "two", "a", "b")
    found = resolve_target(target, pipeline, tmp_path / cwd)
    assert (found.kind, found.pipeline_name) == ("project", expected)
    assert found.project is not None


def test_a_target_may_be_a_notebook(tmp_path: Path) -> None:
    """Its project is for export to find."""
    (tmp_path / "flights.ipynb").write_text("{}", "utf-8")
    found = resolve_target("flights.ipynb", "p", tmp_path)
    assert (found.kind, found.pipeline_name) == ("notebook", "p")
    assert found.notebook == tmp_path / "flights.ipynb"


@pytest.mark.parametrize(
    ("target", "pipeline", "cwd", "message"),
    [
        ("nope.ipynb", None, ".", "no notebook nope.ipynb. Notebooks there: flights.ipynb"),
        ("two", None, ".", "has 2 pipelines. Name one of them: a, b"),
        ("none", None, ".", "has no pipelines. Export a notebook"),
        ("two", "c", ".", "has no pipeline 'c'. Pipelines: a, b"),
        ("b1", None, "two", "neither a notebook, .* of project 'two'. Did you mean 'b'"),
        ("zzz", None, "two", "Pipelines of project 'two': a, b"),
        ("zzz", None, ".", "neither a notebook, .* pipeline. Notebooks there: flights.ipynb"),
    ],
)
def test_a_target_that_makes_no_sense_is_answered_with_what_there_is(
    tmp_path: Path, target: str, pipeline: str | None, cwd: str, message: str
) -> None:
    """The way out is in the text."""
    (tmp_path / "flights.ipynb").write_text("{}", "utf-8")
    make(tmp_path / "two", "a", "b")
    make(tmp_path / "none")
    with pytest.raises(UsageError, match=message):
        resolve_target(target, pipeline, tmp_path / cwd)


def test_a_folder_without_metadata_is_no_target(tmp_path: Path) -> None:
    """Which file is missing is said."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProjectError, match=r"holds no metadata\.yaml"):
        resolve_target("empty", None, tmp_path)
