"""Who may ask, how much, and where answers may come from."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_blocks.errors import ValidationError
from jupyter_blocks.project import Project
from jupyter_blocks.server.contract import document
from jupyter_blocks.server.faults import RequestError, fault_document
from jupyter_blocks.server.handlers import HANDLERS
from jupyter_blocks.server.places import Places
from tests.server.conftest import Client

OPERATIONS = [
    (method, path) for path, verbs in document()["paths"].items() for method in verbs
]  # fmt: skip


def address(path: str) -> str:
    return path.replace("{run_id}", "20260101-000000-abcde")


def test_every_handler_is_in_the_contract_and_the_contract_in_the_handlers() -> None:
    """No address is undescribed, and none is only described."""
    own = {
        (verb, handler.path)
        for handler in HANDLERS
        for verb in ("get", "post")
        if verb in vars(handler)
    }
    assert own == set(OPERATIONS)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_every_verb_is_authenticated_and_authorized(handler: Any) -> None:
    """Jupyter's two decorators are on each verb, and each handler names its resource."""
    assert handler.auth_resource.startswith("blocks")
    for verb in ("get", "post", "put", "patch", "delete", "head"):
        method = vars(handler).get(verb)
        if method is None:
            continue
        wrapped, depth = method, 0
        while hasattr(wrapped, "__wrapped__"):
            wrapped, depth = wrapped.__wrapped__, depth + 1
        assert depth == 2
        assert not getattr(method, "__allow_unauthenticated", False)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_strangers_are_refused(
    jp_fetch: Callable[..., Awaitable[Any]], method: str, path: str
) -> None:
    """Without a token, every address says 403, whatever is asked."""
    body = {"body": "{}"} if method == "post" else {}
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch(
            *address(path).strip("/").split("/"),
            method=method.upper(),
            headers={"Authorization": "none"},
            **body,
        )
    assert refused.value.code == 403


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_the_authorizer_is_asked(
    jp_fetch: Callable[..., Awaitable[Any]],
    jp_serverapp: Any,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
) -> None:
    """With what is done, and to which resource."""
    asked: list[tuple[str, str]] = []

    def refuse(handler: Any, user: Any, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", refuse)
    body = {"body": "{}"} if method == "post" else {}
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch(*address(path).strip("/").split("/"), method=method.upper(), **body)
    assert refused.value.code == 403
    action, resource = asked[0]
    assert action in ("read", "write", "execute")
    assert resource.startswith("blocks")


async def cookies_of(http_server_client: Any, jp_base_url: str, jp_serverapp: Any) -> str:
    """The cookies that the browser of a user has: who it is, and the XSRF token."""
    found: dict[str, str] = {}
    for place in ("login", f"api/status?token={jp_serverapp.identity_provider.token}"):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in found.items())}
        answer = await http_server_client.fetch(
            f"{jp_base_url}{place}", headers=headers, follow_redirects=False, raise_error=False
        )
        given = (each.partition(";")[0] for each in answer.headers.get_list("Set-Cookie"))
        found.update(each.split("=", 1) for each in given)
    return "; ".join(f"{name}={value}" for name, value in found.items())


POSTS = [path for method, path in OPERATIONS if method == "post"]


@pytest.mark.parametrize("path", POSTS)
async def test_a_cookie_alone_does_not_write(
    http_server_client: Any, jp_base_url: str, jp_serverapp: Any, path: str
) -> None:
    """A page of another site has the cookie of a user, and not the XSRF token."""
    cookies = await cookies_of(http_server_client, jp_base_url, jp_serverapp)
    url = f"{jp_base_url}{address(path).strip('/')}"

    async def code(**headers: str) -> int:
        headers = {"Cookie": cookies, **headers}
        try:
            answer = await http_server_client.fetch(url, method="POST", body="{}", headers=headers)
        except HTTPClientError as error:
            return int(error.code)
        return int(answer.code)

    assert await code() == 403
    assert await code(**{"Content-Type": "text/plain"}) == 403
    token = next(each.partition("=")[2] for each in cookies.split("; ") if "_xsrf=" in each)
    assert await code(**{"X-XSRFToken": "2|wrong"}) == 403
    assert await code(**{"X-XSRFToken": token}) == 400  # let in: the body lacks what it asks for


