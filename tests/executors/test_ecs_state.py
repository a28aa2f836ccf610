"""What DescribeTasks answers, and what it means for a block."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_blocks.executors.base import Phase, Reason
from jupyter_blocks.executors.ecs.shapes import answer_errors
from jupyter_blocks.executors.ecs.state import STOP_REASON, job_state, task_environment

ARN = "arn:aws:ecs:eu-west-1:123456789012:task/default/0123456789abcdef0123456789abcdef"
ESSENTIAL = "Essential container in task exited"
ENVIRONMENT = [{"name": "JUPYTER_BLOCKS_TASK", "value": "s3://b/t.json"}]


def described(
    status: str = "STOPPED",
    *,
    container: dict[str, Any] | None = None,
    beside: list[dict[str, Any]] | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """A task with the worker's container, as ECS describes it; the fields are AWS's own."""
    own = {"name": "worker", "lastStatus": status, **(container or {})}
    task = {
        "taskArn": ARN,
        "lastStatus": status,
        "memory": "1024",
        "overrides": {"containerOverrides": [{"name": "worker", "environment": ENVIRONMENT}]},
        "containers": [*(beside or []), own],
        **facts,
    }
    assert answer_errors("ecs", "DescribeTasks", {"tasks": [task], "failures": []}) == []
    return task


@pytest.mark.parametrize(
    ("task", "phase", "words"),
    [
        (described("PROVISIONING"), Phase.PENDING, "waits for a machine"),
        (described("PENDING"), Phase.PENDING, "is being started"),
        (described("PENDING", pullStartedAt=1.0), Phase.PENDING, "image is being pulled"),
        (described("ACTIVATING"), Phase.PENDING, "is being started"),
        (described("RUNNING"), Phase.RUNNING, ""),
        (described("RUNNING", connectivity="DISCONNECTED"), Phase.RUNNING, "no connection to ECS"),
        (described("DEACTIVATING"), Phase.RUNNING, ""),
        (described("STOPPING"), Phase.RUNNING, ""),
        (described("DEPROVISIONING"), Phase.RUNNING, ""),
    ],
)
def test_tasks_under_way(task: dict[str, Any], phase: Phase, words: str) -> None:
    """Nothing is over before ECS says so, or before the worker's container has an exit code."""
    state = job_state(task)
    no_room = task["lastStatus"] == "PROVISIONING"
    assert state.phase is phase
    assert state.reason is (Reason.NO_CAPACITY if no_room else Reason.NONE)
    assert words in state.detail
    assert state.node == ARN.rpartition("/")[2]


