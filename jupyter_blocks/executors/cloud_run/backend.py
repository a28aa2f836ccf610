"""Blocks as Jobs of Google Cloud Run: one job per attempt, made and started in one step.

The id of the job is that of the attempt, so that asking twice makes one job, and whoever knows the
attempt finds it. See docs/executors/cloud_run.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jupyter_blocks.errors import Problem
from jupyter_blocks.executors.apicalls import ApiError, Rate
from jupyter_blocks.executors.base import BlockTask, ExecutorContext, JobHandle
from jupyter_blocks.executors.cloud_run.checkup import checkup
from jupyter_blocks.executors.cloud_run.client import CloudRunClient, api_errors, parsed
from jupyter_blocks.executors.cloud_run.errors import api_failure
from jupyter_blocks.executors.cloud_run.request import (
    DIGEST_ANNOTATION,
    job_id,
    job_request,
    request_problems,
)
from jupyter_blocks.executors.cloud_run.settings import CONNECTION_KEYS, Connection, JobSettings
from jupyter_blocks.executors.cloud_run.state import (
    execution_of,
    exists,
    is_over,
    job_state,
    needs_details,
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
from jupyter_blocks.taskboot import ATTEMPT, DIGEST, TASK

__all__ = ["CloudRunBackend", "open_cloud_run"]

NAME = "gcp_cloud_run"
READS_PER_S = 40.0
WRITES_PER_S = 3.0
"""What a project may usually call in a region. https://cloud.google.com/run/quotas"""
_SINGLE = 8
"""Up to so many jobs are asked for one by one; more are looked for in the list of all jobs."""
_TAIL_LINES = 20


def open_cloud_run(context: ExecutorContext) -> RemoteExecutor:
    """The executor of a run; `ExecutorError` for settings that make no sense. Asks nobody yet."""
    JobSettings.of(context.settings)
    connection = Connection.of(context.settings)
    backend = CloudRunBackend(connection, lambda: CloudRunClient(connection), context.settings)
    return RemoteExecutor(backend, context)


