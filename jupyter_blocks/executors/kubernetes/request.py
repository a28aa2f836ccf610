"""The Job that runs one attempt: pure data, tested against golden files.

One Job has one pod, and neither is ever tried again by Kubernetes. The name of the Job is that of
the attempt, so that creating it twice creates it once.
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from jupyter_blocks.errors import Problem
from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.executors.jobs import WorkerCommand
from jupyter_blocks.executors.kubernetes.schema import Fault, checked, parse_quantity
from jupyter_blocks.executors.kubernetes.settings import KubernetesSettings
from jupyter_blocks.secretrefs import parse_reference
from jupyter_blocks.taskboot import ATTEMPT, DIGEST

__all__ = [
    "ATTEMPT_LABEL",
    "DIGEST_ANNOTATION",
    "RUN_LABEL",
    "container_of",
    "environment_of",
    "job_request",
    "limits_of",
    "request_problems",
    "run_label",
]

ATTEMPT_LABEL = "jupyter-blocks/attempt"
RUN_LABEL = "jupyter-blocks/run"
DIGEST_ANNOTATION = "jupyter-blocks/task-sha256"

_CONTAINER = "block"
_TTL_S = 86_400
_GRACE_S = 30
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z")
_LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z"
)
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_MOST_ANNOTATIONS = 256 * 1024


def job_request(
    task: BlockTask, command: WorkerCommand, settings: KubernetesSettings
) -> dict[str, Any]:
    """The Job of a task as a `batch/v1` object."""
    labels = {**settings.labels, **_labels(task)}
    annotations = {**settings.annotations, **_annotations(task, command)}
    metadata: dict[str, Any] = {
        "name": f"{settings.prefix}-{task.attempt_id}",
        "labels": labels,
        "annotations": annotations,
    }
    if settings.namespace:
        metadata["namespace"] = settings.namespace
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "ttlSecondsAfterFinished": _TTL_S,
            **settings.job,
            "backoffLimit": 0,
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "FailJob",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    }
                ]
            },
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": _pod(task, command, settings),
            },
        },
    }


def run_label(run_id: str) -> str:
    """A run's id as the value of a label."""
    return run_id if _LABEL.match(run_id) else sha256(run_id.encode()).hexdigest()[:26]


def container_of(pod_spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container of the worker, told from others by its environment; empty if there is none."""
    for container in pod_spec.get("containers") or ():
        if any(variable["name"] == ATTEMPT for variable in container.get("env") or ()):
            found: Mapping[str, Any] = container
            return found
    return {}


def environment_of(job: Mapping[str, Any]) -> dict[str, str]:
    """Variables with plain values that the worker of a Job is started with."""
    container = container_of(job["spec"]["template"]["spec"])
    return {entry["name"]: entry["value"] for entry in container.get("env", ()) if "value" in entry}


def limits_of(pod_spec: Mapping[str, Any]) -> Mapping[str, str]:
    """Limits of the worker's container."""
    limits: Mapping[str, str] = container_of(pod_spec).get("resources", {}).get("limits", {})
    return limits


def request_problems(task: BlockTask, request: Mapping[str, Any]) -> list[Problem]:
    """What the cluster would refuse, said before it is asked."""
    _, faults = checked("V1Job", request)
    return [
        Problem(
            "executor-settings",
            f"The Job of block '{task.block}' is not valid: '{fault.at}' {fault.message}.",
            fault.hint,
            pipeline=task.pipeline,
            block=task.block,
        )
        for fault in (*faults, *_faults(request))
    ]


def _labels(task: BlockTask) -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "jupyter-blocks",
        ATTEMPT_LABEL: task.attempt_id,
        RUN_LABEL: run_label(task.run_id),
    }


def _annotations(task: BlockTask, command: WorkerCommand) -> dict[str, str]:
    """What people look for. Labels hold 63 characters of few kinds, annotations whole names."""
    return {
        "jupyter-blocks/pipeline": task.pipeline,
        "jupyter-blocks/block": task.block,
        "jupyter-blocks/run": task.run_id,
        "jupyter-blocks/attempt-number": str(task.attempt),
        DIGEST_ANNOTATION: command.environment[DIGEST],
    }


