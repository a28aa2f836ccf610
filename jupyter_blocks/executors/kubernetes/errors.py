"""What an error of a Kubernetes API server means, in words that say what to do.

The server answers with a `Status` object: reason, message, details.
https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError, SSLError

from jupyter_blocks.executors.jobs import ApiFailure, FailureKind
from jupyter_blocks.executors.kubernetes.schema import parse_quantity

__all__ = ["api_failure", "status_of"]

_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)"'
    r' in API group "(?P<group>[^"]*)"(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_QUOTA = re.compile(
    r"exceeded quota: (?P<quota>[^,]+), requested: (?P<requested>\S+), used: \S+, "
    r"limited: (?P<limited>\S+)"
)


def api_failure(error: Exception) -> ApiFailure:
    """What an error of a call to the cluster means."""
    if isinstance(error, ApiException):
        return _of_status(error)
    if isinstance(error, ConfigException):
        return ApiFailure(
            FailureKind.CREDENTIALS,
            f"No way into a cluster: {error}. Set 'kubeconfig' and 'context' in "
            "k8s_executor_config, or log in so that `kubectl get jobs` works.",
        )
    if isinstance(error, SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ApiFailure(
            FailureKind.INVALID,
            f"The certificate of the cluster is not trusted: {error}. Check "
            "certificate-authority-data in the kubeconfig.",
        )
    if isinstance(error, HTTPError | OSError):
        return ApiFailure(FailureKind.UNAVAILABLE, f"The cluster does not answer: {error}")
    return ApiFailure(
        FailureKind.INVALID, f"Asking the cluster failed: {type(error).__name__}: {error}"
    )


def status_of(error: ApiException) -> Mapping[str, Any]:
    """The `Status` object an error came with; one with the bare text where there is none."""
    body = error.body or ""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    try:
        status = json.loads(text)
    except ValueError:
        status = None
    if isinstance(status, dict):
        return status
    return {"message": text.strip()[:500] or str(error.reason or "")}


def _of_status(error: ApiException) -> ApiFailure:
    status = status_of(error)
    code, message = int(error.status or 0), str(status.get("message", ""))
    if code == 401:
        return _unknown_user(f"401: {message}")
    if code == 403:
        return _forbidden(message)
    if code == 404:
        return ApiFailure(FailureKind.NOT_FOUND, _not_found(message))
    if code == 429:
        pause_s = _retry_after(error, status)
        return ApiFailure(
            FailureKind.THROTTLED, f"The cluster wants fewer calls (429): {message}", pause_s
        )
    if code == 410 or code >= 500 or code in (0, 408):
        pause_s = _retry_after(error, status)
        return ApiFailure(
            FailureKind.UNAVAILABLE, f"The cluster is in trouble ({code}): {message}", pause_s
        )
    return ApiFailure(FailureKind.INVALID, f"The cluster refuses it ({code}): {_causes(status)}")


def _unknown_user(answer: str) -> ApiFailure:
    return ApiFailure(
        FailureKind.CREDENTIALS,
        f"The cluster does not know who asks ({answer}). The login has expired or is missing: log "
        "in again, or renew the token in the kubeconfig.",
    )


def _forbidden(message: str) -> ApiFailure:
    """403: a missing right, a quota that is used up, or a policy of the cluster."""
    if quota := _QUOTA.search(message):
        return _over_quota(quota, message)
    missing = _FORBIDDEN.search(message)
    if missing is None:
        return ApiFailure(FailureKind.INVALID, f"A policy of the cluster refuses it: {message}")
    if missing["user"] == "system:anonymous":
        return _unknown_user(f"403: {message}")
    group, resource, verb = missing["group"], missing["resource"], missing["verb"]
    where = f"namespace '{missing['namespace']}'" if missing["namespace"] else "the cluster"
    rule = f'{{apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{verb}"]}}'
    return ApiFailure(
        FailureKind.PERMISSION,
        f"'{missing['user']}' may not {verb} {resource} in {where}. Add this rule to a Role of "
        f"theirs: {rule}.",
    )


def _over_quota(quota: re.Match[str], message: str) -> ApiFailure:
    requested, limited = _amounts(quota["requested"]), _amounts(quota["limited"])
    for name, amount in requested.items():
        if name in limited and parse_quantity(amount) > parse_quantity(limited[name]):
            return ApiFailure(
                FailureKind.INVALID,
                f"Quota '{quota['quota']}' allows {limited[name]} of {name} for all blocks "
                f"together, and this block wants {amount}: ask for less, or have the quota raised.",
            )
    return ApiFailure(
        FailureKind.NO_CAPACITY,
        f"Quota '{quota['quota']}' of the namespace is used up: {message}",
    )


def _amounts(text: str) -> dict[str, str]:
    """`requests.memory=1Gi,pods=1` as a mapping."""
    pairs = (part.partition("=") for part in text.strip().split(",") if "=" in part)
    return {name: value for name, _, value in pairs}


def _not_found(message: str) -> str:
    if message.startswith("namespaces "):
        return (
            f"The cluster has no such namespace ({message}): set 'namespace' in "
            "k8s_executor_config, or create it."
        )
    return f"The cluster knows nothing of it (404): {message}"


def _causes(status: Mapping[str, Any]) -> str:
    """Which fields are wrong, where the server says so."""
    causes = (status.get("details") or {}).get("causes") or ()
    fields = [f"'{cause['field']}': {cause.get('message')}" for cause in causes if "field" in cause]
    return "; ".join(fields) or str(status.get("message", ""))


def _retry_after(error: ApiException, status: Mapping[str, Any]) -> float | None:
    header = (error.headers or {}).get("Retry-After")
    seconds = header or (status.get("details") or {}).get("retryAfterSeconds")
    try:
        return float(seconds) if seconds else None
    except ValueError:
        return None
