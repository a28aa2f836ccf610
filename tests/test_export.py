"""Exporting writes all files or none, and never over what people wrote by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from jupyter_blocks.blockfile import is_intact
from jupyter_blocks.errors import ProjectError, UsageError, ValidationError
from jupyter_blocks.export import ExportResult, export_notebook, project_folder
from jupyter_blocks.project import create_project, open_project
from tests.notebooks import Source, notebook

CELLS: tuple[Source, ...] = (
    ("imports", "import math\n\ndef half(x):\n    return x / 2"),
    ("parameters", "n = 3"),
    ("loader:load", "xs = list(range(n))"),
    ("exporter:save", "print(half(math.floor(sum(xs))))"),
)
FILES = [
    "data_exporters/save.py",
    "data_loaders/load.py",
    "helpers/__init__.py",
    "helpers/demo.py",
    "pipelines/demo/metadata.yaml",
]


def states(result: ExportResult) -> dict[str, str]:
    return {file.path: file.state for file in result.files}


def codes(result: ExportResult) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.path) for problem in result.problems]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".blocks" not in path.parts
    }


def test_export_writes_a_project_that_can_be_read(tmp_path: Path) -> None:
    """Block files, helpers, metadata of pipeline and project, next to the notebook."""
    result = export_notebook(notebook(tmp_path, *CELLS))
    assert result.is_ok
    assert result.project == tmp_path
    assert states(result) == dict.fromkeys(FILES, "written")
    pipeline = open_project(tmp_path).pipeline("demo")
    assert (pipeline.notebook, pipeline.helpers) == ("demo.ipynb", "helpers/demo.py")
    assert pipeline.variables == {"n": 3}
    load, save = pipeline.blocks
    assert load.binding is not None
    assert (load.binding.parameters, load.binding.outputs) == (("n",), ("xs",))
    assert save.binding is not None
    assert {key: str(value) for key, value in save.binding.inputs.items()} == {"xs": "load.xs"}
    assert is_intact((tmp_path / "data_loaders/load.py").read_text("utf-8"))


def test_nothing_of_the_machine_is_written(tmp_path: Path) -> None:
    """Another folder, the same bytes; only the id of the project differs."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        export_notebook(notebook(folder, *CELLS))
        (folder / "metadata.yaml").unlink()
    assert contents(one) == contents(other)


def test_exporting_again_changes_nothing(tmp_path: Path) -> None:
    """Not even the time of the files."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.*")}
    result = export_notebook(path)
    assert set(states(result).values()) == {"unchanged"}
    assert not result.has_drifted
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.*")} == before


def test_a_mistake_in_the_notebook_writes_nothing(tmp_path: Path) -> None:
    """All problems come back; the files stay as they were."""
    path = notebook(tmp_path, *CELLS, ("exporter", "print(nothing)"), ("exporter", "y = = 1"))
    result = export_notebook(path)
    assert not result.is_ok
    assert [problem.cell for problem in result.problems] == [5, 6]
    assert result.files == ()
    assert list(contents(tmp_path)) == ["demo.ipynb"]


def test_check_writes_nothing_and_shows_the_drift(tmp_path: Path) -> None:
    """State and diff of every file, in a project and without one."""
    path = notebook(tmp_path, *CELLS)
    result = export_notebook(path, check=True)
    assert set(states(result).values()) == {"differs"}
    assert list(contents(tmp_path)) == ["demo.ipynb"]
    export_notebook(path)
    path = notebook(tmp_path, *CELLS[:-1], ("exporter:save", "print(xs)"))
    before = contents(tmp_path)
    result = export_notebook(path, check=True)
    assert result.has_drifted
    assert states(result)["data_exporters/save.py"] == "differs"
    assert states(result)["data_loaders/load.py"] == "unchanged"
    diff = next(file.diff for file in result.files if file.path == "data_exporters/save.py")
    assert "--- a/data_exporters/save.py\n+++ b/data_exporters/save.py\n" in diff
    assert "-    print(half(math.floor(sum(xs))))\n+    print(xs)\n" in diff
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["data_loaders/load.py", "pipelines/demo/metadata.yaml"])
def test_a_file_edited_by_hand_is_overwritten_only_by_force(tmp_path: Path, name: str) -> None:
    """And while it is in the way, nothing else is written either."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    before = (tmp_path / name).read_text("utf-8")
    edited = before.replace("range(n)", "range(9999)").replace("n: 3", "n: 9999")
    (tmp_path / name).write_text(edited, "utf-8")
    path = notebook(tmp_path, *CELLS[:-1], ("exporter:save", "print(xs)"))
    result = export_notebook(path)
    assert codes(result) == [("edited-file", name)]
    assert states(result)[name] == "edited"
    assert "half" in (tmp_path / "data_exporters/save.py").read_text("utf-8")
    assert export_notebook(path, check=True).is_ok
    assert export_notebook(path, force=True).is_ok
    assert "9999" not in (tmp_path / name).read_text("utf-8")
    assert not export_notebook(path).has_drifted


