"""The jobs of the fake Cloud Run: made, started, run for real, cancelled, deleted, remembered.

Resources are kept as the API's JSON. What takes Cloud Run time happens a little later here too, on
a thread of its own.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jupyter_blocks.testing.containers import Container, ContainerHost
from jupyter_blocks.testing.fake_cloud_run_rules import RefusedError, forbidden, read_job
from jupyter_blocks.testing.timeline import Timeline

__all__ = ["Jobs"]

GRACE_S = 10.0
Json = dict[str, Any]


@dataclass
class _Run:
    """One job with its execution, its task, and its container."""

    job: Json
    made_at: float
    execution: Json = field(default_factory=dict)
    task: Json = field(default_factory=dict)
    container: Container | None = None
    ends_as: str = ""
    """Why it is being ended: `cancelled`, `timeout`, `lost`; empty: it ends by itself."""


class Jobs:
    """All jobs of one region of one project. Safe for use by threads."""

    def __init__(self, host: ContainerHost, parent: str) -> None:
        self.parent = parent
        self.service_accounts = {"blocks@blocks-test.iam.gserviceaccount.com"}
        self.secrets: dict[str, str] = {}
        """Secret -> its latest value."""
        self.unreadable_images: set[str] = set()
        """Images that the service agent may not pull."""
        self.has_capacity = True
        self.start_delay_s = 0.05
        self.deletes_running = True
        self.delete_delay_s = 0.05
        self.list_lag_s = 0.3
        """How long a new job is missing from the list."""
        self.most_per_page = 3
        self.most_jobs = 1000
        self.made = 0
        self._host = host
        self._runs: dict[str, _Run] = {}
        self._lock = threading.RLock()
        self._timeline = Timeline()

    def close(self) -> None:
        """Nothing happens any more; the containers are the host's."""
        self._timeline.close()

    # calls of the API

    def create(self, job_id: str, body: Any, *, validate_only: bool) -> Json:
        """`CreateJob`."""
        job = read_job(job_id, body)
        account = job["template"]["template"].get("serviceAccount")
        if account and account not in self.service_accounts:
            raise forbidden("iam.serviceaccounts.actAs", f"serviceAccounts/{account}")
        with self._lock:
            if job_id in self._runs:
                raise RefusedError(409, f"Resource '{job_id}' already exists.")
            if len(self._runs) >= self.most_jobs:
                raise RefusedError(429, "Quota exceeded: jobs per project and region.")
            if validate_only:
                return _operation(self.parent, {})
            self._runs[job_id] = run = _Run(self._new_job(job_id, job), time.monotonic())
            self.made += 1
        self._timeline.after(self.start_delay_s, lambda: self._become_ready(job_id))
        return _operation(self.parent, run.job)

    def get(self, job_id: str) -> Json:
        """`GetJob`."""
        return self._run(job_id).job

    def list(self, page_size: int, page_token: str) -> Json:
        """`ListJobs`: the newest are missing for a moment."""
        with self._lock:
            old = time.monotonic() - self.list_lag_s
            names = sorted(name for name, run in self._runs.items() if run.made_at < old)
            names = [name for name in names if name > page_token]
            size = min(page_size or self.most_per_page, self.most_per_page)
            answer: Json = {"jobs": [self._runs[name].job for name in names[:size]]}
            if len(names) > size:
                answer["nextPageToken"] = names[size - 1]
            return answer

    def delete(self, job_id: str) -> Json:
        """`DeleteJob`: it is gone a little later, and what it runs with it."""
        run = self._run(job_id)
        if not self.deletes_running and run.container is not None and run.container.is_running:
            raise RefusedError(400, "The job has a running execution.", "FAILED_PRECONDITION")
        run.job["deleteTime"] = _now()
        if run.container is not None:
            run.container.stop(GRACE_S)
        self._timeline.after(self.delete_delay_s, lambda: self._forget(job_id))
        return _operation(self.parent, run.job)

    def execution(self, job_id: str, name: str) -> Json:
        """`GetExecution`."""
        execution = self._run(job_id).execution
        if not execution or execution["name"].rpartition("/")[2] != name:
            raise _missing(name, "EXECUTION")
        return execution

    def executions(self, job_id: str) -> Json:
        """`ListExecutions`; of all jobs for `-`."""
        with self._lock:
            runs = list(self._runs.values()) if job_id == "-" else [self._run(job_id)]
            return {"executions": [run.execution for run in runs if run.execution]}

    def tasks(self, job_id: str, name: str) -> Json:
        """`ListTasks`."""
        self.execution(job_id, name)
        return {"tasks": [self._run(job_id).task]}

    def cancel(self, job_id: str, name: str) -> Json:
        """`CancelExecution`: SIGTERM now, SIGKILL 10 s later."""
        execution = self.execution(job_id, name)
        run = self._run(job_id)
        with self._lock:
            if "completionTime" in execution:
                message = "The execution has completed and cannot be cancelled."
                raise RefusedError(400, message, "FAILED_PRECONDITION")
            run.ends_as = "cancelled"
            if run.container is None:
                self._ended(job_id)
            else:
                run.container.stop(GRACE_S)
        return _operation(self.parent, execution)

    def output(self, job_id: str) -> Iterator[str]:
        """What a job's container has written, line by line."""
        container = self._run(job_id).container
        yield from container.output().splitlines() if container else ()

    def lose(self, job_id: str) -> None:
        """Take its machine away."""
        run = self._run(job_id)
        run.ends_as = "lost"
        assert run.container is not None
        run.container.kill()

    # what happens by itself

    def _run(self, job_id: str) -> _Run:
        with self._lock:
            if job_id not in self._runs:
                raise _missing(job_id, "JOB")
            return self._runs[job_id]

    def _forget(self, job_id: str) -> None:
        with self._lock:
            self._runs.pop(job_id, None)

    def _new_job(self, job_id: str, job: Json) -> Json:
        ready = _condition("Ready", "CONDITION_PENDING", "Waiting for the job to be ready.")
        return {
            **job,
            "name": f"{self.parent}/jobs/{job_id}",
            "uid": str(uuid.uuid4()),
            "generation": "1",
            "createTime": _now(),
            "creator": "someone@blocks.test",
            "terminalCondition": ready,
            "reconciling": True,
            "etag": f'"{uuid.uuid4().hex}"',
        }

    def _become_ready(self, job_id: str) -> None:
        with self._lock:
            run = self._runs.get(job_id)
            if run is None or "deleteTime" in run.job:
                return
            run.job["reconciling"] = False
            if trouble := self._trouble(run.job):
                run.job["terminalCondition"] = trouble
                return
            run.job["terminalCondition"] = _condition("Ready", "CONDITION_SUCCEEDED", "")
            if token := run.job.get("startExecutionToken"):
                self._new_execution(run, f"{job_id}-{token}")
                self._timeline.after(self.start_delay_s, lambda: self._start(job_id))

    def _trouble(self, job: Json) -> Json | None:
        container = job["template"]["template"]["containers"][0]
        image = container["image"]
        if image in self.unreadable_images:
            message = (
                "Google Cloud Run Service Agent service-1@serverless-robot-prod.iam."
                f"gserviceaccount.com must have permission to read the image, {image}. Ensure that "
                "the provided container image URL is correct."
            )
            return _failed("Ready", message, reason="CONTAINER_PERMISSION_DENIED")
        if image not in self._host.images:
            return _failed("Ready", f"Image '{image}' not found.", reason="CONTAINER_MISSING")
        for variable in container.get("env", []):
            secret = variable.get("valueSource", {}).get("secretKeyRef", {}).get("secret")
            if secret and secret not in self.secrets:
                message = f"Secret {secret} was not found, or permission on it is denied."
                return _failed("Ready", message, reason="SECRETS_ACCESS_CHECK_FAILED")
        return None

    def _new_execution(self, run: _Run, name: str) -> None:
        template = run.job["template"]
        full = f"{run.job['name']}/executions/{name}"
        run.execution = {
            "name": full,
            "uid": str(uuid.uuid4()),
            "createTime": _now(),
            "job": run.job["name"].rpartition("/")[2],
            "parallelism": template.get("parallelism", 1),
            "taskCount": template.get("taskCount", 1),
            "template": template["template"],
            "reconciling": True,
            "conditions": [
                _condition("Completed", "CONDITION_RECONCILING", "Waiting for it to complete."),
                _condition("ResourcesAvailable", "CONDITION_RECONCILING", "Waiting for resources."),
            ],
        }
        run.task = {"name": f"{full}/tasks/{name}-task0", "execution": name, "index": 0}
        self._refer(run, "EXECUTION_PENDING")
        run.job["executionCount"] = 1

    def _start(self, job_id: str) -> None:
        with self._lock:
            run = self._runs.get(job_id)
            if run is None or "completionTime" in run.execution or "deleteTime" in run.job:
                return
            if not self.has_capacity:
                self._timeline.after(self.start_delay_s, lambda: self._start(job_id))
                return
            task = run.job["template"]["template"]
            container = task["containers"][0]
            run.container = self._host.run(
                container["image"],
                [*container.get("command", ()), *container.get("args", ())],
                self._environment(job_id, run),
                memory_mib=float(container["resources"]["limits"]["memory"].removesuffix("Mi")),
                ended=lambda _container: self._ended(job_id),
            )
            for name in ("ResourcesAvailable", "Started", "ContainerReady"):
                _replace(run.execution, _condition(name, "CONDITION_SUCCEEDED", ""))
            run.execution.update(startTime=_now(), runningCount=1)
            self._refer(run, "EXECUTION_RUNNING")
        timeout_s = float(task["timeout"].removesuffix("s"))
        self._timeline.after(timeout_s, lambda: self._time_out(job_id))

    def _environment(self, job_id: str, run: _Run) -> dict[str, str]:
        values = {
            "CLOUD_RUN_JOB": job_id,
            "CLOUD_RUN_EXECUTION": run.execution["name"].rpartition("/")[2],
            "CLOUD_RUN_TASK_INDEX": "0",
            "CLOUD_RUN_TASK_ATTEMPT": "0",
            "CLOUD_RUN_TASK_COUNT": "1",
        }
        for variable in run.job["template"]["template"]["containers"][0].get("env", []):
            reference = variable.get("valueSource", {}).get("secretKeyRef")
            found = self.secrets[reference["secret"]] if reference else variable.get("value", "")
            values[variable["name"]] = found
        return values

    def _time_out(self, job_id: str) -> None:
        run = self._runs.get(job_id)
        if run is not None and run.container is not None and run.container.is_running:
            run.ends_as = run.ends_as or "timeout"
            run.container.stop(GRACE_S)

    def _ended(self, job_id: str) -> None:
        with self._lock:
            run = self._runs.get(job_id)
            if run is None:
                return
            status, result, completed = _outcome(run)
            run.task["lastAttemptResult"] = result
            _replace(run.execution, completed)
            run.execution.pop("runningCount", None)
            run.execution.update(completionTime=_now(), reconciling=False)
            self._refer(run, status)

    def _refer(self, run: _Run, status: str) -> None:
        reference = {"name": run.execution["name"], "createTime": run.execution["createTime"]}
        run.job["latestCreatedExecution"] = {**reference, "completionStatus": status}


