"""A fake Google Cloud Run: the REST API of its jobs on loopback, really running what is submitted.

The SDK talks to it as to Google's (`endpoint: http://127.0.0.1:...`). It refuses what Google's
refuses (`fake_cloud_run_rules`), is late where Google's is, and fails on demand.
https://cloud.google.com/run/docs/reference/rest
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from jupyter_blocks.testing.containers import ContainerHost
from jupyter_blocks.testing.fake_cloud_run_jobs import Jobs
from jupyter_blocks.testing.fake_cloud_run_rules import RefusedError, forbidden, service_disabled
from jupyter_blocks.testing.loopback import LoopbackHandler, LoopbackServer
from jupyter_blocks.testing.remote_contract import Cloud

__all__ = ["ALL_PERMISSIONS", "CloudRunCloud", "fake_cloud_run"]

PROJECT = "blocks-test"
REGION = "europe-west1"
ALL_PERMISSIONS = frozenset(
    (
        "logging.logEntries.list",
        "run.executions.cancel",
        "run.executions.get",
        "run.executions.list",
        "run.jobs.create",
        "run.jobs.delete",
        "run.jobs.get",
        "run.jobs.list",
        "run.jobs.run",
        "run.tasks.list",
    )
)
"""All that it knows; those that whoever asks has are `CloudRunCloud.permissions`."""
_TROUBLE = {
    401: "Request had invalid authentication credentials.",
    429: "Quota exceeded for quota metric 'Write requests' of service 'run.googleapis.com'.",
    503: "The service is currently unavailable.",
}


@dataclass(frozen=True)
class _Fault:
    when: str
    status: int
    """0: the connection is closed without an answer."""
    done: bool


@dataclass
class CloudRunCloud(Cloud):
    """The cloud, as tests handle it. `fake_cloud_run` starts one."""

    project: str = PROJECT
    region: str = REGION
    permissions: set[str] = field(default_factory=lambda: set(ALL_PERMISSIONS))
    is_enabled: bool = True
    """Whether the Cloud Run Admin API is enabled in the project."""
    wants_token: bool = False
    """Whether calls need a token that `/token` has handed out."""
    knows_key: bool = True
    """Whether `/token` hands out tokens for keys of service accounts."""
    tokens: set[str] = field(default_factory=set)
    """Those that are good; to take one out is to let it expire."""
    latency_s: float = 0.0
    url: str = ""
    faults: list[_Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the region it serves."""
        self.region_jobs = Jobs(self.host, f"projects/{self.project}/locations/{self.region}")
        self._lock = threading.Lock()

    def settings(self) -> dict[str, Any]:
        """Those that lead the SDK here."""
        return {"project_id": self.project, "region": self.region, "endpoint": self.url}

    def fail(self, calls: int, status: int, *, when: str = "any", done: bool = False) -> None:
        """See `Cloud`; status 0 closes the connection."""
        with self._lock:
            self.faults += [_Fault(when, status, done)] * calls

    def lose(self, attempt_id: str) -> None:
        """Take the machine of an attempt away."""
        self.region_jobs.lose(f"jb-{attempt_id}")

    def jobs(self) -> int:
        """How many jobs were ever created."""
        return self.region_jobs.made

    def fault(self, kind: str) -> _Fault | None:
        """The next fault for a call of this kind; it is used up."""
        with self._lock:
            for fault in self.faults:
                if fault.when in (kind, "any"):
                    self.faults.remove(fault)
                    return fault
        return None

    def new_token(self) -> dict[str, Any]:
        """What Google answers to a signed assertion of a service account.

        https://developers.google.com/identity/protocols/oauth2/service-account
        """
        if not self.knows_key:
            return {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        token = f"token-{uuid.uuid4()}"
        self.tokens.add(token)
        return {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    def answer(self, method: str, url: str, body: Any) -> dict[str, Any]:
        """Carry a call out; `RefusedError` for one that may not be, or makes no sense."""
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        query.pop("$alt", None)
        route, found = _route(method, unquote(parts.path))
        unknown = set(query) - set(route.query)
        if unknown:
            raise RefusedError(400, f"Invalid query parameter: {', '.join(sorted(unknown))}")
        if not self.is_enabled:
            raise service_disabled(self.project)
        place = found.get("project"), found.get("region", self.region)
        if "project" in found and place[0] != self.project:
            raise forbidden(route.permissions[0], f"projects/{place[0]}")
        if place[1] != self.region:
            raise RefusedError(404, f"Location {place[1]} is not found or access is unauthorized.")
        for permission in route.permissions:
            if permission not in self.permissions:
                raise forbidden(permission, parts.path.removeprefix("/v2/"))
        return route.run(self, found, query, body)


@dataclass(frozen=True)
class _Route:
    method: str
    path: str
    kind: str
    """As `Cloud.fail` names it: `create`, `list`, `stop`."""
    permissions: tuple[str, ...]
    query: tuple[str, ...]
    run: Callable[[CloudRunCloud, Mapping[str, str], Mapping[str, str], Any], dict[str, Any]]


def _create(
    cloud: CloudRunCloud, _found: Mapping[str, str], query: Mapping[str, str], body: Any
) -> dict[str, Any]:
    only = query.get("validateOnly", "false") == "true"
    return cloud.region_jobs.create(query.get("jobId", ""), body, validate_only=only)


def _logs(
    cloud: CloudRunCloud, _found: Mapping[str, str], _query: Mapping[str, str], body: Any
) -> dict[str, Any]:
    named = re.search(r'resource\.labels\.job_name="([^"]+)"', body["filter"])
    lines = list(cloud.region_jobs.output(named[1])) if named else []
    return {"entries": [{"textPayload": line} for line in lines[::-1][: body["pageSize"]]]}


def _granted(
    cloud: CloudRunCloud, _found: Mapping[str, str], _query: Mapping[str, str], body: Any
) -> dict[str, Any]:
    return {"permissions": [name for name in body["permissions"] if name in cloud.permissions]}


def _acting(
    cloud: CloudRunCloud, found: Mapping[str, str], _query: Mapping[str, str], body: Any
) -> dict[str, Any]:
    allowed = found["account"] in cloud.region_jobs.service_accounts
    return {"permissions": body["permissions"] if allowed else []}


_PLACE = r"/v2/projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)"
_JOB = rf"{_PLACE}/jobs/(?P<job>[^/:]+)"
_EXECUTION = rf"{_JOB}/executions/(?P<execution>[^/:]+)"
_ROUTES = (
    _Route(
        "POST",
        f"{_PLACE}/jobs",
        "create",
        ("run.jobs.create", "run.jobs.run"),
        ("jobId", "validateOnly"),
        _create,
    ),
    _Route(
        "GET",
        f"{_PLACE}/jobs",
        "list",
        ("run.jobs.list",),
        ("pageSize", "pageToken"),
        lambda cloud, _found, query, _body: cloud.region_jobs.list(
            int(query.get("pageSize", 0)), query.get("pageToken", "")
        ),
    ),
    _Route(
        "GET",
        _JOB,
        "list",
        ("run.jobs.get",),
        (),
        lambda cloud, found, _query, _body: cloud.region_jobs.get(found["job"]),
    ),
    _Route(
        "DELETE",
        _JOB,
        "stop",
        ("run.jobs.delete",),
        (),
        lambda cloud, found, _query, _body: cloud.region_jobs.delete(found["job"]),
    ),
    _Route(
        "GET",
        f"{_JOB}/executions",
        "list",
        ("run.executions.list",),
        ("pageSize", "pageToken"),
        lambda cloud, found, _query, _body: cloud.region_jobs.executions(found["job"]),
    ),
    _Route(
        "GET",
        _EXECUTION,
        "list",
        ("run.executions.get",),
        (),
        lambda cloud, found, _query, _body: cloud.region_jobs.execution(
            found["job"], found["execution"]
        ),
    ),
    _Route(
        "POST",
        f"{_EXECUTION}:cancel",
        "stop",
        ("run.executions.cancel",),
        (),
        lambda cloud, found, _query, _body: cloud.region_jobs.cancel(
            found["job"], found["execution"]
        ),
    ),
    _Route(
        "GET",
        f"{_EXECUTION}/tasks",
        "list",
        ("run.tasks.list",),
        ("pageSize", "pageToken"),
        lambda cloud, found, _query, _body: cloud.region_jobs.tasks(
            found["job"], found["execution"]
        ),
    ),
    _Route("POST", "/v2/entries:list", "logs", ("logging.logEntries.list",), (), _logs),
    _Route(
        "POST",
        r"/v1/projects/-/serviceAccounts/(?P<account>[^/:]+):testIamPermissions",
        "iam",
        (),
        (),
        _acting,
    ),
    _Route("POST", r"/v1/projects/[^/:]+:testIamPermissions", "iam", (), (), _granted),
)


def _route(method: str, path: str) -> tuple[_Route, dict[str, str]]:
    for route in _ROUTES:
        found = re.fullmatch(route.path, path)
        if found is not None and route.method == method:
            return route, found.groupdict()
    raise RefusedError(404, f"Method not found: {method} {path}")


@contextmanager
def fake_cloud_run(host: ContainerHost, **options: Any) -> Iterator[CloudRunCloud]:
    """A running fake cloud with machines of its own; it ends with the block, and they with it."""
    cloud = CloudRunCloud(host, **options)
    with (
        closing(host),
        closing(cloud.region_jobs),
        LoopbackServer(_Handler, cloud=cloud) as server,
    ):
        cloud.url = server.url
        yield cloud


class _Handler(LoopbackHandler):
    cloud: CloudRunCloud

    def _serve(self) -> None:
        text = self.body().decode("utf-8")
        if self.path == "/token":
            document = self.cloud.new_token()
            self._send(400 if "error" in document else 200, document)
            return
        self.cloud.requests.append(f"{self.command} {self.path} {text}")
        time.sleep(self.cloud.latency_s)
        try:
            fault = self.cloud.fault(
                _route(self.command, unquote(urlsplit(self.path).path))[0].kind
            )
            if fault is not None and not fault.done:
                self._trouble(fault)
                return
            self._check_token()
            document = self.cloud.answer(self.command, self.path, _document(text))
            if fault is None:
                self._send(200, document)
            else:
                self._trouble(fault)
        except RefusedError as error:
            self._send(error.code, error.body)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - names that http.server wants

    def _check_token(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.cloud.wants_token and token not in self.cloud.tokens:
            raise RefusedError(401, _TROUBLE[401])

    def _trouble(self, fault: _Fault) -> None:
        if not fault.status:
            self.hang_up()
            return
        message = _TROUBLE.get(fault.status, "Internal error encountered.")
        self._send(fault.status, RefusedError(fault.status, message).body)

    def _send(self, status: int, document: Mapping[str, Any]) -> None:
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        if status == 429:
            headers["Retry-After"] = "1"
        self.reply(status, json.dumps(document).encode("utf-8"), headers)


def _document(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError as error:
        raise RefusedError(400, "Invalid JSON payload received.") from error
