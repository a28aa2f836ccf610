"""Settings of the executor `k8s`: ours, Mage's, and whole parts of a Job, read into one form.

Later ones win: the file that `config_file` names, `metadata`/`job`/`pod`/`container` (Mage's
`container_config` too), the simple keys such as `image`. Lists of several places are joined.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.kubernetes.schema import Fault, checked, parse_quantity
from jupyter_blocks.executors.outgoing import COMMON_SETTINGS
from jupyter_blocks.settings import did_you_mean

__all__ = ["SETTINGS", "KubernetesSettings", "read_settings"]

_COMMON = (*COMMON_SETTINGS, "shared_variables")
"""Keys that all executors on other machines have."""
_CONNECTION = ("config_file", "context", "kubeconfig", "namespace")
_POD_KEYS = {
    "affinity": "affinity",
    "node_selector": "nodeSelector",
    "priority_class_name": "priorityClassName",
    "runtime_class_name": "runtimeClassName",
    "scheduler_name": "schedulerName",
    "service_account_name": "serviceAccountName",
    "termination_grace_period_seconds": "terminationGracePeriodSeconds",
    "tolerations": "tolerations",
    "volumes": "volumes",
}
_CONTAINER_KEYS = {
    "env": "env",
    "env_from": "envFrom",
    "image": "image",
    "image_pull_policy": "imagePullPolicy",
    "volume_mounts": "volumeMounts",
}
_JOB_KEYS = {
    "active_deadline_seconds": "activeDeadlineSeconds",
    "backoff_limit": "backoffLimit",
    "ttl_seconds_after_finished": "ttlSecondsAfterFinished",
}
_PARTS = {
    "metadata": "V1ObjectMeta",
    "job": "V1JobSpec",
    "pod": "V1PodSpec",
    "container": "V1Container",
    "container_config": "V1Container",
}
_OTHER = (
    "annotations",
    "gpu_resource",
    "image_pull_secrets",
    "job_name_prefix",
    "labels",
    "resource_limits",
    "resource_requests",
    "resources",
)
SETTINGS = tuple(
    sorted({*_COMMON, *_CONNECTION, *_POD_KEYS, *_CONTAINER_KEYS, *_JOB_KEYS, *_PARTS, *_OTHER})
)
"""All keys of `k8s_executor_config`."""

_OURS = {
    "job": {
        "completions": "One attempt is one pod.",
        "parallelism": "One attempt is one pod.",
        "podFailurePolicy": "It is set so that lost nodes are told from failures.",
        "selector": "Kubernetes sets it.",
        "suspend": "A queue such as Kueue suspends Jobs by itself; give it its label in 'labels'.",
        "template": "Write 'pod' and 'container' instead.",
    },
    "pod": {
        "containers": "Write 'container' instead.",
        "restartPolicy": "Retries are Jupyter Blocks' own (retry_config).",
    },
    "container": {
        "args": "The container runs the worker.",
        "command": "The container runs the worker.",
    },
    "metadata": {
        "name": "It is made of the attempt's id; set 'job_name_prefix'.",
        "generateName": "It is made of the attempt's id; set 'job_name_prefix'.",
    },
}
"""Fields that cannot be set, and why."""
_PREFIX = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")
_LONGEST_PREFIX = 63 - len("-") - 26


@dataclass(frozen=True)
class KubernetesSettings:
    """What is set for one task, in the names of Kubernetes' JSON."""

    namespace: str = ""
    """Empty: that of the connection."""
    prefix: str = "jb"
    """What the names of Jobs begin with."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    job: Mapping[str, Any] = field(default_factory=dict)
    """Of a `V1JobSpec`."""
    pod: Mapping[str, Any] = field(default_factory=dict)
    """Of a `V1PodSpec`."""
    container: Mapping[str, Any] = field(default_factory=dict)
    """Of a `V1Container`."""
    gpu_resource: str = "nvidia.com/gpu"
    """What a GPU is called on the cluster's nodes."""


def read_settings(
    settings: Mapping[str, Any], project: str = "", environment: Mapping[str, str] = os.environ
) -> KubernetesSettings:
    """The settings of a task, or `ExecutorError` naming every one that makes no sense.

    `config_file` (or `K8S_CONFIG_FILE`) is relative to the project.
    """
    reader = _Reader()
    reader.refuse_unknown(settings)
    metadata, job, pod, container = reader.parts(settings, project, environment)
    reader.simple_keys(settings, job, pod, container)
    limits = reader.resources(settings, container)
    reader.refuse_ours({"metadata": metadata, "job": job, "pod": pod, "container": container})
    prefix = reader.prefix(settings)
    if reader.faults:
        raise _error(reader.faults)
    return KubernetesSettings(
        namespace=str(settings.get("namespace") or metadata.get("namespace") or ""),
        prefix=prefix,
        labels={**metadata.get("labels", {}), **_texts(settings.get("labels"))},
        annotations={**metadata.get("annotations", {}), **_texts(settings.get("annotations"))},
        job=job,
        pod=pod,
        container={**container, **limits},
        gpu_resource=str(settings.get("gpu_resource") or "nvidia.com/gpu"),
    )


