"""What errors of a cluster's API mean, in words that say what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import MaxRetryError, NewConnectionError, ReadTimeoutError, SSLError

from jupyter_blocks.executors.jobs import FailureKind
from jupyter_blocks.executors.kubernetes.errors import api_failure


def answer(code: int, message: str = "", **details: Any) -> ApiException:
    error = ApiException(status=code, reason="reason")
    error.body = json.dumps({"kind": "Status", "message": message, "details": details})
    return error


FORBIDDEN = (
    'jobs.batch is forbidden: User "ana" cannot create resource "jobs" in API group "batch" in the '
    'namespace "blocks"'
)
NO_LOGS = (
    'pods "x" is forbidden: User "ana" cannot get resource "pods/log" in API group "" in the '
    'namespace "blocks"'
)
USED_UP = (
    'jobs.batch "jb-a" is forbidden: exceeded quota: team, requested: requests.memory=2Gi, '
    "used: requests.memory=7Gi, limited: requests.memory=8Gi"
)
TOO_MUCH = (
    'jobs.batch "jb-a" is forbidden: exceeded quota: team, requested: requests.memory=16Gi, '
    "used: requests.memory=0, limited: requests.memory=8Gi"
)
CAUSE = {"field": "spec.template.spec.containers[0].image", "message": "Required value"}

ERRORS: dict[str, tuple[Exception, FailureKind, str]] = {
    "expired": (answer(401, "Unauthorized"), FailureKind.CREDENTIALS, "log in again"),
    "nobody": (
        answer(403, FORBIDDEN.replace('"ana"', '"system:anonymous"')),
        FailureKind.CREDENTIALS,
        "log in again",
    ),
    "no right": (
        answer(403, FORBIDDEN),
        FailureKind.PERMISSION,
        (
            "'ana' may not create jobs in namespace 'blocks'. Add this rule to a Role of theirs: "
            '{apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}'
        ),
    ),
    "no logs": (
        answer(403, NO_LOGS),
        FailureKind.PERMISSION,
        '{apiGroups: [""], resources: ["pods/log"], verbs: ["get"]}',
    ),
    "quota used up": (answer(403, USED_UP), FailureKind.NO_CAPACITY, "Quota 'team'"),
    "above the quota": (
        answer(403, TOO_MUCH),
        FailureKind.INVALID,
        "allows 8Gi of requests.memory",
    ),
    "policy": (
        answer(403, 'admission webhook "x" denied the request: no'),
        FailureKind.INVALID,
        "A policy of the cluster",
    ),
    "no namespace": (
        answer(404, 'namespaces "blocks" not found'),
        FailureKind.NOT_FOUND,
        "set 'namespace'",
    ),
    "no job": (answer(404, 'jobs.batch "x" not found'), FailureKind.NOT_FOUND, '"x" not found'),
    "conflict": (answer(409, "the object has been modified"), FailureKind.INVALID, "modified"),
    "page expired": (answer(410, "too old"), FailureKind.UNAVAILABLE, "too old"),
    "invalid": (
        answer(422, "Job is invalid", causes=[CAUSE]),
        FailureKind.INVALID,
        "'spec.template.spec.containers[0].image': Required value",
    ),
    "unknown field": (
        answer(400, 'strict decoding error: unknown field "spec.foo"'),
        FailureKind.INVALID,
        "spec.foo",
    ),
    "throttled": (answer(429, "later"), FailureKind.THROTTLED, "fewer calls"),
    "server error": (answer(500, "etcdserver: timed out"), FailureKind.UNAVAILABLE, "etcdserver"),
    "gateway": (answer(504, "no answer"), FailureKind.UNAVAILABLE, "504"),
    "no answer": (
        ReadTimeoutError(None, "/", "Read timed out."),  # type: ignore[arg-type]
        FailureKind.UNAVAILABLE,
        "Read timed out",
    ),
    "no connection": (
        MaxRetryError(None, "/", NewConnectionError(None, "refused")),  # type: ignore[arg-type]
        FailureKind.UNAVAILABLE,
        "refused",
    ),
    "certificate": (
        SSLError("certificate verify failed"),
        FailureKind.INVALID,
        "certificate-authority-data",
    ),
    "no kubeconfig": (
        ConfigException("Invalid kube-config file. No configuration found."),
        FailureKind.CREDENTIALS,
        "Set 'kubeconfig'",
    ),
    "anything": (KeyError("x"), FailureKind.INVALID, "KeyError"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    """One row: what the client raised, what it means, and what people read."""
    error, kind, words = ERRORS[name]
    failure = api_failure(error)
    assert failure.kind is kind
    assert words in failure.detail


@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", "oops", None])
def test_answers_of_proxies_are_shown_as_they_are(body: Any) -> None:
    """Not everything between here and the cluster speaks its language."""
    error = ApiException(status=502, reason="Bad Gateway")
    error.body = body
    failure = api_failure(error)
    assert failure.kind is FailureKind.UNAVAILABLE
    assert "502" in failure.detail


def test_the_cluster_says_how_long_it_wants_to_be_left_alone() -> None:
    """By a header, or in its answer."""
    by_header = answer(429)
    by_header.headers = {"Retry-After": "7"}
    assert api_failure(by_header).retry_after_s == 7.0
    assert api_failure(answer(429, retryAfterSeconds=3)).retry_after_s == 3.0
    assert api_failure(answer(503)).retry_after_s is None
