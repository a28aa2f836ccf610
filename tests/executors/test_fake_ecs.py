"""The fake of ECS is as strict as the real one: what boto3 is told, in AWS's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from jupyter_blocks.testing.containers import ContainerHost, lying_image
from jupyter_blocks.testing.fake_ecs import FakeEcs, fake_ecs
from jupyter_blocks.testing.fake_ecs_rules import AwsError
from tests.executors.ecscases import ATTEMPT, IMAGE, NETWORK, ROLE, backend, request

GROUP = {"containerDefinitions": [{"name": "blocks", "image": IMAGE}]}
FARGATE = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}
SIZE = {"cpu": "512", "memory": "1024"}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEcs]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with fake_ecs(ContainerHost({IMAGE: lying_image(tmp_path / "image")})) as served:
        yield served


def refusal(fake: FakeEcs, operation: str, parameters: dict[str, Any]) -> tuple[str, str]:
    """Code and message of what a call is answered with."""
    with pytest.raises(ClientError) as caught:
        getattr(backend(fake)._clients("ecs"), operation)(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"family": "a b", **GROUP}, "Family should be valid"),
        ({"family": "a", "containerDefinitions": []}, "Container list cannot be empty"),
        ({"family": "a", **GROUP}, "At least one of 'memory' or 'memoryReservation'"),
        (
            {"family": "a", "requiresCompatibilities": ["FARGATE"], **SIZE, **GROUP},
            "only supports network mode 'awsvpc'",
        ),
        ({"family": "a", **FARGATE, "memory": "1024", **GROUP}, "requires that 'cpu' be defined"),
        (
            {"family": "a", **FARGATE, "cpu": "512", "memory": "9999", **GROUP},
            "No Fargate configuration exists",
        ),
        (
            {"family": "a", **SIZE, "containerDefinitions": [{"name": "blocks", "image": ""}]},
            "Container.image should not be null or empty",
        ),
        (
            {
                "family": "a",
                **SIZE,
                "containerDefinitions": [
                    {
                        "name": "blocks",
                        "image": IMAGE,
                        "secrets": [{"name": "A", "valueFrom": "arn:aws:x"}],
                    }
                ],
            },
            "specify a value for 'executionRoleArn'",
        ),
    ],
)
def test_definitions_are_refused(fake: FakeEcs, definition: dict[str, Any], words: str) -> None:
    """As RegisterTaskDefinition refuses them."""
    code, message = refusal(fake, "register_task_definition", definition)
    assert code == "ClientException"
    assert words in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clientToken": "a" * 65}, "clientToken"),
        ({"clientToken": "a b"}, "clientToken"),
        ({"startedBy": "a" * 129}, "startedBy"),
        ({"startedBy": "a b"}, "startedBy"),
        ({"networkConfiguration": {}}, "Network Configuration must be provided"),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["mine"]}}},
            "The subnet ID 'mine' does not exist",
        ),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, "both a launch type"),
        ({"launchType": "EC2", "platformVersion": "LATEST"}, "platform version must be null"),
        ({"launchType": "EC2"}, "Assign public IP is not supported"),
        (
            {"placementStrategy": [{"type": "spread", "field": "host"}]},
            "not supported with FARGATE",
        ),
        ({"overrides": {"containerOverrides": [{"name": "x"}]}}, "not a container in the Task"),
        ({"overrides": {"cpu": "512", "memory": "1000"}}, "No Fargate configuration"),
        ({"tags": [{"key": str(i)} for i in range(51)]}, "50 tags"),
        ({"tags": [{"key": "aws:x"}]}, "reserved"),
        ({"tags": [{"key": "a", "value": "50% & more"}]}, "not allowed"),
        ({"enableExecuteCommand": True}, "taskRoleArn"),
        ({"count": 11}, "between 1 and 10"),
        ({"taskDefinition": "other"}, "TaskDefinition not found"),
        ({"cluster": "other"}, "Cluster not found"),
    ],
)
def test_tasks_are_refused(fake: FakeEcs, changes: dict[str, Any], words: str) -> None:
    """As RunTask refuses them, before anything is started."""
    wanted = request({"image": IMAGE, **NETWORK})
    fake.api.do_register_task_definition(wanted["definition"])
    _, message = refusal(fake, "run_task", {**wanted["run_task"], **changes})
    assert words in message
    assert fake.jobs() == 0


def test_a_token_is_for_one_request(fake: FakeEcs) -> None:
    """Other parameters are a conflict, which names the task."""
    wanted = request({"image": IMAGE, **NETWORK})
    fake.api.do_register_task_definition(wanted["definition"])
    ecs = backend(fake)._clients("ecs")
    (first,) = ecs.run_task(**wanted["run_task"])["tasks"]
    (second,) = ecs.run_task(**wanted["run_task"])["tasks"]
    assert first["taskArn"] == second["taskArn"]
    with pytest.raises(ClientError) as caught:
        ecs.run_task(**{**wanted["run_task"], "group": "other"})
    assert caught.value.response["resourceIds"] == [first["taskArn"]]


def sent(fake: FakeEcs, operation: str, document: Any, *, signed: bool = True) -> dict[str, Any]:
    """What a request is answered with that boto3 would not send."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}",
    }
    if signed:
        place = "testing/20300101/us-east-1/ecs/aws4_request"
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={place}, SignedHeaders=host"
    asked = Request(fake.url, json.dumps(document).encode(), headers)
    try:
        with urlopen(asked, timeout=10) as answer:
            document = json.loads(answer.read())
    except HTTPError as error:
        document = json.loads(error.read())
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    ("operation", "document", "words"),
    [
        ("ListTasks", {"started_by": "x"}, "Unknown parameter"),
        ("DescribeTasks", {}, 'Missing required parameter in input: "tasks"'),
        ("DescribeTasks", {"tasks": "one"}, "Invalid type for parameter tasks"),
        ("DescribeTasks", {"tasks": ["a"] * 101}, "more than 100"),
        ("ListTasks", {"desiredStatus": "ALIVE"}, "is none of"),
        ("ListTasks", {"startedBy": "a", "family": "b"}, "the only filter"),
        ("ListTasks", {"nextToken": "e30="}, "Invalid token"),
        ("StopTask", {"task": "nothing"}, "The referenced task was not found"),
    ],
)
def test_requests_that_make_no_sense(
    fake: FakeEcs, operation: str, document: dict[str, Any], words: str
) -> None:
    """Whoever does not use boto3 is held to the model, too."""
    answer = sent(fake, operation, document)
    assert answer["__type"] == "InvalidParameterException"
    assert words in answer["message"]


