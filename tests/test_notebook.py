"""Reading notebooks: cells, tags, directives and settings, and what is wrong with each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.cellsettings import (
    CellSettings,
    merge_settings,
    read_cell_settings,
    read_notebook_settings,
)
from jupyter_blocks.errors import UsageError, ValidationError
from jupyter_blocks.notebook import Cell, parse_notebook, read_notebook
from jupyter_blocks.tags import TAGS, CellTags, Role, read_tags
from tests.notebooks import notebook, notebook_document

PATH = Path("demo.ipynb")


def parsed(document: Any) -> Any:
    return parse_notebook(json.dumps(document).encode(), PATH)


# reading


def test_cells_are_numbered_among_all_cells(tmp_path: Path) -> None:
    """As people count them; markdown is there but is no code."""
    path = notebook(tmp_path, ("markdown", "# Title"), ("loader:a extra", "x = 1\ny = 2"))
    read = read_notebook(path)
    assert [(cell.number, cell.kind) for cell in read.cells] == [(1, "markdown"), (2, "code")]
    assert read.code_cells == (
        Cell(2, "code", "x = 1\ny = 2", "cell-2", ("loader:a", "extra"), read.cells[1].metadata),
    )


def test_a_byte_order_mark_and_odd_line_ends_are_fine() -> None:
    """Source may be one text or a list of lines."""
    document = notebook_document(("", "x = 1"))
    document["cells"][0]["source"] = "a = 1\r\nb = 2\rc = 3"
    read = parse_notebook(b"\xef\xbb\xbf" + json.dumps(document).encode(), PATH)
    assert read.cells[0].source == "a = 1\nb = 2\nc = 3"


def test_cells_without_a_good_id_go_by_number() -> None:
    """No id, a shared id, or one with characters that no id has."""
    document = notebook_document(*[("", "x")] * 5)
    for cell, cell_id in zip(document["cells"], [None, "twin", "twin", "a b", "fine"], strict=True):
        cell["id"] = cell_id
    assert [cell.ref for cell in parsed(document).cells] == ["#1", "#2", "#3", "#4", "fine"]


def test_old_notebooks_are_upgraded() -> None:
    """Version 3 had worksheets."""
    import nbformat.v3

    sheet = nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell(input="x = 1")])
    old = nbformat.v3.new_notebook(worksheets=[sheet])
    assert [cell.source for cell in parsed(old).code_cells] == ["x = 1"]


def test_old_notebooks_as_they_lie_on_disk() -> None:
    """Lists of lines, kinds of cells that are no more, cells with less than they should have."""
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["Title"], "metadata": {}},
        {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "metadata": {"tags": ["loader"]}},
        {"cell_type": "code", "language": "python"},
        {"cell_type": "html", "source": "<b>"},
    ]
    for version in (2, 3):
        old = {"nbformat": version, "worksheets": [{"cells": cells[:2]}, {"cells": cells[2:]}]}
        read = parsed(old)
        assert [cell.kind for cell in read.cells] == ["markdown", "code", "code", "raw"]
        assert [cell.source for cell in read.code_cells] == ["x = 1\ny = 2", ""]
        assert read.code_cells[0].tags == ("loader",)


@pytest.mark.parametrize("minor", range(6))
@pytest.mark.parametrize("cells", [0, 1])
def test_empty_notebooks_and_those_of_markdown_are_read(minor: int, cells: int) -> None:
    """Of every minor version."""
    document = notebook_document(*[("markdown", "# Title")] * cells, ids=minor == 5)
    read = parsed({**document, "nbformat_minor": minor, "metadata": {}})
    assert (len(read.cells), read.code_cells, read.problems) == (cells, (), ())


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b'{"cells": [}', "not-json", "column 12"),
        (b'{\n"cells": [],\n<<<<<<<', "not-json", "merge conflict"),
        (b"[1]", "not-a-notebook", "it has no cells"),
        (b'{"a": 1}', "not-a-notebook", "it has no cells"),
        (b"\xff\xfe", "not-a-notebook", "not UTF-8"),
        (b"[" * 100_000, "not-json", ""),
        (b'{"cells": 1}', "bad-notebook", "'cells' is not a list"),
        (b'{"cells": [1]}', "bad-notebook", "Cell 1 is not a mapping"),
        (b'{"cells": [{"source": 1}]}', "bad-notebook", "The source of cell 1"),
        (b'{"cells": [{"source": "\\ud800"}]}', "bad-notebook", "half a character"),
        (b'{"cells": [], "nbformat": 9}', "unknown-nbformat", "Update jupyter-blocks"),
        (
            b'{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}',
            "not-python",
            "Its kernel speaks R",
        ),
        (b'{"cells": [], "metadata": {"language_info": {"name": "julia"}}}', "not-python", "julia"),
        (b'{"cells": [], "metadata": []}', "", ""),
        (b'{"cells": [], "metadata": [1]}', "bad-notebook", "'metadata'"),
    ],
)
def test_what_is_no_notebook_says_so(data: bytes, code: str, text: str) -> None:
    """With the place in the file where there is one."""
    if not code:
        assert parse_notebook(data, PATH).cells == ()
        return
    with pytest.raises(ValidationError, match=r"demo\.ipynb") as caught:
        parse_notebook(data, PATH)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert text in str(caught.value)


def test_a_missing_notebook_is_a_usage_error(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(UsageError, match="There is no notebook"):
        read_notebook(tmp_path / "no.ipynb")
    with pytest.raises(UsageError, match="cannot be read"):
        read_notebook(tmp_path)


def test_tags_that_are_no_list_are_a_problem_of_their_cell() -> None:
    """The rest of the notebook is read."""
    document = notebook_document(("", "x = 1"), ("loader", "y = 2"))
    document["cells"][0]["metadata"]["tags"] = "loader"
    read = parsed(document)
    assert [(problem.code, problem.cell) for problem in read.problems] == [("bad-tags", 1)]
    assert read.cells[1].tags == ("loader",)


# tags


@pytest.mark.parametrize(
    ("tags", "role", "kind", "name", "upstream"),
    [
        ("", Role.NONE, None, "", ()),
        ("hide-input slow", Role.NONE, None, "", ()),
        ("loader", Role.BLOCK, "data_loader", "", ()),
        ("data_loader:a", Role.BLOCK, "data_loader", "a", ()),
        ("exporter:save", Role.BLOCK, "data_exporter", "save", ()),
        ("custom", Role.BLOCK, "custom", "", ()),
        ("loader data_loader:a", Role.BLOCK, "data_loader", "a", ()),
        ("sensor:s upstream:a upstream:b prev:a", Role.BLOCK, "sensor", "s", ("a", "b")),
        ("step:x prev:y", Role.BLOCK, None, "x", ("y",)),
        ("imports functions", Role.SETUP, None, "", ()),
        ("parameters", Role.PARAMETERS, None, "", ()),
        ("pipeline-parameters", Role.PARAMETERS, None, "", ()),
        ("continue upstream:a", Role.CONTINUE, None, "", ("a",)),
        ("test:a", Role.TEST, None, "a", ()),
        ("skip loader:a", Role.SKIP, None, "", ()),
    ],
)
def test_tags_say_role_type_name_and_order(
    tags: str, role: Role, kind: str | None, name: str, upstream: tuple[str, ...]
) -> None:
    """Aliases and Kale's words included."""
    read, problems = read_tags(tags.split(), "")
    assert not problems
    assert (read.role, read.name, read.upstream) == (role, name, upstream)
    assert (read.type.name if read.type else None) == kind


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#| block: loader:load_flights", ("data_loader", "load_flights", ())),
        ("# |block: transformer upstream:a, upstream:b", ("transformer", "", ("a", "b"))),
        ("  #|  block:exporter", ("data_exporter", "", ())),
    ],
)
def test_a_comment_on_the_first_line_says_the_same(
    line: str, expected: tuple[str, str, tuple[str, ...]]
) -> None:
    """For editors without tags."""
    read, problems = read_tags((), f"{line}\nx = 1")
    assert not problems
    assert read.type is not None
    assert (read.type.name, read.name, read.upstream) == expected
    assert read.directive


