"""Runs over REST: they live in processes of their own, and every run of a project is found."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from jupyter_blocks.journal import Journal
from jupyter_blocks.project import Project
from jupyter_blocks.server.following import event_problem, event_schema
from jupyter_blocks.server.logs import read_tail
from jupyter_blocks.server.runstates import ProjectRuns
from tests.projects import block, write_project
from tests.server.conftest import Client, run

RUN = "/blocks/runs/{run_id}"


async def wait(client: Client, run_id: str, project: str = "shop") -> dict[str, Any]:
    """The state of a run once it has ended."""
    for _ in range(600):
        state = await client.get(f"/blocks/runs/{run_id}", RUN, project=project)
        if state["status"] not in ("RUNNING",):
            return dict(state)
        await asyncio.sleep(0.1)
    raise AssertionError(state)


async def test_a_notebook_is_run(client: Client, flights: Path) -> None:
    """It is exported, run in a session of its own, and its outputs can be looked at."""
    started = await client.post(
        "/blocks/runs", {"path": "nb/flights.ipynb", "runtime_vars": {"top_n": 1}}
    )
    assert started["project"] == "nb"
    state = await wait(client, started["run_id"], "nb")
    assert state["status"] == "SUCCEEDED", state
    assert state["parameters"] == {"top_n": 1}
    assert state["blocks"]["best"]["outputs"]["best"]["rows"] == 1
    log = await client.get(f"{RUN}/log".format(**started), f"{RUN}/log", project="nb")
    assert log["lines"] == []


async def test_runs_of_the_command_line_appear(client: Client, ran: str) -> None:
    """Whoever started a run: the journal knows it."""
    listed = await client.get("/blocks/runs", project="shop")
    assert [item["run_id"] for item in listed["runs"]] == [ran]
    state = await client.get(f"/blocks/runs/{ran}", RUN, project="shop")
    assert {entry["status"] for entry in state["blocks"].values()} == {"SUCCEEDED"}
    later = await client.get(f"/blocks/runs/{ran}", RUN, project="shop", since=state["seq"])
    assert later["partial"]
    assert later["blocks"] == {}


async def test_logs_are_read_by_byte_range(client: Client, ran: str) -> None:
    """What a block prints, from where the last look ended."""
    path = f"/blocks/runs/{ran}"
    tried = await client.get(f"{path}/attempts", f"{RUN}/attempts", project="shop", block="count")
    assert [(item["attempt"], item["phase"]) for item in tried["attempts"]] == [(1, "SUCCEEDED")]
    (attempt,) = tried["attempts"]
    assert attempt["started_at"] <= attempt["running_at"] <= attempt["finished_at"]
    log = await client.get(f"{path}/log", f"{RUN}/log", project="shop", block="count")
    assert "".join(line["text"] for line in log["lines"]) == "counting\n"
    assert log["ended"]
    again = await client.get(
        f"{path}/log", f"{RUN}/log", project="shop", block="count", offset=log["next_offset"]
    )
    assert again["lines"] == []


def test_a_growing_log_gives_whole_lines(tmp_path: Path) -> None:
    """Half a line waits for its end, and is given at once when there will be none."""
    path = tmp_path / "log"
    assert read_tail(path, 0, 100)["next_offset"] == 0
    path.write_bytes(b"one\ntw")
    first = read_tail(path, 0, 100)
    assert [line["text"] for line in first["lines"]] == ["one\n"]
    assert first["next_offset"] == 4
    last = read_tail(path, 4, 100, ended=True)
    assert [line["text"] for line in last["lines"]] == ["tw\n"]
    assert last["ended"]
    path.write_bytes(b"x" * 500 + b"\ny\n")
    long = read_tail(path, 0, 100)
    assert long["next_offset"] == 501


async def test_a_run_is_cancelled_and_resumed(client: Client, jp_root_dir: Path) -> None:
    """What was done is kept; what was cut off runs again."""
    body = "import time, pathlib\nif not pathlib.Path('go').exists(): time.sleep(60)\nreturn 1"
    write_project(jp_root_dir / "slow", [block("a"), block("b", body, ["a"])])
    asked = {"project": "slow", "pipeline": "pipe"}
    run_id = (await client.post("/blocks/runs", asked))["run_id"]
    pid = int(_holder(jp_root_dir / "slow").split()[1])
    assert os.getsid(pid) == pid
    for _ in range(300):
        state = await client.get(f"/blocks/runs/{run_id}", RUN, project="slow")
        if state["blocks"]["b"]["status"] == "RUNNING":
            break
        await asyncio.sleep(0.1)
    project = {"project": "slow"}
    answer = await client.post(f"/blocks/runs/{run_id}/cancel", project, f"{RUN}/cancel")
    assert answer["cancelling"]
    assert (await wait(client, run_id, "slow"))["status"] == "CANCELLED"
    status, fault = await client.try_post(f"/blocks/runs/{run_id}/cancel", project, f"{RUN}/cancel")
    assert status == 409
    assert "has ended: cancelled" in fault["message"]
    (jp_root_dir / "slow" / "go").touch()
    await client.post(f"/blocks/runs/{run_id}/resume", project, f"{RUN}/resume")
    state = await wait(client, run_id, "slow")
    assert state["status"] == "SUCCEEDED"
    assert state["blocks"]["a"]["status"] == "CACHED"


def _holder(root: Path) -> str:
    with Journal(root / ".blocks") as journal:
        return journal.runs()[0].holder


async def test_mistakes_are_said_before_anything_runs(client: Client, project: Project) -> None:
    """As the command line says them."""
    asked = {"project": "shop", "pipeline": "pipe"}
    for extra, words in (
        ({"blocks": ["nope"]}, "nope"),
        ({"executor": "nope"}, "Unknown executor 'nope'"),
        ({"runtime_vars": {"nope": 1}}, "nope"),
    ):
        status, fault = await client.try_post("/blocks/runs", {**asked, **extra})
        assert status in (400, 422)
        assert words in str(fault)
    listed = await client.get("/blocks/runs", project="shop")
    assert listed["runs"] == []
    assert not (project.root / ".blocks" / "journal.db").exists()


async def test_events_tell_of_runs(client: Client, project: Project, jp_serverapp: Any) -> None:
    """Small ones, that fit their schema, and together say how every block ended."""
    told: list[dict[str, Any]] = []

    async def listen(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        told.append(data)

    schema_id = event_schema()["$id"]
    jp_serverapp.event_logger.add_listener(schema_id=schema_id, listener=listen)
    started = await client.post("/blocks/runs", {"project": "shop", "pipeline": "pipe"})
    await wait(client, started["run_id"])
    for _ in range(100):
        if told and told[-1]["status"] == "SUCCEEDED":
            break
        await asyncio.sleep(0.1)
    statuses: dict[str, str] = {}
    seq = 0
    for data in told:
        assert not event_problem(data)
        assert data["previous_seq"] == seq
        seq = data["seq"]
        statuses |= data["blocks"]
    assert statuses == dict.fromkeys(["table", "words", "data", "thing", "count"], "SUCCEEDED")


def test_states_survive_the_server(project: Project) -> None:
    """Another server, with nothing in memory, finds the same run with the same state."""
    run_id = run(project)
    first, second = ProjectRuns(project.state_dir), ProjectRuns(project.state_dir)
    try:
        assert first.snapshot(run_id) == second.snapshot(run_id)
        assert [record.run_id for record in second.list(None, 10)] == [run_id]
    finally:
        first.close()
        second.close()
