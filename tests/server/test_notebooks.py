"""Analysis, export and suggestions: saved notebooks and unsaved ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.cli import main
from jupyter_blocks.project import open_project
from tests.notebooks import notebook, notebook_document
from tests.server.conftest import CELLS, Client, run

PATH = {"path": "nb/flights.ipynb"}


def by_name(analysis: dict[str, Any]) -> dict[str, Any]:
    return {block["name"]: block for block in analysis["blocks"]}


async def test_an_unsaved_notebook_is_analyzed(client: Client, flights: Path) -> None:
    """DAG with reasons, inputs and outputs, as the client has the notebook now."""
    document = notebook_document(*CELLS, ("exporter:out", "best.to_csv('x.csv')"))
    analysis = await client.post("/blocks/analysis", {**PATH, "content": document})
    blocks = by_name(analysis)
    assert list(blocks) == ["load", "best", "out"]
    assert blocks["best"]["inputs"] == {"flights": "load.flights"}
    assert blocks["best"]["parameters"] == ["top_n"]
    assert blocks["out"]["cell_ids"] == ["cell-5"]
    edge = blocks["out"]["edges"][0]
    assert edge["reason"] == "'best', which cell 4 sets, is what cell 5, line 1 reads."
    assert blocks["load"]["freshness"] == {"state": "missing", "reason": "never run"}
    assert blocks["load"]["drift"] == "missing"
    assert not (flights.parent / "pipelines").exists()


async def test_problems_have_a_place_and_a_way_out(client: Client, flights: Path) -> None:
    """Cell, line, code, remedy."""
    document = notebook_document(("loader:a", "x = 1"), ("transformr:b", "y = nope + x"))
    analysis = await client.post("/blocks/analysis", {**PATH, "content": document})
    problem = analysis["problems"][0]
    assert problem["cell"] == 2
    assert problem["code"]
    assert problem["hint"]


async def test_a_run_between_two_edits_is_seen(client: Client, flights: Path) -> None:
    """What is known of stored outputs is looked up again when they change, not with each key."""
    exported = await client.post("/blocks/export", PATH)

    async def edited(text: str) -> dict[str, Any]:
        cells = [*CELLS, ("exporter:out", f"best.to_csv('{text}.csv')")]
        body = {**PATH, "content": notebook_document(*cells)}
        blocks = by_name(await client.post("/blocks/analysis", body))
        return {name: each["freshness"]["state"] for name, each in blocks.items()}

    assert await edited("a") == {"load": "missing", "best": "missing", "out": "missing"}
    run(open_project(flights.parent), exported["pipeline"])
    assert await edited("b") == {"load": "fresh", "best": "fresh", "out": "missing"}
    file = flights.parent / "data_loaders" / "load.py"
    file.write_text(file.read_text("utf-8").replace("[3, 1, 2]", "[3, 1, 4]"), "utf-8")
    assert (await edited("c"))["load"] == "stale"


async def test_drift_and_freshness_follow_the_notebook(client: Client, flights: Path) -> None:
    """Fresh after a run; stale as soon as the code changes, and below it."""
    exported = await client.post("/blocks/export", PATH)
    assert {file["state"] for file in exported["files"]} == {"written"}
    run(open_project(flights.parent), exported["pipeline"])
    saved = await client.get("/blocks/analysis", **PATH)
    assert not saved["has_drifted"]
    assert {block["freshness"]["state"] for block in saved["blocks"]} == {"fresh"}
    changed = [*CELLS[:2], ("loader:load", CELLS[2][1] + "\nflights['c'] = 1"), CELLS[3]]
    body = {**PATH, "content": notebook_document(*changed)}
    blocks = by_name(await client.post("/blocks/analysis", body))
    assert blocks["load"]["drift"] == "differs"
    assert blocks["load"]["freshness"] == {"state": "stale", "reason": "its code changed"}
    assert blocks["best"]["freshness"] == {"state": "stale", "reason": "'load' is stale"}


async def test_a_sensor_makes_nothing_stale(client: Client, flights: Path) -> None:
    """It looks again when something after it runs; what it waited for is there."""
    load = ("loader:load upstream:wait", CELLS[2][1])
    more = ("transformer:more", "x = best.a")
    cells = [("sensor:wait", "True"), *CELLS[:2], load, CELLS[3], more]
    notebook(flights.parent, *cells, name=flights.name)
    exported = await client.post("/blocks/export", PATH)
    before = by_name(await client.get("/blocks/analysis", **PATH))
    assert before["wait"]["freshness"]["state"] == "missing"
    run(open_project(flights.parent), exported["pipeline"])
    cells[-1] = ("transformer:more", "x = best.a * 2")
    body = {**PATH, "content": notebook_document(*cells)}
    unsaved = by_name(await client.post("/blocks/analysis", body))
    notebook(flights.parent, *cells, name=flights.name)
    await client.post("/blocks/export", PATH)
    for blocks in (unsaved, by_name(await client.get("/blocks/analysis", **PATH))):
        states = {name: item["freshness"]["state"] for name, item in blocks.items()}
        assert states == {"wait": "fresh", "load": "fresh", "best": "fresh", "more": "stale"}


async def test_the_same_notebook_is_answered_from_memory(
    client: Client, flights: Path, jp_serverapp: Any
) -> None:
    """Asking again costs next to nothing, and a file that changes is seen."""
    first = await client.get("/blocks/analysis", **PATH)
    assert await client.get("/blocks/analysis", **PATH) == first
    await client.post("/blocks/export", PATH)
    second = await client.get("/blocks/analysis", **PATH)
    assert first["has_drifted"]
    assert not second["has_drifted"]


async def test_suggestions(client: Client, jp_root_dir: Path) -> None:
    """Tags for the cells that have none; nothing is written."""
    path = notebook(
        jp_root_dir,
        ("", "import pandas as pd"),
        ("", "df = pd.read_csv('x.csv')"),
        ("", "df.to_csv('y.csv')"),
        name="plain.ipynb",
    )
    before = path.read_bytes()
    proposed = await client.post("/blocks/suggest", {"path": "plain.ipynb"})
    assert any(item["tag"].startswith("loader") for item in proposed["proposals"])
    assert path.read_bytes() == before


async def test_suggestions_say_what_export_will_refuse(
    client: Client, jp_root_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same document as that of the command line, which has a way out for each problem."""
    path = notebook(jp_root_dir, ("", "x = 1"), ("", "y = [nowhere, x]"), name="plain.ipynb")
    proposed = await client.post("/blocks/suggest", {"path": "plain.ipynb"})
    (problem,) = proposed["problems"]
    assert (problem["severity"], problem["code"], problem["cell"]) == ("error", "undefined-name", 2)
    assert problem["hint"]
    assert main(["suggest", str(path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {**printed, "notebook": "plain.ipynb"} == proposed


async def test_export_stays_below_the_root(client: Client, flights: Path, tmp_path: Path) -> None:
    """A folder of blocks that is a link to elsewhere is not written through."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (flights.parent / "data_loaders").symlink_to(outside)
    status, fault = await client.try_post("/blocks/export", PATH)
    assert status == 403, fault
    assert list(outside.iterdir()) == []


async def test_what_is_no_notebook_is_refused(client: Client, jp_root_dir: Path) -> None:
    """With the place that is wrong."""
    (jp_root_dir / "bad.ipynb").write_text("{")
    status, fault = await client.try_get("/blocks/analysis", path="bad.ipynb")
    assert status == 422
    assert fault["problems"][0]["code"] == "not-json"
    status, fault = await client.try_get("/blocks/analysis", path="none.ipynb")
    assert status == 404
    assert json.dumps(fault)


async def test_projects_and_pipelines(client: Client, flights: Path) -> None:
    """What there is below the root."""
    await client.post("/blocks/export", PATH)
    listed = await client.get("/blocks/projects")
    assert [(item["path"], item["pipelines"]) for item in listed["projects"]] == [
        ("nb", ["flights"])
    ]
    pipeline = await client.get("/blocks/pipeline", project="nb", pipeline="flights")
    assert pipeline["notebook"] == "nb/flights.ipynb"
    assert [block["name"] for block in pipeline["blocks"]] == ["load", "best"]


async def test_changes_of_files_come_back(client: Client, flights: Path) -> None:
    """Into the cell they belong to; where both sides changed, both are told and nothing is lost."""
    await client.post("/blocks/export", PATH)
    file = flights.parent / "data_loaders" / "load.py"
    text = file.read_text("utf-8")
    before = flights.read_bytes()
    file.write_text(text.replace("[3, 1, 2]", "[3, 1, 4]"), "utf-8")
    looked = await client.post("/blocks/takeback", {**PATH, "check": True})
    assert looked["edited"] == ["data_loaders/load.py"]
    assert flights.read_bytes() == before
    taken = await client.post("/blocks/takeback", PATH)
    assert [cell["files"] for cell in taken["cells"]] == [["data_loaders/load.py"]]
    assert b"[3, 1, 4]" in flights.read_bytes()
    again = await client.post("/blocks/takeback", PATH)
    assert again["edited"] == []

    file.write_text(file.read_text("utf-8").replace("[3, 1, 4]", "[3, 1, 5]"), "utf-8")
    flights.write_bytes(flights.read_bytes().replace(b"[3, 1, 4]", b"[3, 1, 6]"))
    both = await client.post("/blocks/takeback", PATH)
    (conflict,) = both["conflicts"]
    assert "[3, 1, 6]" in "".join(conflict["notebook"])
    assert "[3, 1, 5]" in "".join(conflict["file"])
    assert b"[3, 1, 6]" in flights.read_bytes()
    await client.post("/blocks/takeback", {**PATH, "force": True})
    assert b"[3, 1, 5]" in flights.read_bytes()
