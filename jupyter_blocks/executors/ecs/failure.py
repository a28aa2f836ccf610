"""What an error of AWS means: the code it has, and what the user can do.

Codes: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html; the reasons in
`failures`: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jupyter_blocks.executors.jobs import ApiFailure, FailureKind

__all__ = ["aws_failure", "error_code", "placement_failure"]

_KINDS: Mapping[FailureKind, frozenset[str]] = {
    FailureKind.THROTTLED: frozenset(
        {
            "PriorRequestNotComplete",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "Throttling",
            "ThrottledException",
            "ThrottlingException",
            "TooManyRequestsException",
        }
    ),
    FailureKind.NO_CAPACITY: frozenset({"LimitExceededException"}),
    FailureKind.UNAVAILABLE: frozenset(
        {
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServerException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        }
    ),
    FailureKind.CREDENTIALS: frozenset(
        {
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        }
    ),
    FailureKind.PERMISSION: frozenset(
        {
            "AccessDenied",
            "AccessDeniedException",
            "AuthFailure",
            "BlockedException",
            "NotAuthorized",
            "OptInRequired",
            "UnauthorizedOperation",
        }
    ),
    FailureKind.NOT_FOUND: frozenset({"ClusterNotFoundException", "PlatformUnknownException"}),
}
_ERRORS: Mapping[str, FailureKind] = {
    "NoCredentialsError": FailureKind.CREDENTIALS,
    "PartialCredentialsError": FailureKind.CREDENTIALS,
    "CredentialRetrievalError": FailureKind.CREDENTIALS,
    "MetadataRetrievalError": FailureKind.CREDENTIALS,
    "SSOError": FailureKind.CREDENTIALS,
    "TokenRetrievalError": FailureKind.CREDENTIALS,
    "ProfileNotFound": FailureKind.INVALID,
    "NoRegionError": FailureKind.INVALID,
    "ParamValidationError": FailureKind.INVALID,
    "HTTPClientError": FailureKind.UNAVAILABLE,
    "ConnectionError": FailureKind.UNAVAILABLE,
}
"""Classes of botocore's errors, looked up along their bases."""

_ADVICE: Mapping[FailureKind, str] = {
    FailureKind.CREDENTIALS: (
        "Log in again (`aws sso login`, `aws configure`), or set 'profile' under 'ecs_config'; "
        "then `jupyter blocks run --resume` finds what still runs."
    ),
}
_QUOTA = re.compile(r"limit on the number of|quota|service limit", re.IGNORECASE)
_CAPACITY = re.compile(r"capacity is unavailable|insufficient.*capacity", re.IGNORECASE)
_DENIED = re.compile(
    r"(?P<who>arn:\S+).*?not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+))?",
    re.DOTALL,
)
_INVALID_ADVICE = (
    ("cluster not found", "Set 'cluster' (and 'region') under 'ecs_config', or create it."),
    ("taskdefinition", "Check 'task_definition': its family, its revision, and the region."),
    ("task definition", "Check 'task_definition': its family, its revision, and the region."),
    ("subnet", "Check 'subnets': ids such as subnet-0abc, in the region of the cluster."),
    ("security group", "Check 'security_groups': ids such as sg-0abc, in the VPC of the subnets."),
    ("securitygroup", "Check 'security_groups': ids such as sg-0abc, in the VPC of the subnets."),
    ("network configuration", "Set 'subnets' under 'ecs_config'."),
    ("override", "Check 'container_name', 'cpu' and 'memory'."),
    ("capacity provider", "Check 'capacity_provider_strategy': the cluster must have them."),
    ("no container instances", "Start machines for the cluster, or set 'launch_type: FARGATE'."),
    ("role", "Check 'task_role_arn' and 'execution_role_arn': ECS must be allowed to take them."),
)


def error_code(error: Exception) -> str:
    """The code AWS gave an error; empty where it came from elsewhere."""
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return ""
    # With the query-compatible JSON protocol a namespace comes in front.
    return str(response.get("Error", {}).get("Code", "")).rpartition("#")[2]


def aws_failure(error: Exception) -> ApiFailure:
    """What an error raised by boto3 means."""
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return _local_failure(error)
    code, message = error_code(error), str(response.get("Error", {}).get("Message", ""))
    metadata = response.get("ResponseMetadata", {})
    operation = str(getattr(error, "operation_name", "a call"))
    kind = _kind(code, int(metadata.get("HTTPStatusCode") or 0), message)
    told = f"AWS answered {operation} with {code}: {message.strip().rstrip('.')}."
    advice = _advice(kind, message)
    return ApiFailure(kind, f"{told} {advice}".strip(), _retry_after_s(metadata))