def test_settings_added_to_metadata_by_hand_are_not_lost(tmp_path: Path) -> None:
    """The digest in metadata.yaml covers the whole file."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    file = tmp_path / "pipelines/demo/metadata.yaml"
    file.write_text(f"{file.read_text('utf-8')}executor_type: k8s\n", "utf-8")
    result = export_notebook(path)
    assert codes(result) == [("edited-file", "pipelines/demo/metadata.yaml")]


def test_a_file_that_only_looks_different_is_written_anew(tmp_path: Path) -> None:
    """Blank lines and quotes hold nothing that the notebook has not."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    file = tmp_path / "data_loaders/load.py"
    before = file.read_text("utf-8")
    file.write_text(before.replace("return xs", "\n    return (xs)"), "utf-8")
    assert export_notebook(path, check=True).has_drifted
    assert export_notebook(path).is_ok
    assert file.read_text("utf-8") == before
    file.write_text(before.replace("return xs", "return xs  # mine"), "utf-8")
    assert codes(export_notebook(path)) == [("edited-file", "data_loaders/load.py")]


def test_the_two_files_of_one_notebook_export_to_one_pipeline(tmp_path: Path) -> None:
    """Where jupytext keeps them the same; else they are two notebooks."""
    path = notebook(tmp_path, ("loader:load", "x = 1"), ("exporter:gone", "print(x)"))
    export_notebook(path)
    script = tmp_path / "demo.py"
    cell = '# %% tags=["loader:load"]\nx = 1\n'
    script.write_text(cell, "utf-8")
    assert {code for code, _ in codes(export_notebook(script))} == {"file-taken"}
    head = "# ---\n# jupyter:\n#   jupytext:\n#     formats: ipynb,py:percent\n# ---\n\n"
    script.write_text(head + cell, "utf-8")
    assert export_notebook(script).is_ok
    assert open_project(tmp_path).pipeline("demo").notebook == "demo.py"
    assert not (tmp_path / "data_exporters").exists()


def test_a_notebook_is_never_overwritten_by_its_own_block(tmp_path: Path) -> None:
    """Not even by force."""
    create_project(tmp_path)
    path = tmp_path / "data_loaders/load.py"
    path.parent.mkdir()
    path.write_text('# %% tags=["loader:load"]\nx = 1\n', "utf-8")
    for force in (False, True):
        assert codes(export_notebook(path, force=force)) == [("file-taken", "data_loaders/load.py")]
    assert path.read_text("utf-8").startswith("# %%")


def test_a_file_written_by_hand_is_overwritten_only_by_force(tmp_path: Path) -> None:
    """The way out is in the text: another name, another project, or force."""
    path = notebook(tmp_path, *CELLS)
    (tmp_path / "data_loaders").mkdir()
    (tmp_path / "data_loaders/load.py").write_text("mine = 1\n", "utf-8")
    result = export_notebook(path)
    assert codes(result) == [("file-taken", "data_loaders/load.py")]
    assert "--project" in result.problems[0].hint
    assert (tmp_path / "data_loaders/load.py").read_text("utf-8") == "mine = 1\n"
    assert not (tmp_path / "pipelines").exists()
    assert export_notebook(path, force=True).is_ok


