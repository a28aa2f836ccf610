"""What Cloud Run says of a job, as a state of ours. Pure: the answers of the API go in as JSON.

https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs
https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs.executions
https://cloud.google.com/run/docs/troubleshooting
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyter_blocks.executors.base import Phase, Reason
from jupyter_blocks.executors.jobs import JobState

__all__ = ["execution_of", "exists", "is_over", "job_state", "needs_details"]

Json = Mapping[str, Any]

_READY_PHASES = {
    "EXECUTION_RUNNING": Phase.RUNNING,
    "EXECUTION_PENDING": Phase.PENDING,
    "EXECUTION_SUCCEEDED": Phase.SUCCEEDED,
    "EXECUTION_FAILED": Phase.FAILED,
    "EXECUTION_CANCELLED": Phase.CANCELLED,
}
_TELLING = ("EXECUTION_RUNNING", "EXECUTION_SUCCEEDED", "EXECUTION_CANCELLED")
"""All there is to know."""
_FAILED = "CONDITION_FAILED"
_IMAGE_REASONS = (
    "CONTAINER_MISSING",
    "CONTAINER_PERMISSION_DENIED",
    "CONTAINER_IMAGE_UNAUTHORIZED",
    "CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED",
)
_SETTINGS_REASONS = (
    "ENCRYPTION_KEY_PERMISSION_DENIED",
    "ENCRYPTION_KEY_CHECK_FAILED",
    "SECRETS_ACCESS_CHECK_FAILED",
    "VPC_NETWORK_NOT_FOUND",
)
_NEXT_STEPS = {
    "CONTAINER_MISSING": "push the image, or correct 'image'",
    "CONTAINER_PERMISSION_DENIED": (
        "grant the service agent of Cloud Run (service-PROJECT_NUMBER@"
        "serverless-robot-prod.iam.gserviceaccount.com) and who makes the jobs the role "
        "roles/artifactregistry.reader on the repository"
    ),
    "CONTAINER_IMAGE_UNAUTHORIZED": "the Binary Authorization policy of the project refuses it",
    "SECRETS_ACCESS_CHECK_FAILED": (
        "create the secret, or grant the job's service account "
        "roles/secretmanager.secretAccessor on it"
    ),
    "ENCRYPTION_KEY_PERMISSION_DENIED": (
        "grant the service agent of Cloud Run roles/cloudkms.cryptoKeyEncrypterDecrypter on the key"
    ),
    "VPC_NETWORK_NOT_FOUND": "correct 'network' and 'subnetwork'",
}
_INFRASTRUCTURE_CODES = (10, 13, 14)
"""ABORTED, INTERNAL, UNAVAILABLE of google.rpc.Code: the machine's fault, not the container's."""
_EXIT_CODE = re.compile(r"failed with exit code: (\d+)")
_IMAGE_MESSAGE = re.compile(
    r"[Ii]mage .*(not found|must have permission)|permission to (read|access)"
)


def needs_details(job: Json) -> tuple[bool, bool]:
    """Whether the execution, and whether its task, have to be read to know the state."""
    if not execution_of(job):
        return False, False
    status = job["latestCreatedExecution"].get("completionStatus", "")
    if status in _TELLING:
        return False, False
    return True, status != "EXECUTION_PENDING"


def exists(job: Json) -> bool:
    """Whether there is such a job, and nobody is deleting it."""
    return bool(job) and not job.get("deleteTime")


def is_over(job: Json) -> bool:
    """Whether the execution of a job has ended, however."""
    status = job.get("latestCreatedExecution", {}).get("completionStatus", "")
    return status in ("EXECUTION_SUCCEEDED", "EXECUTION_FAILED", "EXECUTION_CANCELLED")


def execution_of(job: Json) -> str:
    """Full name of the one execution of a job; empty while there is none."""
    name = str(job.get("latestCreatedExecution", {}).get("name", ""))
    # The reference says "name of the execution"; not which of its two forms.
    return name if not name or "/" in name else f"{job['name']}/executions/{name}"


def job_state(job: Json, execution: Json | None = None, task: Json | None = None) -> JobState:
    """The state of a job, with what is known of its execution and its task."""
    reference = execution_of(job)
    if not reference:
        return _not_started(job)
    node = reference.rpartition("/")[2]
    phase = _phase(job, execution or {})
    if phase is Phase.PENDING:
        ready = job.get("terminalCondition", {})
        if ready.get("state") == _FAILED:
            return _refused(ready, node)
        what, words = _waiting_for(execution or {})
        no_room = Reason.NO_CAPACITY if what == "ResourcesAvailable" else Reason.NONE
        return JobState(phase, no_room, words, node=node)
    if phase is Phase.SUCCEEDED:
        return JobState(phase, exit_code=0, node=node)
    if phase is Phase.CANCELLED:
        return JobState(phase, Reason.CANCELLED, "the execution was cancelled", node=node)
    if phase is Phase.FAILED:
        return _failed(execution or {}, task or {}, node)
    return JobState(phase, node=node)


def _completion(job: Json) -> str:
    return str(job["latestCreatedExecution"].get("completionStatus", ""))


def _phase(job: Json, execution: Json) -> Phase:
    """By the job's reference to the execution, and by the execution where that says nothing."""
    phase = _READY_PHASES.get(_completion(job))
    if phase is not None:
        return phase
    completed = _condition(execution, "Completed")
    if completed.get("state") == "CONDITION_SUCCEEDED":
        return Phase.SUCCEEDED
    if completed.get("state") == _FAILED:
        cancelled = completed.get("executionReason") == "CANCELLED"
        return Phase.CANCELLED if cancelled else Phase.FAILED
    return Phase.RUNNING if execution.get("runningCount") else Phase.PENDING