@pytest.mark.parametrize("source", ["#| echo: false", "x = 1\n#| block: loader", "# block: loader"])
def test_other_comments_are_comments(source: str) -> None:
    """Quarto's directives, later lines, ordinary words."""
    assert read_tags((), source) == (CellTags(), [])


def test_tag_and_comment_may_complete_each_other() -> None:
    """One has the name, the other the type alone."""
    read, problems = read_tags(("loader",), "#| block: loader:a upstream:b")
    assert not problems
    assert (read.name, read.upstream) == ("a", ("b",))


@pytest.mark.parametrize(
    ("tags", "source", "code", "text"),
    [
        ("loader transformer", "", "two-types", "both 'loader' and 'transformer'"),
        ("loader:a loader:b", "", "two-names", "both 'loader:a' and 'loader:b'"),
        ("loader parameters", "", "conflicting-tags", "both 'loader' and 'parameters'"),
        ("test:a continue", "", "conflicting-tags", "both 'test:a' and 'continue'"),
        ("loader:", "", "bad-tag", "'loader:name'"),
        ("step", "", "bad-tag", "'step:name'"),
        ("upstream", "", "bad-tag", "'upstream:name'"),
        ("imports:x", "", "bad-tag", "Write 'imports' alone."),
        ("loader:Load-All", "", "bad-name", "'Load-All' is not a block name"),
        ("upstream:A", "", "bad-name", "'A' is not a block name"),
        (
            "loader",
            "#| block: sensor",
            "tag-and-directive",
            "'loader', the first line says 'sensor'",
        ),
        ("loader:a", "#| block: loader:b", "tag-and-directive", "'loader:b'"),
        ("", "#| block: lodaer:a", "unknown-tag", "Write 'loader:a'."),
        ("", "#| block: nonsense", "unknown-tag", "Known: continue, custom,"),
        ("", "#| block: test", "unknown-tag", "Write 'test:<block>'."),
    ],
)
def test_tags_that_make_no_sense_are_errors(tags: str, source: str, code: str, text: str) -> None:
    """Each says what to write."""
    _, problems = read_tags(tags.split(), source)
    assert [(problem.code, problem.severity) for problem in problems] == [(code, "error")]
    assert text in f"{problems[0].message} {problems[0].hint}"


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("tranformer", "transformer"),
        ("Loader:a", "loader:a"),
        ("exporters", "exporter"),
        ("import", "imports"),
        ("test", "test:<block>"),
        ("up-stream:a", "upstream:a"),
    ],
)
def test_a_near_miss_is_a_warning(tag: str, meant: str) -> None:
    """It may be meant for another tool."""
    read, problems = read_tags((tag,), "")
    assert read.role is Role.NONE
    assert [(problem.code, problem.severity) for problem in problems] == [
        ("unknown-tag", "warning")
    ]
    assert f"'{meant}'" in problems[0].hint