def test_a_pipeline_of_another_notebook_is_never_overwritten(tmp_path: Path) -> None:
    """Not even by force."""
    export_notebook(notebook(tmp_path, ("loader:load", "x = 1"), name="first.ipynb"))
    path = notebook(tmp_path, ("loader:load", "x = 2"), name="second.ipynb")
    for force in (False, True):
        result = export_notebook(path, pipeline="first", force=force)
        assert codes(result) == [("file-taken", "pipelines/first/metadata.yaml")]
        assert "first.ipynb" in result.problems[0].message
        assert "x = 1" in (tmp_path / "data_loaders/load.py").read_text("utf-8")


def test_a_renamed_notebook_keeps_its_files(tmp_path: Path) -> None:
    """Files of a notebook that is gone may be taken over."""
    path = notebook(tmp_path, ("loader:load", "x = 1"), name="first.ipynb")
    export_notebook(path)
    path = path.rename(tmp_path / "second.ipynb")
    assert export_notebook(path).is_ok
    assert open_project(tmp_path).pipeline("second").notebook == "second.ipynb"


def test_files_of_cells_that_are_gone_are_removed(tmp_path: Path) -> None:
    """With the pipeline that had another name, and folders that are empty then."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    path = notebook(tmp_path, ("transformer:load", "x = 1"), pipeline="other")
    checked = export_notebook(path, check=True)
    result = export_notebook(path)
    gone = [*FILES[:2], "helpers/demo.py", "pipelines/demo/metadata.yaml"]
    assert [file for file, state in states(result).items() if state == "removed"] == gone
    assert [file for file, state in states(checked).items() if state == "removed"] == gone
    assert not (tmp_path / "data_loaders").exists()
    assert not (tmp_path / "pipelines/demo").exists()
    assert not export_notebook(path).has_drifted


def test_a_leftover_that_was_edited_stays(tmp_path: Path) -> None:
    """With a warning."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    file = tmp_path / "data_loaders/load.py"
    file.write_text(f"{file.read_text('utf-8')}# mine\n", "utf-8")
    result = export_notebook(notebook(tmp_path, ("loader:other", "x = 1")))
    assert result.is_ok
    assert codes(result) == [("edited-leftover", "data_loaders/load.py")]
    assert file.exists()


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    """Hand-written blocks and pipelines of other notebooks live in the same project."""
    export_notebook(notebook(tmp_path, ("loader:a", "x = 1"), name="first.ipynb"))
    (tmp_path / "data_loaders/mine.py").write_text("mine = 1\n", "utf-8")
    before = contents(tmp_path)
    export_notebook(notebook(tmp_path, ("loader:b", "x = 1"), name="second.ipynb"))
    after = contents(tmp_path)
    assert {path: after[path] for path in before} == before


def test_where_the_files_go(tmp_path: Path) -> None:
    """The given project, else the one around the notebook, else the notebook's folder."""
    path = notebook(tmp_path / "proj/notes/deep", *CELLS)
    assert project_folder(path) == path.parent
    create_project(tmp_path / "proj")
    assert project_folder(path) == tmp_path / "proj"
    result = export_notebook(path)
    assert open_project(result.project).pipeline("demo").notebook == "notes/deep/demo.ipynb"
    result = export_notebook(path, tmp_path / "elsewhere", "named")
    assert result.project == tmp_path / "elsewhere"
    assert (
        open_project(result.project).pipeline("named").notebook == "../proj/notes/deep/demo.ipynb"
    )


def test_a_helpers_file_of_ones_own_is_in_the_way(tmp_path: Path) -> None:
    """Python would not know which helpers are meant."""
    (tmp_path / "helpers.py").write_text("x = 1\n", "utf-8")
    path = notebook(tmp_path, *CELLS)
    assert codes(export_notebook(path)) == [("file-taken", "helpers.py")]
    assert export_notebook(notebook(tmp_path, ("loader:a", "x = 1"))).is_ok


@pytest.mark.parametrize("cells", [(), (("markdown", "# Title"),), (("", " "),)])
def test_a_notebook_without_code_is_a_problem(tmp_path: Path, cells: tuple[Source, ...]) -> None:
    """It does not send the reader to `suggest`, which has nothing to propose."""
    (problem,) = export_notebook(notebook(tmp_path, *cells)).problems
    assert problem.code == "no-blocks"
    assert "no code" in problem.message
    assert "suggest" not in problem.hint