def placement_failure(failures: list[Mapping[str, Any]]) -> ApiFailure:
    """What it means that `RunTask` has started nothing and says so in `failures`."""
    first = failures[0] if failures else {}
    reason, detail = str(first.get("reason", "")), str(first.get("detail", ""))
    about = f" ({detail})" if detail else ""
    told = f"ECS has started no task: {reason or 'it does not say why'}{about}."
    name = reason.upper()
    if name.startswith("RESOURCE:") or _CAPACITY.search(reason):
        what = name.partition(":")[2] or "capacity"
        advice = (
            f"No machine has enough {what} at present; ask for less, add machines, or add subnets "
            "in other zones."
        )
        return ApiFailure(FailureKind.NO_CAPACITY, f"{told} {advice}")
    if _QUOTA.search(reason):
        advice = "Ask AWS for a higher quota, or run fewer blocks at once."
        return ApiFailure(FailureKind.NO_CAPACITY, f"{told} {advice}")
    if name in ("AGENT", "EMPTY CAPACITY PROVIDER", "NO ACTIVE INSTANCES", ""):
        advice = "The machines of the cluster are not connected at present, or there are none."
        return ApiFailure(FailureKind.NO_CAPACITY, f"{told} {advice}")
    if name in ("ATTRIBUTE", "LOCATION", "UNSUPPORTED"):
        advice = (
            "No machine of the cluster has what the task definition or the placement "
            "constraints ask for."
        )
        return ApiFailure(FailureKind.INVALID, f"{told} {advice}")
    return ApiFailure(FailureKind.INVALID, told)


def _kind(code: str, status: int, message: str) -> FailureKind:
    if _CAPACITY.search(message) or _QUOTA.search(message):
        return FailureKind.NO_CAPACITY
    for kind, codes in _KINDS.items():
        if code in codes:
            return kind
    if status == 429:
        return FailureKind.THROTTLED
    if status >= 500:
        return FailureKind.UNAVAILABLE
    if status in (401, 403):
        return FailureKind.PERMISSION
    return FailureKind.INVALID


def _advice(kind: FailureKind, message: str) -> str:
    if kind is FailureKind.PERMISSION:
        return _permission_advice(message)
    if kind is FailureKind.NO_CAPACITY and _CAPACITY.search(message):
        return "Add subnets in other zones, or ask for another 'cpu' and 'memory'."
    if kind is FailureKind.NO_CAPACITY:
        return "Ask AWS for a higher quota, or run fewer blocks at once."
    if kind in (FailureKind.INVALID, FailureKind.NOT_FOUND):
        lower = message.lower()
        return next((advice for words, advice in _INVALID_ADVICE if words in lower), "")
    return _ADVICE.get(kind, "")


def _permission_advice(message: str) -> str:
    """The missing right, and the statement that gives it."""
    denied = _DENIED.search(message)
    if denied is None:
        return "docs/executors/ecs.md has the policy that is needed."
    action = denied["action"]
    resource = (denied["resource"] or "*").rstrip(".,;")
    if "explicit deny" in message:
        return (
            f"A policy denies {denied['who']} the action {action}: ask who administers the account."
        )
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    if action == "iam:PassRole":
        statement["Condition"] = {
            "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
        }
    return f"Add to the policies of {denied['who']}: {json.dumps(statement)}"


def _local_failure(error: Exception) -> ApiFailure:
    """An error of the SDK or of the network: there is no answer."""
    names = [base.__name__ for base in type(error).__mro__]
    kind = next((_ERRORS[name] for name in names if name in _ERRORS), FailureKind.INVALID)
    if isinstance(error, OSError):
        kind = FailureKind.UNAVAILABLE
    told = f"AWS cannot be asked: {str(error).strip().rstrip('.')}."
    advice = _ADVICE.get(kind, "")
    if "NoRegionError" in names:
        advice = "Set 'region' under 'ecs_config', or AWS_DEFAULT_REGION."
    if "ProfileNotFound" in names:
        advice = "Check 'profile' under 'ecs_config'; `aws configure list-profiles` lists them."
    return ApiFailure(kind, f"{told} {advice}".strip())


def _retry_after_s(metadata: Mapping[str, Any]) -> float | None:
    text = str(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
    try:
        return float(text)
    except ValueError:
        return None
