"""The scheduler and the kubelet of the fake cluster: nodes for pods, containers in pods.

Everything happens a moment later, as in a cluster: a pod is there before its node, the node before
its container. Volumes are mounted, where this user may do that. Reasons and messages are those of
Kubernetes' scheduler and kubelet.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.executors.kubernetes.schema import parse_quantity
from jupyter_blocks.testing.containers import Container, ContainerHost
from jupyter_blocks.testing.fake_kubernetes_objects import Objects, now_text
from jupyter_blocks.testing.fake_kubernetes_volumes import Volumes

__all__ = ["Nodes", "is_disrupted", "set_condition"]

_NODE = "node-1"
_IMAGE_NAME = re.compile(r"[a-z0-9][\w.:/@-]*\Z")


@dataclass
class _Seen:
    """What the kubelet remembers of one pod."""

    since: float = field(default_factory=time.monotonic)
    container: Container | None = None
    pulls: int = 0


@dataclass
class Nodes:
    """One node with room for much."""

    objects: Objects
    host: ContainerHost
    volumes: Volumes = field(default_factory=Volumes)
    """Secrets, ConfigMaps and claims."""
    labels: dict[str, str] = field(default_factory=lambda: {"kubernetes.io/os": "linux"})
    allocatable: dict[str, str] = field(
        default_factory=lambda: {"cpu": "64", "memory": "256Gi", "pods": "110"}
    )
    delay_s: float = 0.05
    """How long each step takes at least."""
    seen: dict[str, _Seen] = field(default_factory=dict)

    def tick(self) -> None:
        """Take each pod a step further."""
        for pod in self.objects.of("pods"):
            self._pod(pod)

    def take_away(self, pod: dict[str, Any], reason: str, message: str, how: str) -> None:
        """Have the cluster end a pod with `DisruptionTarget`.

        `how`: `drained` with its usual grace, `gone` at once and without a trace, else at once.
        """
        seen = self._seen(pod)
        if how == "gone":
            self.objects.remove("pods", pod)
        else:
            set_condition(pod, "DisruptionTarget", reason, message)
            self.objects.touch(pod)
        if how == "drained":
            self.end_pod(pod)
            return
        pod["status"] |= {"phase": "Failed", "message": message}
        if seen.container:
            seen.container.kill()

    def end_pod(self, pod: dict[str, Any], grace_s: float | None = None) -> None:
        """Delete a pod: SIGTERM now, gone when its containers have ended."""
        if grace_s is None:
            grace_s = float(pod["spec"].get("terminationGracePeriodSeconds", 30))
        pod["metadata"].setdefault("deletionTimestamp", now_text())
        seen = self._seen(pod)
        if seen.container:
            seen.container.stop(grace_s)
        self.objects.touch(pod)

    def container_of(self, pod: Mapping[str, Any]) -> Container | None:
        """The process of a pod."""
        return self._seen(pod).container

    def _pod(self, pod: dict[str, Any]) -> None:
        seen, status = self._seen(pod), pod["status"]
        if pod["metadata"].get("deletionTimestamp") and self._has_ended(seen):
            self.objects.remove("pods", pod)
        elif status["phase"] in ("Succeeded", "Failed"):
            return
        elif seen.container is not None:
            self._ran(pod, seen.container)
        elif not pod["spec"].get("nodeName"):
            self._schedule(pod, seen)
        elif self._is_due(seen):
            self._start(pod, seen)

    def _has_ended(self, seen: _Seen) -> bool:
        if seen.container is not None:
            return not seen.container.is_running
        return True

    def _schedule(self, pod: dict[str, Any], seen: _Seen) -> None:
        if not self._is_due(seen):
            return
        why = self._no_room(pod["spec"])
        if why:
            message = f"0/1 nodes are available: 1 {why}."
            set_condition(pod, "PodScheduled", "Unschedulable", message, "False")
            seen.since = time.monotonic() + 0.5  # it is tried again later
        else:
            pod["spec"]["nodeName"] = _NODE
            set_condition(pod, "PodScheduled", "", "")
            self._wait(pod, "ContainerCreating", "")
        self.objects.touch(pod)

    def _no_room(self, spec: Mapping[str, Any]) -> str:
        for key, value in spec.get("nodeSelector", {}).items():
            if self.labels.get(key) != value:
                return "node(s) didn't match Pod's node affinity/selector"
        if unbound := self.volumes.unbound(spec):
            return unbound
        for container in spec["containers"]:
            resources = container.get("resources", {})
            wanted = {**resources.get("limits", {}), **resources.get("requests", {})}
            for name, amount in wanted.items():
                if parse_quantity(amount) > parse_quantity(self.allocatable.get(name, "0")):
                    return f"Insufficient {name}"
        return ""

    def _start(self, pod: dict[str, Any], seen: _Seen) -> None:
        container = pod["spec"]["containers"][-1]
        image = container["image"]
        lacking = self.volumes.lacking(container)
        missing = self.volumes.missing(pod["spec"])
        if not _IMAGE_NAME.match(image):
            message = f'Failed to apply default image tag "{image}": couldn\'t parse image name'
            self._wait(pod, "InvalidImageName", message)
        elif image not in self.host.images:
            self._pull_failed(pod, seen, image)
        elif missing:
            self.objects.warn(pod, "Pod", "FailedMount", missing)
        elif lacking:
            self._wait(pod, "CreateContainerConfigError", lacking)
        else:
            self._run(pod, seen, container)

    def _pull_failed(self, pod: dict[str, Any], seen: _Seen, image: str) -> None:
        seen.pulls += 1
        why = f'failed to pull and unpack image "{image}": {image}: not found'
        if seen.pulls == 1:
            self._wait(pod, "ErrImagePull", f"rpc error: code = NotFound desc = {why}")
        else:
            message = f'Back-off pulling image "{image}": ErrImagePull: {why}'
            self._wait(pod, "ImagePullBackOff", message)
        seen.since = time.monotonic()

    def _run(self, pod: dict[str, Any], seen: _Seen, container: Mapping[str, Any]) -> None:
        memory = container.get("resources", {}).get("limits", {}).get("memory")
        try:
            seen.container = self.host.run(
                container["image"],
                [*container.get("command", ()), *container.get("args", ())],
                self.volumes.environment(container),
                mounts=self.volumes.mounts(pod["spec"], container),
                memory_mib=parse_quantity(memory) / 2**20 if memory else None,
            )
        except OSError as error:
            message = f"failed to create containerd task: exec: {error}"
            self._end(pod, {"exitCode": 128, "reason": "StartError", "message": message})
            return
        pod["status"]["phase"] = "Running"
        self._set_state(pod, {"running": {"startedAt": now_text()}})

    def _ran(self, pod: dict[str, Any], container: Container) -> None:
        if container.is_running:
            return
        code = container.exit_code or 0
        reason = "OOMKilled" if container.out_of_memory else "Error" if code else "Completed"
        self._end(pod, {"exitCode": code, "reason": reason})

    def _end(self, pod: dict[str, Any], end: Mapping[str, Any]) -> None:
        self._set_state(pod, {"terminated": {**end, "finishedAt": now_text()}})
        if len(pod["spec"]["containers"]) == 1:
            pod["status"]["phase"] = "Failed" if end["exitCode"] else "Succeeded"
        self.objects.touch(pod)

    def _wait(self, pod: dict[str, Any], reason: str, message: str) -> None:
        self._set_state(pod, {"waiting": {"reason": reason, "message": message}})

    def _set_state(self, pod: dict[str, Any], state: Mapping[str, Any]) -> None:
        statuses = []
        for container in pod["spec"]["containers"]:
            is_ours = container is pod["spec"]["containers"][-1]
            own = state if is_ours else {"running": {"startedAt": now_text()}}
            statuses.append(
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "ready": "running" in own,
                    "restartCount": 0,
                    "state": dict(own),
                }
            )
        pod["status"]["containerStatuses"] = statuses
        self.objects.touch(pod)

    def _seen(self, item: Mapping[str, Any]) -> _Seen:
        return self.seen.setdefault(item["metadata"]["uid"], _Seen())

    def _is_due(self, seen: _Seen) -> bool:
        return time.monotonic() - seen.since > self.delay_s


def is_disrupted(pod: Mapping[str, Any]) -> bool:
    """Whether the cluster has ended a pod."""
    return any(item["type"] == "DisruptionTarget" for item in pod["status"]["conditions"])


def set_condition(
    item: dict[str, Any], kind: str, reason: str, message: str, status: str = "True"
) -> None:
    """Set a condition of an object, in place of one of its type."""
    conditions = item["status"].setdefault("conditions", [])
    conditions[:] = [condition for condition in conditions if condition["type"] != kind]
    conditions.append({"type": kind, "status": status, "reason": reason, "message": message})
