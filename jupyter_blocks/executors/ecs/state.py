"""What a task, as `DescribeTasks` tells it, means for the block that it was started for. Pure.

The worker's own container is judged, by its environment: others may run beside it. What stopped a
task is told in `stopCode`, `stoppedReason` and the container's `reason`; the last two are texts.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_blocks.executors.base import Phase, Reason
from jupyter_blocks.executors.jobs import JobState
from jupyter_blocks.taskboot import TASK

__all__ = ["STOP_REASON", "job_state", "own_container", "task_environment"]

STOP_REASON = "Stopped by Jupyter Blocks"
"""What is told to ECS when a run stops a task of its own."""

_INFRASTRUCTURE_CODES = {
    "SpotInterruption": "its spot machine was taken back",
    "TerminationNotice": "its machine was taken back",
    "InfrastructureHealth": "its machine was found ill",
    "ServiceSchedulerInitiated": "a service's scheduler stopped it",
}
_LOST_MACHINE = re.compile(
    r"host ec2|spot task was interrupted|spot interruption|instance .*(terminated|stopped)"
    r"|container instance .*deregistered|fargate (maintenance|platform)|task retirement"
    r"|network interface provisioning|unexpected ec2 error|internal error",
    re.IGNORECASE,
)
_NO_CAPACITY = re.compile(r"capacity is unavailable|insufficient.*capacity", re.IGNORECASE)
_NETWORK = re.compile(
    r"timeout|timed out|deadline exceeded|no route|connection reset|connection refused"
    r"|network|dial tcp|context canceled",
    re.IGNORECASE,
)
_RATE = re.compile(r"toomanyrequests|rate limit|429", re.IGNORECASE)
_OUT_OF_MEMORY = "OutOfMemory"
_NOT_STARTED = re.compile(
    r"\b(Cannot(Pull|Start|Create|Inspect)\w*|ResourceInitialization|(Docker|ContainerRuntime)"
    r"Timeout|InternalError|TaskFailedToStart)\w*",
)

Verdict = tuple[Reason, str]
"""Why, and what to do."""


def job_state(task: Mapping[str, Any]) -> JobState:
    """The state of the block's job."""
    node = str(task.get("taskArn", "")).rpartition("/")[2]
    status = str(task.get("lastStatus", ""))
    container = own_container(task)
    if status in ("PROVISIONING", "PENDING", "ACTIVATING"):
        no_room = Reason.NO_CAPACITY if status == "PROVISIONING" else Reason.NONE
        return JobState(Phase.PENDING, no_room, _waiting(task), node=node)
    # What runs beside it may keep a task alive.
    if status == "STOPPED" or _has_ended(container):
        return _ended(task, container, node)
    detail = ""
    if task.get("connectivity") == "DISCONNECTED":
        detail = "its machine has no connection to ECS at present"
    return JobState(Phase.RUNNING, detail=detail, node=node)


def task_environment(task: Mapping[str, Any]) -> dict[str, str]:
    """The values that a task was started with; empty for a task that is none of ours."""
    for override in _overrides(task):
        values = {pair["name"]: pair["value"] for pair in override.get("environment", ())}
        if TASK in values:
            return values
    return {}


