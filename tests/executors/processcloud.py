"""The smallest backend there is, for the tests of what all backends share: jobs are containers of
this process, and its API fails on demand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.errors import Problem
from jupyter_blocks.executors.base import BlockTask, JobHandle, Phase, Reason
from jupyter_blocks.executors.jobs import (
    ApiFailure,
    FailureKind,
    Finding,
    FoundJob,
    JobState,
    WorkerCommand,
)
from jupyter_blocks.testing.containers import Container
from jupyter_blocks.testing.remote_contract import Cloud


class ApiTroubleError(Exception):
    def __init__(self, status: int, text: str = "trouble") -> None:
        super().__init__(f"{status} {text}")
        self.status = status


@dataclass
class ProcessCloud(Cloud):
    """Its API are its methods."""

    failures: list[tuple[str, int, bool]] = field(default_factory=list)
    running: dict[str, Container] = field(default_factory=dict)
    created: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def settings(self) -> dict[str, Any]:
        return {}

    def fail(self, calls: int, status: int, *, when: str = "any", done: bool = False) -> None:
        self.failures += [(when, status, done)] * calls

    def lose(self, attempt_id: str) -> None:
        self.lost.add(attempt_id)
        self.running[attempt_id].kill()

    def jobs(self) -> int:
        return len(self.created)

    def trouble(self, call: str) -> tuple[int, bool] | None:
        for failure in self.failures:
            if failure[0] in (call, "any"):
                self.failures.remove(failure)
                return failure[1:]
        return None


class ProcessBackend:
    name = "process"
    poll_interval_s = 0.05
    calls_per_s = 200.0
    settle_s = 5.0

    def __init__(self, cloud: ProcessCloud) -> None:
        self.cloud = cloud

    def request(self, task: BlockTask, command: WorkerCommand) -> dict[str, Any]:
        return {
            "image": task.executor_config["image"],
            "command": list(command.words),
            "environment": dict(command.environment),
            "memory_mib": task.resources.get("memory_mib"),
        }

    def check(self, task: BlockTask, request: Mapping[str, Any]) -> list[Problem]:
        return []

    def create(self, request: Mapping[str, Any], attempt_id: str) -> dict[str, Any]:
        trouble = self.cloud.trouble("create")
        if trouble and not trouble[1]:
            raise ApiTroubleError(trouble[0])
        if attempt_id not in self.cloud.created:
            self.cloud.requests.append(repr(request))
            self._start(request, attempt_id)
        if trouble:
            raise ApiTroubleError(trouble[0])
        return {"id": attempt_id}

    def _start(self, request: Mapping[str, Any], attempt_id: str) -> None:
        try:
            self.cloud.running[attempt_id] = self.cloud.host.run(
                request["image"],
                request["command"],
                request["environment"],
                memory_mib=request["memory_mib"],
            )
        except KeyError:
            raise ApiTroubleError(400, f"no image {request['image']}") from None
        self.cloud.created[attempt_id] = request

    def find(self, attempt_ids: Sequence[str]) -> dict[str, FoundJob]:
        return {
            name: FoundJob({"id": name}, self.cloud.created[name]["environment"])
            for name in attempt_ids
            if name in self.cloud.running
        }

    def states(self, handles: Sequence[JobHandle]) -> dict[str, JobState]:
        trouble = self.cloud.trouble("list")
        if trouble:
            raise ApiTroubleError(trouble[0])
        names = [handle.attempt_id for handle in handles]
        return {name: self._state(name) for name in names if name in self.cloud.running}

    def _state(self, name: str) -> JobState:
        container = self.cloud.running[name]
        node = f"pid {container.pid}"
        if container.is_running:
            return JobState(Phase.RUNNING, node=node)
        if name in self.cloud.lost:
            return JobState(Phase.LOST, Reason.INFRASTRUCTURE, "its machine is gone", node=node)
        if container.out_of_memory:
            limit = self.cloud.created[name]["memory_mib"]
            detail = f"used more than its {limit} MiB of memory"
            return JobState(Phase.FAILED, Reason.OUT_OF_MEMORY, detail, node=node)
        phase = Phase.FAILED if container.exit_code else Phase.SUCCEEDED
        return JobState(phase, exit_code=container.exit_code, node=node)

    def stop(self, job: Mapping[str, Any], grace_s: float) -> None:
        if job["id"] in self.cloud.running:
            self.cloud.running[job["id"]].stop(grace_s)

    def delete(self, job: Mapping[str, Any]) -> None:
        container = self.cloud.running.get(job["id"])
        if container is not None:
            container.kill()

    def tail(self, job: Mapping[str, Any]) -> list[str]:
        return self.cloud.running[job["id"]].output().splitlines()

    def failure(self, error: Exception) -> ApiFailure:
        status = getattr(error, "status", 0)
        kinds = {
            429: FailureKind.THROTTLED,
            400: FailureKind.INVALID,
            507: FailureKind.NO_CAPACITY,
        }
        return ApiFailure(kinds.get(status, FailureKind.UNAVAILABLE), str(error), 0.01)

    def renew(self) -> None:
        pass

    def diagnose(self) -> list[Finding]:
        return []
