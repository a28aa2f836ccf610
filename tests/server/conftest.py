"""A real Jupyter server with the extension, a small project, and answers held to the contract."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.project import Project
from jupyter_blocks.server.contract import answer_problem
from tests.notebooks import notebook
from tests.projects import block, write_project

CELLS = [
    ("imports", "import pandas as pd"),
    ("parameters", "top_n = 2"),
    ("loader:load", "flights = pd.DataFrame({'a': [3, 1, 2], 'b': ['x', 'y', None]})"),
    ("transformer:best", "best = flights.nlargest(top_n, 'a')"),
]


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {"ServerApp": {"jpserver_extensions": {"jupyter_blocks": True}}}


class Client:
    """Asks the server, and holds every answer to the OpenAPI file."""

    def __init__(self, fetch: Callable[..., Awaitable[Any]]) -> None:
        self._fetch = fetch

    async def ask(self, method: str, path: str, template: str, **options: Any) -> tuple[int, Any]:
        if "body" in options:
            options["body"] = json.dumps(options["body"])
        response = await self._answer(path, method, options)
        status, document = response.code, json.loads(response.body)
        problem = answer_problem(template or path, method.lower(), status, document)
        assert not problem, (path, status, problem, document)
        return status, document

    async def _answer(self, path: str, method: str, options: dict[str, Any]) -> Any:
        try:
            return await self._fetch(*path.strip("/").split("/"), method=method, **options)
        except HTTPClientError as error:
            return error.response

    async def get(self, path: str, /, template: str = "", **params: Any) -> Any:
        status, document = await self.try_get(path, template, **params)
        assert status == 200, document
        return document

    async def try_get(self, path: str, /, template: str = "", **params: Any) -> tuple[int, Any]:
        return await self.ask("GET", path, template, params=params)

    async def post(self, path: str, body: Any, template: str = "") -> Any:
        status, document = await self.try_post(path, body, template)
        assert status < 300, document
        return document

    async def try_post(self, path: str, body: Any, template: str = "") -> tuple[int, Any]:
        return await self.ask("POST", path, template, body=body)


@pytest.fixture
def client(jp_fetch: Callable[..., Awaitable[Any]]) -> Client:
    return Client(jp_fetch)


TABLE = """
import pandas as pd
return pd.DataFrame({"n": [3, 1, 2, 5, 4], "word": ["c", "a", "b", None, "<b>d</b>"]})
"""


@pytest.fixture
def project(jp_root_dir: Path) -> Project:
    """A project of a table, a text, plain data and a pickled object, not run yet."""
    return write_project(
        jp_root_dir / "shop",
        [
            block("table", TABLE),
            block("words", "return 'größer' * 400"),
            block("data", "return {'list': list(range(300)), 'x': {'y': (1, 2)}}"),
            block("thing", "import fractions; return [fractions.Fraction(1, 3)]"),
            block("count", "print('counting')\nreturn len(table)", ["table"]),
        ],
        pipeline="pipe",
    )


def run(project: Project, pipeline: str = "pipe", **request: Any) -> str:
    """Run a pipeline in this process, as the command line would."""
    launch = prepare(project, project.pipeline(pipeline), RunRequest(**request))
    with launch.dispatcher() as dispatcher:
        state = dispatcher.run()
    launch.finish(state)
    return launch.plan.run_id


@pytest.fixture
def ran(project: Project) -> str:
    """The id of a finished run of the project."""
    return run(project)


@pytest.fixture
def flights(jp_root_dir: Path) -> Path:
    """A small notebook below the root of the server."""
    return notebook(jp_root_dir / "nb", *CELLS, name="flights.ipynb")


__all__ = ["CELLS", "Client", "run"]
