"""The request for a Cloud Run Job: built from a task as plain JSON, and checked, asking nobody.

One job per attempt. Its id says which, and a token in it has Cloud Run start the one execution
while it makes the job, so that both are one step that can be repeated.
https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.executors.cloud_run.settings import (
    EGRESS,
    ENVIRONMENTS,
    Connection,
    JobSettings,
    SecretVersion,
)
from jupyter_blocks.executors.jobs import WorkerCommand
from jupyter_blocks.taskboot import DIGEST

__all__ = ["DIGEST_ANNOTATION", "START_TOKEN", "job_id", "job_request", "request_problems"]

START_TOKEN = "run"  # noqa: S105 - a suffix, not a secret
"""The execution of job J is J-run. Job name and token have fewer than 63 characters together."""
DIGEST_ANNOTATION = "jupyter-blocks/task-sha256"
_ANNOTATION = "jupyter-blocks/"
_LABELS = {"managed-by": "jupyter-blocks"}
"""By which jobs that were left behind, and their costs, are found."""
LONGEST_S = 168 * 3600
LONGEST_WITH_GPU_S = 3600
_MARGIN_S = 600
"""How much longer than the block a job may take: to start, to read, to store."""
_DEFAULT_MEMORY_MIB = 2048
_LEAST_MIB = 512
_MOST_MIB = 32 * 1024
_CPUS = (1, 2, 4, 6, 8)
_LEAST_CPU = ((24 * 1024, 8), (16 * 1024, 6), (8 * 1024, 4), (4 * 1024, 2))
"""More MiB than this need at least so many CPUs."""
_LEAST_MEMORY = {4: 2048, 6: 4096, 8: 4096}
_GPU_CPU, _GPU_MEMORY_MIB, _GPU_TYPE = 4, 16 * 1024, "nvidia-l4"
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_OWN_NAMESPACES = (
    "run.googleapis.com/",
    "cloud.googleapis.com/",
    "serving.knative.dev/",
    "autoscaling.knative.dev/",
)


def job_id(attempt_id: str) -> str:
    """Id of the job of an attempt, the same for whoever asks."""
    return f"jb-{attempt_id}"


def job_request(
    connection: Connection, settings: JobSettings, task: BlockTask, command: WorkerCommand
) -> dict[str, Any]:
    """What `CreateJob` is sent: parent, id, and the job as the API's JSON."""
    settings = replace(settings, gpu=int(task.resources.get("gpu") or settings.gpu))
    labels = {**_LABELS, **settings.labels}
    job: dict[str, Any] = {
        "labels": labels,
        "annotations": _annotations(settings, task, command),
        "template": {
            "labels": labels,
            "parallelism": 1,
            "taskCount": 1,
            "template": _task_template(settings, task, command),
        },
        "startExecutionToken": START_TOKEN,
    }
    if settings.launch_stage:
        job["launchStage"] = settings.launch_stage
    return {"parent": connection.parent, "jobId": job_id(task.attempt_id), "job": job}


def _annotations(settings: JobSettings, task: BlockTask, command: WorkerCommand) -> dict[str, str]:
    """Who it belongs to. Names of people's own go here: labels take few characters."""
    return {
        **settings.annotations,
        f"{_ANNOTATION}attempt": task.attempt_id,
        f"{_ANNOTATION}block": task.block,
        f"{_ANNOTATION}pipeline": task.pipeline,
        f"{_ANNOTATION}run": task.run_id,
        DIGEST_ANNOTATION: command.environment[DIGEST],
    }


