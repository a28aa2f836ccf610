"""What a project's `ecs_config`, and a block's `executor_config` over it, say about ECS tasks.

Mage's keys mean what they mean there, but for these: a task definition of one's own keeps its CPU
and memory unless others are given, and nothing gives up on a block but the block's own timeout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.outgoing import COMMON_SETTINGS
from jupyter_blocks.settings import did_you_mean

__all__ = ["FARGATE_SIZES", "OF_THE_PROJECT", "SETTINGS", "EcsSettings", "fitting_size"]

OF_THE_PROJECT = ("cluster", "endpoint_url", "profile", "region")
"""Settings that say where tasks are looked for: the same for all blocks of a project."""
SETTINGS = (
    *OF_THE_PROJECT,
    "assign_public_ip",
    "capacity_provider_strategy",
    "container_name",
    "container_secrets",
    "cpu",
    "enable_execute_command",
    "ephemeral_storage_gib",
    "execution_role_arn",
    "gpu",
    "group",
    "image",
    "launch_type",
    "log_configuration",
    "memory",
    "network_configuration",
    "placement_constraints",
    "placement_strategy",
    "platform_version",
    "propagate_tags",
    "runtime_platform",
    "security_groups",
    "stop_timeout_s",
    "subnets",
    "tags",
    "task_definition",
    "task_role_arn",
    "wait_timeout",
)
OF_A_DEFINITION = (
    "container_secrets",
    "image",
    "log_configuration",
    "runtime_platform",
    "stop_timeout_s",
)
"""Settings of the task definition that is made where none is given."""

CPU_UNITS = 512
MEMORY_MIB = 1024
"""Mage's size of a task."""

_GIB = 1024
FARGATE_SIZES: Mapping[int, Sequence[int]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: range(1 * _GIB, 4 * _GIB + 1, _GIB),
    1024: range(2 * _GIB, 8 * _GIB + 1, _GIB),
    2048: range(4 * _GIB, 16 * _GIB + 1, _GIB),
    4096: range(8 * _GIB, 30 * _GIB + 1, _GIB),
    8192: range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB),
    16384: range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB),
}
"""CPU units -> MiB of memory that Fargate has with them.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
"""


@dataclass(frozen=True)
class EcsSettings:
    """The settings of one block, read and typed."""

    cluster: str = "default"
    region: str | None = None
    """None: what the AWS profile or the environment says."""
    profile: str | None = None
    endpoint_url: str | None = None
    task_definition: str = ""
    """Family, `family:revision` or ARN; empty: one is made for `image`."""
    container_name: str = ""
    image: str = ""
    launch_type: str = "FARGATE"
    """Empty with a strategy of capacity providers."""
    capacity_provider_strategy: tuple[Mapping[str, Any], ...] = ()
    platform_version: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool | None = None
    """None: yes on Fargate, and left out elsewhere."""
    network_configuration: Mapping[str, Any] | None = None
    cpu: int | None = None
    """CPU units of the task, 1024 for one CPU."""
    memory_mib: int | None = None
    gpu: int = 0
    ephemeral_storage_gib: int | None = None
    enable_execute_command: bool = False
    execution_role_arn: str = ""
    task_role_arn: str = ""
    propagate_tags: str = ""
    group: str = ""
    placement_constraints: tuple[Mapping[str, Any], ...] = ()
    placement_strategy: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    container_secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment variable -> `valueFrom`: an ARN in Secrets Manager or the Parameter Store."""
    log_configuration: Mapping[str, Any] | None = None
    runtime_platform: Mapping[str, Any] | None = None
    stop_timeout_s: int | None = None
    wait_timeout: Any = None

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> EcsSettings:
        """Read a section; `ExecutorError` names a key or a value that makes no sense."""
        _refuse_unknown(section)
        given = {key: value for key, value in section.items() if value is not None}
        reading = _Reading(given)
        strategy = reading.objects("capacity_provider_strategy")
        return cls(
            cluster=reading.text("cluster") or "default",
            region=reading.text("region") or None,
            profile=reading.text("profile") or None,
            endpoint_url=reading.text("endpoint_url") or None,
            task_definition=reading.text("task_definition"),
            container_name=reading.text("container_name"),
            image=reading.text("image"),
            launch_type=reading.text("launch_type") or ("" if strategy else "FARGATE"),
            capacity_provider_strategy=strategy,
            platform_version=reading.text("platform_version"),
            subnets=reading.texts("subnets"),
            security_groups=reading.texts("security_groups"),
            assign_public_ip=reading.choice("assign_public_ip"),
            network_configuration=reading.mapping("network_configuration"),
            cpu=reading.units("cpu"),
            memory_mib=reading.units("memory"),
            gpu=reading.whole("gpu") or 0,
            ephemeral_storage_gib=reading.whole("ephemeral_storage_gib"),
            enable_execute_command=bool(reading.choice("enable_execute_command")),
            execution_role_arn=reading.text("execution_role_arn"),
            task_role_arn=reading.text("task_role_arn"),
            propagate_tags=reading.text("propagate_tags"),
            group=reading.text("group"),
            placement_constraints=reading.objects("placement_constraints"),
            placement_strategy=reading.objects("placement_strategy"),
            tags=reading.pairs("tags"),
            container_secrets=reading.pairs("container_secrets"),
            log_configuration=reading.mapping("log_configuration"),
            runtime_platform=reading.mapping("runtime_platform"),
            stop_timeout_s=reading.whole("stop_timeout_s"),
            wait_timeout=given.get("wait_timeout"),
        )

    @property
    def is_fargate(self) -> bool:
        """Whether its tasks run on Fargate rather than on machines of the user's own."""
        if self.capacity_provider_strategy:
            providers = [
                str(item.get("capacityProvider", "")) for item in self.capacity_provider_strategy
            ]
            return all(name in ("FARGATE", "FARGATE_SPOT") for name in providers)
        return self.launch_type == "FARGATE"

    @property
    def container(self) -> str:
        """Name of the container that runs the worker."""
        return self.container_name or "blocks"


