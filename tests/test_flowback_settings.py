"""What was changed in metadata.yaml comes back into the notebook, or is shown; never is it lost."""

# ruff: noqa: E501 - input and outcome side by side

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.export import export_notebook
from jupyter_blocks.flowback import FlowBack, flow_back
from jupyter_blocks.notebook import read_notebook
from tests.notebooks import Source, notebook

CELLS: tuple[Source, ...] = (
    ("parameters", "n = 3  # days\nname: str = 'a'"),
    ("loader:load", "xs = list(range(n))", {"timeout": 60}),
    ("transformer:clean upstream:wait", "ys = [x for x in xs]"),
    ("transformer:clean", "zs = ys[:]", {"cache": False}),
    ("", "#| block: exporter:show upstream:clean\nprint(xs)"),
    ("exporter:other", "print(n)"),
)
WAIT: Source = ("sensor:wait", "True", {"poll_interval": 5})
YAML = "pipelines/demo/metadata.yaml"
Settings = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A notebook that was exported."""
    path = notebook(tmp_path, WAIT, *CELLS)
    assert export_notebook(path).is_ok
    return path


def edit(path: Path, *edits: tuple[str, str], file: str = YAML) -> str:
    """Edit a file of the project beside the notebook; what it says then."""
    target = path.parent / file
    text = target.read_text("utf-8")
    for old, new in edits:
        assert old in text, text
        text = text.replace(old, new, 1)
    target.write_text(text, "utf-8")
    return text


def brought_back(path: Path, *edits: tuple[str, str]) -> FlowBack:
    """Edit metadata.yaml and bring it back; nothing has drifted after it."""
    edit(path, *edits)
    result = flow_back(path, path.parent)
    assert result.is_ok, (result.problems, result.conflicts)
    assert not export_notebook(path, check=True).has_drifted
    return result


def metadata(path: Path, number: int) -> Settings:
    return dict(read_notebook(path).cells[number - 1].metadata)


def entry(name: str, *lines: str) -> tuple[str, str]:
    """An edit that puts lines into the entry of a block."""
    first = f"- uuid: {name}\n"
    return first, first + "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("change", "cell", "settings"),
    [
        (entry("clean", "executor_type: k8s"), 4, {"executor": "k8s"}),
        (entry("clean", "timeout: 2.5"), 4, {"timeout": 2.5}),
        (entry("clean", "retry_config:", "  retries: 2"), 4, {"retries": {"retries": 2, "delay": 5, "max_delay": 60, "exponential_backoff": True}}),
        (entry("clean", "executor_config:", "  a: [1]"), 4, {"executor_config": {"a": [1]}}),
        (("    cache: false\n", ""), 5, {}),
        (("  timeout: 60\n", ""), 3, {}),
        (("timeout: 60", "timeout: 90"), 3, {"timeout": 90}),
        (("poll_interval: 5", "poll_interval: 7\n    timeout: 8\n    resources: {cpu: 2, gpu: 1}"), 1, {"poll_interval": 7, "timeout": 8, "resources": {"cpu": 2, "gpu": 1}}),
        (entry("show", "timeout: 9"), 6, {"timeout": 9}),
    ],
)  # fmt: skip
def test_a_setting_of_a_block_goes_to_its_cell(
    path: Path, change: tuple[str, str], cell: int, settings: Settings
) -> None:
    """The cell that has it, else the first one; the code stays as it is."""
    before = [one.source for one in read_notebook(path).cells]
    brought_back(path, change)
    assert metadata(path, cell).get("jupyter_blocks", {}) == settings
    assert [one.source for one in read_notebook(path).cells] == before


def test_settings_of_the_pipeline_go_to_the_notebook(path: Path) -> None:
    """A block that says less than a whole policy of retries goes on from the pipeline's."""
    brought_back(
        path,
        ("type: python", "type: pyspark\nexecutor_type: k8s\nretry_config: {delay: 9}"),
        entry("clean", "retry_config: {retries: 1}"),
    )
    own = read_notebook(path).metadata["jupyter_blocks"]
    assert (own["type"], own["executor"], own["retries"]["delay"]) == ("pyspark", "k8s", 9)
    assert metadata(path, 4)["jupyter_blocks"]["retries"]["delay"] == 9


