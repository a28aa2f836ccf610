"""What is looked at before a run, and what to do where it is not good. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_blocks.executors.jobs import Finding
from jupyter_blocks.executors.kubernetes.client import ClusterClient
from jupyter_blocks.executors.kubernetes.errors import api_failure

__all__ = ["OPTIONAL_RIGHTS", "RIGHTS", "Right", "diagnosis"]


@dataclass(frozen=True)
class Right:
    """One thing that a user may do in a namespace."""

    verb: str
    group: str
    resource: str
    lost_without: str = ""
    """What is missing without it."""

    @property
    def rule(self) -> str:
        """As a rule of a Role."""
        what = f'apiGroups: ["{self.group}"], resources: ["{self.resource}"]'
        return f'{{{what}, verbs: ["{self.verb}"]}}'


RIGHTS = (
    Right("create", "batch", "jobs"),
    Right("get", "batch", "jobs"),
    Right("list", "batch", "jobs"),
    Right("delete", "batch", "jobs"),
    Right("list", "", "pods"),
    Right("get", "", "pods/log"),
)
"""What the executor cannot do without."""
OPTIONAL_RIGHTS = (
    Right("list", "", "events", "messages say less about pods that do not start"),
    Right("delete", "", "pods", "a cancelled block has the grace of its pod, never less"),
)
_OLDEST = (1, 26)


def diagnosis(cluster: ClusterClient, namespace: str, image: str) -> list[Finding]:
    """Credentials, version, namespace, rights and image."""
    findings: list[Finding] = []
    try:
        findings.append(_version(cluster.version()))
        findings.append(_namespace(cluster, namespace))
        findings += _rights(cluster, namespace)
    except Exception as error:  # whatever the client raises
        findings.append(Finding("connection to the cluster", False, api_failure(error).detail))
    findings.append(_image(image))
    return findings


def _version(version: str) -> Finding:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers >= _OLDEST:
        return Finding("connection to the cluster", True, f"Kubernetes {version}")
    return Finding(
        "connection to the cluster",
        False,
        f"Kubernetes {version} cannot tell lost nodes from failed blocks",
        "Use a cluster of version 1.26 or newer.",
    )


def _namespace(cluster: ClusterClient, name: str) -> Finding:
    what, exists = f"namespace {name}", cluster.has_namespace(name)
    if exists is None:
        return Finding(what, True, "not allowed to look at it, which is not needed")
    if exists:
        return Finding(what, True)
    return Finding(
        what,
        False,
        "it does not exist",
        f"Set 'namespace' in k8s_executor_config, or run `kubectl create namespace {name}`.",
    )


def _rights(cluster: ClusterClient, namespace: str) -> Iterator[Finding]:
    for right in RIGHTS:
        what = f"permission to {right.verb} {right.resource}"
        if cluster.may(right.verb, right.group, right.resource, namespace):
            yield Finding(what, True)
        else:
            hint = f"Add {right.rule} to a Role of the user in namespace {namespace}."
            yield Finding(what, False, "not granted", hint)
    yield from _optional(cluster, namespace, OPTIONAL_RIGHTS)


def _optional(cluster: ClusterClient, namespace: str, rights: Sequence[Right]) -> Iterator[Finding]:
    for right in rights:
        is_granted = cluster.may(right.verb, right.group, right.resource, namespace)
        detail = "" if is_granted else f"not granted, not needed: {right.lost_without}"
        yield Finding(f"permission to {right.verb} {right.resource}", True, detail)


def _image(image: str) -> Finding:
    if image:
        return Finding("image", True, image)
    return Finding(
        "image",
        False,
        "none is named",
        "Set 'image' in k8s_executor_config; `jupyter blocks image` writes a Dockerfile for one.",
    )
