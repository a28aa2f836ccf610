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
from jupyter_blocks.executors.kubernetes.schema import checked, parse_quantity
from jupyter_blocks.executors.outgoing import COMMON_SETTINGS
from jupyter_blocks.executors.settingsreader import SettingsReader
from jupyter_blocks.settings import did_you_mean, shown

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
GPU = "nvidia.com/gpu"
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
    gpu_resource: str = GPU
    """What a GPU is called on the cluster's nodes."""


def read_settings(
    settings: Mapping[str, Any], project: str = "", environment: Mapping[str, str] = os.environ
) -> KubernetesSettings:
    """The settings of a task, or `ExecutorError` naming every one that makes no sense.

    `config_file` (or `K8S_CONFIG_FILE`) is relative to the project.
    """
    values = SettingsReader("k8s", settings)
    values.refuse_unknown(SETTINGS)
    reader = _Reader(values)
    metadata, job, pod, container = reader.parts(settings, project, environment)
    reader.simple_keys(settings, job, pod, container)
    limits = reader.resources(container)
    reader.refuse_ours({"metadata": metadata, "job": job, "pod": pod, "container": container})
    prefix, namespace = reader.prefix(), values.text("namespace")
    labels, annotations = values.pairs("labels"), values.pairs("annotations")
    values.check()
    return KubernetesSettings(
        namespace=namespace or str(metadata.get("namespace") or ""),
        prefix=prefix,
        labels={**metadata.get("labels", {}), **labels},
        annotations={**metadata.get("annotations", {}), **annotations},
        job=job,
        pod=pod,
        container={**container, **limits},
        gpu_resource=values.text("gpu_resource") or GPU,
    )


@dataclass(frozen=True)
class _Reader:
    values: SettingsReader

    def checked(self, kind: str, said: Any, at: str = "") -> Any:
        """A part of a Job in the names of JSON; what Kubernetes would not take is noted."""
        value, faults = checked(kind, said, at=at, python_names=True, whole=False)
        for fault in faults:
            self.values.problem(f"'{fault.at}' {fault.message}", fault.hint)
        return value

    def parts(
        self, settings: Mapping[str, Any], project: str, environment: Mapping[str, str]
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
        """`metadata`, `job`, `pod` and `container`, joined from everywhere they may be."""
        found: dict[str, dict[str, Any]] = {name: {} for name in ("metadata", "job", "pod")}
        found["container"] = {}
        for source in (_from_file(settings, project, environment), settings):
            for name, kind in _PARTS.items():
                said = {} if source.get(name) is None else source[name]
                value = self.checked(kind, said, name)
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
            _join(target, self.checked(kind, said))
        pulling = settings.get("image_pull_secrets") or []
        names = [pulling] if isinstance(pulling, str) else pulling
        if not isinstance(names, list | tuple):
            self.values.wrong("image_pull_secrets", "a list of names")
            return
        secrets = [item if isinstance(item, Mapping) else {"name": str(item)} for item in names]
        if secrets:
            _join(pod, {"imagePullSecrets": secrets})

    def resources(self, container: Mapping[str, Any]) -> dict[str, Any]:
        """`resources` of the container: limits and requests, with `gpu` by its full name."""
        gpu = self.values.text("gpu_resource") or GPU
        own = self.values.mapping("resources") or {}
        for key in set(own) - {"limits", "requests"}:
            hint = did_you_mean(str(key), ("limits", "requests")) or (
                "Write limits and requests below it; a block's own 'resources' has cpu, "
                "memory_mib and gpu."
            )
            self.values.problem(f"'resources.{key}' is not known", hint)
        found = dict(_mapping(container.get("resources")))
        for kind in ("limits", "requests"):
            if not isinstance(own.get(kind) or {}, Mapping):
                self.values.problem(f"'resources.{kind}' must be a mapping, not {shown(own[kind])}")
            simple = self.values.mapping(f"resource_{kind}") or {}
            said = {**_mapping(own.get(kind)), **simple}
            texts = {gpu if key == "gpu" else key: str(value) for key, value in said.items()}
            merged = {**_mapping(found.get(kind)), **texts}
            for words in _wrong_quantities(f"resources.{kind}", merged):
                self.values.problem(words)
            if merged:
                found[kind] = merged
        return {"resources": found} if found else {}

    def refuse_ours(self, parts: Mapping[str, Mapping[str, Any]]) -> None:
        """What the executor decides cannot be set."""
        for part, value in parts.items():
            for name, why in _OURS[part].items():
                if name in value:
                    self.values.problem(f"'{part}.{name}' cannot be set", why)

    def prefix(self) -> str:
        """Mage puts the name of a trigger in; there are none here."""
        said = self.values.text("job_name_prefix") or "jb"
        prefix = said.replace("{trigger_name}", "").strip("-") or "jb"
        if not _PREFIX.match(prefix) or len(prefix) > _LONGEST_PREFIX:
            self.values.problem(
                f"'job_name_prefix' '{said}' cannot begin the name of a Job",
                f"Write up to {_LONGEST_PREFIX} lower case letters, digits and dashes, a letter "
                "first.",
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


def _wrong_quantities(at: str, values: Mapping[str, str]) -> Iterator[str]:
    for key, value in values.items():
        try:
            parse_quantity(value)
        except ValueError as error:
            yield f"'{at}.{key}' {error}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