@dataclass
class _Reader:
    faults: list[Fault] = field(default_factory=list)

    def refuse_unknown(self, settings: Mapping[str, Any]) -> None:
        for key in settings:
            if key not in SETTINGS:
                hint = did_you_mean(str(key), SETTINGS) or "See docs/executors/kubernetes.md."
                self.faults.append(Fault(str(key), "is no setting of executor 'k8s'", hint))

    def parts(
        self, settings: Mapping[str, Any], project: str, environment: Mapping[str, str]
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
        """`metadata`, `job`, `pod` and `container`, joined from everywhere they may be."""
        found: dict[str, dict[str, Any]] = {name: {} for name in ("metadata", "job", "pod")}
        found["container"] = {}
        for source in (_from_file(settings, project, environment), settings):
            for name, kind in _PARTS.items():
                said = {} if source.get(name) is None else source[name]
                value, faults = checked(kind, said, at=name, python_names=True, whole=False)
                self.faults += faults
                target = found["container" if name == "container_config" else name]
                _join(target, value if isinstance(value, dict) else {})
        return found["metadata"], found["job"], found["pod"], found["container"]

    def simple_keys(
        self,
        settings: Mapping[str, Any],
        job: dict[str, Any],
        pod: dict[str, Any],
        container: dict[str, Any],
    ) -> None:
        groups = (("V1JobSpec", _JOB_KEYS, job), ("V1PodSpec", _POD_KEYS, pod))
        for kind, keys, target in (*groups, ("V1Container", _CONTAINER_KEYS, container)):
            said = {keys[key]: settings[key] for key in keys if settings.get(key) is not None}
            value, faults = checked(kind, said, python_names=True, whole=False)
            self.faults += faults
            _join(target, value)
        pulling = settings.get("image_pull_secrets") or []
        names = [pulling] if isinstance(pulling, str) else pulling
        secrets = [item if isinstance(item, Mapping) else {"name": str(item)} for item in names]
        if secrets:
            _join(pod, {"imagePullSecrets": secrets})

    def resources(
        self, settings: Mapping[str, Any], container: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`resources` of the container: limits and requests, with `gpu` by its full name."""
        gpu = str(settings.get("gpu_resource") or "nvidia.com/gpu")
        own = _mapping(settings.get("resources"))
        for key in set(own) - {"limits", "requests"}:
            hint = did_you_mean(str(key), ("limits", "requests")) or (
                "Write limits and requests below it; a block's own 'resources' has cpu, "
                "memory_mib and gpu."
            )
            self.faults.append(Fault(f"resources.{key}", "is not known", hint))
        found: dict[str, Any] = dict(container.get("resources", {}))
        for kind in ("limits", "requests"):
            said = {**_mapping(own.get(kind)), **_mapping(settings.get(f"resource_{kind}"))}
            texts = {gpu if key == "gpu" else key: str(value) for key, value in said.items()}
            merged = {**found.get(kind, {}), **texts}
            self.faults += _wrong_quantities(f"resources.{kind}", merged)
            if merged:
                found[kind] = merged
        return {"resources": found} if found else {}

    def refuse_ours(self, parts: Mapping[str, Mapping[str, Any]]) -> None:
        """What the executor decides cannot be set."""
        for part, value in parts.items():
            for name, why in _OURS[part].items():
                if name in value:
                    self.faults.append(Fault(f"{part}.{name}", "cannot be set", why))

    def prefix(self, settings: Mapping[str, Any]) -> str:
        """Mage puts the name of a trigger in; there are none here."""
        said = str(settings.get("job_name_prefix") or "jb")
        prefix = said.replace("{trigger_name}", "").strip("-") or "jb"
        if not _PREFIX.match(prefix) or len(prefix) > _LONGEST_PREFIX:
            self.faults.append(
                Fault(
                    "job_name_prefix",
                    f"'{said}' cannot begin the name of a Job",
                    f"Write up to {_LONGEST_PREFIX} lower case letters, digits and dashes, a "
                    "letter first.",
                )
            )
        return prefix


def _join(target: dict[str, Any], value: Mapping[str, Any]) -> None:
    """Put `value` over `target`: mappings key by key, lists one after the other."""
    for key, item in value.items():
        before = target.get(key)
        if isinstance(before, dict) and isinstance(item, Mapping):
            target[key] = dict(before)
            _join(target[key], item)
        elif isinstance(before, list) and isinstance(item, list):
            target[key] = [*before, *(entry for entry in item if entry not in before)]
        else:
            target[key] = item


def _from_file(
    settings: Mapping[str, Any], project: str, environment: Mapping[str, str]
) -> Mapping[str, Any]:
    """What the file says that Mage calls `config_file`."""
    name = settings.get("config_file") or environment.get("K8S_CONFIG_FILE")
    if not name:
        return {}
    path = Path(project, str(name))
    readers: Mapping[str, Callable[[str], Any]] = {".json": json.loads}
    try:
        said = readers.get(path.suffix, yaml.safe_load)(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ExecutorError(
            f"The settings of executor 'k8s' in {name} cannot be read: {error}."
        ) from error
    found = _mapping(said)
    unknown = sorted(set(found) - set(_PARTS))
    if unknown:
        hint = did_you_mean(str(unknown[0]), _PARTS) or f"Known: {', '.join(_PARTS)}."
        raise ExecutorError(f"{name} has an unknown key '{unknown[0]}'.", hint=hint)
    return found


def _wrong_quantities(at: str, values: Mapping[str, str]) -> Iterator[Fault]:
    for key, value in values.items():
        try:
            parse_quantity(value)
        except ValueError as error:
            yield Fault(f"{at}.{key}", str(error))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> dict[str, str]:
    return {str(key): str(item) for key, item in _mapping(value).items()}


def _error(faults: list[Fault]) -> ExecutorError:
    said = "; ".join(f"'{fault.at}' {fault.message}" for fault in faults)
    hints = [fault.hint for fault in faults if fault.hint]
    return ExecutorError(f"Settings of executor 'k8s': {said}.", hint=hints[0] if hints else "")