STOPPED: list[tuple[str, dict[str, Any], Phase, Reason, str]] = [
    (
        "ended well",
        {
            "container": {"exitCode": 0},
            "stopCode": "EssentialContainerExited",
            "stoppedReason": ESSENTIAL,
        },
        Phase.SUCCEEDED,
        Reason.NONE,
        "",
    ),
    (
        "ended badly",
        {
            "container": {"exitCode": 23},
            "stopCode": "EssentialContainerExited",
            "stoppedReason": ESSENTIAL,
        },
        Phase.FAILED,
        Reason.NONE,
        "",
    ),
    (
        "out of memory",
        {
            "container": {
                "exitCode": 137,
                "reason": "OutOfMemoryError: Container killed due to memory usage",
            },
            "stopCode": "EssentialContainerExited",
            "stoppedReason": ESSENTIAL,
        },
        Phase.FAILED,
        Reason.OUT_OF_MEMORY,
        "more than its 1024 MiB of memory",
    ),
    (
        "out of the container's memory",
        {
            "container": {"exitCode": 137, "memory": "512", "reason": "OutOfMemoryError: x"},
            "stopCode": "EssentialContainerExited",
            "stoppedReason": ESSENTIAL,
        },
        Phase.FAILED,
        Reason.OUT_OF_MEMORY,
        "more than its 512 MiB",
    ),
    (
        "spot",
        {"stopCode": "SpotInterruption", "stoppedReason": "Your Spot Task was interrupted."},
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        "spot machine was taken back",
    ),
    (
        "spot, with an exit code",
        {
            "container": {"exitCode": 143},
            "stopCode": "SpotInterruption",
            "stoppedReason": "Your Spot Task was interrupted.",
        },
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        "spot",
    ),
    (
        "termination notice",
        {"stopCode": "TerminationNotice", "stoppedReason": "The host is going away"},
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        "taken back",
    ),
    (
        "ill machine",
        {"stopCode": "InfrastructureHealth", "stoppedReason": "unhealthy"},
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        "ill",
    ),
    (
        "host lost",
        {"stoppedReason": "Host EC2 (instance i-0abc) terminated."},
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        "i-0abc",
    ),
    (
        "network interface",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "Timeout waiting for network interface provisioning to complete.",
        },
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        "network interface",
    ),
    (
        "no capacity",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "Capacity is unavailable at this time. Please try again later or in a "
            "different availability zone",
        },
        Phase.FAILED,
        Reason.NO_CAPACITY,
        "zones",
    ),
    (
        "no image",
        {
            "container": {
                "reason": "CannotPullContainerError: failed to resolve ref a:1: not found"
            },
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "CannotPullContainerError: failed to resolve ref a:1: not found",
        },
        Phase.FAILED,
        Reason.CONFIGURATION,
        "Check the name and the tag of 'image'",
    ),
    (
        "registry not reached",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "CannotPullContainerError: dial tcp 1.2.3.4:443: i/o timeout",
        },
        Phase.FAILED,
        Reason.START_FAILED,
        "NAT gateway",
    ),
    (
        "registry limits pulls",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "CannotPullContainerError: toomanyrequests: pull rate limit",
        },
        Phase.FAILED,
        Reason.START_FAILED,
        "Keep the image in ECR",
    ),
    (
        "large image",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "CannotPullContainerError: write /x: no space left on device",
        },
        Phase.FAILED,
        Reason.CONFIGURATION,
        "ephemeral_storage_gib",
    ),
    (
        "no secret",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "ResourceInitializationError: unable to pull secrets or registry "
            "auth: unable to retrieve secret from asm: AccessDeniedException",
        },
        Phase.FAILED,
        Reason.CONFIGURATION,
        "secretsmanager:GetSecretValue",
    ),
    (
        "secrets not reached",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "ResourceInitializationError: unable to pull secrets or registry "
            "auth: RequestCanceled: context deadline exceeded",
        },
        Phase.FAILED,
        Reason.START_FAILED,
        "endpoint",
    ),
    (
        "no log group",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "ResourceInitializationError: failed to validate logger args: The "
            "specified log group does not exist.",
        },
        Phase.FAILED,
        Reason.CONFIGURATION,
        "log group",
    ),
    (
        "no python",
        {
            "container": {
                "reason": 'CannotStartContainerError: exec: "python": executable file not found'
            },
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "Task failed to start",
        },
        Phase.FAILED,
        Reason.CONFIGURATION,
        "no Python",
    ),
    (
        "other processor",
        {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "CannotStartContainerError: exec /usr/bin/python: exec format error",
        },
        Phase.FAILED,
        Reason.CONFIGURATION,
        "runtime_platform",
    ),
    (
        "not started",
        {"stopCode": "TaskFailedToStart", "stoppedReason": "CannotCreateContainerError: odd"},
        Phase.FAILED,
        Reason.START_FAILED,
        "CannotCreateContainerError: odd",
    ),
    (
        "stopped by us",
        {"stopCode": "UserInitiated", "stoppedReason": STOP_REASON, "container": {"exitCode": 137}},
        Phase.CANCELLED,
        Reason.CANCELLED,
        "stopped",
    ),
    (
        "stopped by others",
        {"stopCode": "UserInitiated", "stoppedReason": "Task stopped by user"},
        Phase.CANCELLED,
        Reason.CANCELLED,
        "by somebody else: Task stopped by user",
    ),
    (
        "no exit code and no reason",
        {},
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        "ECS does not say why",
    ),
]


@pytest.mark.parametrize(
    ("facts", "phase", "reason", "words"),
    [row[1:] for row in STOPPED],
    ids=[row[0] for row in STOPPED],
)
def test_tasks_that_have_stopped(
    facts: dict[str, Any], phase: Phase, reason: Reason, words: str
) -> None:
    """Why, in words that say what to do."""
    state = job_state(described(**facts))
    assert (state.phase, state.reason) == (phase, reason)
    assert words in state.detail


def test_exit_codes_are_those_of_the_workers_container() -> None:
    """Whatever order containers are listed in."""
    sidecar = {"name": "proxy", "lastStatus": "STOPPED", "exitCode": 0}
    task = described(container={"exitCode": 23}, beside=[sidecar])
    assert job_state(task).exit_code == 23


def test_a_sidecar_does_not_keep_a_block_alive() -> None:
    """The worker has ended; the task goes on with what runs beside it."""
    sidecar = {"name": "proxy", "lastStatus": "RUNNING"}
    task = described(
        "RUNNING", container={"lastStatus": "STOPPED", "exitCode": 0}, beside=[sidecar]
    )
    assert job_state(task).phase is Phase.SUCCEEDED


def test_a_sidecar_that_took_the_block_along_is_named() -> None:
    """The worker was killed because another container ended."""
    sidecar = {"name": "proxy", "lastStatus": "STOPPED", "exitCode": 1}
    state = job_state(described(container={"exitCode": 137}, beside=[sidecar]))
    assert "'proxy'" in state.detail


def test_the_environment_tells_our_tasks_from_others() -> None:
    """Another program may use the same cluster."""
    assert task_environment(described())["JUPYTER_BLOCKS_TASK"] == "s3://b/t.json"
    assert task_environment({"overrides": {}}) == {}