def test_unsigned_requests_are_refused(fake: FakeEcs) -> None:
    """Nobody asks without credentials."""
    answer = sent(fake, "ListTasks", {}, signed=False)
    assert answer["__type"] == "MissingAuthenticationTokenException"


def test_unknown_operations_are_refused(fake: FakeEcs) -> None:
    """Those of the service that the fake does not have, as well."""
    assert sent(fake, "RunTasks", {})["__type"] == "UnknownOperationException"
    assert sent(fake, "DeleteCluster", {})["__type"] == "UnknownOperationException"


def test_pages_are_for_one_question(fake: FakeEcs) -> None:
    """A token of one list is no token of another."""
    fake.api.page_size, fake.api.lag_s = 1, 0.0
    ecs = backend(fake)._clients("ecs")
    for name in ("a", "b", "c"):
        wanted = request({"image": IMAGE, **NETWORK}, name * 26)
        if name == "a":
            fake.api.do_register_task_definition(wanted["definition"])
        ecs.run_task(**wanted["run_task"])
    pages = [
        page["taskArns"]
        for status in ("RUNNING", "STOPPED")
        for page in ecs.get_paginator("list_tasks").paginate(desiredStatus=status)
    ]
    assert len({arn for page in pages for arn in page}) == 3
    assert max(len(page) for page in pages) == 1
    wanted_token = sent(fake, "ListTaskDefinitions", {"maxResults": 1}).get("nextToken")
    assert wanted_token is None


def test_a_role_needs_the_right_to_pass_it(fake: FakeEcs) -> None:
    """In the definition or over it."""
    fake.denied = {"iam:PassRole"}
    wanted = request({"image": IMAGE, "task_role_arn": f"{ROLE}/blocks", **NETWORK})
    code, message = refusal(fake, "register_task_definition", wanted["definition"])
    assert code == "AccessDeniedException"
    assert f"iam:PassRole on resource: {ROLE}/blocks" in message


def test_lost_replies_are_carried_out(fake: FakeEcs) -> None:
    """And others are not."""
    wanted = request({"image": IMAGE, **NETWORK})
    fake.api.do_register_task_definition(wanted["definition"])
    fake.fail(1, 500, when="create")
    assert refusal(fake, "run_task", wanted["run_task"])[0] == "ServerException"
    assert fake.jobs() == 0
    fake.fail(1, 503, when="create", done=True)
    assert refusal(fake, "run_task", wanted["run_task"])[0] == "ServiceUnavailable"
    assert fake.jobs() == 1
    assert fake.task(ATTEMPT).request["clientToken"] == ATTEMPT


def test_the_errors_of_the_fake_have_codes() -> None:
    """And a status."""
    error = AwsError("ConflictException", "words", resourceIds=["a"])
    assert (error.code, error.status, error.members) == (
        "ConflictException",
        400,
        {"resourceIds": ["a"]},
    )
