"""What is wrong with a request to ECS before it is sent: settings, sizes, limits. Asks nobody.

Limits: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_blocks.errors import Problem, Severity
from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.executors.ecs.request import serialized_length, with_gpu
from jupyter_blocks.executors.ecs.settings import (
    FARGATE_SIZES,
    OF_A_DEFINITION,
    OF_THE_PROJECT,
    EcsSettings,
)
from jupyter_blocks.executors.ecs.shapes import request_errors, unknown_words

__all__ = ["ecs_problems"]

LONGEST_OVERRIDES = 8192
_MOST = {
    "capacityProviderStrategy": 20,
    "placementConstraints": 10,
    "placementStrategy": 5,
    "tags": 50,
}
_MOST_OF_NETWORK = {"subnets": 16, "securityGroups": 5}
_LONGEST_TAG_KEY = 128
_LONGEST_TAG = 256
_GRACE_S = range(2, 121)
_ECR = ".dkr.ecr."

Found = tuple[str, str]
"""What is wrong, and what to do."""


def ecs_problems(
    task: BlockTask, request: Mapping[str, Any], settings: EcsSettings, project: EcsSettings
) -> list[Problem]:
    """All problems of one request; `project` are the settings without those of the block."""
    settings = with_gpu(settings, task)
    found = [*_settings(settings, project), *_size(request, settings), *_limits(request, settings)]
    found += [
        (f"AWS does not take the request: {error}.", "See docs/executors/ecs.md for the settings.")
        for operation, parameters in _calls(request)
        for error in request_errors("ecs", operation, parameters)
    ]
    problems = [_problem(task, message, hint) for message, hint in found]
    problems += [
        _problem(
            task,
            f"The installed boto3 does not know what is set: {words}.",
            "Correct it, unless it is newer than boto3.",
            severity="warning",
        )
        for operation, parameters in _calls(request)
        for words in unknown_words("ecs", operation, parameters)
    ]
    if settings.wait_timeout is not None:
        problems.append(_wait_timeout(task))
    return problems


def _problem(task: BlockTask, message: str, hint: str, severity: Severity = "error") -> Problem:
    return Problem(
        "executor-settings", message, hint, severity, pipeline=task.pipeline, block=task.block
    )


def _wait_timeout(task: BlockTask) -> Problem:
    return _problem(
        task,
        "'wait_timeout' of executor 'ecs' has no effect: a task is waited for until it ends.",
        "Give the block a 'timeout' to have it stopped, and 'start_timeout_s' for its start.",
        severity="warning",
    )


def _settings(settings: EcsSettings, project: EcsSettings) -> Iterator[Found]:
    for key in OF_THE_PROJECT:
        if getattr(settings, key) != getattr(project, key):
            yield (
                f"'{key}' of executor 'ecs' cannot be set for a single block.",
                (
                    "Set it under 'ecs_config' in the project's metadata.yaml, and leave it out "
                    "for the block: a run looks for its tasks in one place."
                ),
            )
    if not settings.image and not settings.task_definition:
        yield (
            "Executor 'ecs' has no image.",
            (
                "Set 'image' under 'ecs_config' (`jupyter blocks image` makes one), or "
                "'task_definition' with 'container_name'."
            ),
        )
    yield from _definition_settings(settings)
    if settings.launch_type and settings.capacity_provider_strategy:
        yield (
            "'launch_type' and 'capacity_provider_strategy' exclude each other.",
            "Leave one of them out.",
        )
    if settings.is_fargate:
        yield from _fargate_settings(settings)
    elif settings.assign_public_ip and not settings.network_configuration:
        yield (
            "'assign_public_ip' is for Fargate only.",
            "Leave it out; give the subnets of the machines a NAT gateway if they need one.",
        )


def _definition_settings(settings: EcsSettings) -> Iterator[Found]:
    if not settings.task_definition:
        need = _needs_execution_role(settings)
        if need and not settings.execution_role_arn:
            yield (
                f"ECS needs an execution role for {need}.",
                "Set 'execution_role_arn', such as that of the role ecsTaskExecutionRole.",
            )
        if settings.enable_execute_command and not settings.task_role_arn:
            yield (
                "'enable_execute_command' needs a role for the task.",
                "Set 'task_role_arn' to a role that may open ssmmessages channels.",
            )
        return
    if not settings.container_name:
        yield (
            f"Which container of the task definition '{settings.task_definition}' runs the block?",
            "Set 'container_name' to its name.",
        )
    for key in OF_A_DEFINITION:
        if getattr(settings, key):
            yield (
                f"'{key}' and 'task_definition' exclude each other: the task definition says it.",
                "Leave one of them out.",
            )


def _needs_execution_role(settings: EcsSettings) -> str:
    """What ECS itself has to do for the task, and needs a role for; empty: nothing."""
    if settings.container_secrets:
        return "'container_secrets'"
    if not settings.is_fargate:
        return ""
    if _ECR in settings.image:
        return "an image in ECR"
    driver = (settings.log_configuration or {}).get("logDriver")
    return "the log driver awslogs" if driver == "awslogs" else ""


def _fargate_settings(settings: EcsSettings) -> Iterator[Found]:
    if not settings.subnets and not settings.network_configuration:
        yield (
            "Tasks on Fargate need a network.",
            "Set 'subnets' (and 'security_groups') under 'ecs_config'.",
        )
    for key, meaning in (
        ("gpu", "has no GPUs"),
        ("placement_constraints", "places tasks itself"),
        ("placement_strategy", "places tasks itself"),
    ):
        if getattr(settings, key):
            hint = "Set 'launch_type: EC2', or a capacity provider with machines of your own."
            yield f"'{key}' cannot be used: Fargate {meaning}.", hint


def _size(request: Mapping[str, Any], settings: EcsSettings) -> Iterator[Found]:
    overrides = request["run_task"]["overrides"]
    if not settings.is_fargate or not {"cpu", "memory"} <= set(overrides):
        return
    cpu, memory_mib = int(overrides["cpu"]), int(overrides["memory"])
    memories = FARGATE_SIZES.get(cpu)
    if memories is None:
        sizes = ", ".join(map(str, FARGATE_SIZES))
        yield f"Fargate has no tasks with {cpu} CPU units.", f"It has {sizes} (1024: one CPU)."
    elif memory_mib not in memories:
        step = f", in steps of {memories[-1] - memories[-2]}" if len(memories) > 3 else ""
        yield (
            f"Fargate has no tasks with {cpu} CPU units and {memory_mib} MiB of memory.",
            f"With {cpu} CPU units it has {memories[0]} to {memories[-1]} MiB{step}.",
        )


def _limits(request: Mapping[str, Any], settings: EcsSettings) -> Iterator[Found]:
    run_task = request["run_task"]
    length = serialized_length(run_task["overrides"])
    if length > LONGEST_OVERRIDES:
        yield (
            (
                f"What ECS is to be told for one task has {length} characters; "
                f"it takes {LONGEST_OVERRIDES}."
            ),
            "Shorten 'remote_variables_dir' or the name of the block.",
        )
    for name, most in _MOST.items():
        if len(run_task.get(name, ())) > most:
            yield f"ECS takes {most} {name} at most, not {len(run_task[name])}.", "Remove some."
    network = run_task.get("networkConfiguration", {}).get("awsvpcConfiguration") or {}
    for name, most in _MOST_OF_NETWORK.items():
        if len(network.get(name, ())) > most:
            yield f"ECS takes {most} {name} at most, not {len(network[name])}.", "Remove some."
    for tag in run_task["tags"]:
        if len(tag["key"]) > _LONGEST_TAG_KEY or len(tag["value"]) > _LONGEST_TAG:
            yield (
                f"The tag '{tag['key'][:40]}' is too long.",
                f"A key has {_LONGEST_TAG_KEY} characters at most, a value {_LONGEST_TAG}.",
            )
    grace_s = settings.stop_timeout_s
    if grace_s is not None and grace_s not in _GRACE_S:
        yield f"'stop_timeout_s: {grace_s}' is not possible.", "It may be 2 to 120."


def _calls(request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The operations that a request takes, with their parameters."""
    yield "RunTask", request["run_task"]
    if request["definition"] is not None:
        yield "RegisterTaskDefinition", request["definition"]
