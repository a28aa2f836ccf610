"""Blocks that give generators and iterators: what is stored of them, and what their readers get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.commandline import shell
from tests.notebooks import notebook
from tests.workbench import Workbench

EXPORTED = "from jupyter_blocks import custom\n\n@custom\ndef f():\n"


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A project without blocks."""
    return Workbench(tmp_path / "project")


def fails(report: Any, reason: str) -> str:
    """The message of an attempt that failed for this reason."""
    assert (report["status"], report["reason"]) == ("failed", reason), report
    return str(report["error"]["message"])


YIELDING = """
import pandas as pd

@data_loader
def load():
    for number in range(3):
        yield pd.DataFrame({'n': [number, number]})
"""


def test_a_generator_is_stored_part_by_part(bench: Workbench) -> None:
    """The next block reads an iterator again; so does each further one."""
    stored = bench.run(YIELDING, "load", "data_loader")
    assert stored["outputs"]["output_0"]["rows"] == 6
    for name in ("one", "other"):
        text = (
            "@custom\ndef f(parts):\n    return {'n': [int(part['n'].sum()) for part in parts]}\n"
        )
        assert bench.value(bench.run(text, name, upstream="load")) == {"n": [0, 2, 4]}


def test_tests_and_callbacks_do_not_use_a_generator_up(bench: Workbench) -> None:
    """Each is given an iterator of its own."""
    checks = "".join(
        f"\n\n@test\ndef test_{name}(parts, *_):\n    assert len(list(parts)) == 3\n"
        for name in ("one", "other")
    )
    told = "\n\n@callback('success')\ndef tell(parts):\n    print(len(list(parts)), 'parts')\n"
    task = bench.task(YIELDING + checks + told, "load", "data_loader")
    assert len(list(bench.value(bench.run_task(task)))) == 3
    assert "3 parts" in bench.log(task)
    failing = YIELDING + "\n\n@test\ndef test_it(parts, *_):\n    assert list(parts) == []\n"
    fails(bench.run(failing, "load", "data_loader"), "test_failed")


def test_what_a_generator_raises_is_the_error_of_its_block(bench: Workbench) -> None:
    """With the line that raised it."""
    report = bench.run("@custom\ndef f():\n    yield 1\n    raise KeyError('x')\n")
    assert (report["reason"], report["error"]["type"]) == ("user_error", "KeyError")
    assert "raise KeyError('x')" in report["error"]["traceback"]


def test_generators_of_notebooks_are_stored_where_that_changes_nothing(bench: Workbench) -> None:
    """A variable it looks at when it is read might be another one by then; so might its readers."""
    text = EXPORTED + "    rows = [1, 2]\n    return (row + 1 for row in rows)\n"
    assert list(bench.value(bench.run_task(bench.named(text, outputs=("rows",))))) == [2, 3]
    late = EXPORTED + "    step = 1\n    return (row + step for row in [1, 2])\n"
    message = fails(bench.run_task(bench.named(late, outputs=("rows",))), "unstorable")
    assert "looks at `step` only when it is read" in message
    inner = late.replace("return ", "added = ") + "    return (row * 2 for row in added)\n"
    fails(bench.run_task(bench.named(inner, outputs=("rows",))), "unstorable")
    message = fails(
        bench.run_task(bench.named(text, outputs=("rows",), shared=("rows",))), "unstorable"
    )
    assert "several blocks read it" in message


def test_generators_that_draw_are_refused_where_streams_are_carried(bench: Workbench) -> None:
    """In the notebook the numbers are drawn when it is read."""
    text = "import random\n" + EXPORTED + "    return (random.random() for _ in range(2))\n"
    task = bench.named(text, outputs=("rows",), random_streams="")
    assert "draws random numbers when it is read" in fails(bench.run_task(task), "unstorable")


def test_a_generator_that_nobody_reads_is_left_alone(bench: Workbench) -> None:
    """It is not stored, and nothing of it runs."""
    text = EXPORTED + "    return (print('ran') for _ in range(2))\n"
    task = bench.named(text, outputs=("rows",), unread=("rows",))
    report = bench.run_task(task)
    assert report["outputs"]["rows"]["type"] == "not stored"
    assert "ran" not in bench.log(task)


def test_a_second_reader_of_an_iterator_makes_it_stale(tmp_path: Path) -> None:
    """Then the notebook would give the second one nothing, and the run is refused."""
    cells = [
        ("loader:load", "rows = iter([1, 2, 3])"),
        ("transformer:add", "total = sum(rows)"),
        ("exporter:out", "print(total)"),
    ]
    path = notebook(tmp_path, *cells, name="sums.ipynb")
    assert shell("run", path.name, "--json", cwd=tmp_path).code == 0
    assert shell("check", path.name, cwd=tmp_path).code == 0
    again = shell("run", path.name, "--changed", "--json", cwd=tmp_path).document
    assert again["blocks"]["load"]["status"] == "CACHED"
    notebook(tmp_path, *cells, ("exporter:more", "print(list(rows))"), name="sums.ipynb")
    refused = shell("run", path.name, "--changed", "--json", cwd=tmp_path)
    assert refused.code == 1
    assert "several blocks read it" in refused.document["blocks"]["load"]["error"]["message"]
