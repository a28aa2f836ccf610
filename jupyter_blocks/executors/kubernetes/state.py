"""What has become of a Job: pure functions from the cluster's objects to a `JobState`.

The worker's own container is judged, by its name: sidecars that a mesh puts into every pod keep a
Job active for ever. A pod that was taken away (evicted, preempted, its node lost) is nobody's
fault.
https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from jupyter_blocks.executors.base import Phase, Reason
from jupyter_blocks.executors.jobs import JobState
from jupyter_blocks.executors.kubernetes.request import container_of, limits_of

__all__ = ["is_stuck", "job_state", "parse_time"]

_IMAGE_PATIENCE = timedelta(seconds=60)
"""How long a registry may be in trouble before the image counts as missing."""
_NODE_PATIENCE = timedelta(seconds=60)
"""How long after its deletion was due a pod may still be there before its node counts as gone."""
_STUCK_AFTER = timedelta(seconds=10)

_DISRUPTIONS: Mapping[str, str] = {
    "PreemptionByScheduler": "a more urgent pod took its place",
    "DeletionByTaintManager": "its node is lost, or does not tolerate it any more",
    "EvictionByEvictionAPI": "its node was emptied",
    "DeletionByPodGC": "its node is gone",
    "TerminationByKubelet": "its node shut down or ran out of something",
}
_TAKEN_AWAY = frozenset(
    {
        "Evicted",
        "NodeAffinity",
        "NodeLost",
        "NodeShutdown",
        "OutOfcpu",
        "OutOfephemeral-storage",
        "OutOfmemory",
        "OutOfpods",
        "Preempting",
        "Shutdown",
        "Terminated",
        "UnexpectedAdmissionError",
    }
)
"""Reasons of failed pods that blame the node (`kubelet/eviction`, `lifecycle`, `nodeshutdown`)."""
_OWN_FAULT = re.compile(r"exceeds? the (total|local)|EmptyDir volume|exceeded its local|limit of")
_IMAGE_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff"})
_NO_IMAGE = re.compile(
    r"not found|manifest unknown|unauthorized|denied|forbidden|no match(ing manifest)? for platform"
    r"|does not exist|no such host",
    re.IGNORECASE,
)
_NEVER_STARTS: Mapping[str, str] = {
    "InvalidImageName": "the name of its image makes no sense",
    "ErrImageNeverPull": "its image is not on the node, and image_pull_policy is Never",
    "CreateContainerConfigError": "what its container is made of is missing",
    "CreateContainerError": "its container cannot be made",
    "RunContainerError": "its container cannot be started",
}
_CANNOT_START = frozenset({"StartError", "ContainerCannotRun"})
_NEVER_CREATED = re.compile(
    r"serviceaccount \S+ not found|violates PodSecurity|(maximum|minimum) \S+ usage"
    r"|admission webhook|Invalid value"
)


def parse_time(text: str | None) -> datetime | None:
    """A time as Kubernetes writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def is_stuck(job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], now: datetime) -> bool:
    """Whether a Job has not got to its container for a while, and events may say why."""
    if _condition(job, "Complete") or _condition(job, "Failed"):
        return False
    since = _created(pods[-1] if pods else job)
    if since is None or now - since < _STUCK_AFTER:
        return False
    if not pods:
        return not job.get("spec", {}).get("suspend")
    waiting = _our_status(pods[-1]).get("state", {}).get("waiting", {})
    return waiting.get("reason") in ("ContainerCreating", "PodInitializing")


def job_state(
    job: Mapping[str, Any],
    pods: Sequence[Mapping[str, Any]],
    now: datetime,
    warning: str = "",
) -> JobState:
    """The state of a Job from itself and its pods, at the cluster's time.

    `job` is empty where it has been deleted and its pod is still there. `warning` is the last event
    about a Job that is stuck.
    """
    if not pods:
        return _without_pod(job, warning)
    pod = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
    state = _pod_state(pod, now, warning)
    failed = _condition(job, "Failed")
    if failed.get("reason") == "DeadlineExceeded" and state.phase is not Phase.SUCCEEDED:
        return _too_long(job, pod["metadata"]["name"])
    return state


