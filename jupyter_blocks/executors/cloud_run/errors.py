"""What the errors of Google's APIs mean, in words for people and with the next step.

https://cloud.google.com/apis/design/errors
https://cloud.google.com/run/docs/reference/iam/permissions
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from google.auth import exceptions as auth_errors
from requests import exceptions as http_errors

from jupyter_blocks.errors import BlocksError
from jupyter_blocks.executors.cloud_run.settings import Connection
from jupyter_blocks.executors.jobs import ApiFailure, FailureKind

__all__ = ["api_failure", "role_for"]

LOGIN = (
    "Log in with `gcloud auth application-default login`, or name a key file in "
    "'path_to_credentials_json_file'."
)
_PERMISSION = re.compile(r"[Pp]ermission '?([a-zA-Z]+(?:\.[a-zA-Z]+)+)'?")
_ROLES = (
    ("run.", "roles/run.developer"),
    ("iam.serviceaccounts.actas", "roles/iam.serviceAccountUser"),
    ("artifactregistry.", "roles/artifactregistry.reader"),
    ("secretmanager.", "roles/secretmanager.secretAccessor"),
    ("logging.", "roles/logging.viewer"),
    ("vpcaccess.", "roles/vpcaccess.user"),
    ("compute.", "roles/compute.networkUser"),
)
_USED_UP = re.compile(r"total allowable|due to quota exceeded|jobs? per (project|region)")
"""Quotas of what there may be at once; others are of calls in a minute."""
_DISABLED = ("SERVICE_DISABLED", "accessNotConfigured")


def role_for(permission: str) -> str:
    """The role that brings a permission; empty where we know none."""
    name = permission.lower()
    return next((role for start, role in _ROLES if name.startswith(start)), "")


def api_failure(error: Exception, connection: Connection) -> ApiFailure:
    """What an exception of the SDK, of google-auth or of the network means."""
    status = _status(error)
    if status is not None:
        return _answered(error, status, connection)
    if isinstance(error, auth_errors.TransportError | http_errors.RequestException):
        return ApiFailure(
            FailureKind.UNAVAILABLE, f"Cloud Run cannot be reached: {_one_line(error)}"
        )
    if isinstance(error, auth_errors.GoogleAuthError):
        passing = getattr(error, "retryable", False)
        kind = FailureKind.UNAVAILABLE if passing else FailureKind.CREDENTIALS
        return ApiFailure(kind, f"Google refuses the credentials: {_one_line(error)}. {LOGIN}")
    if isinstance(error, BlocksError):
        return ApiFailure(FailureKind.CREDENTIALS, str(error))
    if isinstance(error, TimeoutError | ConnectionError):
        return ApiFailure(FailureKind.UNAVAILABLE, f"Cloud Run does not answer: {error}")
    text = f"Cloud Run cannot be asked: {type(error).__name__}: {_one_line(error)}"
    return ApiFailure(FailureKind.INVALID, text)


def _status(error: Exception) -> int | None:
    """The HTTP status of an answer that was an error."""
    code = getattr(error, "code", None)
    if code is None:
        code = getattr(getattr(error, "response", None), "status_code", None)
    return None if code is None else int(code)


def _answered(error: Exception, status: int, connection: Connection) -> ApiFailure:
    answer = _answer(error)
    message = str(answer.get("message") or getattr(error, "message", "") or error).rstrip(".")
    details = [detail for detail in answer.get("details", ()) if isinstance(detail, Mapping)]
    if _USED_UP.search(message):
        detail = (
            f"Cloud Run has no room for it: {message}. Ask for a higher quota, delete what is not "
            "needed, or run fewer blocks at once."
        )
        return ApiFailure(FailureKind.NO_CAPACITY, detail)
    if status == 429:
        detail = f"Cloud Run limits its calls: {message}."
        return ApiFailure(FailureKind.THROTTLED, detail, _retry_after_s(error, details))
    if status >= 500 or status in (408, 499) or answer.get("status") == "ABORTED":
        detail = f"Cloud Run has trouble: {status} {message}."
        return ApiFailure(FailureKind.UNAVAILABLE, detail, _retry_after_s(error, details))
    if status == 401:
        return ApiFailure(FailureKind.CREDENTIALS, f"Google refuses the token: {message}. {LOGIN}")
    if status == 403:
        return _forbidden(message, details, connection)
    if status == 404:
        return ApiFailure(
            FailureKind.NOT_FOUND,
            f"{message}. Are 'project_id: {connection.project}' and "
            f"'region: {connection.region}' right?",
        )
    return ApiFailure(
        FailureKind.INVALID, f"Cloud Run refuses the job: {message}{_violations(details)}."
    )


def _forbidden(
    message: str, details: Iterable[Mapping[str, Any]], connection: Connection
) -> ApiFailure:
    information = _detail(details, "google.rpc.ErrorInfo")
    reason = str(information.get("reason", ""))
    if reason in _DISABLED or "has not been used in project" in message:
        service = information.get("metadata", {}).get("service", "run.googleapis.com")
        return ApiFailure(
            FailureKind.NOT_FOUND,
            f"{message}. Enable it with "
            f"`gcloud services enable {service} --project {connection.project}`.",
        )
    named = information.get("metadata", {}).get("permission", "")
    found = _PERMISSION.search(message)
    permission = str(named or (found[1] if found else ""))
    role = role_for(permission)
    step = f" Ask for the role {role}, which brings {permission}." if role else ""
    return ApiFailure(FailureKind.PERMISSION, f"Google forbids it: {message}.{step}")


def _answer(error: Exception) -> Mapping[str, Any]:
    """The `error` of the answer's body; empty where it is no JSON."""
    response = getattr(error, "response", None)
    try:
        document = response.json() if response is not None else {}
    except ValueError:
        return {}
    found = document.get("error") if isinstance(document, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _retry_after_s(error: Exception, details: Iterable[Mapping[str, Any]]) -> float | None:
    """Seconds that the header or a `RetryInfo` names."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    named = headers.get("Retry-After") or _detail(details, "google.rpc.RetryInfo").get("retryDelay")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s?", str(named or ""))
    return float(found[1]) if found else None


def _violations(details: Iterable[Mapping[str, Any]]) -> str:
    violations = _detail(details, "google.rpc.BadRequest").get("fieldViolations", ())
    texts = [f"{found.get('field')}: {found.get('description')}" for found in violations]
    return f" ({'; '.join(texts)})" if texts else ""


def _detail(details: Iterable[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    wanted = f"type.googleapis.com/{kind}"
    return next((detail for detail in details if detail.get("@type") == wanted), {})


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500].rstrip(".")
