"""What the fake of ECS refuses, and in which words: the rules of the real one.

Requests are held against AWS's own model first, and then against what only the documentation says:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html and
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jupyter_blocks.executors.ecs.shapes import request_errors, unknown_words

__all__ = ["AwsError", "check_definition", "check_run", "check_shape", "is_fargate", "size_of"]

_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")
_STARTED_BY = re.compile(r"[A-Za-z0-9/_-]{1,128}")
_FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
_SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}")
_GROUP = re.compile(r"sg-[0-9a-f]{8,17}")
_TAG = re.compile(r"[\w .:/=+\-@]*")
LONGEST_OVERRIDES = 8192
LARGEST_DEFINITION = 65536


class AwsError(Exception):
    """An error that a service of AWS answers with."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.members = members


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def _client(message: str) -> AwsError:
    return AwsError("ClientException", message)


def check_shape(service: str, operation: str, request: Mapping[str, Any]) -> None:
    """Refuse members that the model does not know, and others that it misses."""
    errors = request_errors(service, operation, request)
    errors = errors or unknown_words(service, operation, request)
    if errors:
        code = "InvalidParameterException" if service == "ecs" else "ValidationError"
        raise AwsError(code, "; ".join(errors))


def is_fargate(request: Mapping[str, Any]) -> bool:
    """Whether a request of RunTask asks for Fargate."""
    strategy = request.get("capacityProviderStrategy")
    if strategy:
        return all(item["capacityProvider"].startswith("FARGATE") for item in strategy)
    return request.get("launchType") == "FARGATE"


