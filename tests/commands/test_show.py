"""`jupyter blocks show`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commandline import blocks
from tests.notebooks import notebook
from tests.projects import block, write_project


def test_all_outputs(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The latest output of every block that has any."""
    answer = blocks(capsys, "show", ran)
    assert answer.code == 0
    lines = [line.split() for line in answer.out.splitlines()]
    assert lines[0] == ["block", "output", "type", "rows", "size", "stored", "run"]
    assert [line[0] for line in lines[1:]] == ["load", "total"]
    assert lines[1][2:4] == ["table", "30"]
    document = blocks(capsys, "show", ran, "--json").document
    assert document["pipeline"] == "pipe"
    assert [entry["block"] for entry in document["outputs"]] == ["load", "total"]
    promised = {"block", "name", "type", "rows", "bytes", "run_id", "created_at"}
    assert set(document["outputs"][0]) == promised


def test_a_table(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Schema with statistics, then rows."""
    answer = blocks(capsys, "show", ran, "load")
    assert answer.code == 0
    title, head, _, *rest = answer.out.splitlines()
    assert title.startswith("output_0  load, run ")
    assert head.startswith("table, 30 rows x 2 columns, ")
    assert rest[1].split()[:7] == ["n", "int64", "0", "0", "14.5", "29", "30"]
    assert len(rest[rest.index("n  t") + 1 :]) == 10


def test_a_table_as_json(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The promised shape."""
    document = blocks(capsys, "show", ran, "pipe", "load", "--json", "--rows", "2").document
    assert (document["type"], document["rows"]) == ("table", 30)
    assert [column["name"] for column in document["columns"]] == ["n", "t"]
    assert {"name", "dtype", "nulls"} <= set(document["columns"][0])
    assert document["sample"] == [{"n": 0, "t": "a"}, {"n": 1, "t": "b"}]


@pytest.mark.parametrize(("rows", "count"), [(0, 0), (3, 3), (20, 20), (25, 25), (1000, 30)])
def test_number_of_rows(
    rows: int, count: int, ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the stored sample as far as it goes, then from the table itself."""
    sample = blocks(capsys, "show", ran, "load", "--json", "--rows", str(rows)).document["sample"]
    assert [row["n"] for row in sample] == list(range(count))


def test_plain_data(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A number is a number."""
    assert blocks(capsys, "show", ran, "total").out.splitlines()[-1] == "435"
    assert blocks(capsys, "show", ran, "total", "output_0", "--json").document["value"] == 435


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["laod"], "has no block 'laod'. Did you mean 'load'?"),
        (["bad"], "Block 'bad' of pipeline 'pipe' has no stored outputs. Run it: `jupyter blocks"),
        (["load", "nothing"], "Block 'load' has no output 'nothing'. Its outputs: output_0."),
        (["pipe", "load", "output_0", "more"], "Too many words: load output_0 more."),
    ],
)
def test_what_is_not_there(
    words: list[str], text: str, ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and what there is."""
    answer = blocks(capsys, "show", ran, *words)
    assert (answer.code, answer.out) == (2, "")
    assert text in answer.err


def test_what_could_not_be_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The block succeeds, as nobody reads it; its log and `show` say why there is nothing."""
    path = notebook(tmp_path, ("loader:load", "xs = [1]"), ("loader:squares", "(x for x in xs)"))
    ran = blocks(capsys, "run", path)
    assert ran.code == 0
    assert "Warning: Output 'output_0' is not stored: it is a generator" in ran.err
    answer = blocks(capsys, "show", path, "squares")
    assert answer.code == 0
    assert "not stored" in answer.out
    assert "it is a generator" in answer.out


def test_a_block_with_several_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, or the one that is named; of a notebook, by its path."""
    path = notebook(tmp_path, ("loader:load", "a, b = 1, 2"), ("transformer:add", "c = a + b"))
    assert blocks(capsys, "show", path).code == 2
    blocks(capsys, "run", path)
    out = blocks(capsys, "show", path, "load").out
    assert [line.split()[0] for line in out.splitlines() if "run " in line] == ["a", "b"]
    document = blocks(capsys, "show", path, "load", "--json").document
    assert document["block"] == "load"
    assert {name: entry["value"] for name, entry in document["outputs"].items()} == {"a": 1, "b": 2}
    assert blocks(capsys, "show", path, "load", "b", "--json").document["value"] == 2


def test_nothing_is_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said on stderr."""
    write_project(tmp_path, [block("load")])
    answer = blocks(capsys, "show", tmp_path)
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "Nothing is stored for pipeline 'pipe' yet.\n"


def test_several_pipelines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then the pipeline has to be named."""
    write_project(tmp_path, [block("load")], pipeline="one")
    write_project(tmp_path, [block("load")], pipeline="two")
    answer = blocks(capsys, "show", tmp_path)
    assert answer.code == 2
    assert "one, two" in answer.err
    blocks(capsys, "run", tmp_path, "two")
    assert blocks(capsys, "show", tmp_path, "two", "load").out.endswith("\n1\n")
