"""What a cluster's objects say about a block: a table from their JSON to our states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyter_blocks.executors.base import Phase, Reason
from jupyter_blocks.executors.kubernetes.state import is_stuck, job_state

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
IMAGE = "registry.example.com/blocks:1"


def text(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def job(*conditions: dict[str, Any], age_s: float = 5, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "jb-a", "creationTimestamp": text(age_s)},
        "spec": spec,
        "status": {"conditions": list(conditions)},
    }


def condition(kind: str, reason: str = "", message: str = "", status: str = "True") -> Any:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def pod(
    state: dict[str, Any] | None = None,
    *conditions: dict[str, Any],
    age_s: float = 5,
    deleted_s: float | None = None,
    sidecar: bool = False,
    **status: Any,
) -> dict[str, Any]:
    env = [{"name": "JUPYTER_BLOCKS_ATTEMPT", "value": "a"}]
    limits = {"limits": {"memory": "512Mi"}}
    containers = [{"name": "block", "image": IMAGE, "env": env, "resources": limits}]
    statuses = [{"name": "block", "state": state}] if state else []
    if sidecar:
        containers.insert(0, {"name": "istio-proxy", "image": "mesh"})
        statuses.insert(0, {"name": "istio-proxy", "state": {"running": {}}})
    metadata = {"name": "jb-a-x", "creationTimestamp": text(age_s)}
    if deleted_s is not None:
        metadata["deletionTimestamp"] = text(deleted_s)
    return {
        "metadata": metadata,
        "spec": {"nodeName": "node-7", "containers": containers},
        "status": {
            "phase": "Running",
            "conditions": list(conditions),
            "containerStatuses": statuses,
            **status,
        },
    }


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def taken(reason: str) -> dict[str, Any]:
    return condition("DisruptionTarget", reason, "because")


NO_NODE = condition(
    "PodScheduled", "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu.", "False"
)
GATED = condition("PodScheduled", "SchedulingGated", "gates: kueue", "False")
FAILED = condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
POLICY = condition("Failed", "PodFailurePolicy", "Pod a/b has condition DisruptionTarget")
DEADLINE = condition("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
BACK_OFF = "Back-off pulling image: ErrImagePull: not found"
STORAGE = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."

PENDING, RUNNING, SUCCEEDED = Phase.PENDING, Phase.RUNNING, Phase.SUCCEEDED
BAD, LOST = Phase.FAILED, Phase.LOST
NONE, SETTINGS, GONE = Reason.NONE, Reason.CONFIGURATION, Reason.INFRASTRUCTURE
NO_ROOM = Reason.NO_CAPACITY

STATES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], Phase, Reason, str]] = {
    # a job without a pod
    "new": (job(), [], PENDING, NONE, "its pod is not there yet"),
    "queued": (job(suspend=True), [], PENDING, NO_ROOM, "suspended"),
    "complete": (job(condition("Complete")), [], SUCCEEDED, NONE, ""),
    "pod deleted": (job(FAILED), [], LOST, GONE, "its pod is gone"),
    "pod preempted": (job(POLICY), [], LOST, GONE, "DisruptionTarget"),
    "deadline": (job(DEADLINE, activeDeadlineSeconds=9), [], BAD, Reason.TIMEOUT, "9 s"),
    # a pod that waits
    "no node": (job(), [pod(None, NO_NODE, phase="Pending")], PENDING, NO_ROOM, "Insufficient cpu"),
    "gated": (job(), [pod(None, GATED, phase="Pending")], PENDING, NO_ROOM, "kueue"),
    "creating": (
        job(),
        [pod(waiting("ContainerCreating"), phase="Pending")],
        PENDING,
        NONE,
        "ContainerCreating",
    ),
    "first pull": (
        job(),
        [pod(waiting("ErrImagePull", "not found"), phase="Pending")],
        PENDING,
        NONE,
        IMAGE,
    ),
    "no image": (
        job(),
        [pod(waiting("ImagePullBackOff", BACK_OFF), phase="Pending")],
        BAD,
        SETTINGS,
        IMAGE,
    ),
    "registry in trouble": (
        job(),
        [pod(waiting("ImagePullBackOff", "i/o timeout"), phase="Pending")],
        PENDING,
        NONE,
        "i/o timeout",
    ),
    "registry in long trouble": (
        job(),
        [pod(waiting("ImagePullBackOff", "i/o timeout"), phase="Pending", age_s=90)],
        BAD,
        SETTINGS,
        "image_pull_secrets",
    ),
    "bad image name": (
        job(),
        [pod(waiting("InvalidImageName", "couldn't parse"), phase="Pending")],
        BAD,
        SETTINGS,
        IMAGE,
    ),
    "image not on node": (
        job(),
        [pod(waiting("ErrImageNeverPull", "absent"), phase="Pending")],
        BAD,
        SETTINGS,
        "image_pull_policy is Never",
    ),
    "no secret": (
        job(),
        [pod(waiting("CreateContainerConfigError", 'secret "db" not found'), phase="Pending")],
        BAD,
        SETTINGS,
        'secret "db" not found',
    ),
    "init container": (
        job(),
        [
            pod(
                waiting("PodInitializing"),
                phase="Pending",
                initContainerStatuses=[
                    {"image": "mesh-init:9", "state": waiting("ImagePullBackOff", BACK_OFF)}
                ],
            )
        ],
        BAD,
        SETTINGS,
        "mesh-init:9",
    ),
    # a pod that runs, or has
    "running": (job(), [pod({"running": {}})], RUNNING, NONE, ""),
    "being drained": (
        job(),
        [pod({"running": {}}, taken("EvictionByEvictionAPI"), deleted_s=-20)],
        RUNNING,
        NONE,
        "about to be ended",
    ),
    "node silent": (
        job(),
        [pod({"running": {}}, taken("DeletionByTaintManager"), deleted_s=90)],
        LOST,
        GONE,
        "its node is lost",
    ),
    "done": (job(), [pod(ended(0, "Completed"), phase="Succeeded")], SUCCEEDED, NONE, ""),
    "done beside a sidecar": (
        job(),
        [pod(ended(0, "Completed"), sidecar=True)],
        SUCCEEDED,
        NONE,
        "",
    ),
    "failed beside a sidecar": (job(), [pod(ended(20), sidecar=True)], BAD, NONE, ""),
    "exit code": (job(FAILED), [pod(ended(23), phase="Failed")], BAD, NONE, ""),
    "out of memory": (
        job(FAILED),
        [pod(ended(137, "OOMKilled"), phase="Failed")],
        BAD,
        Reason.OUT_OF_MEMORY,
        "512Mi",
    ),
    "no python": (
        job(FAILED),
        [pod(ended(128, "StartError", 'exec: "python": not found'), phase="Failed")],
        BAD,
        SETTINGS,
        'exec: "python": not found',
    ),
    "preempted": (
        job(POLICY),
        [pod(ended(137), taken("PreemptionByScheduler"), phase="Failed")],
        LOST,
        GONE,
        "more urgent pod",
    ),
    "evicted": (
        job(FAILED),
        [
            pod(
                None,
                taken("TerminationByKubelet"),
                phase="Failed",
                reason="Evicted",
                message="The node was low on resource: memory.",
            )
        ],
        LOST,
        GONE,
        "low on resource",
    ),
    "evicted by itself": (
        job(FAILED),
        [pod(ended(137), phase="Failed", reason="Evicted", message=STORAGE)],
        BAD,
        SETTINGS,
        "more storage than it may",
    ),
    "node forgot": (
        job(FAILED),
        [pod(ended(137, "ContainerStatusUnknown"), phase="Failed")],
        LOST,
        GONE,
        "lost track",
    ),
    "node shut down": (
        job(FAILED),
        [pod(None, phase="Failed", reason="Terminated", message="imminent node shutdown")],
        LOST,
        GONE,
        "imminent node shutdown",
    ),
    "node was full": (
        job(FAILED),
        [pod(None, phase="Failed", reason="OutOfmemory", message="Node didn't have enough")],
        LOST,
        GONE,
        "Node didn't have enough",
    ),
    "pod deadline": (
        job(FAILED),
        [pod(None, phase="Failed", reason="DeadlineExceeded", message="too long")],
        BAD,
        Reason.TIMEOUT,
        "too long",
    ),
    "job deadline": (
        job(DEADLINE, activeDeadlineSeconds=60),
        [pod(ended(143), deleted_s=1)],
        BAD,
        Reason.TIMEOUT,
        "60 s",
    ),
    "job deleted": ({}, [pod({"running": {}}, deleted_s=-5)], RUNNING, NONE, "being ended"),
}


@pytest.mark.parametrize("name", STATES)
def test_states(name: str) -> None:
    """One row: the Job, its pods, what we make of them, and what people read."""
    given, pods, phase, reason, words = STATES[name]
    state = job_state(given, pods, NOW)
    assert (state.phase, state.reason) == (phase, reason)
    assert words in state.detail


def test_the_exit_code_and_the_place_are_kept() -> None:
    """They say more than a phase."""
    state = job_state(job(FAILED), [pod(ended(23), phase="Failed")], NOW)
    assert (state.exit_code, state.node) == (23, "jb-a-x on node-7")


def test_the_newest_pod_is_judged() -> None:
    """A Job that somebody let run again has two."""
    old = pod(ended(1), phase="Failed", age_s=500)
    assert job_state(job(), [pod({"running": {}}), old], NOW).phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("warning", "phase", "reason"),
    [
        ('serviceaccount "x" not found', BAD, SETTINGS),
        ('violates PodSecurity "restricted:latest"', BAD, SETTINGS),
        ("exceeded quota: compute, requested: pods=1", PENDING, NO_ROOM),
    ],
)
def test_a_pod_that_is_refused(warning: str, phase: Phase, reason: Reason) -> None:
    """A quota frees itself, a policy does not; both are told."""
    state = job_state(job(), [], NOW, warning)
    assert (state.phase, state.reason) == (phase, reason)
    assert warning in state.detail


@pytest.mark.parametrize(
    ("given", "pods", "is_it"),
    [
        (job(age_s=2), [], False),
        (job(age_s=60), [], True),
        (job(age_s=60, suspend=True), [], False),
        (job(FAILED, age_s=60), [], False),
        (job(age_s=60), [pod(waiting("ContainerCreating"), age_s=60)], True),
        (job(age_s=60), [pod(waiting("ContainerCreating"), age_s=2)], False),
        (job(age_s=60), [pod({"running": {}}, age_s=60)], False),
    ],
)
def test_events_are_read_for_what_is_stuck(given: Any, pods: Any, is_it: bool) -> None:
    """They cost a call, and say nothing new about the others."""
    assert is_stuck(given, pods, NOW) is is_it