def fitting_size(cpu: int, memory_mib: int, *, is_fargate: bool) -> tuple[int, int]:
    """The smallest size of a task with at least so much; as asked for where all sizes are there.

    Where Fargate has none that is large enough, what was asked for comes back.
    """
    if not is_fargate:
        return cpu, memory_mib
    for units, memories in FARGATE_SIZES.items():
        enough = [memory for memory in memories if memory >= memory_mib]
        if units >= cpu and enough:
            return units, min(enough)
    return cpu, memory_mib


def _refuse_unknown(section: Mapping[str, Any]) -> None:
    known = sorted({*SETTINGS, *COMMON_SETTINGS})
    for key in section:
        if key not in known:
            raise ExecutorError(
                f"Executor 'ecs' has no setting '{key}'.",
                hint=did_you_mean(str(key), known) or f"It has: {', '.join(known)}.",
            )


@dataclass(frozen=True)
class _Reading:
    """Reads single values, each of its type."""

    given: Mapping[str, Any]

    def text(self, key: str) -> str:
        value = self.given.get(key, "")
        if isinstance(value, Mapping | list | bool):
            raise _wrong(key, "a text")
        return str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.given.get(key) or ()
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        if not isinstance(value, list | tuple):
            raise _wrong(key, "a list of texts")
        return tuple(str(item) for item in value)

    def choice(self, key: str) -> bool | None:
        value = self.given.get(key)
        if value is None or isinstance(value, bool):
            return value
        # As AWS writes it, and as Jinja leaves it.
        words = {"enabled": True, "true": True, "disabled": False, "false": False}
        if str(value).lower() not in words:
            raise _wrong(key, "true or false")
        return words[str(value).lower()]

    def whole(self, key: str) -> int | None:
        value = self.given.get(key)
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise _wrong(key, "a whole number") from None
        if isinstance(value, bool) or not number.is_integer() or number < 0:
            raise _wrong(key, "a whole number")
        return int(number)

    def units(self, key: str) -> int | None:
        """CPU units or MiB, also as task definitions may have them: `1 vCPU`, `2 GB`."""
        value = self.given.get(key)
        text = str(value).lower().replace(" ", "")
        for suffix in ("vcpu", "gb"):
            if value is not None and text.endswith(suffix):
                try:
                    return math.ceil(float(text.removesuffix(suffix)) * 1024)
                except ValueError:
                    raise _wrong(key, "a whole number") from None
        return self.whole(key)

    def mapping(self, key: str) -> Mapping[str, Any] | None:
        value = self.given.get(key)
        if value is not None and not isinstance(value, Mapping):
            raise _wrong(key, "a mapping")
        return value

    def objects(self, key: str) -> tuple[Mapping[str, Any], ...]:
        value = self.given.get(key) or ()
        if not isinstance(value, list | tuple) or not all(
            isinstance(item, Mapping) for item in value
        ):
            raise _wrong(key, "a list of mappings, as the API has them")
        return tuple(value)

    def pairs(self, key: str) -> dict[str, str]:
        """A mapping, or the list of keys and values that Mage has for tags."""
        value = self.given.get(key) or {}
        if isinstance(value, list) and all(
            isinstance(item, Mapping) and {*item} == {"key", "value"} for item in value
        ):
            value = {item["key"]: item["value"] for item in value}
        if not isinstance(value, Mapping):
            raise _wrong(key, "a mapping of names to texts")
        return {str(name): str(text) for name, text in value.items()}


def _wrong(key: str, wanted: str) -> ExecutorError:
    return ExecutorError(f"The setting '{key}' of executor 'ecs' is not {wanted}.")
