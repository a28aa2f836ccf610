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
from tornado.httpclient import HTTPClientError
from tornado.simple_httpclient import HTTPStreamClosedError

from jupyter_blocks.project import Project
from jupyter_blocks.server.charts import MOST_COLORS
from tests.projects import block, write_project
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


CHARTS: dict[str, tuple[dict[str, Any], Any]] = {
    "bars of numbers stand in their order": (
        {"kind": "bar", "x": "n"},
        [[1, 1], [2, 1], [3, 1], [4, 1], [5, 1]],
    ),
    "bars of words begin with the greatest": (
        {"kind": "bar", "x": "word", "y": "n", "aggregate": "max", "limit": 2},
        [[None, 5], ["<b>d</b>", 4]],
    ),
    "a line is an aggregate along x": (
        {"kind": "line", "x": "n", "y": "n", "aggregate": "mean", "limit": 2},
        [[1.5, 1.5], [4, 4]],
    ),
    "a line without y counts": ({"kind": "line", "x": "n", "limit": 2}, [[1.5, 2], [4, 3]]),
    "a line along words is sorted by them": (
        {"kind": "line", "x": "word", "y": "n", "aggregate": "sum"},
        [["<b>d</b>", 4], ["a", 1], ["b", 2], ["c", 3], [None, 5]],
    ),
}


@pytest.mark.parametrize("case", CHARTS)
async def test_charts(case: str, client: Client, ran: str) -> None:
    """From all rows, whatever the kind."""
    body, expected = CHARTS[case]
    drawn = await client.post("/blocks/variables/chart", {**TABLE, **body})
    assert [[entry["x"], entry["y"]] for entry in drawn["values"]] == expected
    assert not drawn["sampled"]


SPLIT = """
import pandas as pd
import pyarrow as pa
words = ["a"] * 40 + ["b"] * 30 + [f"w{n}" for n in range(30)]
times = pd.date_range("2026-01-01", periods=100, freq="h").where([n % 10 > 0 for n in range(100)])
late = [n > 9 for n in range(100)]
frame = pd.DataFrame({"n": range(100), "t": times, "w": words, "d": times.date, "late": late})
return pa.Table.from_pandas(frame, preserve_index=False)
"""


async def test_charts_are_split_by_colour(client: Client, jp_root_dir: Path) -> None:
    """The most frequent values have one each, the others share one; moments are seconds."""
    run(write_project(jp_root_dir / "shop", [block("split", SPLIT)], pipeline="pipe"))
    of = {**OF, "block": "split", "output": "output_0", "color": "w"}
    chart = "/blocks/variables/chart"
    drawn = await client.post(chart, {**of, "kind": "histogram", "x": "n", "bins": 2})
    assert drawn["colors"][:2] == ["a", "b"]
    assert (len(drawn["colors"]), drawn["others"]) == (MOST_COLORS, True)
    assert (drawn["series"][0], drawn["series"][1]) == ([40, 0], [10, 20])
    assert sum(map(sum, drawn["series"])) == sum(drawn["counts"]) == 100
    bars = await client.post(
        chart, {**of, "kind": "bar", "x": "late", "y": "n", "aggregate": "count"}
    )
    assert bars["values"][0] == {"x": True, "y": 30, "color": 0}
    line = await client.post(chart, {**of, "kind": "line", "x": "t", "y": "late", "limit": 1})
    assert line["values"][0] == {
        "x": pytest.approx(1767225600 + 3600 * 50),
        "y": 27 / 36,
        "color": 0,
    }
    dots = await client.post(chart, {**of, "kind": "scatter", "x": "d", "y": "n", "limit": 2})
    assert [dot["color"] for dot in dots["values"]] == ["a", "b"]
    status, fault = await client.try_post(chart, {**of, "kind": "histogram", "x": "w"})
    assert (status, "no numbers" in fault["message"]) == (400, True)


async def test_tables_are_searched(client: Client, ran: str) -> None:
    """In every column, in capitals or not, together with conditions and order."""
    rows = "/blocks/variables/rows"
    page = await client.post(rows, {**TABLE, "search": "D<"})
    assert ([row["n"] for row in page["sample"]], page["matched"]) == ([4], 1)
    page = await client.post(rows, {**TABLE, "search": " 3 "})
    assert [row["n"] for row in page["sample"]] == [3]
    body = {**TABLE, "search": "b", "sort": [{"column": "n", "descending": True}]}
    assert [row["n"] for row in (await client.post(rows, body))["sample"]] == [4, 2]
    body["filters"] = [{"column": "n", "op": "lt", "value": 4}]
    assert [row["n"] for row in (await client.post(rows, body))["sample"]] == [2]
    assert (await client.post(rows, {**TABLE, "search": "  "}))["matched"] == 5


async def test_times_and_numbers_are_found_as_they_are_shown(
    client: Client, jp_root_dir: Path
) -> None:
    """With a blank or a T between day and hour; other texts look into texts alone."""
    run(write_project(jp_root_dir / "shop", [block("split", SPLIT)], pipeline="pipe"))
    rows = "/blocks/variables/rows"
    of = {**OF, "block": "split", "output": "output_0"}
    for text, matched in {
        "2026-01-02 03:00": 1,
        "2026-01-02T03": 1,
        "W1": 11,
        "true": 90,
        "nothing": 0,
    }.items():
        assert (await client.post(rows, {**of, "search": text}))["matched"] == matched, text


