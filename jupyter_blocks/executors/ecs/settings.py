"""What a project's `ecs_config`, and a block's `executor_config` over it, say about ECS tasks.

Mage's keys mean what they mean there, but for these: a task definition of one's own keeps its CPU
and memory unless others are given, and nothing gives up on a block but the block's own timeout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.executors.outgoing import COMMON_SETTINGS
from jupyter_blocks.executors.settingsreader import SettingsReader

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
        reading = SettingsReader("ecs", section)
        reading.refuse_unknown({*SETTINGS, *COMMON_SETTINGS})
        settings = cls._read(reading)
        reading.check()
        return settings

    @classmethod
    def _read(cls, reading: SettingsReader) -> EcsSettings:
        strategy = reading.mappings("capacity_provider_strategy")
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
            assign_public_ip=reading.flag("assign_public_ip"),
            network_configuration=reading.mapping("network_configuration"),
            cpu=_units(reading, "cpu"),
            memory_mib=_units(reading, "memory"),
            gpu=reading.whole("gpu") or 0,
            ephemeral_storage_gib=reading.whole("ephemeral_storage_gib"),
            enable_execute_command=bool(reading.flag("enable_execute_command")),
            execution_role_arn=reading.text("execution_role_arn"),
            task_role_arn=reading.text("task_role_arn"),
            propagate_tags=reading.text("propagate_tags"),
            group=reading.text("group"),
            placement_constraints=reading.mappings("placement_constraints"),
            placement_strategy=reading.mappings("placement_strategy"),
            tags=reading.pairs("tags"),
            container_secrets=reading.pairs("container_secrets"),
            log_configuration=reading.mapping("log_configuration"),
            runtime_platform=reading.mapping("runtime_platform"),
            stop_timeout_s=reading.whole("stop_timeout_s"),
            wait_timeout=reading.get("wait_timeout"),
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


def _units(reading: SettingsReader, key: str) -> int | None:
    """CPU units or MiB, also as task definitions may have them: `1 vCPU`, `2 GB`."""
    text = str(reading.get(key)).lower().replace(" ", "")
    for suffix in ("vcpu", "gb"):
        if text.endswith(suffix):
            try:
                return math.ceil(float(text.removesuffix(suffix)) * 1024)
            except ValueError:
                break
    return reading.whole(key)
