"""What the fake Cloud Run refuses, as the real one does: names, sizes, limits, permissions.

https://cloud.google.com/run/quotas
https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_blocks.executors.cloud_run.client import parsed

__all__ = ["RefusedError", "forbidden", "read_job", "refusal", "service_disabled"]

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_ANNOTATION = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_NAMESPACES = ("run.googleapis.com/", "cloud.googleapis.com/", "serving.knative.dev/")
_OUTPUT_ONLY = (
    *("name", "uid", "generation", "creator", "lastModifier", "satisfiesPzs"),
    *("createTime", "updateTime", "deleteTime", "expireTime"),
    *("reconciling", "observedGeneration", "terminalCondition", "conditions"),
    *("executionCount", "latestCreatedExecution"),
)
_CPUS = ("1", "2", "4", "6", "8")
_LEAST_CPU = ((24, 8), (16, 6), (8, 4), (4, 2))
_LEAST_MIB = {4: 2048, 6: 4096, 8: 4096}


class RefusedError(Exception):
    """An answer that is an error, as Google's APIs write them."""

    def __init__(self, code: int, message: str, status: str = "", details: Any = ()) -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "error": {
                "code": code,
                "message": message,
                "status": status or _STATUSES.get(code, "UNKNOWN"),
                "details": list(details),
            }
        }


def refusal(field: str, description: str) -> RefusedError:
    """A bad field of a request."""
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": field, "description": description}],
        }
    ]
    return RefusedError(400, f"Violation in {field}", details=details)


def forbidden(permission: str, resource: str) -> RefusedError:
    """Who asks lacks a permission."""
    message = f"Permission '{permission}' denied on resource '{resource}' (or it may not exist)."
    metadata = {"permission": permission, "resource": resource}
    return RefusedError(403, message, details=[_information("IAM_PERMISSION_DENIED", metadata)])


def service_disabled(project: str) -> RefusedError:
    """The API is not enabled in the project."""
    message = (
        f"Cloud Run Admin API has not been used in project {project} before or it is disabled."
    )
    metadata = {"service": "run.googleapis.com", "consumer": f"projects/{project}"}
    return RefusedError(403, message, details=[_information("SERVICE_DISABLED", metadata)])


def _information(reason: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": dict(metadata),
    }


def read_job(job_id: str, body: Any) -> dict[str, Any]:
    """The job of a request, as the API's own type reads it; `RefusedError` where it is none."""
    if not _NAME.fullmatch(job_id):
        raise refusal("Job.name", "must have up to 63 small letters, digits and hyphens")
    if not isinstance(body, dict):
        raise RefusedError(400, "Invalid JSON payload received.")
    try:
        job = parsed("Job", body)
    except ValueError as error:
        raise RefusedError(400, f"Invalid JSON payload received. {error}") from error
    for field, description in _violations(job_id, job):
        raise refusal(field, description)
    return job


def _violations(job_id: str, job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in _OUTPUT_ONLY:
        if field in job:
            yield f"job.{field}", "is output only"
    token = job.get("startExecutionToken", "")
    if len(job_id) + len(token) >= 63:
        yield "job.start_execution_token", "job name and token must be fewer than 63 characters"
    yield from _label_violations(job)
    execution = job.get("template", {})
    if execution.get("parallelism", 1) > execution.get("taskCount", 1):
        yield "job.template.parallelism", "is more than task_count"
    task = execution.get("template", {})
    yield from _task_violations(task)
    containers = task.get("containers", [])
    if len(containers) != 1 or not containers[0].get("image"):
        yield "job.template.template.containers", "must be one container with an image"
        return
    yield from _container_violations(containers[0])


def _label_violations(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in job.get("labels", {}).items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            yield "job.labels", f"{key}: {value} is invalid"
    for key in job.get("annotations", {}):
        if not _ANNOTATION.fullmatch(key) or key.startswith(_NAMESPACES):
            yield "job.annotations", f"{key} is invalid"
    if sum(len(key) + len(value) for key, value in job.get("annotations", {}).items()) > 2**18:
        yield "job.annotations", "are more than 256 KiB"


def _task_violations(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if task.get("maxRetries", 3) > 10:
        yield "job.template.template.max_retries", "must be 10 at most"
    timeout_s = float(task.get("timeout", "600s").removesuffix("s"))
    most_s = 3600 if task.get("nodeSelector") else 168 * 3600
    if not 0 < timeout_s <= most_s:
        yield "job.template.template.timeout", f"must be {most_s} s at most"
    access = task.get("vpcAccess", {})
    if access.get("connector") and access.get("networkInterfaces"):
        yield "job.template.template.vpc_access", "has a connector and network interfaces"


def _container_violations(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    where = "job.template.template.containers[0]"
    names = [variable["name"] for variable in container.get("env", [])]
    if len(names) > 1000 or len(set(names)) < len(names):
        yield f"{where}.env", "has too many, or twice the same name"
    for variable in container.get("env", []):
        if len(variable.get("value", "")) > 2**15:
            yield f"{where}.env", f"{variable['name']} is larger than 32 KiB"
        if variable["name"] == "PORT" or variable["name"].startswith("CLOUD_RUN_"):
            yield f"{where}.env", f"{variable['name']} is reserved"
    limits = container.get("resources", {}).get("limits", {})
    yield from _limit_violations(f"{where}.resources.limits", limits)


def _limit_violations(where: str, limits: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    unknown = set(limits) - {"cpu", "memory", "nvidia.com/gpu"}
    if unknown:
        yield where, f"{', '.join(sorted(unknown))} is unknown"
    cpu, memory = limits.get("cpu", "1"), limits.get("memory", "512Mi")
    if "nvidia.com/gpu" in limits:
        yield from _gpu_violations(where, limits["nvidia.com/gpu"], cpu, memory)
        return
    found = re.fullmatch(r"(\d+)Mi", memory)
    if cpu not in _CPUS:
        yield f"{where}.cpu", f"Invalid value specified for cpu: {cpu}"
    elif found is None or not 512 <= int(found[1]) <= 32 * 1024:
        yield f"{where}.memory", f"Invalid value specified for memory: {memory}"
    elif int(found[1]) < _LEAST_MIB.get(int(cpu), 0):
        yield f"{where}.memory", f"{cpu} CPUs need more memory than {memory}"
    elif int(cpu) < next((least for gib, least in _LEAST_CPU if int(found[1]) > gib * 1024), 1):
        yield f"{where}.cpu", f"{memory} need more than {cpu} CPUs"


def _gpu_violations(where: str, gpu: str, cpu: str, memory: str) -> Iterator[tuple[str, str]]:
    """https://cloud.google.com/run/docs/configuring/jobs/gpu."""
    found = re.fullmatch(r"(\d+)Mi", memory)
    if gpu != "1":
        yield f"{where}.nvidia.com/gpu", f"Invalid value specified for gpu: {gpu}"
    if float(cpu) < 4 or found is None or int(found[1]) < 16 * 1024:
        yield where, "a GPU needs at least 4 CPUs and 16Gi of memory"