class CloudRunBackend:
    """Jobs of one region of one project. Safe for use by threads."""

    name = NAME
    poll_interval_s = 2.0
    calls_per_s = READS_PER_S
    settle_s = 60.0

    def __init__(
        self,
        connection: Connection,
        open_client: Callable[[], CloudRunClient],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._connection = connection
        self._settings = settings or {}
        """The project's; tasks that are checked bring their own only."""
        self._open_client = open_client
        self._client: CloudRunClient | None = None
        self._lock = threading.Lock()
        self._reads = Rate(READS_PER_S)
        self._writes = Rate(WRITES_PER_S)

    def request(self, task: BlockTask, command: WorkerCommand) -> dict[str, Any]:
        """The arguments of `CreateJob`, as the API's JSON."""
        settings = JobSettings.of(task.executor_config)
        return job_request(self._connection, settings, task, command)

    def check(self, task: BlockTask, request: Mapping[str, Any]) -> list[Problem]:
        """What Cloud Run would refuse."""
        settings = {**self._settings, **task.executor_config}
        found = list(request_problems(request, JobSettings.of(settings)))
        found += self._elsewhere(settings)
        try:
            parsed("Job", request["job"])
        except ValueError as error:
            step = "Update it with `pip install -U google-cloud-run`."
            found.append((f"the installed google-cloud-run cannot say it: {error}", step))
        return [
            Problem(
                "executor-settings",
                f"Executor '{NAME}': {what}.",
                hint,
                pipeline=task.pipeline,
                block=task.block,
            )
            for what, hint in found
        ]

    def create(self, request: Mapping[str, Any], attempt_id: str) -> dict[str, Any]:  # noqa: ARG002
        """Make the job, which starts its execution; one that is there already is adopted."""
        name = f"{request['parent']}/jobs/{request['jobId']}"
        try:
            self._write(lambda client: client.create_job(request))
        except api_errors.Conflict:
            self._adopt(name, request)
        return {"name": name}

    def find(self, attempt_ids: Sequence[str]) -> dict[str, FoundJob]:
        """The jobs of these attempts, by their names."""
        names = {self._job_name(attempt_id): attempt_id for attempt_id in attempt_ids}
        return {
            names[name]: FoundJob({"name": name}, _environment(job))
            for name, job in self._jobs(list(names)).items()
        }

    def states(self, handles: Sequence[JobHandle]) -> dict[str, JobState]:
        """The states, with the reasons of those that ended badly."""
        names = {
            handle.data["job"]["name"]: handle.attempt_id
            for handle in handles
            if handle.data["job"]["name"].endswith(f"/{job_id(handle.attempt_id)}")
        }
        jobs = self._jobs(list(names))
        waiting_may_be_asked = len(names) <= _SINGLE
        return {names[name]: self._state(job, waiting_may_be_asked) for name, job in jobs.items()}

    def stop(self, job: Mapping[str, Any], grace_s: float) -> None:  # noqa: ARG002 - it is 10 s
        """Cancel the execution: SIGTERM, and SIGKILL after the 10 s that Cloud Run gives."""
        found = self._jobs([job["name"]]).get(job["name"])
        if found is None or is_over(found):
            return
        name = execution_of(found)
        if not name:
            self.delete(job)  # it has not begun, and shall not
            return
        try:
            self._write(lambda client: client.cancel_execution(name))
        except api_errors.NotFound:
            return
        except api_errors.BadRequest:
            if not self._has_ended(job["name"]):
                raise

    def delete(self, job: Mapping[str, Any]) -> None:
        """Delete the job and its execution."""
        try:
            self._write(lambda client: client.delete_job(job["name"]))
        except api_errors.NotFound:
            return
        except api_errors.BadRequest as error:
            # Google does not say whether a job that runs can be deleted.
            if self._has_ended(job["name"]):
                raise
            self.stop(job, 0.0)
            detail = f"{job['name']} is being cancelled, and then deleted."
            raise ApiError(ApiFailure(FailureKind.UNAVAILABLE, detail)) from error

    def tail(self, job: Mapping[str, Any]) -> list[str]:
        """The last lines in Cloud Logging; none where they may not be read."""
        try:
            return self._opened().log_lines(job["name"].rpartition("/")[2], _TAIL_LINES)
        except Exception:  # a log that cannot be read changes nothing
            return []

    def failure(self, error: Exception) -> ApiFailure:
        """See `errors`."""
        found = api_failure(error, self._connection)
        if found.kind is FailureKind.THROTTLED:
            self._writes.throttled(found.retry_after_s or 1.0)
        return found

    def renew(self) -> None:
        """Read the credentials anew at the next call."""
        with self._lock:
            self._client = None

    def diagnose(self) -> list[Finding]:
        """Credentials, project, region, permissions, and a job that is only validated."""
        return checkup(self._opened, self._connection, JobSettings.of(self._settings), self.failure)

    def _opened(self) -> CloudRunClient:
        with self._lock:
            if self._client is None:
                self._client = self._open_client()
            return self._client

    def _write(self, call: Callable[[CloudRunClient], None]) -> None:
        client = self._opened()
        self._writes.wait()
        call(client)
        self._writes.succeeded()

    def _read(self, call: Callable[[CloudRunClient], dict[str, Any]]) -> dict[str, Any]:
        """An answer; empty for something that does not exist."""
        client = self._opened()
        self._reads.wait()
        try:
            return call(client)
        except api_errors.NotFound:
            return {}

    def _job_name(self, attempt_id: str) -> str:
        return f"{self._connection.parent}/jobs/{job_id(attempt_id)}"

    def _jobs(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Those of these jobs that exist, by name.

        A region holds some thousand jobs at most, so that its list is short. It may lag behind:
        jobs that it lacks are asked for by name, which does not.
        """
        wanted = set(names)
        found: dict[str, dict[str, Any]] = {}
        if len(wanted) > _SINGLE:
            for page in self._pages():
                found.update({self._own_name(job): job for job in page})
                if wanted <= found.keys():
                    break
        for name in sorted(wanted - found.keys()):
            found[name] = self._read(lambda client, name=name: client.job(name))  # type: ignore[misc]
        return {name: found[name] for name in names if exists(found[name])}

    def _has_ended(self, name: str) -> bool:
        """Whether a job is over or gone by now."""
        job = self._jobs([name]).get(name)
        return job is None or is_over(job)

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        pages = self._opened().jobs()
        while True:
            self._reads.wait()
            page = next(pages, None)
            if page is None:
                return
            yield page

    def _own_name(self, job: Mapping[str, Any]) -> str:
        """The name of a job as we write it; Google's may have the number of the project in it."""
        return f"{self._connection.parent}/jobs/{job['name'].rpartition('/')[2]}"

    def _state(self, job: Mapping[str, Any], may_ask: bool) -> JobState:
        """The state of a job; those that wait are only asked why while there are few."""
        execution, task = needs_details(job)
        if not execution or not (task or may_ask):
            return job_state(job)
        name = execution_of(job)
        about = self._detail(lambda client: client.execution(name))
        if not task:
            return job_state(job, about)
        return job_state(job, about, self._detail(lambda client: client.task(name)))

    def _detail(self, call: Callable[[CloudRunClient], dict[str, Any]]) -> dict[str, Any]:
        """An answer that explains a state; one that may not be had hides no state."""
        try:
            return self._read(call)
        except api_errors.Forbidden:
            return {}

    def _adopt(self, name: str, request: Mapping[str, Any]) -> None:
        """A job of this name exists: it has to be that of the same task."""
        job = self._read(lambda client: client.job(name))
        wanted = request["job"]["annotations"][DIGEST_ANNOTATION]
        if not exists(job):
            detail = f"{name} is being deleted, and was to be made."
            raise ApiError(ApiFailure(FailureKind.UNAVAILABLE, detail))
        if job.get("annotations", {}).get(DIGEST_ANNOTATION) != wanted:
            detail = f"{name} exists and runs another task. Has the project changed? Run again."
            raise ApiError(ApiFailure(FailureKind.INVALID, detail))

    def _elsewhere(self, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
        """A block that wants another project or region than the others."""
        if Connection.of(settings) == self._connection:
            return []
        return [
            (
                f"a block cannot set {', '.join(CONNECTION_KEYS)}",
                "Write them below 'gcp_cloud_run_config' in metadata.yaml: all blocks share them.",
            )
        ]


def _environment(job: Mapping[str, Any]) -> dict[str, str]:
    """The three values that a job's worker is started with."""
    variables = job["template"]["template"]["containers"][0].get("env", ())
    values = {variable["name"]: variable.get("value", "") for variable in variables}
    return {name: values.get(name, "") for name in (TASK, DIGEST, ATTEMPT)}