def _pod(task: BlockTask, command: WorkerCommand, settings: KubernetesSettings) -> dict[str, Any]:
    pod: dict[str, Any] = {
        # Services of the namespace have no business in the environment of a block.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_S,
        **settings.pod,
        "restartPolicy": "Never",
        "containers": [_container(task, command, settings)],
    }
    if not settings.pod.get("serviceAccountName"):
        pod.setdefault("automountServiceAccountToken", False)
    return pod


def _container(
    task: BlockTask, command: WorkerCommand, settings: KubernetesSettings
) -> dict[str, Any]:
    container = {"name": _CONTAINER, **settings.container, "command": list(command.words)}
    container["env"] = [*settings.container.get("env", ()), *_environment(task, command)]
    resources = _resources(task, settings)
    if resources:
        container["resources"] = resources
    return container


def _environment(task: BlockTask, command: WorkerCommand) -> Iterator[dict[str, Any]]:
    for name, value in command.environment.items():
        yield {"name": name, "value": value}
    for variable, text in task.secrets.items():
        reference = parse_reference(text)
        if reference.scheme == "k8s":
            key = {"name": reference.name, "key": reference.key}
            yield {"name": variable, "valueFrom": {"secretKeyRef": key}}


def _resources(task: BlockTask, settings: KubernetesSettings) -> dict[str, Any]:
    """What the settings say, with what the block itself wants over it.

    A block's memory is request and limit, so that its pod is never the first to be evicted. Its
    CPU is a request only: more may be used where nobody else wants it.
    """
    said = settings.container.get("resources", {})
    limits, requests = dict(said.get("limits", {})), dict(said.get("requests", {}))
    wishes = task.resources
    if memory_mib := float(wishes.get("memory_mib") or 0):
        limits["memory"] = requests["memory"] = f"{memory_mib:.0f}Mi"
    if cpu := float(wishes.get("cpu") or 0):
        requests["cpu"] = _cores(cpu)
        if "cpu" in limits:
            limits["cpu"] = max(limits["cpu"], requests["cpu"], key=parse_quantity)
    if gpu := int(wishes.get("gpu") or 0):
        limits[settings.gpu_resource] = str(gpu)
    found = {**said, "limits": limits, "requests": requests}
    return {key: value for key, value in found.items() if value}


def _cores(cpu: float) -> str:
    return f"{cpu:g}" if cpu == int(cpu) else f"{round(cpu * 1000)}m"


def _faults(request: Mapping[str, Any]) -> Iterator[Fault]:
    metadata, pod = request["metadata"], request["spec"]["template"]["spec"]
    container = container_of(pod)
    if not container.get("image"):
        yield Fault(
            "image",
            "is missing",
            "Set 'image' in k8s_executor_config ('jupyter blocks image' writes a Dockerfile).",
        )
    namespace = metadata.get("namespace")
    if namespace and not _NAMESPACE.match(namespace):
        yield Fault("namespace", f"'{namespace}' is no name of a namespace")
    yield from _label_faults(metadata["labels"])
    size = sum(len(key) + len(value) for key, value in metadata["annotations"].items())
    if size > _MOST_ANNOTATIONS:
        yield Fault("annotations", f"hold {size} characters, and 262144 are the most")
    yield from _variable_faults(container.get("env", ()))
    yield from _resource_faults(container.get("resources", {}))


def _label_faults(labels: Mapping[str, str]) -> Iterator[Fault]:
    hint = "Up to 63 letters, digits, '-', '_' and '.'; put longer texts into 'annotations'."
    for key, value in labels.items():
        if not _LABEL_KEY.match(key):
            yield Fault(f"labels.{key}", "is no name of a label", hint)
        if not _LABEL.match(value):
            yield Fault(f"labels.{key}", f"'{value}' is no value of a label", hint)


def _variable_faults(env: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    names = [entry["name"] for entry in env]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(
            f"env.{name}",
            "is set twice",
            "Each variable has one source: 'env', 'secrets', or Jupyter Blocks itself.",
        )


def _resource_faults(resources: Mapping[str, Any]) -> Iterator[Fault]:
    limits = resources.get("limits", {})
    for name, value in resources.get("requests", {}).items():
        if name in limits and parse_quantity(value) > parse_quantity(limits[name]):
            yield Fault(
                f"resources.requests.{name}",
                f"asks for {value}, more than its limit of {limits[name]}",
                f"Raise the limit of {name}, or leave it out.",
            )
