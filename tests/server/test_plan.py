"""What a run would do, asked before it: as `run --dry-run` says it, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_blocks.project import Project
from tests.commandline import shell
from tests.server.conftest import Client, run

PLAN = "/blocks/plan"
SHOP = {"project": "shop", "pipeline": "pipe"}


def actions(plan: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {block["name"]: block["action"] for block in plan["blocks"]}


async def test_a_plan_says_what_runs_where_and_why(client: Client, project: Project) -> None:
    """The same as the command line, for the whole pipeline and for a part of it."""
    plan = await client.post(PLAN, SHOP)
    told = shell("run", ".", "pipe", "--dry-run", "--json", cwd=project.root).document
    assert plan["blocks"] == told["blocks"]
    assert set(actions(plan).values()) == {"run"}
    run(project)
    part = await client.post(PLAN, {**SHOP, "blocks": ["count"]})
    assert actions(part)["count"] == "run"
    assert actions(part)["table"] == "skipped"
    again = await client.post(PLAN, {**SHOP, "changed": True})
    assert set(actions(again).values()) == {"cached"}


async def test_an_unexported_notebook_is_planned(client: Client, flights: Path) -> None:
    """Nothing is exported for it, and no project made."""
    plan = await client.post(PLAN, {"path": "nb/flights.ipynb", "runtime_vars": {"top_n": 1}})
    assert actions(plan) == {"load": "run", "best": "run"}
    assert plan["parameters"] == {"top_n": 1}
    assert plan["project"] == "nb"
    assert [each.name for each in flights.parent.iterdir()] == ["flights.ipynb"]


async def test_a_notebook_is_planned_as_it_is_saved(client: Client, flights: Path) -> None:
    """Not as it was exported last: what changed since would run."""
    await client.post("/blocks/export", {"path": "nb/flights.ipynb"})
    run(Project(flights.parent), "flights")
    asked = {"path": "nb/flights.ipynb", "changed": True}
    assert actions(await client.post(PLAN, asked)) == {"load": "cached", "best": "cached"}
    document = json.loads(flights.read_text("utf-8"))
    document["cells"][-1]["source"] = "best = flights.nsmallest(top_n, 'a')"
    flights.write_text(json.dumps(document), "utf-8")
    assert actions(await client.post(PLAN, asked)) == {"load": "cached", "best": "run"}


async def test_mistakes_are_those_of_a_start(client: Client, project: Project) -> None:
    """Unknown blocks, executors and parameters, with the same words."""
    for extra in ({"blocks": ["nope"]}, {"executor": "nope"}, {"runtime_vars": {"nope": 1}}):
        planned = await client.try_post(PLAN, {**SHOP, **extra})
        assert planned == await client.try_post("/blocks/runs", {**SHOP, **extra})
        assert planned[0] in (400, 422)


async def test_executors_that_are_not_allowed_are_not_planned(
    client: Client, project: Project, jp_serverapp: object
) -> None:
    """Also where a block or a pipeline names them."""
    app = next(iter(jp_serverapp.extension_manager.extension_apps["jupyter_blocks"]))  # type: ignore[attr-defined]
    app.services.starter.allowed_executors = ("pyspark",)
    status, fault = await client.try_post(PLAN, SHOP)
    assert status == 400
    assert "does not allow the executor 'local_python'" in fault["message"]