@pytest.mark.parametrize(
    "tag", ["hide-input", "raises-exception", "injected-parameters", "remove_cell", "todo"]
)
def test_tags_of_other_tools_are_left_alone(tag: str) -> None:
    """No warning for what is nothing like ours."""
    assert read_tags((tag,), "") == (CellTags(), [])


def test_every_tag_is_understood() -> None:
    """The published list holds nothing that the reader does not know."""
    for tag in TAGS:
        word = f"{tag}:a" if tag in ("step", "test", "upstream", "prev") else tag
        read, problems = read_tags((word,), "")
        assert not problems
        assert read.role is not Role.NONE or read.upstream == ("a",)


# settings


def settings_of(settings: Any) -> tuple[CellSettings, list[tuple[str, str]]]:
    cell = Cell(3, "code", "", None, (), {"jupyter_blocks": settings})
    read, problems = read_cell_settings(cell, "demo.ipynb")
    assert all(problem.cell == 3 for problem in problems)
    return read, [(problem.code, problem.message) for problem in problems]


def test_settings_of_a_cell_are_checked_and_kept() -> None:
    """Every key that there is."""
    settings, problems = settings_of(
        {
            "executor": "k8s",
            "executor_config": {"image": "x"},
            "resources": {"cpu": 0.5, "memory_mib": 512, "gpu": 1},
            "retries": 3,
            "timeout": 60,
            "poll_interval": 0.5,
            "cache": False,
            "changes": ["df"],
            "upstream": ["a"],
        }
    )
    assert not problems
    assert settings.retries is not None
    assert (settings.executor, settings.retries.retries, settings.timeout) == ("k8s", 3, 60.0)
    assert (settings.changes, settings.upstream, settings.cache) == (("df",), ("a",), False)


@pytest.mark.parametrize(
    "settings",
    [
        [],
        {"executor": ""},
        {"executor_config": []},
        {"resources": {"gpus": 1}},
        {"resources": {"gpu": 0}},
        {"resources": {"gpu": 0.5}},
        {"resources": {"gpu": True}},
        {"resources": {"cpu": 0}},
        {"resources": {"memory_mib": 0.5}},
        {"retries": True},
        {"retries": {"retries": 1.5}},
        {"retries": {"attempts": 1}},
        {"retries": {"delay": -1}},
        {"retries": {"exponential_backoff": 1}},
        {"timeout": 0},
        {"timeout": "60"},
        {"poll_interval": float("inf")},
        {"cache": 1},
        {"changes": "df"},
        {"upstream": ["A b"]},
    ],
)
def test_a_wrong_setting_is_named_with_what_is_expected(settings: Any) -> None:
    """Nothing is guessed or ignored."""
    _, problems = settings_of(settings)
    assert [code for code, _ in problems] == ["bad-setting"]


def test_an_unknown_setting_lists_the_known_ones() -> None:
    """The others are kept."""
    settings, problems = settings_of({"retry": 1, "cache": True})
    assert [code for code, _ in problems] == ["unknown-setting"]
    assert settings.cache is True


def test_settings_of_two_cells_are_joined() -> None:
    """Lists are put together; different values are reported by key."""
    one, _ = settings_of({"timeout": 5, "changes": ["a"], "cache": True})
    other, _ = settings_of({"timeout": 6, "changes": ["b", "a"], "executor": "k8s"})
    merged, disagreements = merge_settings(one, other)
    assert disagreements == ["timeout"]
    assert (merged.changes, merged.executor, merged.cache) == (("a", "b"), "k8s", True)


def test_settings_of_a_notebook_are_checked() -> None:
    """Name, executor, retries, type; a version for tools is accepted."""
    good = {"pipeline": "p", "type": "pyspark", "executor": "k8s", "description": "d", "version": 1}
    settings, problems = read_notebook_settings(parsed(notebook_document(**good)))
    assert not problems
    assert (settings.pipeline, settings.type) == ("p", "pyspark")
    _, problems = read_notebook_settings(
        parsed(notebook_document(pipeline="My Pipe", type="streaming", colour=1))
    )
    assert [problem.code for problem in problems] == [
        "bad-setting",
        "bad-setting",
        "unknown-setting",
    ]
