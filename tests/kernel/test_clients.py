"""Clients that say little: nbclient, VS Code; and what storing costs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import pytest
from nbclient import NotebookClient

from jupyter_blocks.kernel.profile import config_path, enable
from tests.kernel.kernels import kernel
from tests.kernel.test_cells import FLIGHTS, stale, store_of
from tests.notebooks import notebook

ARRAY_MIB = 160


@pytest.mark.filterwarnings("default")
def test_nbclient_stores_and_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`jupyter nbconvert --execute` leaves outputs that `run --changed` uses."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    enable(config_path())
    path = notebook(tmp_path / "work", *FLIGHTS, name="flights.ipynb")
    document = nbformat.read(path, 4)
    NotebookClient(document, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert document.cells[-1].outputs[0]["data"]["text/plain"] == "12"
    assert stale(path) == {}
    asyncio.set_event_loop(None)


def test_vs_code_names_the_notebook(tmp_path: Path) -> None:
    """By a variable in the namespace; its cell ids are its own."""
    path = notebook(tmp_path / "there", *FLIGHTS, name="flights.ipynb")
    notebook(tmp_path, ("", "1"), name="other.ipynb")
    with kernel(tmp_path / "other.ipynb", session=False) as running:
        running.run(f"__vsc_ipynb_file__ = {str(path)!r}")
        for number, cell in enumerate(FLIGHTS[:3]):
            running.run(cell[1], cellId=f"vscode-notebook-cell:{number}")
    assert "load_flights" in store_of(path).blocks("flights")


def _vs_code(path: Path, number: int, **metadata: Any) -> dict[str, Any]:
    """What VS Code sends: an address of its own for the cell, and its metadata, if it has any."""
    return {"cellId": f"vscode-notebook-cell:{quote(str(path))}#W{number}sZmlsZQ%3D%3D", **metadata}


def test_vs_code_sends_tags_with_ids_of_its_own(tmp_path: Path) -> None:
    """They stand for the saved cells, and for the same ones after an edit that is not saved."""
    path = notebook(tmp_path / "my work", *FLIGHTS, name="flights.ipynb")
    notebook(tmp_path, ("", "1"), name="other.ipynb")
    with kernel(tmp_path / "other.ipynb", session=False) as running:
        for number, (tags, source) in enumerate(FLIGHTS):  # type: ignore[misc]
            more = {"tags": [tags]} if tags else {}
            answer = running.run(str(source), **_vs_code(path, number, **more))
            assert (answer.status, answer.stderr) == ("ok", "")
        running.run("%blocks")
        assert sorted(store_of(path).blocks("flights")) == ["add_net", "load_flights", "total"]
        assert stale(path) == {}
        edited = str(FLIGHTS[3][1]) + "\nnet = net.head(1)"
        assert running.run(edited, **_vs_code(path, 3, tags=["transformer:add_net"])).stderr == ""
        answer = running.run(str(FLIGHTS[4][1]), **_vs_code(path, 4, tags=["exporter:total"]))
        assert (answer.result, answer.stderr) == ("2", "")
    stored = store_of(path)
    assert len(stored.load(stored.blocks("flights")["add_net"], "net")) == 1


def test_a_new_cell_of_vs_code_counts_once_it_is_saved(tmp_path: Path) -> None:
    """Until then it runs and nothing is stored of it."""
    path = notebook(tmp_path, *FLIGHTS, name="flights.ipynb")
    new = ("loader:more", "more = [1]")
    readers = (*FLIGHTS, new, ("exporter:show", "print(more)"))
    with kernel(path, session=False) as running:
        said = _vs_code(path, 9, tags=[new[0]])
        assert running.run(new[1], **said).status == "ok"
        assert not (tmp_path / ".variables").exists()
        notebook(tmp_path, *readers, name="flights.ipynb")
        assert running.run(new[1], **said).stderr == ""
        running.run("%blocks")
    assert "more" in store_of(path).blocks("flights")


def test_storing_does_not_double_memory(tmp_path: Path) -> None:
    """A large array is written as it lies in memory."""
    rows = ARRAY_MIB * 1024 * 1024 // 8
    path = notebook(
        tmp_path,
        ("loader:large", f"import numpy as np\nlarge = np.ones({rows})"),
        ("exporter:out", "print(large.sum())"),
    )
    peak = "__import__('resource').getrusage(0).ru_maxrss // 1024"
    with kernel(path) as running:
        running.run("import numpy, pandas, pyarrow")
        before = int(running.ask(peak))
        running.cell(1)
        running.run("%blocks show large")
        grown = int(running.ask(peak)) - before
    assert "large" in store_of(path).blocks("demo")
    assert grown < 1.6 * ARRAY_MIB


def test_a_mistake_elsewhere_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    """A notebook that cannot be exported stores nothing, says why, and runs."""
    path = notebook(
        tmp_path, ("loader:rows", "rows = [1]"), ("transformer:rows", "more = rows + [2]")
    )
    with kernel(path) as running:
        answer = running.cell(1)
        assert answer.status == "ok"
        answer = running.run("pass")
        assert "%blocks" not in answer.stderr
        assert "mistakes" in running.run("%blocks").text + answer.stderr