OUTSIDE = ["../x", "a/../../x", "/../x", "nb/../../etc"]


@pytest.mark.parametrize("path", OUTSIDE)
async def test_paths_stay_below_the_root(client: Client, path: str) -> None:
    """Whichever address they are given to."""
    for address_, params in (
        ("/blocks/analysis", {"path": f"{path}.ipynb"}),
        ("/blocks/runs", {"project": path}),
        ("/blocks/variables", {"project": path, "pipeline": "p"}),
        ("/blocks/pipeline", {"project": path, "pipeline": "p"}),
    ):
        status, fault = await client.ask("GET", address_, "", params=params)
        assert status == 403, (address_, fault)
    for address_, body in (
        ("/blocks/analysis", {"path": f"{path}.ipynb", "content": {"cells": []}}),
        ("/blocks/export", {"path": f"{path}.ipynb"}),
        ("/blocks/runs", {"path": f"{path}.ipynb"}),
    ):
        status, fault = await client.try_post(address_, body)
        assert status == 403, (address_, fault)


OF_NOTHING = {"pipeline": "p", "block": "b", "output": "o"}
ODD = [
    *("%2e%2e/x", "..%2fx", "%2e%2e%2f%2e%2e%2fetc", "..\\x", "C:\\Windows", "C:/Windows", "~/x"),
    *("/etc/passwd", "//etc/passwd", "file:///etc/passwd", "\\\\server\\share", "x\0y", "x\ny"),
    *("a/" * 3000, "ä" * 300, "\ud800", "nul", "a\u202eb", "{{ env_var('HOME') }}", "$HOME", "*"),
]


@pytest.mark.parametrize("path", ODD)
async def test_odd_paths_find_nothing(client: Client, path: str) -> None:
    """Each is refused as what it is, or names nothing; none is a mistake of the server."""
    for address_, body in (
        ("/blocks/analysis", {"path": f"{path}.ipynb"}),
        ("/blocks/suggest", {"path": f"{path}.ipynb"}),
        ("/blocks/export", {"path": f"{path}.ipynb"}),
        ("/blocks/takeback", {"path": f"{path}.ipynb"}),
        ("/blocks/plan", {"project": path, "pipeline": path}),
        ("/blocks/runs", {"project": path, "pipeline": path}),
        ("/blocks/variables/rows", {**OF_NOTHING, "project": path}),
    ):
        if address_ != "/blocks/analysis":  # which is told the document
            status, fault = await client.try_post(address_, body)
            assert status in (400, 403, 404), (address_, fault)
        status, fault = await client.try_post("/blocks/analysis", {**body, "content": []})
        assert 400 <= status < 500, fault


@pytest.mark.parametrize(
    "name", ["..", "../shop", ".variables", "a/b", "x\0y", "-x", "", "ä" * 300]
)
async def test_odd_names_find_nothing(
    client: Client, project: Project, ran: str, name: str
) -> None:
    """Of pipelines, blocks, outputs and runs."""
    of = {"project": "shop", "pipeline": "pipe", "block": "table", "output": "output_0"}
    for key in ("pipeline", "block", "output", "run_id"):
        status, fault = await client.try_post("/blocks/variables/rows", {**of, key: name})
        assert status in (400, 403, 404), (key, fault)
        status, fault = await client.try_get(
            "/blocks/variables/preview", **{**of, key: name.replace("\0", "%00")}
        )
        assert status in (400, 403, 404), (key, fault)
    status, fault = await client.try_post("/blocks/plan", {"project": "shop", "pipeline": name})
    assert status in (400, 403, 404), fault