def _outcome(run: _Run) -> tuple[str, Json, Json]:
    """Status, result of the task, and condition of the execution that has ended."""
    container = run.container
    if run.ends_as == "cancelled":
        completed = _failed("Completed", "Execution was cancelled.", executionReason="CANCELLED")
        return "EXECUTION_CANCELLED", {}, completed
    if run.ends_as == "lost":
        message = "The instance was lost. Retrying may help."
        completed = _failed("Completed", message, reason="INTERNAL")
        return "EXECUTION_FAILED", {"status": {"code": 13, "message": message}}, completed
    assert container is not None
    if container.exit_code == 0:
        completed = _condition("Completed", "CONDITION_SUCCEEDED", "Execution completed.")
        return "EXECUTION_SUCCEEDED", {"status": {}}, completed
    result = _result(run, container)
    code, said = result.get("exitCode", 0), result["status"]["message"]
    task = run.task["name"].rpartition("/")[2]
    message = f"Task {task} failed with exit code: {code} and message: {said}"
    completed = _failed("Completed", message, executionReason="NON_ZERO_EXIT_CODE")
    return "EXECUTION_FAILED", result, completed


def _result(run: _Run, container: Container) -> Json:
    if container.out_of_memory:
        return {"status": {"code": 8, "message": "The configured memory limit was reached."}}
    if run.ends_as == "timeout":
        return {"status": {"code": 4, "message": "The configured timeout was reached."}}
    code = container.exit_code or 0
    if code > 128:
        said = f"Container terminated on signal {code - 128}."
        return {"status": {"code": 9, "message": said}, "termSignal": code - 128}
    said = "The container exited with an error."
    return {"status": {"code": 9, "message": said}, "exitCode": code}


def _condition(name: str, state: str, message: str, **reasons: str) -> Json:
    condition = {"type": name, "state": state, "lastTransitionTime": _now(), **reasons}
    return {**condition, "message": message} if message else condition


def _failed(name: str, message: str, **reasons: str) -> Json:
    return _condition(name, "CONDITION_FAILED", message, **reasons)


def _replace(execution: Json, condition: Json) -> None:
    others = [found for found in execution["conditions"] if found["type"] != condition["type"]]
    execution["conditions"] = [*others, condition]


def _operation(parent: str, resource: Json) -> Json:
    kind = "Execution" if "/executions/" in resource.get("name", "") else "Job"
    metadata = {"@type": f"type.googleapis.com/google.cloud.run.v2.{kind}", **resource}
    return {"name": f"{parent}/operations/{uuid.uuid4()}", "metadata": metadata, "done": False}


def _missing(name: str, kind: str) -> RefusedError:
    return RefusedError(404, f"Resource '{name}' of kind '{kind}' does not exist.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
