"""Values and logs in object storage, and notebooks that are no files, through the server."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jupyter_server.services.contents.manager import AsyncContentsManager
from tornado.web import HTTPError

from jupyter_blocks.project import Project
from jupyter_blocks.server.remotelogs import RemoteLogs
from jupyter_blocks.variables.logs import SegmentedLog, segment_key
from jupyter_blocks.variables.openstorage import open_storage
from tests.notebooks import notebook_document
from tests.places import REMOTE, Servers, servers, use
from tests.projects import block, write_project
from tests.server.conftest import CELLS, TABLE, Client, run

OF = {"project": "far", "pipeline": "pipe"}
RUN = "/blocks/runs/{run_id}"
LINES = 400
PRINTS = f"for n in range({LINES}): print('line', n)\nreturn 'größer' * 400"


@pytest.fixture(scope="module")
def services() -> Iterator[Servers]:
    """S3 and Google Cloud Storage, as fakes play them."""
    with servers() as found:
        yield found


@pytest.fixture(params=REMOTE)
def far(
    request: pytest.FixtureRequest,
    services: Servers,
    monkeypatch: pytest.MonkeyPatch,
    jp_root_dir: Path,
) -> Project:
    """A project whose variables are kept in a bucket."""
    uri = use(request.param, uuid.uuid4().hex, services, monkeypatch)
    return write_project(
        jp_root_dir / "far",
        [block("table", TABLE), block("words", PRINTS, ["table"])],
        settings={"remote_variables_dir": uri},
    )


async def test_values_in_a_bucket_are_shown(
    client: Client, jp_fetch: Callable[..., Awaitable[Any]], far: Project
) -> None:
    """Lists, previews, pages, charts, texts and downloads, as from a folder."""
    run_id = run(far)
    assert not (far.root / ".variables").exists()
    listed = await client.get("/blocks/variables", **OF, run_id=run_id)
    assert [item["block"] for item in listed["outputs"]] == ["table", "words"]
    table = {**OF, "block": "table", "output": "output_0"}
    preview = await client.get("/blocks/variables/preview", **table)
    assert preview["columns"][0]["max"] == 5
    page = await client.post(
        "/blocks/variables/rows", {**table, "sort": [{"column": "n"}], "rows": 2}
    )
    assert [row["n"] for row in page["sample"]] == [1, 2]
    chart = {**table, "kind": "histogram", "x": "n", "bins": 2}
    assert (await client.post("/blocks/variables/chart", chart))["counts"] == [2, 3]
    words = {**OF, "block": "words", "output": "output_0"}
    text = await client.get("/blocks/variables/text", **words, offset=0, limit=10)
    assert "größer".startswith(text["text"][:6])
    params = {**table, "format": "csv"}
    csv = await jp_fetch("blocks", "variables", "download", params=params)
    assert list(pd.read_csv(io.BytesIO(csv.body))["n"]) == [3, 1, 2, 5, 4]
    pipeline = await client.get("/blocks/pipeline", **OF)
    assert {item["freshness"]["state"] for item in pipeline["blocks"]} == {"fresh"}


async def test_logs_in_a_bucket_are_read_in_pieces(client: Client, far: Project) -> None:
    """Whole lines, about as many bytes as asked for, none lost, none twice, and an end."""
    run_id = run(far)
    asked = {"project": "far", "block": "words", "limit": 1000}
    lines: list[str] = []
    offset, pieces = 0, 0
    while True:
        path = f"/blocks/runs/{run_id}/log"
        log = await client.get(path, f"{RUN}/log", **asked, offset=offset)
        assert sum(len(line["text"]) for line in log["lines"]) <= 1000
        lines += [line["text"] for line in log["lines"]]
        offset, pieces = log["next_offset"], pieces + 1
        if log["ended"]:
            break
    assert "".join(lines) == "".join(f"line {n}\n" for n in range(LINES))
    assert pieces > 10


def test_each_segment_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many looks it takes to follow a log."""
    storage = open_storage(f"memory://{uuid.uuid4().hex}")
    for number in range(1, 6):
        storage.create(segment_key("attempt", number), b"%d\n" % number * 100)
    read: list[str] = []
    real = type(storage).read
    monkeypatch.setattr(
        type(storage), "read", lambda self, key: (read.append(key), real(self, key))[1]
    )
    logs, offset, found = RemoteLogs(), 0, b""
    while piece := logs.read(SegmentedLog(storage, "attempt"), offset, is_over=True):
        found += piece[:50]
        offset += len(piece[:50])
    assert found == b"".join(b"%d\n" % number * 100 for number in range(1, 6))
    assert [key for key in read if not key.endswith("000006.jsonl")] == [
        segment_key("attempt", number) for number in range(1, 6)
    ]
    assert logs.read(SegmentedLog(storage, "attempt"), 0, is_over=True).startswith(b"1\n")


class Shelf(AsyncContentsManager):
    """Notebooks that are no files."""

    async def get(self, path: str, **_: Any) -> dict[str, Any]:
        if path != "nb/flights.ipynb":
            raise HTTPError(404, "There is no such notebook.")
        return {"type": "notebook", "content": notebook_document(*CELLS)}


class TestNotebooksThatAreNoFiles:
    """Notebooks in a database, say: they can be looked at; blocks cannot lie beside them."""

    @pytest.fixture
    def jp_server_config(self) -> dict[str, Any]:
        return {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_blocks": True},
                "contents_manager_class": Shelf,
            }
        }

    async def test_they_are_analyzed(self, client: Client) -> None:
        """As the contents service of the server gives them."""
        analysis = await client.get("/blocks/analysis", path="nb/flights.ipynb")
        assert [item["name"] for item in analysis["blocks"]] == ["load", "best"]
        proposed = await client.post("/blocks/suggest", {"path": "nb/flights.ipynb"})
        assert proposed["proposals"] == []
        status, fault = await client.try_get("/blocks/analysis", path="none.ipynb")
        assert status == 404, json.dumps(fault)
        assert (await client.try_get("/blocks/analysis", path="../x.ipynb"))[0] == 403

    @pytest.mark.parametrize("address", ["export", "plan", "runs"])
    async def test_they_are_not_exported(self, client: Client, address: str) -> None:
        """With the reason and what to do."""
        status, fault = await client.try_post(f"/blocks/{address}", {"path": "nb/flights.ipynb"})
        assert status == 409
        assert "does not keep its notebooks as files" in fault["message"]
        assert fault["hint"]