async def test_a_value_is_compared_with_the_one_before(client: Client, jp_root_dir: Path) -> None:
    """Schema, rows and distributions; with the run before, or with one that is named."""
    frame = "import pandas as pd\nreturn pd.DataFrame({columns})"
    ids, project = [], None
    for columns in (
        "{'n': range(100), 'w': ['a', 'b'] * 50, 'gone': 1}",
        "{'n': range(50, 150), 'w': ['a', 'c'] * 50, 'new': [None] * 100}",
        "{'n': [float(n) for n in range(60)], 'w': ['a'] * 60, 'new': [None] * 60}",
    ):
        body = frame.format(columns=columns)
        project = write_project(jp_root_dir / "shop", [block("table", body)], pipeline="pipe")
        ids.append(run(project))
    compare = "/blocks/variables/compare"
    first = await client.get(compare, **TABLE, run_id=ids[0])
    assert (first["before"], first["columns"]) == (None, [])
    middle = await client.get(compare, **TABLE, run_id=ids[1])
    assert middle["before"]["run_id"] == ids[0]
    columns = {column["name"]: column for column in middle["columns"]}
    assert {name: column["change"] for name, column in columns.items()} == {
        "n": "same", "w": "same", "new": "added", "gone": "removed",
    }  # fmt: skip
    assert columns["n"]["shift"] == pytest.approx(0.5, abs=0.02)
    assert columns["n"]["max"] == [99, 149]
    assert columns["w"]["shift"] == 0.5
    assert columns["w"]["top"] == [["a", 0.5, 0.5], ["c", 0, 0.5], ["b", 0.5, 0]]
    newest = await client.get(compare, **TABLE, before=ids[0])
    assert (newest["before"]["run_id"], newest["after"]["rows"]) == (ids[0], 60)
    assert {run["run_id"] for run in newest["candidates"]} == set(ids[:2])
    assert next(c for c in newest["columns"] if c["name"] == "n")["change"] == "type"
    assert not newest["equal"]


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


@pytest.mark.parametrize("path", ["preview", "manifest", "text", "image", "download"])
async def test_what_a_client_has_is_not_sent_again(
    jp_fetch: Any, jp_root_dir: Path, path: str
) -> None:
    """What is stored never changes; a newer run has another tag."""
    bodies = {
        "preview": "return list(range(5000))",
        "manifest": "return 1",
        "text": "return 'x' * 5000",
        "image": "from matplotlib.figure import Figure; f = Figure(); f.subplots(); return f",
        "download": "import pandas as pd; return pd.DataFrame({'a': [1, 2]})",
    }
    project = write_project(jp_root_dir / "shop", [block("it", bodies[path])])
    run(project)
    params = {"project": "shop", "pipeline": "pipe", "block": "it"}
    params |= {} if path == "manifest" else {"output": "output_0"}
    params |= {"format": "csv"} if path == "download" else {}

    async def ask(tag: str = "") -> Any:
        headers = {"If-None-Match": tag} if tag else {}
        address = ("blocks", "variables", path)
        try:
            return await jp_fetch(*address, params=params, headers=headers)
        except HTTPClientError as answer:
            return answer.response

    first = await ask()
    assert (first.code, first.headers["Cache-Control"]) == (200, "private, no-cache")
    assert "Last-Modified" in first.headers
    again = await ask(first.headers["Etag"])
    assert (again.code, again.body, again.headers["Etag"]) == (304, b"", first.headers["Etag"])
    run(project)
    newer = await ask(first.headers["Etag"])
    assert newer.code == 200
    assert newer.headers["Etag"] != first.headers["Etag"]


async def test_parts_of_a_generator_are_one_table(client: Client, jp_root_dir: Path) -> None:
    """With pages, conditions, an order, charts."""
    text = "import pandas as pd\nfor n in range(4):\n    yield pd.DataFrame({'a': [n, -n]})"
    run(write_project(jp_root_dir / "shop", [block("parts", text)]))
    of = {"project": "shop", "pipeline": "pipe", "block": "parts"}
    (listed,) = (await client.get("/blocks/variables/manifest", **of))["outputs"]
    assert (listed["type"], listed["rows"], listed["can_page"]) == ("table", 8, True)
    value = {**of, "output": "output_0"}
    preview = await client.get("/blocks/variables/preview", **value)
    assert (preview["parts"], preview["columns"][0]["min"]) == (4, -3)
    page = await client.post("/blocks/variables/rows", {**value, "start": 3, "rows": 2})
    assert [row["a"] for row in page["sample"]] == [-1, 2]
    order = {"sort": [{"column": "a"}], "filters": [{"column": "a", "op": "lt", "value": -1}]}
    page = await client.post("/blocks/variables/rows", {**value, **order})
    assert [row["a"] for row in page["sample"]] == [-3, -2]
    asked = {**value, "kind": "histogram", "x": "a"}
    drawn = await client.post("/blocks/variables/chart", asked)
    assert sum(drawn["counts"]) == 8