def _without_pod(job: Mapping[str, Any], warning: str) -> JobState:
    """A Job whose pod is not there yet, or not any more."""
    if _condition(job, "Complete") or _condition(job, "SuccessCriteriaMet"):
        return JobState(Phase.SUCCEEDED, exit_code=0)
    failed = _condition(job, "Failed") or _condition(job, "FailureTarget")
    if failed.get("reason") == "DeadlineExceeded":
        return _too_long(job, "")
    if failed:
        words = failed.get("message") or failed.get("reason") or "it failed"
        return _lost(f"its pod is gone: {words}")
    if job["metadata"].get("deletionTimestamp"):
        return JobState(Phase.RUNNING, detail="it is being deleted")
    if job.get("spec", {}).get("suspend"):
        detail = "the Job is suspended; a queue has to let it run"
        return JobState(Phase.PENDING, Reason.NO_CAPACITY, detail)
    if warning and _NEVER_CREATED.search(warning):
        detail = f"Kubernetes refuses its pod: {warning}"
        return JobState(Phase.FAILED, Reason.CONFIGURATION, detail)
    no_room = Reason.NO_CAPACITY if "exceeded quota" in warning else Reason.NONE
    return JobState(Phase.PENDING, no_room, warning or "its pod is not there yet")


def _pod_state(pod: Mapping[str, Any], now: datetime, warning: str) -> JobState:
    status, node = pod.get("status", {}), _node(pod)
    state = _our_status(pod).get("state", {})
    if "terminated" in state:
        return _ended(pod, state["terminated"], node)
    if _disruption(pod) and (status.get("phase") == "Failed" or _is_abandoned(pod, now)):
        return _lost(_taken_away(pod), node)
    if status.get("phase") == "Failed":
        return _failed_pod(pod, node)
    if status.get("phase") == "Succeeded":
        return JobState(Phase.SUCCEEDED, exit_code=0, node=node)
    if "running" in state:
        return JobState(Phase.RUNNING, detail=_goodbye(pod), node=node)
    return _waiting(pod, state.get("waiting", {}), now, node, warning)


def _ended(pod: Mapping[str, Any], end: Mapping[str, Any], node: str) -> JobState:
    """Our container has ended; others may still run."""
    code, reason = end.get("exitCode"), end.get("reason", "")
    if reason == "OOMKilled":
        limit = limits_of(pod["spec"]).get("memory")
        words = f"its limit of {limit}" if limit else "its node has"
        detail = f"it used more memory than {words}; raise 'memory_mib' in the block's resources"
        return JobState(Phase.FAILED, Reason.OUT_OF_MEMORY, detail, code, node)
    if code == 0:
        return JobState(Phase.SUCCEEDED, exit_code=0, node=node)
    if _own_storage(pod) or pod.get("status", {}).get("reason") == "DeadlineExceeded":
        return _failed_pod(pod, node)
    if _disruption(pod) or pod.get("status", {}).get("reason") in _TAKEN_AWAY:
        return _lost(_taken_away(pod), node)
    if reason == "ContainerStatusUnknown":
        return _lost("its node has lost track of it", node)
    if reason in _CANNOT_START:
        detail = f"its container cannot be started: {end.get('message', reason)}"
        return JobState(Phase.FAILED, Reason.CONFIGURATION, detail, code, node)
    return JobState(Phase.FAILED, exit_code=code, node=node)


def _failed_pod(pod: Mapping[str, Any], node: str) -> JobState:
    """A pod that failed as a whole."""
    reason, message = pod["status"].get("reason", ""), pod["status"].get("message", "")
    if _own_storage(pod):
        detail = f"it used more storage than it may: {message}"
        return JobState(Phase.FAILED, Reason.CONFIGURATION, detail, node=node)
    if reason == "DeadlineExceeded":
        detail = f"it ran longer than active_deadline_seconds allows: {message}"
        return JobState(Phase.FAILED, Reason.TIMEOUT, detail, node=node)
    if reason in _TAKEN_AWAY:
        return _lost(_taken_away(pod), node)
    return JobState(Phase.FAILED, detail=f"its pod failed: {reason} {message}".strip(), node=node)


def _waiting(
    pod: Mapping[str, Any], waiting: Mapping[str, Any], now: datetime, node: str, warning: str
) -> JobState:
    """Our container has not been started."""
    scheduled = _condition(pod, "PodScheduled", "False")
    if scheduled:
        return JobState(Phase.PENDING, Reason.NO_CAPACITY, _unscheduled(scheduled), node=node)
    image = str(container_of(pod["spec"]).get("image", ""))
    for status in (*pod["status"].get("initContainerStatuses", ()), None):
        if status is not None:
            waits, named = status.get("state", {}).get("waiting", {}), str(status.get("image", ""))
        else:
            waits, named = waiting, image
        state = _never_starts(pod, waits, named, now, node)
        if state is not None:
            return state
    words = ": ".join(filter(None, (waiting.get("reason", ""), waiting.get("message", ""))))
    return JobState(Phase.PENDING, detail=warning or words, node=node)


