"""What ECS is asked to run for a task: pure, as JSON, and without secrets.

Two parts: `run_task`, the request of that name, and `definition`, the task definition it needs
where the user has given none. The definition's family is named after its content, so that all
blocks and runs with the same settings share one, and any of its revisions will do.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.executors.ecs.settings import (
    CPU_UNITS,
    MEMORY_MIB,
    EcsSettings,
    fitting_size,
)
from jupyter_blocks.executors.jobs import WorkerCommand

__all__ = ["FAMILY_PREFIX", "ecs_request", "serialized_length", "task_size", "with_gpu"]

FAMILY_PREFIX = "jupyter-blocks-"
_NOT_IN_TAGS = re.compile(r"[^\w .:/=+\-@]")
_LONGEST_TAG = 256


def ecs_request(task: BlockTask, command: WorkerCommand, settings: EcsSettings) -> dict[str, Any]:
    """The two parts for one attempt."""
    settings = with_gpu(settings, task)
    definition = None if settings.task_definition else _definition(settings)
    run_task = {
        "cluster": settings.cluster,
        "taskDefinition": definition["family"] if definition else settings.task_definition,
        "count": 1,
        **_where(settings),
        "overrides": _overrides(task, command, settings),
        # One task for one attempt, however often it is asked for, and found again by either.
        "startedBy": task.attempt_id,
        "clientToken": task.attempt_id,
        "tags": _tags(task, settings),
    }
    optional = {
        "enableExecuteCommand": settings.enable_execute_command,
        "propagateTags": settings.propagate_tags,
        "group": settings.group,
        "placementConstraints": [dict(item) for item in settings.placement_constraints],
        "placementStrategy": [dict(item) for item in settings.placement_strategy],
    }
    run_task.update({key: value for key, value in optional.items() if value})
    return {"definition": definition, "run_task": run_task}


def with_gpu(settings: EcsSettings, task: BlockTask) -> EcsSettings:
    """The settings, with the GPUs that the block itself asks for in its `resources`."""
    return replace(settings, gpu=int(task.resources.get("gpu") or settings.gpu))


def serialized_length(overrides: Mapping[str, Any]) -> int:
    """Characters of the overrides as they are sent: AWS takes 8192 of them."""
    return len(json.dumps(overrides))


def task_size(task: BlockTask, settings: EcsSettings) -> tuple[int | None, int | None]:
    """CPU units and MiB of a task; none of either: the task definition says.

    A block's `resources` become the next size that Fargate has; `cpu` and `memory` of the settings
    are taken literally.
    """
    cpus, memory = task.resources.get("cpu"), task.resources.get("memory_mib")
    asked_cpu = math.ceil(float(cpus) * 1024) if cpus else settings.cpu
    asked_memory = math.ceil(float(memory)) if memory else settings.memory_mib
    if not settings.task_definition:
        asked_cpu = CPU_UNITS if asked_cpu is None else asked_cpu
        asked_memory = MEMORY_MIB if asked_memory is None else asked_memory
    if not (cpus or memory) or asked_cpu is None or asked_memory is None:
        return asked_cpu, asked_memory
    return fitting_size(asked_cpu, asked_memory, is_fargate=settings.is_fargate)


def _where(settings: EcsSettings) -> dict[str, Any]:
    """The machines and the network."""
    where: dict[str, Any] = {}
    if settings.launch_type:
        where["launchType"] = settings.launch_type
    if settings.capacity_provider_strategy:
        where["capacityProviderStrategy"] = [
            dict(item) for item in settings.capacity_provider_strategy
        ]
    if settings.platform_version and settings.is_fargate:
        where["platformVersion"] = settings.platform_version
    network = _network(settings)
    if network:
        where["networkConfiguration"] = network
    return where


def _network(settings: EcsSettings) -> dict[str, Any]:
    if settings.network_configuration:
        return dict(settings.network_configuration)
    if not settings.subnets:
        return {}
    network: dict[str, Any] = {"subnets": list(settings.subnets)}
    if settings.security_groups:
        network["securityGroups"] = list(settings.security_groups)
    public = settings.assign_public_ip
    if public is None and settings.is_fargate:
        public = True
    if public is not None:
        network["assignPublicIp"] = "ENABLED" if public else "DISABLED"
    return {"awsvpcConfiguration": network}


def _overrides(task: BlockTask, command: WorkerCommand, settings: EcsSettings) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": settings.container,
        "command": list(command.words),
        "environment": [
            {"name": name, "value": value} for name, value in sorted(command.environment.items())
        ],
    }
    if settings.gpu:
        container["resourceRequirements"] = [{"type": "GPU", "value": str(settings.gpu)}]
    overrides: dict[str, Any] = {"containerOverrides": [container]}
    cpu, memory_mib = task_size(task, settings)
    # Of the task, not of the container: what else the task has needs its room, too.
    if cpu is not None:
        overrides["cpu"] = str(cpu)
    if memory_mib is not None:
        overrides["memory"] = str(memory_mib)
    if settings.ephemeral_storage_gib:
        overrides["ephemeralStorage"] = {"sizeInGiB": settings.ephemeral_storage_gib}
    if settings.task_definition:
        overrides.update(_roles(settings))
    return overrides


def _roles(settings: EcsSettings) -> dict[str, str]:
    roles = {
        "executionRoleArn": settings.execution_role_arn,
        "taskRoleArn": settings.task_role_arn,
    }
    return {name: role for name, role in roles.items() if role}


def _tags(task: BlockTask, settings: EcsSettings) -> list[dict[str, str]]:
    ours = {
        "jupyter-blocks/attempt": task.attempt_id,
        "jupyter-blocks/block": task.block,
        "jupyter-blocks/pipeline": task.pipeline,
        "jupyter-blocks/run": task.run_id,
    }
    tags = {**settings.tags, **{key: _tag_text(text) for key, text in ours.items()}}
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def _tag_text(text: str) -> str:
    return _NOT_IN_TAGS.sub("_", text)[:_LONGEST_TAG]


def _definition(settings: EcsSettings) -> dict[str, Any]:
    """A request of `RegisterTaskDefinition`."""
    container: dict[str, Any] = {
        "name": settings.container,
        "image": settings.image,
        "essential": True,
    }
    if settings.stop_timeout_s is not None:
        container["stopTimeout"] = settings.stop_timeout_s
    if settings.log_configuration:
        container["logConfiguration"] = dict(settings.log_configuration)
    if settings.container_secrets:
        container["secrets"] = [
            {"name": name, "valueFrom": source}
            for name, source in sorted(settings.container_secrets.items())
        ]
    kind = "FARGATE" if settings.is_fargate else settings.launch_type or "EC2"
    content: dict[str, Any] = {
        "containerDefinitions": [container],
        "requiresCompatibilities": [kind],
        # Every task has its own size; this is for what Fargate wants to know beforehand.
        "cpu": str(CPU_UNITS),
        "memory": str(MEMORY_MIB),
        **_roles(settings),
    }
    if settings.is_fargate or _network(settings):
        content["networkMode"] = "awsvpc"
    if settings.runtime_platform:
        content["runtimePlatform"] = dict(settings.runtime_platform)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    digest = sha256(text.encode()).hexdigest()[:16]
    return {"family": f"{FAMILY_PREFIX}{digest}", **content}
