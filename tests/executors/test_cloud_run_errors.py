"""What errors of Google's SDK mean, one by one; through the fake in test_cloud_run_platform."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from google.auth import exceptions as auth_errors

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.cloud_run.client import api_errors
from jupyter_blocks.executors.cloud_run.errors import api_failure, role_for
from jupyter_blocks.executors.cloud_run.settings import Connection
from jupyter_blocks.executors.jobs import FailureKind

PLACE = Connection("my-project", "europe-west1")
TYPE = "type.googleapis.com/google.rpc."


def answer(
    status: int,
    message: str,
    *details: dict[str, Any],
    word: str = "",
    headers: dict[str, str] | None = None,
) -> Exception:
    """The exception that the SDK raises for an answer of the API."""
    error = {"code": status, "message": message, "status": word, "details": list(details)}
    return answered(status, json.dumps({"error": error}), headers)


def answered(status: int, text: str, headers: dict[str, str] | None = None) -> Exception:
    response = requests.Response()
    response.status_code = status
    response._content = text.encode()
    response.headers.update(headers or {})
    response.request = requests.Request("GET", "https://run.googleapis.com/v2/x").prepare()
    error: Exception = api_errors.from_http_response(response)
    return error


def violation(field: str, description: str) -> dict[str, Any]:
    found = {"field": field, "description": description}
    return {"@type": f"{TYPE}BadRequest", "fieldViolations": [found]}


def information(reason: str, **metadata: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}ErrorInfo", "reason": reason, "metadata": metadata}


RETRY = {"@type": f"{TYPE}RetryInfo", "retryDelay": "12.5s"}

TABLE: list[tuple[str, Exception, FailureKind, float | None, str]] = [
    ("429", answer(429, "Quota exceeded."), FailureKind.THROTTLED, None, "limits its calls: Quota"),
    (
        "429 with a header",
        answer(429, "Quota exceeded.", headers={"Retry-After": "7"}),
        FailureKind.THROTTLED,
        7.0,
        "Quota exceeded.",
    ),
    (
        "too many jobs",
        answer(429, "Quota exceeded for total allowable count of jobs per project per region."),
        FailureKind.NO_CAPACITY,
        None,
        "has no room for it: Quota exceeded for total allowable count",
    ),
    ("429 with a detail", answer(429, "Slow.", RETRY), FailureKind.THROTTLED, 12.5, "Slow."),
    ("500", answer(500, "Internal error."), FailureKind.UNAVAILABLE, None, "500 Internal error."),
    ("503", answer(503, "Later."), FailureKind.UNAVAILABLE, None, "503 Later."),
    ("504", answer(504, "Late."), FailureKind.UNAVAILABLE, None, "504 Late."),
    (
        "502 from a proxy",
        answered(502, "<html>Bad Gateway</html>"),
        FailureKind.UNAVAILABLE,
        None,
        "Bad Gateway",
    ),
    (
        "409 of a race",
        answer(409, "Conflict for resource.", word="ABORTED"),
        FailureKind.UNAVAILABLE,
        None,
        "Conflict",
    ),
    ("401", answer(401, "Expired."), FailureKind.CREDENTIALS, None, "gcloud auth application-d"),
    (
        "403",
        answer(403, "Permission 'run.jobs.create' denied on resource 'projects/p'."),
        FailureKind.PERMISSION,
        None,
        "roles/run.developer, which brings run.jobs.create",
    ),
    (
        "403 that names no permission",
        answer(403, "The caller does not have permission"),
        FailureKind.PERMISSION,
        None,
        "The caller does not have permission",
    ),
    (
        "403 of the registry",
        answer(403, "Denied.", information("X", permission="artifactregistry.repositories.get")),
        FailureKind.PERMISSION,
        None,
        "roles/artifactregistry.reader",
    ),
    (
        "403 of an API that is off",
        answer(403, "Off.", information("SERVICE_DISABLED", service="run.googleapis.com")),
        FailureKind.NOT_FOUND,
        None,
        "`gcloud services enable run.googleapis.com --project my-project`",
    ),
    (
        "404",
        answer(404, "Location is not found."),
        FailureKind.NOT_FOUND,
        None,
        "'project_id: my-project' and 'region: europe-west1' right?",
    ),
    (
        "400",
        answer(400, "Violation.", violation("job.cpu", "is too much")),
        FailureKind.INVALID,
        None,
        "refuses the job: Violation (job.cpu: is too much).",
    ),
    (
        "no network",
        auth_errors.TransportError("no route to host"),
        FailureKind.UNAVAILABLE,
        None,
        "cannot be reached: no route",
    ),
    ("a timeout", requests.Timeout("30 s"), FailureKind.UNAVAILABLE, None, "cannot be reached"),
    (
        "a withdrawn key",
        auth_errors.RefreshError("invalid_grant"),
        FailureKind.CREDENTIALS,
        None,
        "refuses the credentials: invalid_grant.",
    ),
    (
        "trouble of the token's server",
        auth_errors.RefreshError("internal", retryable=True),
        FailureKind.UNAVAILABLE,
        None,
        "internal",
    ),
    (
        "no credentials",
        auth_errors.DefaultCredentialsError("none were found"),
        FailureKind.CREDENTIALS,
        None,
        "gcloud auth application-default login",
    ),
    (
        "a key file that cannot be read",
        ExecutorError("It is gone.", hint="Correct it."),
        FailureKind.CREDENTIALS,
        None,
        "It is gone. Correct it.",
    ),
    ("a lost connection", ConnectionResetError("reset"), FailureKind.UNAVAILABLE, None, "reset"),
    ("a mistake of ours", KeyError("name"), FailureKind.INVALID, None, "KeyError: 'name'"),
]


@pytest.mark.parametrize(
    ("error", "kind", "pause_s", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_errors(error: Exception, kind: FailureKind, pause_s: float | None, words: str) -> None:
    """Each has a meaning, and says what to do where that can be said."""
    failure = api_failure(error, PLACE)
    assert (failure.kind, failure.retry_after_s) == (kind, pause_s)
    assert words in failure.detail


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("run.executions.cancel", "roles/run.developer"),
        ("iam.serviceaccounts.actAs", "roles/iam.serviceAccountUser"),
        ("iam.serviceAccounts.actAs", "roles/iam.serviceAccountUser"),
        ("secretmanager.versions.access", "roles/secretmanager.secretAccessor"),
        ("bigquery.jobs.create", ""),
    ],
)
def test_roles(permission: str, role: str) -> None:
    """The role to ask for, where we know one."""
    assert role_for(permission) == role
