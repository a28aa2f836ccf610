"""The controller of Jobs of the fake cluster: one pod for each, and a verdict when it has ended.

Reasons and messages are those of Kubernetes' own controller.
https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.testing.fake_kubernetes_nodes import Nodes, is_disrupted, set_condition
from jupyter_blocks.testing.fake_kubernetes_objects import Objects, now_text

__all__ = ["JobController"]

_DEADLINE = "Job was active longer than specified deadline"
_FAILED = "Job has reached the specified backoff limit"


@dataclass
class _Seen:
    """What the controller remembers of one Job."""

    since: float = field(default_factory=time.monotonic)
    pod: dict[str, Any] | None = None
    ended_at: float = 0.0


@dataclass
class JobController:
    """Creates pods, judges Jobs, and removes those whose time has come."""

    objects: Objects
    nodes: Nodes
    accounts: set[str] = field(default_factory=lambda: {"default"})
    """Service accounts that exist."""
    sidecar: bool = False
    """Whether a mesh puts a container that never ends into each pod."""
    most_pods: int | None = None
    """A quota of pods."""
    seen: dict[str, _Seen] = field(default_factory=dict)

    def tick(self) -> None:
        """Take each Job a step further."""
        pods = self.objects.pods_by_owner()
        for job in self.objects.of("jobs"):
            self._job(job, pods.get(job["metadata"]["uid"], []))

    def _job(self, job: dict[str, Any], pods: Sequence[dict[str, Any]]) -> None:
        seen = self.seen.setdefault(job["metadata"]["uid"], _Seen())
        conditions = {item["type"] for item in job["status"].get("conditions", ())}
        if job["metadata"].get("deletionTimestamp"):
            if not pods:
                self.objects.remove("jobs", job)
        elif conditions & {"Complete", "Failed"}:
            self._expire(job, seen, pods)
        elif pods:
            seen.pod = pods[0]
            self._judge(job, seen, pods[0])
        elif seen.pod is not None:
            self._fail(job, seen, seen.pod)
        elif not job["spec"].get("suspend") and time.monotonic() - seen.since > self.nodes.delay_s:
            self._create_pod(job)

    def _judge(self, job: dict[str, Any], seen: _Seen, pod: dict[str, Any]) -> None:
        deadline = job["spec"].get("activeDeadlineSeconds")
        if deadline is not None and time.monotonic() - seen.since > deadline:
            self._finish(job, seen, "Failed", "DeadlineExceeded", _DEADLINE)
            self.nodes.end_pod(pod)
        elif pod["status"]["phase"] == "Succeeded":
            self._finish(job, seen, "Complete", "CompletionsReached", "")
        elif pod["status"]["phase"] == "Failed":
            self._fail(job, seen, pod)

    def _fail(self, job: dict[str, Any], seen: _Seen, pod: Mapping[str, Any]) -> None:
        if is_disrupted(pod):
            place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            rule = "has condition DisruptionTarget matching FailJob rule at index 0"
            self._finish(job, seen, "Failed", "PodFailurePolicy", f"Pod {place} {rule}")
        else:
            self._finish(job, seen, "Failed", "BackoffLimitExceeded", _FAILED)

    def _finish(
        self, job: dict[str, Any], seen: _Seen, kind: str, reason: str, message: str
    ) -> None:
        set_condition(job, kind, reason, message)
        job["status"].pop("active", None)
        job["status"]["succeeded" if kind == "Complete" else "failed"] = 1
        seen.ended_at = time.monotonic()
        self.objects.touch(job)

    def _expire(self, job: dict[str, Any], seen: _Seen, pods: Sequence[dict[str, Any]]) -> None:
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is not None and time.monotonic() - seen.ended_at > ttl:
            for pod in pods:
                self.nodes.end_pod(pod)
            self.objects.remove("jobs", job)

    def _create_pod(self, job: dict[str, Any]) -> None:
        metadata, template = job["metadata"], job["spec"]["template"]
        name = f"{metadata['name']}-{metadata['uid'][:5]}"
        refused = self._refused(metadata["namespace"], template["spec"])
        if refused:
            message = f'Error creating: pods "{name}" is forbidden: {refused}'
            self.objects.warn(job, "Job", "FailedCreate", message)
            return
        spec = {**template["spec"]}
        if self.sidecar:
            mesh = {"name": "istio-proxy", "image": "registry.test/mesh:1"}
            spec["containers"] = [mesh, *spec["containers"]]
        labels = template["metadata"].get("labels", {})
        self.objects.add(
            "pods",
            {
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "labels": {**labels, "batch.kubernetes.io/job-name": metadata["name"]},
                    "annotations": dict(template["metadata"].get("annotations", {})),
                    "ownerReferences": [_owner(metadata)],
                },
                "spec": spec,
                "status": {"phase": "Pending", "conditions": []},
            },
        )
        job["status"] |= {"active": 1, "startTime": now_text()}

    def _refused(self, namespace: str, pod: Mapping[str, Any]) -> str:
        """Why the API server takes no such pod; empty if it does."""
        account = pod.get("serviceAccountName", "default")
        if account not in self.accounts:
            missing = f'serviceaccount "{account}" not found'
            return f"error looking up service account {namespace}/{account}: {missing}"
        used = len(self.objects.of("pods"))
        if self.most_pods is not None and used >= self.most_pods:
            limit = f"used: pods={used}, limited: pods={self.most_pods}"
            return f"exceeded quota: compute, requested: pods=1, {limit}"
        return ""


def _owner(job: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": job["name"],
        "uid": job["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