async def test_links_to_elsewhere_are_refused(
    client: Client, jp_root_dir: Path, tmp_path: Path, project: Project
) -> None:
    """Files, projects, and the folder of variables."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.ipynb").write_text("{}")
    (jp_root_dir / "link").symlink_to(outside)
    (jp_root_dir / "link.ipynb").symlink_to(outside / "x.ipynb")
    for path in ("link/x.ipynb", "link.ipynb"):
        status, _ = await client.ask("GET", "/blocks/analysis", "", params={"path": path})
        assert status == 403
    (project.root / ".variables").symlink_to(outside)
    status, fault = await client.try_get("/blocks/variables", project="shop", pipeline="pipe")
    assert status == 403
    assert "outside the root" in fault["message"]
    (project.root / ".blocks").symlink_to(outside)
    status, fault = await client.try_get("/blocks/runs", project="shop")
    assert status == 403


def test_a_project_above_the_root_is_refused(tmp_path: Path) -> None:
    """A notebook whose project begins above the root is not exported there."""
    (tmp_path / "metadata.yaml").touch()
    (tmp_path / "pipelines").mkdir()
    root = tmp_path / "notebooks"
    root.mkdir()
    with pytest.raises(RequestError, match="above the root"):
        Places(root.resolve()).project_of(root / "x.ipynb")


async def test_hidden_files_stay_hidden(client: Client, jp_root_dir: Path) -> None:
    """As in Jupyter's own file browser."""
    (jp_root_dir / ".secret.ipynb").write_text("{}")
    status, _ = await client.ask("GET", "/blocks/analysis", "", params={"path": ".secret.ipynb"})
    assert status == 404


async def test_requests_are_bounded(client: Client, jp_serverapp: Any) -> None:
    """A body that is too long is refused; a mistake in it is said with its place."""
    status, fault = await client.try_post(
        "/blocks/suggest", {"path": "a.ipynb", "content": {"cells": ["x" * (33 << 20)]}}
    )
    assert status == 413
    assert fault["hint"]
    status, fault = await client.try_post("/blocks/suggest", {"path": 1})
    assert status == 400
    assert "['path']" in fault["message"]


def test_faults_name_no_folders_of_the_server(tmp_path: Path) -> None:
    """Paths in messages begin at the root."""
    error = RequestError(400, f"No file {tmp_path}/a/b.", hint=f"Look in {tmp_path}.")
    said = fault_document(error, tmp_path)
    assert said == {"message": "No file a/b.", "hint": "Look in .."}
    assert fault_document(ValidationError([]), tmp_path)["problems"] == []


async def test_mistakes_of_ours_say_nothing(
    jp_fetch: Callable[..., Awaitable[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went wrong inside is in the log, not in the answer."""

    def fail(*_: Any) -> None:
        raise KeyError("password123")

    monkeypatch.setattr("jupyter_blocks.server.handlers.projects._projects", fail)
    with pytest.raises(HTTPClientError) as failed:
        await jp_fetch("blocks", "projects")
    assert failed.value.code == 500
    assert failed.value.response is not None
    said = json.loads(failed.value.response.body)
    assert "password123" not in str(said)
    assert set(said) == {"message", "hint"}


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2hunter2")
    return "hunter2hunter2"


async def test_settings_of_a_project_stay_in_the_server(
    client: Client, project: Project, secret: str
) -> None:
    """Secrets that its metadata.yaml takes from the environment are in no answer."""
    text = "project_type: standalone\nk8s_executor_config:\n"
    text += "  password: {{ env_var('SHOP_PASSWORD') }}\n"
    (project.root / "metadata.yaml").write_text(text)
    answers = [
        await client.get("/blocks/projects"),
        await client.get("/blocks/pipeline", project="shop", pipeline="pipe"),
        await client.get("/blocks/executors"),
        await client.get("/blocks/runs", project="shop"),
    ]
    assert secret not in json.dumps(answers)
