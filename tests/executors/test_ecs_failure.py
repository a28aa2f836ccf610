"""Errors of AWS, and what a user is told."""

from __future__ import annotations

import inspect
import json
from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import ClientError

from jupyter_blocks.executors.ecs import failure as ecs_failure
from jupyter_blocks.executors.ecs.failure import aws_failure, placement_failure
from jupyter_blocks.executors.jobs import FailureKind

DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/dev/me is not authorized to perform: ecs:RunTask "
    "on resource: arn:aws:ecs:eu-west-1:123456789012:task-definition/jupyter-blocks-1:1 because no "
    "identity-based policy allows the ecs:RunTask action"
)
PASS_ROLE = (
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:PassRole on "
    "resource: arn:aws:iam::123456789012:role/blocks because no identity-based policy allows the "
    "iam:PassRole action"
)


def answered(code: str, message: str = "words", status: int = 400, **headers: str) -> ClientError:
    """An error that AWS answered with."""
    response: dict[str, Any] = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return ClientError(response, "RunTask")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (answered("ThrottlingException", "Rate exceeded"), FailureKind.THROTTLED, "Rate exceeded"),
        (answered("TooManyRequestsException"), FailureKind.THROTTLED, ""),
        (answered("Unheard", status=429), FailureKind.THROTTLED, ""),
        (answered("ServerException", status=500), FailureKind.UNAVAILABLE, ""),
        (answered("ServiceUnavailable", status=503), FailureKind.UNAVAILABLE, ""),
        (answered("Unheard", status=502), FailureKind.UNAVAILABLE, ""),
        (answered("ExpiredTokenException"), FailureKind.CREDENTIALS, "Log in again"),
        (answered("UnrecognizedClientException"), FailureKind.CREDENTIALS, "'profile'"),
        (answered("InvalidSignatureException", status=403), FailureKind.CREDENTIALS, "Log in"),
        (answered("AccessDeniedException", DENIED), FailureKind.PERMISSION, "Add to the policies"),
        (answered("com.amazon#AccessDenied", DENIED), FailureKind.PERMISSION, "ecs:RunTask"),
        (answered("BlockedException"), FailureKind.PERMISSION, ""),
        (
            answered("ClusterNotFoundException", "Cluster not found."),
            FailureKind.NOT_FOUND,
            "Set 'cluster'",
        ),
        (
            answered("InvalidParameterException", "The subnet ID 'subnet-1' does not exist"),
            FailureKind.INVALID,
            "Check 'subnets'",
        ),
        (
            answered("InvalidParameterException", "The security group 'sg-1' does not exist"),
            FailureKind.INVALID,
            "Check 'security_groups'",
        ),
        (
            answered("ClientException", "TaskDefinition not found."),
            FailureKind.INVALID,
            "Check 'task_definition'",
        ),
        (
            answered("ClientException", "ECS was unable to assume the role 'x'"),
            FailureKind.INVALID,
            "'task_role_arn'",
        ),
        (
            answered(
                "InvalidParameterException", "No Container Instances were found in your cluster."
            ),
            FailureKind.INVALID,
            "launch_type: FARGATE",
        ),
        (
            answered("ClientException", "Capacity is unavailable at this time."),
            FailureKind.NO_CAPACITY,
            "",
        ),
        (
            answered(
                "ClientException",
                "You've reached the limit on the number of tasks you can run concurrently",
            ),
            FailureKind.NO_CAPACITY,
            "higher quota",
        ),
        (answered("LimitExceededException"), FailureKind.NO_CAPACITY, "higher quota"),
        (
            botocore.exceptions.NoCredentialsError(),
            FailureKind.CREDENTIALS,
            "Unable to locate credentials",
        ),
        (
            botocore.exceptions.TokenRetrievalError(provider="sso", error_msg="expired"),
            FailureKind.CREDENTIALS,
            "aws sso login",
        ),
        (
            botocore.exceptions.UnauthorizedSSOTokenError(),
            FailureKind.CREDENTIALS,
            "aws sso login",
        ),
        (
            botocore.exceptions.ProfileNotFound(profile="prod"),
            FailureKind.INVALID,
            "Check 'profile'",
        ),
        (botocore.exceptions.NoRegionError(), FailureKind.INVALID, "Set 'region'"),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="https://ecs"),
            FailureKind.UNAVAILABLE,
            "https://ecs",
        ),
        (
            botocore.exceptions.ConnectTimeoutError(endpoint_url="https://ecs"),
            FailureKind.UNAVAILABLE,
            "",
        ),
        (
            botocore.exceptions.ReadTimeoutError(endpoint_url="https://ecs"),
            FailureKind.UNAVAILABLE,
            "",
        ),
        (
            botocore.exceptions.ConnectionClosedError(endpoint_url="https://ecs"),
            FailureKind.UNAVAILABLE,
            "",
        ),
        (
            botocore.exceptions.ProxyConnectionError(proxy_url="http://proxy"),
            FailureKind.UNAVAILABLE,
            "proxy",
        ),
        (
            botocore.exceptions.ParamValidationError(report="Unknown parameter"),
            FailureKind.INVALID,
            "Unknown parameter",
        ),
        (ConnectionResetError("reset"), FailureKind.UNAVAILABLE, "reset"),
        (ValueError("odd"), FailureKind.INVALID, "odd"),
    ],
)
def test_errors_are_understood(error: Exception, kind: FailureKind, words: str) -> None:
    """Whether to ask again, and what a user can do."""
    failure = aws_failure(error)
    assert failure.kind is kind
    assert words in failure.detail