def _not_started(job: Json) -> JobState:
    terminal = job.get("terminalCondition", {})
    if terminal.get("state") == _FAILED:
        return _refused(terminal, "")
    return JobState(Phase.PENDING, detail=str(terminal.get("message", "")))


def _waiting_for(execution: Json) -> tuple[str, str]:
    """The condition an execution that has not started waits for, and the platform's words."""
    for name in ("ContainerReady", "ResourcesAvailable", "Started", "Completed"):
        condition = _condition(execution, name)
        if condition.get("state") != "CONDITION_SUCCEEDED" and condition.get("message"):
            return name, str(condition["message"])
    return "", ""


def _failed(execution: Json, task: Json, node: str) -> JobState:
    completed = _condition(execution, "Completed")
    result = task.get("lastAttemptResult", {})
    status = result.get("status", {})
    said = " ".join(filter(None, (status.get("message", ""), completed.get("message", ""))))
    if "memory limit" in said.lower():
        return _out_of_memory(execution, node)
    if "configured timeout" in said.lower() or "maximum timeout" in said.lower():
        return _timed_out(execution, node)
    if completed.get("executionReason") == "CANCELLED":
        return JobState(Phase.CANCELLED, Reason.CANCELLED, "the execution was cancelled", node=node)
    if completed.get("executionReason") == "DELETED":
        detail = "somebody deleted the execution"
        return JobState(Phase.LOST, Reason.INFRASTRUCTURE, detail, node=node)
    if exit_code := _exit_code(result, said):
        return JobState(Phase.FAILED, exit_code=exit_code, node=node)
    if completed.get("reason", "") in (*_IMAGE_REASONS, *_SETTINGS_REASONS):
        return _refused(completed, node)
    if _IMAGE_MESSAGE.search(said):
        return _refused({**completed, "message": said}, node)
    if status.get("code") in _INFRASTRUCTURE_CODES or completed.get("reason") == "INTERNAL":
        detail = f"Cloud Run lost it: {said}"
        return JobState(Phase.LOST, Reason.INFRASTRUCTURE, detail, node=node)
    if completed.get("reason") == "PROGRESS_DEADLINE_EXCEEDED" or not result:
        return JobState(Phase.FAILED, Reason.START_FAILED, said or "it never started", node=node)
    return JobState(Phase.FAILED, detail=said, node=node)


def _exit_code(result: Json, said: str) -> int | None:
    """Of the container; none where it did not end by itself."""
    if signal := result.get("termSignal"):
        return 128 + int(signal)
    if code := result.get("exitCode"):
        return int(code)
    told = _EXIT_CODE.search(said)  # where the task may not be read
    return int(told[1]) or None if told else None


def _out_of_memory(execution: Json, node: str) -> JobState:
    limit = _container(execution).get("resources", {}).get("limits", {}).get("memory", "")
    held = f"used more than its {limit} of memory" if limit else "used more memory than it may"
    detail = f"the container {held}: raise 'memory_mib' of the block, or 'memory'"
    return JobState(Phase.FAILED, Reason.OUT_OF_MEMORY, detail, node=node)


def _timed_out(execution: Json, node: str) -> JobState:
    timeout = execution.get("template", {}).get("timeout", "")
    detail = f"the job took longer than its {timeout or 'timeout'}: raise 'timeout_s'"
    return JobState(Phase.FAILED, Reason.TIMEOUT, detail, node=node)


def _refused(condition: Json, node: str) -> JobState:
    """A job that Cloud Run cannot start as it is; no time changes that."""
    reason = str(condition.get("reason", ""))
    message = str(condition.get("message", "")) or "Cloud Run cannot start the job"
    step = _NEXT_STEPS.get(reason, "")
    detail = f"{message.rstrip('.')}: {step}" if step else message
    if "quota" in message.lower():
        return JobState(Phase.FAILED, Reason.NO_CAPACITY, detail, node=node)
    if reason in ("INTERNAL", "UNKNOWN"):
        return JobState(Phase.LOST, Reason.INFRASTRUCTURE, detail, node=node)
    return JobState(Phase.FAILED, Reason.CONFIGURATION, detail, node=node)


def _container(execution: Json) -> Json:
    containers = execution.get("template", {}).get("containers", [])
    return containers[0] if containers else {}


def _condition(resource: Json, name: str) -> Json:
    conditions = resource.get("conditions", ())
    return next((found for found in conditions if found.get("type") == name), {})
