"""What a server gives away, what it reads, and how much memory that takes."""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import JupyterServerAuthWarning
from tornado.httpclient import HTTPClientError

from jupyter_blocks.project import Project
from jupyter_blocks.server.handlers import HANDLERS
from jupyter_blocks.server.jsontext import dump
from jupyter_blocks.server.masking import mask_secrets
from tests.projects import block, write_project
from tests.server.conftest import Client, run
from tests.server.processes import served

OF = {"project": "shop", "pipeline": "pipe"}
RUN = "/blocks/runs/{run_id}"
SECRET = "hunter2-hunter2"


@pytest.fixture
def leaky(jp_root_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that takes a secret from the environment, prints it and fails with it."""
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    says = (
        "import os\npin = os.environ['SHOP_PASSWORD']\nprint('it is', pin)\nraise ValueError(pin)"
    )
    return write_project(
        jp_root_dir / "shop",
        [block("tells", says)],
        variables={"password": "{{ env_var('SHOP_PASSWORD') }}", "city": "Basel"},
    )


async def test_secrets_are_in_no_answer_and_no_log(
    client: Client, leaky: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """Parameters, errors, tracebacks and log lines come without them; all else stays."""
    caplog.set_level(logging.DEBUG)
    run_id = run(leaky)
    caplog.clear()
    path = f"/blocks/runs/{run_id}"
    state = await client.get(path, RUN, project="shop")
    log = await client.get(f"{path}/log", f"{RUN}/log", project="shop", block="tells")
    answers = [
        state,
        log,
        await client.post("/blocks/plan", OF),
        await client.get("/blocks/pipeline", **OF),
        await client.get("/blocks/projects"),
        await client.get("/blocks/runs", project="shop"),
        await client.try_post("/blocks/plan", {**OF, "blocks": [SECRET]}),
    ]
    assert SECRET not in json.dumps(answers)
    assert "it is ***\n" in [line["text"] for line in log["lines"]]
    assert state["blocks"]["tells"]["error"]["message"] == "***"
    assert state["parameters"]["city"] == "Basel"
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("DB_PASSWORD", "correct horse", True),
        ("AWS_SECRET_ACCESS_KEY", "abcdefghijk", True),
        ("OPENAI_API_KEY", "sk-12345678", True),
        ("HOME_FOLDER", "/home/somebody", False),
        ("DB_PASSWORD", "table", False),
    ],
)
def test_what_counts_as_a_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, hidden: bool
) -> None:
    """By the name of the variable; values as short as words are left alone."""
    monkeypatch.setenv(name, value)
    said = {"a": [f"x{value}y"], value: 1}
    assert mask_secrets(said) == ({"a": ["x***y"], value: 1} if hidden else said)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("verb", ["HEAD", "PUT", "PATCH", "DELETE"])
async def test_other_verbs_do_nothing(jp_fetch: Any, handler: Any, verb: str) -> None:
    """Whoever asks."""
    options = {"body": "{}"} if verb in ("PUT", "PATCH") else {}
    path = handler.path.replace("{run_id}", "20260101-000000-abcde").strip("/")
    with pytest.raises(Exception, match=r"HTTP 40[35]"):
        await jp_fetch(*path.split("/"), method=verb, headers={"Authorization": "no"}, **options)


def test_the_server_knows_of_no_open_door(jp_configurable_serverapp: Any) -> None:
    """Jupyter's own check of all handlers finds none of ours without authentication."""
    config = {
        "ServerApp": {
            "allow_unauthenticated_access": False,
            "jpserver_extensions": {"jupyter_blocks": True},
        }
    }
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        jp_configurable_serverapp(config=config)
    doors = [str(each.message) for each in told if each.category is JupyterServerAuthWarning]
    assert not [text for text in doors if "jupyter_blocks" in text or "/blocks/" in text]


KINDS = {
    "table": "import pandas as pd; return pd.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "mixed": "import pandas as pd; return pd.DataFrame({'a': [1, 'x', (1, 2)]})",
    "objects": "import numpy as np; return np.array([1, 'x', None], dtype=object)",
    "array": "import numpy as np; return np.arange(12).reshape(3, 4)",
    "thing": "import fractions; return fractions.Fraction(1, 3)",
    "figure": "from matplotlib.figure import Figure; f = Figure(); f.subplots(); return f",
    "data": "return {'a': {1, 2}, 'b': (1, None), 'c': float('nan')}",
    "words": "return 'ä' * 5000",
    "parts": "import pandas as pd; yield from (pd.DataFrame({'a': [n]}) for n in range(3))",
    "odd parts": "import fractions; yield fractions.Fraction(1, 3); yield {'a': {1}}",
    "pickled parts": "import pandas as pd; yield pd.DataFrame({'a': [1, 'x']})",
}
_watched: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event == "pickle.find_class":
        _watched.append(".".join(map(str, arguments)))


@contextmanager
def no_unpickling() -> Iterator[None]:
    """Fails if anything in this process looks up a class for a pickle."""
    global _watching
    _watched.clear()
    _watching = True
    try:
        yield
    finally:
        _watching = False
    assert not _watched


async def code_of(answer: Awaitable[Any]) -> int:
    """The status of an answer, whatever it is."""
    try:
        return int((await answer).code)
    except HTTPClientError as error:
        return int(error.code)


async def test_the_process_of_the_server_never_unpickles(
    client: Client, jp_fetch: Any, jp_root_dir: Path
) -> None:
    """Whatever was stored and whatever is asked of it: Python itself says so."""
    sys.addaudithook(_watch)
    blocks = [block(name.replace(" ", "_"), body) for name, body in KINDS.items()]
    project = write_project(jp_root_dir / "shop", blocks)
    run(project)
    run(project)
    with no_unpickling():
        for name in KINDS:
            value = {**OF, "block": name.replace(" ", "_"), "output": "output_0"}
            preview = await client.get("/blocks/variables/preview", **value)
            assert preview["type"]
            for path, extra in (
                ("rows", {}),
                ("rows", {"sort": [{"column": "a"}]}),
                ("rows", {"filters": [{"column": "a", "op": "not_null"}]}),
                ("rows", {"search": "a"}),
                ("tree", {}),
                ("chart", {"kind": "histogram", "x": "a"}),
                ("chart", {"kind": "scatter", "x": "a"}),
            ):
                status, _ = await client.try_post(f"/blocks/variables/{path}", {**value, **extra})
                assert status in (200, 400, 404), (name, path)
            for path in ("text", "image", "download?format=csv", "download?format=parquet"):
                address, _, query = path.partition("?")
                params = {**value, **dict([query.split("=")] if query else [])}
                code = await code_of(jp_fetch("blocks", "variables", address, params=params))
                assert code in (200, 400, 404), (name, path)
            await client.get("/blocks/variables/compare", **value)
            named = {**OF, "block": value["block"]}
            await client.get("/blocks/variables/manifest", **named)
        await client.get("/blocks/variables", **OF)
        await client.get("/blocks/pipeline", **OF)


async def test_logs_that_point_elsewhere_are_refused(client: Client, project: Project) -> None:
    """Those of attempts, and of the process that drives a run."""
    run_id = run(project)
    log = next(project.root.glob(".variables/**/count/**/*.jsonl"))
    log.unlink()
    log.symlink_to("/etc/hostname")
    path = f"/blocks/runs/{run_id}/log"
    asked = {"project": "shop", "block": "count"}
    status, fault = await client.try_get(path, f"{RUN}/log", **asked)
    assert status == 403, fault
    driver = project.root / ".blocks" / "logs" / f"{run_id}.log"
    driver.parent.mkdir(exist_ok=True)
    driver.symlink_to("/etc/hostname")
    assert (await client.try_get(path, f"{RUN}/log", project="shop"))[0] == 403


async def test_pipelines_that_lie_elsewhere_are_refused(
    client: Client, project: Project, tmp_path: Path
) -> None:
    """A link below `pipelines` reads no file of another place."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "metadata.yaml").write_text("secret: 1\n")
    (project.root / "pipelines" / "linked").symlink_to(outside)
    asked = {"project": "shop", "pipeline": "linked"}
    assert (await client.try_get("/blocks/pipeline", **asked))[0] == 403
    assert (await client.try_post("/blocks/plan", asked))[0] == 403
    assert (await client.try_post("/blocks/runs", asked))[0] == 403


async def test_answers_are_bounded(client: Client, jp_root_dir: Path) -> None:
    """However wide a table, however long its texts, whatever is asked for."""
    wide = (
        "import pandas as pd; return pd.DataFrame({f'c{n}': ['x' * 5000] * 60 for n in range(600)})"
    )
    run(write_project(jp_root_dir / "shop", [block("wide", wide)]))
    value = {**OF, "block": "wide", "output": "output_0"}
    preview = await client.get("/blocks/variables/preview", **value)
    page = await client.post("/blocks/variables/rows", {**value, "rows": 10_000})
    assert len(json.dumps(preview)) < 8 << 20
    assert len(json.dumps(page)) < 64 << 20
    assert len(page["columns"]) <= 500


TABLE = """
import numpy as np, pandas as pd
n = {rows}
random = np.random.default_rng(0)
words = random.integers(0, 100, n).astype(str)
return pd.DataFrame({{"a": random.random(n), "b": random.integers(0, 1000, n), "w": words}})
"""
LARGE = 3_000_000


@pytest.fixture
def sizes(tmp_path: Path) -> Path:
    """A root with a small table and one that is many times larger, each with a long text."""
    for name, rows in (("small", 5_000), ("large", LARGE)):
        blocks = [
            block("table", TABLE.format(rows=rows)),
            block("words", f"return 'word ' * {rows * 10}"),
        ]
        run(write_project(tmp_path / name, blocks))
    return tmp_path


def test_memory_stays_flat_whatever_the_size_of_the_data(sizes: Path) -> None:
    """Pages, sorted and filtered ones, charts, texts and downloads of hundreds of megabytes."""
    with served(sizes) as server, most_memory_mib(server.process.pid) as memory_mib:
        for _ in range(2):
            look_at_everything("small", server.size)
        small = memory_mib()
        look_at_everything("large", server.size)
        large = memory_mib()
    assert large < 1.8 * small, (small, large)


def look_at_everything(project: str, ask: Callable[..., int]) -> None:
    of = {"project": project, "pipeline": "pipe", "block": "table", "output": "output_0"}
    query = "&".join(f"{key}={value}" for key, value in of.items())
    rows, chart = "variables/rows", "variables/chart"
    ask(f"variables/preview?{query}")
    ask(rows, {**of, "start": 4000, "rows": 100})
    ask(rows, {**of, "filters": [{"column": "b", "op": "ge", "value": 900}]})
    ask(rows, {**of, "sort": [{"column": "b", "descending": True}]})
    ask(rows, {**of, "search": "word 9"})
    ask(f"variables/compare?{query}")
    ask(chart, {**of, "kind": "histogram", "x": "a", "color": "w"})
    ask(chart, {**of, "kind": "line", "x": "a", "y": "b"})
    ask(chart, {**of, "kind": "bar", "x": "w", "y": "a", "aggregate": "mean"})
    ask(f"variables/text?{query.replace('=table', '=words')}&offset=1000&limit=1000")
    size = ask(f"variables/download?{query}&format=csv")
    assert size > 20 * (LARGE if project == "large" else 5_000)


@contextmanager
def most_memory_mib(pid: int) -> Iterator[Callable[[], float]]:
    """The most memory a process has had since; mapped pages of files are not counted."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            status = Path(f"/proc/{pid}/status").read_text("utf-8")
            peak[0] = max(peak[0], int(status.partition("RssAnon:")[2].split()[0]) / 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: peak[0]
    finally:
        over.set()
        watcher.join()


def test_json_names_folders_from_the_root_on() -> None:
    """And closes no tag of a page around it."""
    root = Path('/tmp/a "b"/ä')
    said = {"at": f"In {root}/x.py and {root}.", "html": "</script>", "else": "/tmp/other"}
    text = dump(said, root).decode()
    assert json.loads(text) == {**said, "at": "In x.py and .."}
    assert "</" not in text
    assert json.loads(dump(said, Path("/"))) == said