def _task_template(
    settings: JobSettings, task: BlockTask, command: WorkerCommand
) -> dict[str, Any]:
    template: dict[str, Any] = {
        "containers": [_container(settings, task, command)],
        "maxRetries": 0,
        "timeout": f"{_timeout_s(settings, task)}s",
    }
    if settings.service_account:
        template["serviceAccount"] = settings.service_account
    if settings.execution_environment:
        template["executionEnvironment"] = ENVIRONMENTS[settings.execution_environment]
    if settings.encryption_key:
        template["encryptionKey"] = settings.encryption_key
    if access := _vpc_access(settings):
        template["vpcAccess"] = access
    if settings.gpu:
        template["nodeSelector"] = {"accelerator": settings.gpu_type or _GPU_TYPE}
        redundant = settings.gpu_zonal_redundancy
        if redundant is not None:
            template["gpuZonalRedundancyDisabled"] = not redundant
    return template


def _container(settings: JobSettings, task: BlockTask, command: WorkerCommand) -> dict[str, Any]:
    words = list(command.words)
    values = [{"name": name, "value": text} for name, text in command.environment.items()]
    secrets = [_secret(name, found) for name, found in settings.secret_environment.items()]
    return {
        "name": "worker",
        "image": settings.image,
        "command": words[:1],
        "args": words[1:],
        "env": [*values, *secrets],
        "resources": {"limits": _limits(settings, task)},
    }


def _secret(name: str, found: SecretVersion) -> dict[str, Any]:
    reference = {"secret": found.secret, "version": found.version}
    return {"name": name, "valueSource": {"secretKeyRef": reference}}


def _limits(settings: JobSettings, task: BlockTask) -> dict[str, str]:
    cpu, memory_mib = _size(settings, task)
    limits = {"cpu": f"{cpu:g}", "memory": f"{memory_mib}Mi"}
    if settings.gpu:
        limits["nvidia.com/gpu"] = str(settings.gpu)
    return limits


def _size(settings: JobSettings, task: BlockTask) -> tuple[float, int]:
    """CPUs and MiB: the block's own, the settings', else the least that goes together.

    What a block asks for is at least what it gets: `cpu: 0.5` is one here, and four with a GPU.
    """
    cpu, memory = settings.cpu, settings.memory_mib
    if asked := task.resources.get("cpu"):
        asked = max(asked, _GPU_CPU) if settings.gpu else asked
        cpu = next((size for size in _CPUS if size >= asked), asked)
    if asked := task.resources.get("memory_mib"):
        memory = max(_GPU_MEMORY_MIB if settings.gpu else _LEAST_MIB, asked)
    if memory is None:
        least = _LEAST_MEMORY.get(math.ceil(cpu or 1), _DEFAULT_MEMORY_MIB)
        memory = _GPU_MEMORY_MIB if settings.gpu else max(least, _DEFAULT_MEMORY_MIB)
    if cpu is None:
        cpu = max(_least_cpu(int(memory)), _GPU_CPU if settings.gpu else 1)
    return float(cpu), int(memory)


def _least_cpu(memory_mib: int) -> int:
    return next((cpu for more_than, cpu in _LEAST_CPU if memory_mib > more_than), 1)


def _timeout_s(settings: JobSettings, task: BlockTask) -> int:
    if settings.timeout_s:
        return math.ceil(settings.timeout_s)
    longest = LONGEST_WITH_GPU_S if settings.gpu else LONGEST_S
    return min(longest, math.ceil(task.timeout_s) + _MARGIN_S) if task.timeout_s else longest


def _vpc_access(settings: JobSettings) -> dict[str, Any]:
    access: dict[str, Any] = {}
    if settings.vpc_connector:
        access["connector"] = settings.vpc_connector
    if settings.network or settings.subnetwork:
        given = {
            "network": settings.network,
            "subnetwork": settings.subnetwork,
            "tags": list(settings.network_tags),
        }
        access["networkInterfaces"] = [{key: value for key, value in given.items() if value}]
    if settings.vpc_egress and access:
        access["egress"] = EGRESS[settings.vpc_egress]
    return access