def test_a_missing_right_is_named_as_a_statement() -> None:
    """It can be pasted into a policy."""
    detail = aws_failure(answered("AccessDeniedException", DENIED)).detail
    assert json.loads(detail[detail.index("{") :]) == {
        "Effect": "Allow",
        "Action": "ecs:RunTask",
        "Resource": "arn:aws:ecs:eu-west-1:123456789012:task-definition/jupyter-blocks-1:1",
    }


def test_passing_a_role_is_limited_to_tasks() -> None:
    """The right to pass roles is a wide one."""
    detail = aws_failure(answered("AccessDeniedException", PASS_ROLE)).detail
    statement = json.loads(detail[detail.index("{") :])
    assert statement["Resource"] == "arn:aws:iam::123456789012:role/blocks"
    assert "ecs-tasks.amazonaws.com" in str(statement["Condition"])


def test_an_explicit_deny_is_not_answered_with_a_statement() -> None:
    """No policy that allows it would help."""
    message = DENIED.replace("no identity-based policy allows", "of an explicit deny of")
    detail = aws_failure(answered("AccessDeniedException", message)).detail
    assert "denies" in detail
    assert "{" not in detail


def test_a_wish_to_be_left_alone_is_kept() -> None:
    """Seconds, from the header."""
    headers = {"retry-after": "7"}
    assert aws_failure(answered("ThrottlingException", **headers)).retry_after_s == 7


@pytest.mark.parametrize(
    ("reason", "kind", "words"),
    [
        ("RESOURCE:MEMORY", FailureKind.NO_CAPACITY, "No machine has enough MEMORY"),
        ("RESOURCE:CPU", FailureKind.NO_CAPACITY, "enough CPU"),
        ("RESOURCE:ENI", FailureKind.NO_CAPACITY, "enough ENI"),
        ("RESOURCE:GPU", FailureKind.NO_CAPACITY, "enough GPU"),
        ("Capacity is unavailable at this time.", FailureKind.NO_CAPACITY, "enough capacity"),
        ("AGENT", FailureKind.NO_CAPACITY, "not connected"),
        ("EMPTY CAPACITY PROVIDER", FailureKind.NO_CAPACITY, "there are none"),
        (
            "You've reached the limit on the number of vCPUs you can run concurrently",
            FailureKind.NO_CAPACITY,
            "quota",
        ),
        ("ATTRIBUTE", FailureKind.INVALID, "placement constraints"),
        ("Something new", FailureKind.INVALID, "Something new"),
    ],
)
def test_failures_of_an_answer_are_failures(reason: str, kind: FailureKind, words: str) -> None:
    """RunTask answers 200 and starts nothing (Mage stumbles over the empty list)."""
    failure = placement_failure([{"arn": "arn:aws:ecs:x", "reason": reason}])
    assert failure.kind is kind
    assert words in failure.detail


def test_an_empty_answer_is_a_failure() -> None:
    """Without a task and without a reason."""
    assert placement_failure([]).kind is FailureKind.NO_CAPACITY


def test_classes_of_botocore_exist() -> None:
    """A renamed class would be taken for a mistake of the user."""
    names = {name for name, _ in inspect.getmembers(botocore.exceptions, inspect.isclass)}
    assert {name for name in ecs_failure._ERRORS if name not in names} == set()