def test_other_values_of_parameters_go_to_their_cell(path: Path) -> None:
    """Comments and annotations stay; a new one comes at the end."""
    brought_back(path, ("  n: 3\n  name: a\n", "  n: [1, 2]\n  name: é\n  new: {a: null}\n"))
    source = read_notebook(path).cells[1].source
    assert source == "n = [1, 2]  # days\nname: str = 'é'\nnew = {'a': None}"


def test_edges_that_are_added_or_removed_become_tags(path: Path) -> None:
    """Where the tags are in the first line, the setting `upstream` says it."""
    brought_back(
        path,
        ("upstream_blocks: [load, wait]", "upstream_blocks: [load]"),
        ("other\n  type: data_exporter\n  upstream_blocks: []", "other\n  type: data_exporter\n  upstream_blocks: [wait, clean]"),
        ("upstream_blocks: [load, clean]", "upstream_blocks: [wait, clean, load]"),
    )  # fmt: skip
    assert metadata(path, 4)["tags"] == ["transformer:clean"]
    assert metadata(path, 7)["tags"] == ["exporter:other", "upstream:clean", "upstream:wait"]
    assert metadata(path, 6) == {"jupyter_blocks": {"upstream": ["wait"]}}


def test_what_says_nothing_changes_nothing(path: Path) -> None:
    """Comments, layout, the order of edges, what Mage keeps for itself: exported again."""
    before = path.read_bytes()
    result = brought_back(
        path,
        ("upstream_blocks: [load, wait]", "upstream_blocks:\n  - wait\n  - load  # so"),
        entry("load", "status: executed", "downstream_blocks: [clean]", "language: python"),
    )
    assert (result.edited, result.settings, result.cells) == ((YAML,), (), ())
    assert path.read_bytes() == before


def test_files_and_settings_at_once(path: Path) -> None:
    """All or nothing."""
    edit(path, ("x for x in xs", "x + 1 for x in xs"), file="transformers/clean.py")
    result = brought_back(path, entry("clean", "timeout: 5"))
    assert [cell.number for cell in result.cells] == [4]
    assert [(item.key, item.before, item.after) for item in result.settings] == [
        ("timeout", None, 5)
    ]
    assert "x + 1" in read_notebook(path).cells[3].source


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("- uuid: other\n", "- uuid: more\n"), "block 'other' was removed there, and the notebook has it in cell 7"),
        (("\nblocks:\n", "\nblocks:\n- {uuid: extra, type: custom}\n"), "Paste the code of custom/extra.py into a new cell with the tag 'custom:extra'"),
        (("[load, wait]", "[wait]"), "block 'clean' runs after 'load', since its code takes 'xs' of it"),
        (("[load, wait]", "[load, wait, nobody]"), "'nobody', which block 'clean' is to run after, is no block of it"),
        (("[load, wait]", "[load, wait, other]"), "names a block that comes later"),
        (("[load, clean]", "[load]"), "block 'show' runs after 'clean', since"),
        (entry("other", "name: The other"), "a notebook has no setting 'name' for block 'other'"),
        (("type: python", "type: python\nconcurrency_config: {block_run_limit: 2}"), "no setting 'concurrency_config' for the pipeline"),
        (("xs: load.xs", "xs: load"), "'inputs' of block 'clean' follows from the code"),
        (("uuid: other\n  type: data_exporter", "uuid: other\n  type: custom"), "to 'custom:other'"),
        (("timeout: 60", "timeout: soon"), "The setting 'timeout' is 'soon'"),
        (("  n: 3\n", ""), "the variable 'n' was removed there"),
        (("  n: 3\n", "  n: 2026-01-01\n"), "cannot be datetime.date(2026, 1, 1)"),
        (("uuid: other", "uuid: [other"), "it is not YAML"),
    ],
)  # fmt: skip
def test_what_the_notebook_cannot_say_is_refused(
    path: Path, change: tuple[str, str], said: str
) -> None:
    """With the way out; nothing is written, and export does not overwrite it either."""
    before = path.read_bytes()
    edited = edit(path, change)
    result = flow_back(path, path.parent)
    assert not result.is_ok
    assert result.problems[0].code == "cannot-flow-back"
    assert said in " ".join(map(str, result.problems))
    assert [item.code for item in export_notebook(path).problems] == ["edited-file"]
    assert path.read_bytes() == before
    assert (path.parent / YAML).read_text("utf-8") == edited


