"""Blocks as Jobs of a Kubernetes cluster (`k8s`).

The name of a Job is its attempt's, so that creating it again finds it. Two lists, of Jobs and of
pods, tell the states of all blocks of a run. What the objects mean is in `state`, what is
sent in `request`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from kubernetes.client.exceptions import ApiException

from jupyter_blocks.errors import Problem
from jupyter_blocks.executors.apicalls import ApiError
from jupyter_blocks.executors.base import BlockTask, ExecutorContext, JobHandle
from jupyter_blocks.executors.jobs import (
    ApiFailure,
    FailureKind,
    Finding,
    FoundJob,
    JobState,
    WorkerCommand,
)
from jupyter_blocks.executors.kubernetes.client import ClusterClient
from jupyter_blocks.executors.kubernetes.diagnosis import diagnosis
from jupyter_blocks.executors.kubernetes.errors import api_failure
from jupyter_blocks.executors.kubernetes.request import (
    ATTEMPT_LABEL,
    DIGEST_ANNOTATION,
    RUN_LABEL,
    container_of,
    environment_of,
    job_request,
    request_problems,
)
from jupyter_blocks.executors.kubernetes.settings import KubernetesSettings, read_settings
from jupyter_blocks.executors.kubernetes.state import is_stuck, job_state
from jupyter_blocks.executors.remote import RemoteExecutor
from jupyter_blocks.taskboot import TASK

__all__ = ["KubernetesBackend", "open_kubernetes"]

_SELECTED = 200
"""Attempts named in one selector: it is part of a URL."""
_TAIL_LINES = 20
_EVENTS_INTERVAL_S = 15.0


def open_kubernetes(context: ExecutorContext) -> RemoteExecutor:
    """The executor `k8s` for a project; connects at its first call."""
    settings = context.settings
    backend = KubernetesBackend(ClusterClient(settings), settings, context.project)
    return RemoteExecutor(backend, context)


class KubernetesBackend:
    """One cluster. Safe for use by threads."""

    name = "k8s"
    poll_interval_s = 2.0
    calls_per_s = 20.0
    settle_s = 3.0

    def __init__(
        self, cluster: ClusterClient, settings: Mapping[str, Any], project: str = ""
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._project = project
        self._lock = threading.Lock()
        self._namespaces: set[str] = set()
        """Where blocks of this run are, beside the usual namespace."""
        self._warnings: dict[str, tuple[float, Mapping[str, str]]] = {}
        """Namespace -> when its events were read, and the last warning about each object."""

    # before the run

    def request(self, task: BlockTask, command: WorkerCommand) -> dict[str, Any]:
        """The Job of a task."""
        return job_request(task, command, self._read(task.executor_config))

    def check(self, task: BlockTask, request: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with a Job."""
        self._note(request["metadata"].get("namespace", ""))
        said = self._read({**self._settings, **task.executor_config}).job.get("backoffLimit")
        problems = request_problems(task, request)
        if said:
            message = f"'backoff_limit: {said}' is not used: Kubernetes tries nothing again."
            hint = "Set 'retries' in the block's retry_config."
            problems.append(
                Problem(
                    "executor-settings",
                    message,
                    hint,
                    severity="warning",
                    pipeline=task.pipeline,
                    block=task.block,
                )
            )
        return problems

    def diagnose(self) -> list[Finding]:
        """Look at credentials, version, namespace, rights and image."""
        settings = self._read(self._settings)
        try:
            namespace = self._namespace(settings.namespace)
        except Exception as error:  # whatever reading a kubeconfig raises
            return [Finding("connection to the cluster", False, api_failure(error).detail)]
        return diagnosis(self._cluster, namespace, str(settings.container.get("image", "")))

    # one job

    def create(self, request: Mapping[str, Any], attempt_id: str) -> dict[str, Any]:
        """Create the Job, or find that it has been created for the same task."""
        namespace = self._namespace(request["metadata"].get("namespace", ""))
        self._note(namespace)
        name = request["metadata"]["name"]
        try:
            job = self._cluster.create_job(namespace, request)
        except ApiException as error:
            if error.status != 409:
                raise
            job = self._cluster.read_job(namespace, name)
            self._require_same(request, job, attempt_id)
        return _named(job)

    def stop(self, job: Mapping[str, Any], grace_s: float) -> None:
        """Delete the Job; it stays until its pod has ended.

        The pod has the grace it was made with, or less where that is asked for and allowed.
        """
        namespace, name = job["namespace"], job["name"]
        with _gone_is_fine():
            self._cluster.delete_job(namespace, name, "Foreground")
        # With 0 the pod would be forgotten while its container still runs.
        pod_grace_s = max(1, int(grace_s))
        with suppress(ApiException):
            pods, _ = self._cluster.pods(namespace, f"{ATTEMPT_LABEL}={job['attempt']}")
            for pod in pods:
                if pod_grace_s < pod["spec"].get("terminationGracePeriodSeconds", 0):
                    self._cluster.delete_pod(namespace, pod["metadata"]["name"], pod_grace_s)

    def delete(self, job: Mapping[str, Any]) -> None:
        """Delete the Job, and its pod with it."""
        with _gone_is_fine():
            self._cluster.delete_job(job["namespace"], job["name"], "Background")

    def tail(self, job: Mapping[str, Any]) -> list[str]:
        """The last lines of the worker's container."""
        pods, _ = self._cluster.pods(job["namespace"], f"{ATTEMPT_LABEL}={job['attempt']}")
        for pod in pods:
            container = container_of(pod["spec"]).get("name", "")
            name = pod["metadata"]["name"]
            text = self._cluster.pod_log(job["namespace"], name, container, _TAIL_LINES)
            return text.splitlines()
        return []

    # many jobs

    def find(self, attempt_ids: Sequence[str]) -> dict[str, FoundJob]:
        """The Jobs of these attempts, wherever blocks of this run may be."""
        found: dict[str, FoundJob] = {}
        usual = self._namespace(self._read(self._settings).namespace)
        for namespace in sorted({usual, *self._namespaces}):
            for start in range(0, len(attempt_ids), _SELECTED):
                wanted = attempt_ids[start : start + _SELECTED]
                selector = f"{ATTEMPT_LABEL} in ({','.join(sorted(wanted))})"
                for job in self._cluster.jobs(namespace, selector):
                    environment = environment_of(job)
                    if TASK in environment:
                        found[_attempt(job)] = FoundJob(_named(job), environment)
        return found

    def states(self, handles: Sequence[JobHandle]) -> dict[str, JobState]:
        """The states of all these Jobs, by two lists for each of their runs."""
        states: dict[str, JobState] = {}
        for (namespace, run), attempts in _by_run(handles).items():
            selector = f"{RUN_LABEL}={run}"
            # Pods last: whatever a Job says of its end was true before its pod was looked at.
            jobs = {_attempt(job): job for job in self._cluster.jobs(namespace, selector)}
            listed, now = self._cluster.pods(namespace, selector)
            pods: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for pod in listed:
                pods[_attempt(pod)].append(pod)
            for attempt in attempts:
                job, own = jobs.get(attempt), pods.get(attempt, [])
                if job is None and not own:
                    continue
                warning = ""
                if job is not None and is_stuck(job, own, now):
                    warning = self._warning(namespace, (own or [job])[-1])
                states[attempt] = job_state(job or {}, own, now, warning)
        return states

    # the connection

    def failure(self, error: Exception) -> ApiFailure:
        """What an error of a call means."""
        return api_failure(error)

    def renew(self) -> None:
        """Read the credentials again."""
        self._cluster.renew()

    def _read(self, settings: Mapping[str, Any]) -> KubernetesSettings:
        return read_settings(settings, self._project)

    def _namespace(self, said: str) -> str:
        """Mage reads it from `KUBE_NAMESPACE` where no setting says it."""
        return said or os.environ.get("KUBE_NAMESPACE") or self._cluster.default_namespace()

    def _note(self, namespace: str) -> None:
        if namespace:
            with self._lock:
                self._namespaces.add(namespace)

    def _require_same(
        self, request: Mapping[str, Any], job: Mapping[str, Any], attempt_id: str
    ) -> None:
        """A Job of this name that is not this task's is left alone."""
        said = job["metadata"].get("annotations", {}).get(DIGEST_ANNOTATION)
        if said == request["metadata"]["annotations"][DIGEST_ANNOTATION]:
            return
        name = job["metadata"]["name"]
        raise ApiError(
            ApiFailure(
                FailureKind.INVALID,
                f"There is a Job {name} already, and it was not made for this task of attempt "
                f"{attempt_id}. Delete it (`kubectl delete job {name}`) if nobody needs it.",
            )
        )

    def _warning(self, namespace: str, item: Mapping[str, Any]) -> str:
        """The last event that tells of trouble with an object; empty if that may not be read."""
        read_at, warnings = self._warnings.get(namespace, (-_EVENTS_INTERVAL_S, {}))
        if time.monotonic() - read_at > _EVENTS_INTERVAL_S:
            warnings = {}
            with suppress(ApiException):
                for event in sorted(self._cluster.warnings(namespace), key=_seen_at):
                    warnings[event["involvedObject"].get("uid", "")] = event.get("message", "")
            self._warnings[namespace] = time.monotonic(), warnings
        return warnings.get(item["metadata"]["uid"], "")


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """What is to be deleted may have been."""
    try:
        yield
    except ApiException as error:
        if error.status != 404:
            raise


def _named(job: Mapping[str, Any]) -> dict[str, Any]:
    """What names a Job in a handle."""
    metadata = job["metadata"]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "attempt": _attempt(job),
        "run": metadata["labels"][RUN_LABEL],
    }


def _attempt(item: Mapping[str, Any]) -> str:
    return str(item["metadata"].get("labels", {}).get(ATTEMPT_LABEL, ""))


def _seen_at(event: Mapping[str, Any]) -> str:
    """When an event was last seen: one of these is set, as the component that wrote it likes."""
    times = event.get("lastTimestamp"), event.get("eventTime")
    return str(next(filter(None, times), event["metadata"].get("creationTimestamp", "")))


def _by_run(handles: Sequence[JobHandle]) -> Mapping[tuple[str, str], list[str]]:
    """Attempts by the namespace and the run of their Jobs."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for handle in handles:
        job = handle.data.get("job")
        if job:
            found[job["namespace"], job["run"]].append(handle.attempt_id)
    return found