def _never_starts(
    pod: Mapping[str, Any], waiting: Mapping[str, Any], image: str, now: datetime, node: str
) -> JobState | None:
    """What no waiting will help against."""
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _NEVER_STARTS:
        words = f"{_NEVER_STARTS[reason]}: {message or reason}"
        if "Image" in reason and image not in words:
            words += f" (image {image})"
        return JobState(Phase.FAILED, Reason.CONFIGURATION, words, node=node)
    if reason not in _IMAGE_REASONS:
        return None
    words = f"its image {image} cannot be pulled: {message or reason}"
    since = _created(pod) or now
    is_plain = reason == "ImagePullBackOff" and _NO_IMAGE.search(message)
    if is_plain or now - since > _IMAGE_PATIENCE:
        words += "; check its name, and 'image_pull_secrets' if its registry is private"
        return JobState(Phase.FAILED, Reason.CONFIGURATION, words, node=node)
    return JobState(Phase.PENDING, detail=words, node=node)


def _unscheduled(condition: Mapping[str, Any]) -> str:
    message = condition.get("message", "")
    if condition.get("reason") == "SchedulingGated":
        return f"a queue has not let its pod pass yet: {message}"
    return f"no node has a place for it: {message}"


def _too_long(job: Mapping[str, Any], node: str) -> JobState:
    limit = job.get("spec", {}).get("activeDeadlineSeconds")
    detail = f"it took longer than the {limit} s of active_deadline_seconds"
    return JobState(Phase.FAILED, Reason.TIMEOUT, detail, node=node)


def _lost(words: str, node: str = "") -> JobState:
    return JobState(Phase.LOST, Reason.INFRASTRUCTURE, words, node=node)


def _taken_away(pod: Mapping[str, Any]) -> str:
    """Why a pod was ended by the cluster."""
    condition, status = _disruption(pod), pod.get("status", {})
    reason = condition.get("reason") or status.get("reason", "")
    message = status.get("message") or condition.get("message", "")
    words = _DISRUPTIONS.get(reason) or f"its node ended it ({reason})"
    return f"{words}: {message}" if message else words


def _own_storage(pod: Mapping[str, Any]) -> bool:
    """Whether it was evicted for passing limits of its own: a second time would end no better."""
    status = pod.get("status", {})
    is_evicted = status.get("reason") == "Evicted" and not _disruption(pod)
    return is_evicted and bool(_OWN_FAULT.search(status.get("message", "")))


def _is_abandoned(pod: Mapping[str, Any], now: datetime) -> bool:
    """Whether its node does not answer: it would have ended it long ago."""
    due = parse_time(pod["metadata"].get("deletionTimestamp"))
    return due is not None and now - due > _NODE_PATIENCE


def _goodbye(pod: Mapping[str, Any]) -> str:
    if _disruption(pod):
        return f"it is about to be ended: {_taken_away(pod)}"
    return "it is being ended" if pod["metadata"].get("deletionTimestamp") else ""


def _disruption(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    return _condition(pod, "DisruptionTarget")


def _condition(item: Mapping[str, Any], kind: str, status: str = "True") -> Mapping[str, Any]:
    """A condition that holds; empty if it does not."""
    for condition in item.get("status", {}).get("conditions") or ():
        if condition.get("type") == kind and condition.get("status") == status:
            found: Mapping[str, Any] = condition
            return found
    return {}


def _our_status(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of the worker's container; empty if nothing."""
    name = container_of(pod["spec"]).get("name")
    for status in pod.get("status", {}).get("containerStatuses") or ():
        if status.get("name") == name:
            found: Mapping[str, Any] = status
            return found
    return {}


def _node(pod: Mapping[str, Any]) -> str:
    where = pod["spec"].get("nodeName")
    name = str(pod["metadata"]["name"])
    return f"{name} on {where}" if where else name


def _created(item: Mapping[str, Any]) -> datetime | None:
    return parse_time(item["metadata"].get("creationTimestamp"))
