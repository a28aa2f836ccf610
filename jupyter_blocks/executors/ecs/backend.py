"""Blocks as tasks of AWS ECS, on Fargate or on machines of the cluster.

`RunTask` takes the attempt's id as its `clientToken`, so that asking twice starts one task, and as
`startedBy`, so that any process finds it. ECS shows what was done with a delay, and forgets tasks
an hour after their end; what a block has left in the store outlives both.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_blocks.errors import Problem
from jupyter_blocks.executors.apicalls import ApiError
from jupyter_blocks.executors.base import BlockTask, ExecutorContext, JobHandle
from jupyter_blocks.executors.ecs.check import ecs_problems
from jupyter_blocks.executors.ecs.clients import AwsClients, open_client
from jupyter_blocks.executors.ecs.diagnosis import diagnose
from jupyter_blocks.executors.ecs.failure import aws_failure, error_code, placement_failure
from jupyter_blocks.executors.ecs.request import ecs_request
from jupyter_blocks.executors.ecs.settings import EcsSettings
from jupyter_blocks.executors.ecs.state import (
    STOP_REASON,
    job_state,
    own_container,
    task_environment,
)
from jupyter_blocks.executors.jobs import (
    ApiFailure,
    FailureKind,
    Finding,
    FoundJob,
    JobState,
    WorkerCommand,
)
from jupyter_blocks.executors.remote import RemoteExecutor

__all__ = ["EcsBackend", "open_ecs"]

BATCH = 100
"""Tasks that one call of DescribeTasks takes."""
FEW = 20
"""Up to so many attempts are looked for one by one, and more in a list of the whole cluster."""
TAIL_LINES = 20


def open_ecs(context: ExecutorContext) -> RemoteExecutor:
    """The executor `ecs` for a project's section `ecs_config`."""
    clients = AwsClients(EcsSettings.read(context.settings), open_client)
    return RemoteExecutor(EcsBackend(context.settings, clients), context)