def request_problems(
    request: Mapping[str, Any], settings: JobSettings
) -> Iterator[tuple[str, str]]:
    """What Cloud Run would refuse, and what to do about each.

    https://cloud.google.com/run/quotas, https://cloud.google.com/run/docs/configuring/jobs
    """
    job = request["job"]
    template = job["template"]["template"]
    container = template["containers"][0]
    if not container["image"]:
        yield (
            "no 'image' is set",
            "Set it below 'gcp_cloud_run_config'; 'jupyter blocks image' writes a Dockerfile.",
        )
    yield from _size_problems(container["resources"]["limits"])
    yield from _timeout_problems(template)
    yield from _network_problems(settings)
    yield from _label_problems(job["labels"], job["annotations"])
    yield from _environment_problems(container["env"])


def _size_problems(limits: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    cpu, memory_mib = float(limits["cpu"]), int(limits["memory"].removesuffix("Mi"))
    gpu = int(limits.get("nvidia.com/gpu", 0))
    if gpu > 1:
        yield f"'gpu: {gpu}' is more than a job can have", "Write 1."
    if gpu:
        if cpu < _GPU_CPU or memory_mib < _GPU_MEMORY_MIB:
            yield (
                f"a job with a GPU needs 4 CPUs and 16Gi, not {cpu:g} and {memory_mib}Mi",
                "Raise 'cpu' and 'memory', or leave them out.",
            )
        return
    if cpu not in _CPUS:
        yield f"a job cannot have {cpu:g} CPUs", "Write 1, 2, 4, 6 or 8."
    if not _LEAST_MIB <= memory_mib <= _MOST_MIB:
        yield f"a job cannot have {memory_mib} MiB of memory", "Write 512Mi to 32Gi."
    if cpu < (least := _least_cpu(memory_mib)):
        yield f"{memory_mib} MiB of memory need {least} CPUs, not {cpu:g}", f"Write 'cpu: {least}'."
    if memory_mib < (least_mib := _LEAST_MEMORY.get(int(cpu), 0)):
        yield (
            f"{cpu:g} CPUs need {least_mib} MiB of memory, not {memory_mib}",
            f"Write 'memory: {least_mib}Mi'.",
        )


def _timeout_problems(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    timeout_s = int(template["timeout"].removesuffix("s"))
    longest = LONGEST_WITH_GPU_S if "nodeSelector" in template else LONGEST_S
    if timeout_s > longest:
        yield f"a job cannot take {timeout_s} s", f"'timeout_s' may be {longest} at most."


def _network_problems(settings: JobSettings) -> Iterator[tuple[str, str]]:
    interfaces = settings.network or settings.subnetwork
    if settings.vpc_connector and interfaces:
        yield "'vpc_connector' and 'network' exclude each other", "Leave one of them out."
    if settings.network_tags and not interfaces:
        yield "'network_tags' need a network", "Set 'network' or 'subnetwork'."
    if settings.vpc_egress and not (interfaces or settings.vpc_connector):
        yield "'vpc_egress' needs a network", "Set 'network', 'subnetwork' or 'vpc_connector'."


def _label_problems(
    labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if len(labels) > 64:
        yield f"a job cannot have {len(labels)} labels", "64 are the most."
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            yield (
                f"'{key}: {value}' is no label",
                "Labels are up to 63 small letters, digits, '_' and '-'; 'annotations' take more.",
            )
    for key in annotations:
        if key.startswith(_OWN_NAMESPACES):
            yield f"the annotation '{key}' belongs to Cloud Run", "Take another name."
    if sum(len(key) + len(value) for key, value in annotations.items()) > 256 * 1024:
        yield "the annotations are larger than 256 KiB", "Shorten them."


def _environment_problems(variables: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    names = [variable["name"] for variable in variables]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"'secret_environment' sets {name}, which is taken", "Take another name."
    for name in names:
        if name == "PORT" or name.startswith(("CLOUD_RUN_", "X_GOOGLE_")):
            yield f"the variable {name} belongs to Cloud Run", "Take another name."
    for variable in variables:
        if len(variable.get("value", "")) > 32 * 1024:
            yield f"the value of {variable['name']} is larger than 32 KiB", "Shorten it."
