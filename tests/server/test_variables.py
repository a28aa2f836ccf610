"""Stored outputs over REST: bounded, safe, and the same as the command line shows."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tornado.simple_httpclient import HTTPStreamClosedError

from jupyter_blocks.project import Project
from tests.server.conftest import Client, run

OF = {"project": "shop", "pipeline": "pipe"}
TABLE = {**OF, "block": "table", "output": "output_0"}


async def test_lists_what_is_stored(client: Client, ran: str) -> None:
    """The newest outputs of all blocks, and those of one run."""
    newest = await client.get("/blocks/variables", **OF)
    of_run = await client.get("/blocks/variables", **OF, run_id=ran)
    assert {item["block"] for item in newest["outputs"]} == {
        "table", "words", "data", "thing", "count",
    }  # fmt: skip
    assert sorted(newest["outputs"], key=str) == sorted(of_run["outputs"], key=str)
    manifest = await client.get("/blocks/variables/manifest", **OF, block="count")
    assert manifest["run_id"] == ran
    assert [item["type"] for item in manifest["outputs"]] == ["json"]


async def test_pages_are_sorted_and_filtered(client: Client, ran: str) -> None:
    """By the file itself; missing values come last."""
    page = await client.post("/blocks/variables/rows", {**TABLE, "start": 1, "rows": 2})
    assert [row["n"] for row in page["sample"]] == [1, 2]
    body = {
        **TABLE,
        "sort": [{"column": "n", "descending": True}],
        "filters": [{"column": "word", "op": "not_null"}, {"column": "n", "op": "ge", "value": 2}],
    }
    page = await client.post("/blocks/variables/rows", body)
    assert [row["n"] for row in page["sample"]] == [4, 3, 2]
    assert page["matched"] == 3
    assert page["row_numbers"] == [4, 0, 2]
    status, fault = await client.try_post(
        "/blocks/variables/rows", {**TABLE, "sort": [{"column": "nope"}]}
    )
    assert status == 404
    assert "no column 'nope'" in fault["message"]


async def test_previews_and_charts(client: Client, ran: str) -> None:
    """Statistics come from what was kept; charts are bounded."""
    preview = await client.get("/blocks/variables/preview", **TABLE)
    assert preview["columns"][0]["max"] == 5
    histogram = await client.post(
        "/blocks/variables/chart", {**TABLE, "kind": "histogram", "x": "n", "bins": 2}
    )
    assert histogram["counts"] == [2, 3]
    bars = await client.post(
        "/blocks/variables/chart",
        {**TABLE, "kind": "bar", "x": "word", "y": "n", "aggregate": "sum"},
    )
    assert bars["values"][0] == {"x": None, "y": 5.0}
    dots = await client.post(
        "/blocks/variables/chart", {**TABLE, "kind": "scatter", "x": "n", "y": "word", "limit": 3}
    )
    assert len(dots["values"]) == 3
    assert dots["sampled"]


async def test_downloads(jp_fetch: Callable[..., Awaitable[Any]], ran: str) -> None:
    """CSV and Parquet hold every row."""
    fetch = ("blocks", "variables", "download")
    csv = await jp_fetch(*fetch, params={**TABLE, "format": "csv"})
    assert list(pd.read_csv(io.BytesIO(csv.body))["n"]) == [3, 1, 2, 5, 4]
    assert 'filename="table-output_0.csv"' in csv.headers["Content-Disposition"]
    parquet = await jp_fetch(*fetch, params={**TABLE, "format": "parquet"})
    assert list(pd.read_parquet(io.BytesIO(parquet.body))["n"]) == [3, 1, 2, 5, 4]


async def test_a_download_that_fails_breaks(
    jp_fetch: Callable[..., Awaitable[Any]], ran: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a table never passes for the whole one."""

    def broken(*_: Any) -> Iterator[bytes]:
        yield b"n,word\n"
        raise OSError("the disk is gone")

    monkeypatch.setattr("jupyter_blocks.server.handlers.variables.pieces", broken)
    with pytest.raises(HTTPStreamClosedError):
        await jp_fetch("blocks", "variables", "download", params={**TABLE, "format": "csv"})


async def test_text_and_trees(client: Client, ran: str) -> None:
    """Long texts come in whole characters, plain data node by node."""
    words = {**OF, "block": "words", "output": "output_0"}
    read, offset = "", 0
    while True:
        piece = await client.get("/blocks/variables/text", **words, offset=offset, limit=1001)
        read, offset = read + piece["text"], piece["next_offset"]
        if offset == piece["bytes"]:
            break
    assert read == "größer" * 400
    data = {**OF, "block": "data", "output": "output_0"}
    tree = await client.post("/blocks/variables/tree", {**data, "path": [0], "offset": 290})
    assert [entry["value"] for entry in tree["entries"]] == list(range(290, 300))
    root = await client.post("/blocks/variables/tree", data)
    assert [(entry["key"], entry["kind"]) for entry in root["entries"]] == [
        ("list", "array"),
        ("x", "object"),
    ]


class Bomb:
    """Unpickling it would leave a trace."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(Bomb.trace), "w"))

    trace = Path()


async def test_nothing_is_unpickled(client: Client, ran: str, project: Project) -> None:
    """Whatever is asked of a pickled value, its pickle is not loaded."""
    thing = {**OF, "block": "thing", "output": "output_0"}
    Bomb.trace = project.root / "trace"
    files = list(project.root.glob(".variables/**/out/*.pkl")) or [
        path for path in project.root.glob(".variables/**/thing/**/out/*") if path.is_file()
    ]
    assert files
    for file in files:
        file.write_bytes(pickle.dumps(Bomb()).ljust(file.stat().st_size, b"\0"))
    preview = await client.get("/blocks/variables/preview", **thing)
    assert "Fraction" in json.dumps(preview)
    for path, extra in (
        ("rows", {}),
        ("tree", {}),
        ("chart", {"kind": "bar", "x": "a"}),
        ("rows", {"sort": [{"column": "a"}]}),
    ):
        status, _ = await client.try_post(f"/blocks/variables/{path}", {**thing, **extra})
        assert status == 400
    for path in ("text", "image", "download"):
        options = {"format": "csv"} if path == "download" else {}
        status, _ = await client.try_get(f"/blocks/variables/{path}", **thing, **options)
        assert status in (400, 404)
    assert not Bomb.trace.exists()


@pytest.mark.parametrize("block", ["nothing", "..", "table"])
async def test_missing_outputs_are_said_to_be_missing(
    client: Client, project: Project, block: str
) -> None:
    """Before the first run, and for names that are none."""
    asked = {**OF, "block": block, "output": "output_0"}
    status, fault = await client.try_get("/blocks/variables/preview", **asked)
    assert status == 404
    assert fault["hint"]


async def test_html_in_data_stays_text(jp_fetch: Callable[..., Awaitable[Any]], ran: str) -> None:
    """No browser takes an answer for a page, and no closing tag gets through."""
    response = await jp_fetch("blocks", "variables", "rows", method="POST", body=json.dumps(TABLE))
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"</b>" not in response.body


async def test_manifests_that_point_elsewhere_are_refused(client: Client, project: Project) -> None:
    """A project may come from anywhere: its manifests reach no other files."""
    run(project)
    secret = project.root / "secret.txt"
    secret.write_text("x" * 4000)
    objects = [path for path in project.root.glob(".variables/**/table/**/out/*") if path.is_file()]
    objects[0].unlink()
    objects[0].symlink_to("/etc/hostname")
    status, fault = await client.try_post("/blocks/variables/rows", TABLE)
    assert status == 403
    assert "outside" in fault["message"]