class EcsBackend:
    """ECS as `jobs.Backend` wants it. A job is `{"cluster": ..., "task": ARN}`."""

    name = "ecs"
    poll_interval_s = 2.0
    calls_per_s = 10.0
    settle_s = 60.0

    def __init__(self, section: Mapping[str, Any], clients: AwsClients) -> None:
        self._section = section
        self._settings = EcsSettings.read(section)
        self._clients = clients
        self._lock = threading.Lock()
        self._families: set[str] = set()
        """Families that are known to be registered."""
        self._fresh: dict[str, tuple[float, FoundJob]] = {}
        """Tasks that ECS may not show yet, with the time they were started at."""
        self._lingering: set[str] = set()
        """Tasks whose block has ended, and which something else keeps alive."""

    # pure

    def request(self, task: BlockTask, command: WorkerCommand) -> dict[str, Any]:
        """A task definition to register, if the user gave none, and the request of RunTask."""
        return ecs_request(task, command, EcsSettings.read(task.executor_config))

    def check(self, task: BlockTask, request: Mapping[str, Any]) -> list[Problem]:
        """What AWS would refuse, and settings that contradict each other."""
        settings = EcsSettings.read({**self._section, **task.executor_config})
        return ecs_problems(task, request, settings, self._settings)

    # jobs

    def create(self, request: Mapping[str, Any], attempt_id: str) -> dict[str, Any]:
        """Start the task; the token makes a second call answer with the same one."""
        definition, run_task = request["definition"], request["run_task"]
        if definition is not None:
            self._register(definition)
        try:
            answer = self._clients("ecs").run_task(**run_task)
        except Exception as error:
            arn = self._conflicting(error, definition)
            if arn is None:
                raise
        else:
            if not answer.get("tasks"):
                raise ApiError(placement_failure(answer.get("failures", [])))
            arn = str(answer["tasks"][0]["taskArn"])
        job = {"cluster": run_task["cluster"], "task": arn}
        self._remember(attempt_id, FoundJob(job, task_environment(run_task)))
        return job

    def find(self, attempt_ids: Sequence[str]) -> dict[str, FoundJob]:
        """The tasks of these attempts, running or stopped, as long as ECS remembers them."""
        cluster = self._settings.cluster
        wanted = set(attempt_ids)
        found = {name: job for name, job in self._remembered().items() if name in wanted}
        for task in self._described(cluster, self._listed(cluster, attempt_ids)):
            attempt = str(task.get("startedBy", ""))
            environment = task_environment(task)
            if attempt in wanted and environment:
                job = {"cluster": cluster, "task": task["taskArn"]}
                found[attempt] = FoundJob(job, environment)
        return found

    def states(self, handles: Sequence[JobHandle]) -> dict[str, JobState]:
        """Asks for up to a hundred tasks at once; those that ECS does not know are left out."""
        clusters: dict[str, dict[str, str]] = {}
        for handle in handles:
            job = handle.data["job"]
            clusters.setdefault(job["cluster"], {})[handle.attempt_id] = job["task"]
        found: dict[str, JobState] = {}
        for cluster, arns in clusters.items():
            tasks = {
                task["taskArn"]: task for task in self._described(cluster, sorted({*arns.values()}))
            }
            for attempt, arn in arns.items():
                if arn in tasks:
                    found[attempt] = self._state(tasks[arn])
        return found

    def stop(self, job: Mapping[str, Any], grace_s: float) -> None:  # noqa: ARG002
        """Stop the task. The grace is the container's `stopTimeout`: StopTask takes none."""
        self._stop(job)

    def delete(self, job: Mapping[str, Any]) -> None:
        """Stop what something beside the block keeps alive; ECS forgets the rest by itself."""
        with self._lock:
            lingers = job["task"] in self._lingering
            self._lingering.discard(job["task"])
        if lingers:
            self._stop(job)

    def tail(self, job: Mapping[str, Any]) -> list[str]:
        """The last lines in CloudWatch, where the task definition sends them there."""
        for task in self._described(job["cluster"], [job["task"]]):
            return self._log_lines(task)
        return []

    # the platform

    def failure(self, error: Exception) -> ApiFailure:
        """What an error of boto3 means."""
        return aws_failure(error)

    def renew(self) -> None:
        """Read the credentials anew."""
        self._clients.renew()

    def diagnose(self) -> list[Finding]:
        """Credentials, cluster, task definition, network, permissions."""
        return diagnose(self._clients, self._settings)

    # inside

    def _state(self, task: Mapping[str, Any]) -> JobState:
        state = job_state(task)
        if state.phase.is_final and task.get("desiredStatus") == "RUNNING":
            with self._lock:
                self._lingering.add(task["taskArn"])
        return state

    def _register(self, definition: Mapping[str, Any]) -> None:
        """Register a task definition unless its family is there: same name, same content."""
        family = definition["family"]
        with self._lock:
            if family in self._families:
                return
            ecs = self._clients("ecs")
            try:
                ecs.describe_task_definition(taskDefinition=family)
            except Exception as error:
                if error_code(error) != "ClientException":
                    raise
                ecs.register_task_definition(**definition)
            self._families.add(family)

    def _conflicting(self, error: Exception, definition: Mapping[str, Any] | None) -> str | None:
        """The task that has the token already, though it was asked for in other words."""
        code = error_code(error)
        if code == "ConflictException":
            # Its worker has claimed the attempt, or will: what it does is decided by the store.
            arns = getattr(error, "response", {}).get("resourceIds") or []
            return str(arns[0]) if arns else None
        if (
            definition is not None
            and code == "ClientException"
            and "definition" in str(error).lower()
        ):
            # Not visible yet, or somebody has deregistered it: look again at the next try.
            self._families.discard(definition["family"])
            raise ApiError(
                ApiFailure(FailureKind.UNAVAILABLE, aws_failure(error).detail)
            ) from error
        return None

    def _listed(self, cluster: str, attempt_ids: Sequence[str]) -> list[str]:
        """ARNs of tasks that may belong to these attempts."""
        filters: list[dict[str, str]] = [{"startedBy": name} for name in attempt_ids]
        if len(attempt_ids) > FEW:
            filters = [{}]
        found: dict[str, None] = {}
        pages = self._clients("ecs").get_paginator("list_tasks")
        for condition in filters:
            for status in ("RUNNING", "STOPPED"):
                for page in pages.paginate(cluster=cluster, desiredStatus=status, **condition):
                    found.update(dict.fromkeys(page["taskArns"]))
        return list(found)

    def _described(self, cluster: str, arns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        for start in range(0, len(arns), BATCH):
            batch = list(arns[start : start + BATCH])
            answer = self._clients("ecs").describe_tasks(cluster=cluster, tasks=batch)
            yield from answer.get("tasks", ())

    def _stop(self, job: Mapping[str, Any]) -> None:
        try:
            self._clients("ecs").stop_task(
                cluster=job["cluster"], task=job["task"], reason=STOP_REASON
            )
        except Exception as error:
            if error_code(error) != "InvalidParameterException" or "not found" not in str(error):
                raise
            if any(found.job["task"] == job["task"] for found in self._remembered().values()):
                # Not visible yet, and to be stopped all the same.
                raise ApiError(
                    ApiFailure(FailureKind.UNAVAILABLE, aws_failure(error).detail)
                ) from error

    def _log_lines(self, task: Mapping[str, Any]) -> list[str]:
        definition = self._clients("ecs").describe_task_definition(
            taskDefinition=task["taskDefinitionArn"]
        )["taskDefinition"]
        name = own_container(task).get("name")
        for container in definition["containerDefinitions"]:
            logging = container.get("logConfiguration") or {}
            options = logging.get("options") or {}
            if container["name"] == name and logging.get("logDriver") == "awslogs":
                prefix = options.get("awslogs-stream-prefix")
                task_id = task["taskArn"].rpartition("/")[2]
                events = self._clients("logs").get_log_events(
                    logGroupName=options["awslogs-group"],
                    logStreamName=f"{prefix}/{name}/{task_id}",
                    limit=TAIL_LINES,
                    startFromHead=False,
                )["events"]
                return [str(event["message"]).rstrip("\n") for event in events]
        return []

    def _remember(self, attempt_id: str, job: FoundJob) -> None:
        with self._lock:
            self._fresh.pop(attempt_id, None)
            self._fresh[attempt_id] = time.monotonic(), job
        self._remembered()

    def _remembered(self) -> dict[str, FoundJob]:
        """Tasks of this process that ECS may not show yet; older ones are forgotten."""
        oldest = time.monotonic() - self.settle_s
        with self._lock:
            while self._fresh and next(iter(self._fresh.values()))[0] < oldest:
                del self._fresh[next(iter(self._fresh))]
            return {name: job for name, (_, job) in self._fresh.items()}