def both_changed(path: Path) -> None:
    edit(path, ("timeout: 60", "timeout: 70"))
    edit(path, ('"timeout": 60', '"timeout": 80'), file=path.name)


def test_both_sides_changed_a_setting(path: Path) -> None:
    """All three values are shown, and nothing is written."""
    both_changed(path)
    before = path.read_bytes()
    (conflict,) = flow_back(path, path.parent).conflicts
    assert (conflict.path, conflict.cell) == (YAML, 3)
    values = (conflict.base, conflict.notebook, conflict.file)
    assert values == tuple((f"block 'load': timeout: {n}",) for n in (60, 80, 70))
    assert path.read_bytes() == before


def test_the_file_wins_by_force(path: Path) -> None:
    """One of the two ways out."""
    both_changed(path)
    assert flow_back(path, path.parent, force=True).is_ok
    assert metadata(path, 3)["jupyter_blocks"] == {"timeout": 70}


def test_changes_of_different_settings_go_together(path: Path) -> None:
    """The notebook keeps its own."""
    edit(path, ('"timeout": 60', '"timeout": 80'), file=path.name)
    brought_back(path, entry("clean", "timeout: 5"))
    assert metadata(path, 3)["jupyter_blocks"] == {"timeout": 80}
    assert metadata(path, 4)["jupyter_blocks"] == {"timeout": 5}


def test_how_it_was_exported_may_be_unknown(path: Path) -> None:
    """In another clone: the digest still tells a change of the file alone."""
    shutil.rmtree(path.parent / ".blocks")
    brought_back(path, ("timeout: 60", "timeout: 70"))
    shutil.rmtree(path.parent / ".blocks")
    edit(path, ("timeout: 70", "timeout: 90"))
    edit(path, ('"poll_interval": 5', '"poll_interval": 6'), file=path.name)
    conflicts = flow_back(path, path.parent).conflicts
    assert [(conflict.base, conflict.cell) for conflict in conflicts] == [(None, 1), (None, 3)]


def test_a_python_file_with_cells(tmp_path: Path) -> None:
    """The marker of the cell says it; what belongs into the header is for people to write."""
    text = '# %% [markdown]\n# Hi\n\n# %% Load tags=["loader:load"]\nx = 1\n# %% {"tags": ["exporter:show"]}\nprint(x)\n'
    path = tmp_path / "demo.py"
    path.write_text(text)
    assert export_notebook(path).is_ok
    edit(path, entry("load", "timeout: 5"), entry("show", "executor_type: k8s"))
    assert flow_back(path, tmp_path).is_ok
    expected = text.replace('["loader:load"]', '["loader:load"] jupyter_blocks={"timeout": 5}')
    expected = expected.replace('"]}', '"], "jupyter_blocks": {"executor": "k8s"}}')
    assert path.read_text() == expected
    edit(path, ("type: python", "type: pyspark"))
    (problem,) = flow_back(path, tmp_path).problems
    assert "Write 'type' there, under 'jupyter: jupyter_blocks:'" in str(problem)


def test_only_the_changed_metadata_of_the_notebook_changes(path: Path) -> None:
    """Layout and all else stay."""
    before = json.loads(path.read_text("utf-8"))
    brought_back(path, ("timeout: 60", "timeout: 70"))
    before["cells"][2]["metadata"]["jupyter_blocks"]["timeout"] = 70
    assert path.read_text("utf-8") == json.dumps(before, indent=1)