def size_of(*documents: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """CPU units and MiB of a task; what comes first in `documents` holds."""
    found = [
        next((int(str(doc[key])) for doc in documents if doc.get(key)), None)
        for key in ("cpu", "memory")
    ]
    return found[0], found[1]


def check_definition(request: Mapping[str, Any]) -> None:
    """Refuse a request of RegisterTaskDefinition as ECS does."""
    if not _FAMILY.fullmatch(request["family"]):
        raise _client(
            "Family should be valid: letters, numbers, hyphens and underscores, up to 255"
        )
    length = len(json.dumps(request))
    if length > LARGEST_DEFINITION:
        raise _client(f"Actual length: '{length}'. Max allowed length is '65536' bytes.")
    if not request["containerDefinitions"]:
        raise _client("Container list cannot be empty.")
    fargate = "FARGATE" in request.get("requiresCompatibilities", ())
    if fargate:
        _check_fargate_definition(request)
    for container in request["containerDefinitions"]:
        _check_container(container, request, fargate=fargate)


def _check_fargate_definition(request: Mapping[str, Any]) -> None:
    if request.get("networkMode") != "awsvpc":
        raise _client("Fargate only supports network mode 'awsvpc'.")
    cpu, memory = size_of(request)
    if cpu is None:
        raise _client("Fargate requires that 'cpu' be defined at the task level.")
    if memory is None:
        raise _client("Fargate requires that 'memory' be defined at the task level.")
    _check_fargate_size(cpu, memory)


def _check_container(
    container: Mapping[str, Any], request: Mapping[str, Any], *, fargate: bool
) -> None:
    name, image = container.get("name"), container.get("image")
    if not name or not _FAMILY.fullmatch(name):
        raise _client("Container.name contains invalid characters.")
    if not image:
        raise _client("Container.image should not be null or empty.")
    if not (request.get("memory") or container.get("memory") or container.get("memoryReservation")):
        raise _client(
            f"Invalid setting for container '{name}'. At least one of 'memory' or "
            "'memoryReservation' must be specified."
        )
    has_role = bool(request.get("executionRoleArn"))
    if container.get("secrets") and not has_role:
        raise _client(
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'."
        )
    awslogs = container.get("logConfiguration", {}).get("logDriver") == "awslogs"
    if fargate and not has_role and (awslogs or ".dkr.ecr." in image):
        what = "log driver awslogs" if awslogs else "ECR images"
        raise _client(
            f"Fargate requires task definition to have execution role ARN to support {what}."
        )
    if fargate and not 2 <= container.get("stopTimeout", 30) <= 120:
        raise _client(f"Invalid stopTimeout for container '{name}': it must be between 2 and 120.")


def check_run(request: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Refuse a request of RunTask as ECS does."""
    if not _TOKEN.fullmatch(request.get("clientToken", "-")):
        raise _invalid("clientToken must have 1 to 64 characters in the range of 33-126.")
    if not _STARTED_BY.fullmatch(request.get("startedBy", "-")):
        raise _invalid("startedBy contains invalid characters or is longer than 128.")
    if not 1 <= request.get("count", 1) <= 10:
        raise _invalid("Count must be between 1 and 10.")
    fargate = is_fargate(request)
    _check_overrides(request.get("overrides", {}), definition, fargate=fargate)
    _check_placement(request, fargate=fargate)
    _check_network(request, definition, fargate=fargate)
    _check_tags(request.get("tags", ()))
    if request.get("enableExecuteCommand") and not (
        definition.get("taskRoleArn") or request.get("overrides", {}).get("taskRoleArn")
    ):
        raise _invalid(
            "The service couldn't be created because a valid taskRoleArn is not being used."
        )
    if fargate:
        if "FARGATE" not in definition["compatibilities"]:
            raise _invalid("Task definition does not support launch_type FARGATE.")
        cpu, memory = size_of(request.get("overrides", {}), definition)
        _check_fargate_size(cpu or 0, memory or 0)


def _check_overrides(
    overrides: Mapping[str, Any], definition: Mapping[str, Any], *, fargate: bool
) -> None:
    if len(json.dumps(overrides)) > LONGEST_OVERRIDES:
        raise _invalid("Container Overrides length must be at most 8192")
    names = {container["name"] for container in definition["containerDefinitions"]}
    for override in overrides.get("containerOverrides", ()):
        name = override.get("name")
        if name not in names:
            raise _invalid(
                f"Override for container named {name} is not a container in the TaskDefinition."
            )
        kinds = {need.get("type") for need in override.get("resourceRequirements", ())}
        if fargate and "GPU" in kinds:
            raise _invalid("GPU is not supported with FARGATE launch type.")


def _check_placement(request: Mapping[str, Any], *, fargate: bool) -> None:
    if request.get("launchType") and request.get("capacityProviderStrategy"):
        raise _invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    if request.get("platformVersion") and not fargate:
        raise _invalid("The platform version must be null when specifying an EC2 launch type.")
    if fargate and (request.get("placementConstraints") or request.get("placementStrategy")):
        raise _invalid("Placement constraints are not supported with FARGATE launch type.")


def _check_network(
    request: Mapping[str, Any], definition: Mapping[str, Any], *, fargate: bool
) -> None:
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if definition.get("networkMode") != "awsvpc":
        if network:
            raise _invalid(
                "Network Configuration is not valid for the given networkMode of this task "
                "definition."
            )
        return
    if not network or not network.get("subnets"):
        raise _invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    subnets, groups = network["subnets"], network.get("securityGroups", ())
    if len(subnets) > 16 or len(groups) > 5:
        raise _invalid("subnets can have at most 16 items, securityGroups at most 5.")
    for name in subnets:
        if not _SUBNET.fullmatch(name):
            raise _invalid(
                f"Error retrieving subnet information for [{name}]: The subnet ID '{name}' does "
                "not exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
    for name in groups:
        if not _GROUP.fullmatch(name):
            raise _invalid(
                f"Error retrieving security group information for [{name}]: The security group "
                f"'{name}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
    if network.get("assignPublicIp") == "ENABLED" and not fargate:
        raise _invalid("Assign public IP is not supported for this launch type.")


def _check_tags(tags: Any) -> None:
    if len(tags) > 50 or len({tag.get("key") for tag in tags}) < len(tags):
        raise _invalid("There are more than 50 tags, or two with the same key.")
    for tag in tags:
        key, value = tag.get("key", ""), tag.get("value", "")
        if not 1 <= len(key) <= 128 or len(value) > 256 or not _TAG.fullmatch(key + value):
            raise _invalid(f"The tag '{key}' is too long or has characters that are not allowed.")
        if key.lower().startswith("aws:"):
            raise _invalid("Tag keys that begin with 'aws:' are reserved.")


def _check_fargate_size(cpu: int, memory_mib: int) -> None:
    if memory_mib not in _fargate_memories(cpu):
        raise _client("No Fargate configuration exists for given values.")


def _fargate_memories(cpu: int) -> set[int]:
    """MiB, after the table at `memory` in the API's page on RegisterTaskDefinition."""
    table = {
        256: [0.5, 1, 2],
        512: range(1, 5),
        1024: range(2, 9),
        2048: range(4, 17),
        4096: range(8, 31),
        8192: range(16, 61, 4),
        16384: range(32, 121, 8),
    }
    return {int(gib * 1024) for gib in table.get(cpu, ())}