def test_a_notebook_without_blocks_is_a_problem(tmp_path: Path) -> None:
    """It says how to make blocks."""
    result = export_notebook(notebook(tmp_path, ("", "x = 1")))
    assert [problem.code for problem in result.problems] == ["no-blocks"]
    assert "jupyter blocks suggest" in result.problems[0].hint


def test_code_that_no_function_can_hold_is_a_problem_of_its_cell(tmp_path: Path) -> None:
    """Python itself has the last word on each file."""
    result = export_notebook(
        notebook(
            tmp_path, ("loader:a", "x = 1"), ("loader:b", "y = 1\nif y:\n    from math import *")
        )
    )
    assert [(problem.code, problem.cell, problem.line) for problem in result.problems] == [
        ("not-a-function", 2, 3)
    ]


@pytest.mark.parametrize("name", ["Bad Name", "class", ""])
def test_a_pipeline_needs_a_good_name(tmp_path: Path, name: str) -> None:
    """It becomes a folder and a module."""
    with pytest.raises(UsageError):
        export_notebook(notebook(tmp_path, *CELLS), pipeline=name)


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    (tmp_path / "demo.ipynb").write_text("{", "utf-8")
    with pytest.raises(ValidationError, match="not JSON"):
        export_notebook(tmp_path / "demo.ipynb")


def test_settings_reach_the_metadata(tmp_path: Path) -> None:
    """Of cells and of the notebook."""
    path = notebook(
        tmp_path,
        ("sensor:wait", "True", {"poll_interval": 2, "timeout": 9}),
        (
            "loader:a upstream:wait",
            "x = 1",
            {
                "executor": "k8s",
                "executor_config": {"image": "i"},
                "resources": {"memory_mib": 100, "gpu": 2},
                "retries": 2,
                "timeout": 30,
                "cache": False,
            },
        ),
        executor="ecs",
        retries={"retries": 1, "delay": 0},
        type="pyspark",
    )
    assert export_notebook(path).is_ok
    pipeline = open_project(tmp_path).pipeline("demo")
    wait, block = pipeline.blocks
    assert (pipeline.type, pipeline.executor_type) == ("pyspark", "ecs")
    assert pipeline.retry is not None
    assert (pipeline.retry.retries, pipeline.retry.delay_s) == (1, 0)
    assert (wait.sensor.poll_interval_s, wait.sensor.timeout_s, wait.timeout_s) == (2, 9, None)
    assert (block.executor_type, block.timeout_s, block.cache) == ("k8s", 30, False)
    assert block.retry is not None
    assert block.retry.retries == 2
    assert block.executor_config == {"image": "i"}
    assert block.resources == {"memory_mib": 100, "gpu": 2}
    assert block.upstream == ("wait",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Nothing is left behind."""
    path = notebook(tmp_path, *CELLS)
    tmp_path.chmod(0o500)
    with pytest.raises(ProjectError, match="Nothing was exported"):
        export_notebook(path)
    tmp_path.chmod(0o700)
    assert list(contents(tmp_path)) == ["demo.ipynb"]


def test_a_failure_half_way_restores_every_file(tmp_path: Path) -> None:
    """Here a folder stands where the last file has to go."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    before = contents(tmp_path)
    notebook(tmp_path, ("loader:load", "xs = 2"), ("sensor:zz", "True"))
    (tmp_path / "sensors/zz.py").mkdir(parents=True)
    with pytest.raises(ProjectError, match="Nothing was exported"):
        export_notebook(path, force=True)
    after = contents(tmp_path)
    assert {name: after[name] for name in FILES} == {name: before[name] for name in FILES}
    assert not list(tmp_path.rglob("*.tmp"))


def test_line_ends_changed_by_git_are_no_drift(tmp_path: Path) -> None:
    """A checkout with CRLF is what the notebook says."""
    path = notebook(tmp_path, *CELLS)
    export_notebook(path)
    for name in FILES:
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data.replace(b"\n", b"\r\n"))
    assert not export_notebook(path, check=True).has_drifted


def test_the_notebook_itself_is_never_touched(tmp_path: Path) -> None:
    """Export only reads it."""
    path = notebook(tmp_path, *CELLS)
    before = path.read_bytes()
    export_notebook(path)
    assert path.read_bytes() == before
    assert json.loads(before)["nbformat"] == 4
