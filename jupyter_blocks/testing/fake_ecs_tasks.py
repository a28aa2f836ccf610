"""Tasks of the fake of ECS: they run what was asked for, as processes, and tell their state as ECS.

One container of a task is real: the one whose command the request gives. Others only count.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.testing.containers import Container, ContainerHost
from jupyter_blocks.testing.fake_ecs_rules import is_fargate, size_of

__all__ = ["FakeTask"]

STOP_TIMEOUT_S = 30


@dataclass
class FakeTask:
    """One task, from RunTask until long after its end."""

    arn: str
    cluster_arn: str
    request: Mapping[str, Any]
    """Of RunTask."""
    definition: Mapping[str, Any]
    region: str = "us-east-1"
    created_at: float = field(default_factory=time.time)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    stop_code: str = ""
    stopped_reason: str = ""
    stopped_at: float | None = None
    started_at: float | None = None
    reason: str = ""
    """Of its container."""
    exit_code: int | None = None
    has_ended: bool = False
    """Whether its container has."""
    container: Container | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    # its life

    def live(self, host: ContainerHost, secrets: Mapping[str, str], start_s: float) -> None:
        """Begin; the rest happens in threads."""
        threading.Thread(target=self._start, args=(host, secrets, start_s), daemon=True).start()

    def stop(self, reason: str) -> None:
        """Stop it as a user does: SIGTERM, and SIGKILL after the container's stopTimeout."""
        self._end("UserInitiated", reason)
        with self.lock:
            if self.container is None:
                self._settle()
            else:
                self.container.stop(float(self._own().get("stopTimeout", STOP_TIMEOUT_S)))

    def interrupt(self, stop_code: str, reason: str) -> None:
        """Take its machine away: nobody learns an exit code."""
        self._end(stop_code, reason)
        if self.container is not None:
            self.container.kill()

    def _start(self, host: ContainerHost, secrets: Mapping[str, str], start_s: float) -> None:
        time.sleep(start_s)
        with self.lock:
            if self.desired_status == "STOPPED":
                return
            self.last_status = "PENDING"
            own = self._own()
            missing = [
                item["valueFrom"]
                for item in own.get("secrets", ())
                if item["valueFrom"] not in secrets
            ]
            if missing:
                self._fail_to_start(_no_secret(missing[0]))
            elif own["image"] not in host.images:
                self._fail_to_start(_no_image(own["image"]), in_container=True)
            else:
                self._run(host, secrets)

    def _run(self, host: ContainerHost, secrets: Mapping[str, str]) -> None:
        own = self._own()
        words = [*own.get("entryPoint", ()), *self._override().get("command", ())]
        path = ":".join(host.images[own["image"]].path)
        if not words or not shutil.which(words[0], path=path):
            self._fail_to_start(_no_program(words), in_container=True)
            return
        self.container = host.run(
            own["image"],
            words,
            self._environment(secrets),
            memory_mib=self.memory_mib(),
            ended=self._container_ended,
        )
        self.last_status, self.started_at = "RUNNING", time.time()

    def _container_ended(self, container: Container) -> None:
        with self.lock:
            self.has_ended = True
            lost = self.stop_code in ("SpotInterruption", "TerminationNotice")
            self.exit_code = None if lost else container.exit_code
            if container.out_of_memory:
                self.reason = "OutOfMemoryError: Container killed due to memory usage"
            if not self._own().get("essential", True) and self.desired_status == "RUNNING":
                return
            self._end("EssentialContainerExited", "Essential container in task exited")
            self._settle()

    def _fail_to_start(self, reason: str, *, in_container: bool = False) -> None:
        self.reason = reason if in_container else ""
        self._end("TaskFailedToStart", reason)
        self._settle()

    def _end(self, stop_code: str, reason: str) -> None:
        """The first cause is the one that is told."""
        with self.lock:
            self.desired_status = "STOPPED"
            if not self.stop_code:
                self.stop_code, self.stopped_reason = stop_code, reason

    def _settle(self) -> None:
        self.last_status, self.stopped_at, self.has_ended = "STOPPED", time.time(), True

    # what it is made of

    def memory_mib(self) -> float | None:
        """Its limit, of the container or of the task."""
        own = self._own().get("memory")
        _, task = size_of(self.request.get("overrides", {}), self.definition)
        return own or task

    def _override(self) -> Mapping[str, Any]:
        found = self.request.get("overrides", {}).get("containerOverrides", ())
        return found[0] if found else {}

    def _own(self) -> Mapping[str, Any]:
        containers: list[Mapping[str, Any]] = self.definition["containerDefinitions"]
        name = self._override().get("name")
        return next((found for found in containers if found["name"] == name), containers[0])

    def _environment(self, secrets: Mapping[str, str]) -> dict[str, str]:
        own, task_id = self._own(), self.arn.rpartition("/")[2]
        pairs = [*own.get("environment", ()), *self._override().get("environment", ())]
        kind = "FARGATE" if is_fargate(self.request) else "EC2"
        return {
            "AWS_EXECUTION_ENV": f"AWS_ECS_{kind}",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "ECS_CONTAINER_METADATA_URI_V4": f"http://169.254.170.2/v4/{task_id}",
            **{item["name"]: secrets[item["valueFrom"]] for item in own.get("secrets", ())},
            **{pair["name"]: pair["value"] for pair in pairs},
        }

    # what ECS says of it

    def describe(self) -> dict[str, Any]:
        """As DescribeTasks has it."""
        with self.lock:
            return {key: value for key, value in self._facts().items() if value is not None}

    def _facts(self) -> dict[str, Any]:
        cpu, memory = size_of(self.request.get("overrides", {}), self.definition)
        return {
            "taskArn": self.arn,
            "clusterArn": self.cluster_arn,
            "taskDefinitionArn": self.definition["taskDefinitionArn"],
            "startedBy": self.request.get("startedBy"),
            "launchType": "FARGATE" if is_fargate(self.request) else "EC2",
            "group": self.request.get("group", f"family:{self.definition['family']}"),
            "overrides": self.request.get("overrides", {}),
            "cpu": None if cpu is None else str(cpu),
            "memory": None if memory is None else str(memory),
            "lastStatus": self.last_status,
            "desiredStatus": self.desired_status,
            "connectivity": "CONNECTED",
            "createdAt": self.created_at,
            "startedAt": self.started_at,
            "stoppedAt": self.stopped_at,
            "stopCode": self.stop_code or None,
            "stoppedReason": self.stopped_reason or None,
            "containers": [
                self._describe(found) for found in self.definition["containerDefinitions"]
            ],
        }

    def _describe(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        own = definition is self._own()
        ended = self.has_ended if own else self.last_status == "STOPPED"
        facts = {
            "containerArn": f"{self.arn.replace(':task/', ':container/')}/{definition['name']}",
            "taskArn": self.arn,
            "name": definition["name"],
            "image": definition["image"],
            "lastStatus": "STOPPED" if ended else self.last_status,
            "exitCode": self.exit_code if own else None,
            "reason": self.reason or None if own else None,
            "cpu": str(definition.get("cpu", 0)),
            "memory": str(definition["memory"]) if definition.get("memory") else None,
        }
        return {key: value for key, value in facts.items() if value is not None}


def _no_image(image: str) -> str:
    return (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
        f"resolve ref {image}: {image}: not found"
    )


def _no_secret(name: str) -> str:
    return (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
        f"time(s): failed to fetch secret {name} from secrets manager: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret."
    )


def _no_program(words: list[str]) -> str:
    name = words[0] if words else ""
    return (
        "CannotStartContainerError: failed to create shim task: OCI runtime create failed: runc "
        f'create failed: exec: "{name}": executable file not found in $PATH: unknown'
    )