def own_container(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container that runs the worker; empty where the task has none (yet)."""
    containers = list(task.get("containers", ()))
    for override in _overrides(task):
        if any(pair["name"] == TASK for pair in override.get("environment", ())):
            named = [found for found in containers if found.get("name") == override.get("name")]
            return named[0] if named else {}
    return containers[0] if len(containers) == 1 else {}


def _overrides(task: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from task.get("overrides", {}).get("containerOverrides", ())


def _has_ended(container: Mapping[str, Any]) -> bool:
    return container.get("lastStatus") == "STOPPED" and container.get("exitCode") is not None


def _waiting(task: Mapping[str, Any]) -> str:
    if task.get("lastStatus") == "PROVISIONING":
        return "waits for a machine or a network interface"
    if task.get("pullStartedAt") and not task.get("pullStoppedAt"):
        return "its image is being pulled"
    return "is being started"


def _ended(task: Mapping[str, Any], container: Mapping[str, Any], node: str) -> JobState:
    exit_code = container.get("exitCode")
    stop_code = str(task.get("stopCode", ""))
    words = _words(task, container)
    if _OUT_OF_MEMORY in words:
        detail = f"used more than {_memory_limit(task, container)} of memory: {words}"
        return JobState(Phase.FAILED, Reason.OUT_OF_MEMORY, detail, exit_code, node)
    lost = _INFRASTRUCTURE_CODES.get(stop_code)
    if lost or _LOST_MACHINE.search(words):
        detail = f"{lost or 'its machine was lost'}: {words}" if words else str(lost)
        return JobState(Phase.LOST, Reason.INFRASTRUCTURE, detail, exit_code, node)
    if exit_code is None and (stop_code == "TaskFailedToStart" or _NOT_STARTED.search(words)):
        reason, advice = _not_started(words)
        return JobState(Phase.FAILED, reason, f"did not start: {words}. {advice}", None, node)
    if stop_code == "UserInitiated":
        who = "" if STOP_REASON in words else " by somebody else"
        detail = f"stopped{who}: {words}" if who else "stopped"
        return JobState(Phase.CANCELLED, Reason.CANCELLED, detail, exit_code, node)
    if exit_code is None:
        detail = f"stopped without an exit code: {words or 'ECS does not say why'}"
        return JobState(Phase.LOST, Reason.INFRASTRUCTURE, detail, None, node)
    phase = Phase.FAILED if exit_code else Phase.SUCCEEDED
    return JobState(phase, Reason.NONE, _neighbour(task, container), int(exit_code), node)


def _words(task: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    """All that ECS says about the end, each sentence once."""
    said = [str(container.get("reason", "")), str(task.get("stoppedReason", ""))]
    kept: list[str] = []
    for words in (text.strip().rstrip(".") for text in said):
        if words and not any(words in other for other in kept):
            kept.append(words)
    return "; ".join(kept)


def _memory_limit(task: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    limit = container.get("memory") or task.get("overrides", {}).get("memory") or task.get("memory")
    return f"its {limit} MiB" if limit else "its limit"


def _not_started(words: str) -> Verdict:
    """Why a container could not be started, and what to do."""
    lower = words.lower()
    if _NO_CAPACITY.search(words):
        return Reason.NO_CAPACITY, "Try subnets in other zones, or another 'cpu' and 'memory'."
    if "CannotPull" in words:
        return _not_pulled(words)
    if "ResourceInitialization" in words:
        return _not_initialized(words)
    if "exec format error" in lower:
        return (
            Reason.CONFIGURATION,
            "The image is for another processor: set 'runtime_platform', or build it for this one.",
        )
    if "executable file not found" in lower or "no such file or directory" in lower:
        return Reason.CONFIGURATION, "The image has no Python by this name: see 'python'."
    return Reason.START_FAILED, "docs/executors/ecs.md lists what may be the matter."


def _not_pulled(words: str) -> Verdict:
    if _RATE.search(words):
        return Reason.START_FAILED, "Keep the image in ECR: its registry limits the pulls."
    if "no space left" in words.lower():
        return Reason.CONFIGURATION, "The image is too large: set 'ephemeral_storage_gib'."
    if _NETWORK.search(words):
        return (
            Reason.START_FAILED,
            (
                "The registry was not reached: the subnet needs a public IP ('assign_public_ip'), "
                "a NAT gateway, or endpoints for ECR and S3."
            ),
        )
    return (
        Reason.CONFIGURATION,
        (
            "Check the name and the tag of 'image', and that the execution role may pull it "
            "(AmazonECSTaskExecutionRolePolicy)."
        ),
    )


def _not_initialized(words: str) -> Verdict:
    lower = words.lower()
    if _NETWORK.search(words):
        return (
            Reason.START_FAILED,
            (
                "The service was not reached: the subnet needs a public IP ('assign_public_ip'), "
                "a NAT gateway, or an endpoint for it."
            ),
        )
    if "secret" in lower or "ssm" in lower or "asm" in lower:
        return (
            Reason.CONFIGURATION,
            (
                "Check the names under 'container_secrets', and that the execution role may read "
                "them (secretsmanager:GetSecretValue, ssm:GetParameters, kms:Decrypt)."
            ),
        )
    if "log" in lower:
        return (
            Reason.CONFIGURATION,
            "The log group is missing, or the execution role may not write to it.",
        )
    return Reason.CONFIGURATION, "Check 'execution_role_arn' and what that role may do."


def _neighbour(task: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    """The container that ended first and took the block's with it, where it looks like that."""
    if container.get("exitCode") not in (137, 143):
        return ""
    for other in task.get("containers", ()):
        if other.get("name") != container.get("name") and other.get("exitCode") not in (
            None,
            0,
            137,
            143,
        ):
            return (
                f"the container '{other.get('name')}' beside it ended with exit code "
                f"{other['exitCode']}, and ECS stopped the whole task"
            )
    return ""
