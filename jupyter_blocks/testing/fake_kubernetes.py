"""A Kubernetes cluster on this machine, for tests: real protocol, real containers, no cluster.

A loopback HTTP server with the parts of the API that the executor `k8s` uses: Jobs, pods and their
logs, events, access reviews, namespaces, version. It is strict about fields, names, tokens and
rights, pages its lists, and does what it is told to do wrong. The official client talks to it
through a kubeconfig. https://kubernetes.io/docs/reference/kubernetes-api/
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from jupyter_blocks.executors.kubernetes.schema import checked
from jupyter_blocks.testing.fake_kubernetes_http import Fault, Faults, serve
from jupyter_blocks.testing.fake_kubernetes_jobs import JobController
from jupyter_blocks.testing.fake_kubernetes_nodes import Nodes
from jupyter_blocks.testing.fake_kubernetes_objects import (
    ApiStatusError,
    Objects,
    admit_job,
    now_text,
)
from jupyter_blocks.testing.remote_contract import Cloud

__all__ = ["FakeKubernetes"]

_TICK_S = 0.02
_ATTEMPT = "jupyter-blocks/attempt"
_LIST_QUERY = {"labelSelector", "fieldSelector", "limit", "continue"}
_QUERIES = {
    "create": {"fieldValidation"},
    "list": _LIST_QUERY,
    "get": set(),
    "delete": {"propagationPolicy", "gracePeriodSeconds"},
    "log": {"container", "tailLines", "limitBytes"},
}
_LOSSES = {
    "node": ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"),
    "preempted": ("PreemptionByScheduler", "default-scheduler: preempting to accommodate a pod"),
    "evicted": ("TerminationByKubelet", "The node was low on resource: memory."),
    "drained": ("EvictionByEvictionAPI", "Eviction API: evicting"),
}


@dataclass
class FakeKubernetes(Cloud):
    """One cluster with one namespace. Close it after use."""

    folder: Path = field(default_factory=Path)
    """Where its kubeconfig is written."""
    namespace: str = "blocks"
    page_size: int = 2
    """The most that a page of a list holds: pages are tried even with few objects."""
    latency_s: float = 0.0
    version: str = "v1.34.2"
    user: str = "system:serviceaccount:blocks:runner"
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    """What the user may not do: verb and resource."""
    most_jobs: int | None = None
    """A quota of Jobs."""
    token: str = "first-token"  # noqa: S105 - of a cluster that is none
    created: int = 0
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request."""

    def __post_init__(self) -> None:
        """Start to listen, and the cluster's controllers."""
        self.objects = Objects()
        self.nodes = Nodes(self.objects, self.host)
        self.controller = JobController(self.objects, self.nodes)
        self.faults = Faults()
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._server = serve(self.answer)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_kubeconfig()
        threading.Thread(target=self._run_controllers, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    @property
    def kubeconfig(self) -> Path:
        """The file with which clients find it."""
        return self.folder / "kubeconfig"

    def close(self) -> None:
        """End it and all of its containers."""
        self._over.set()
        self._server.close()
        self.host.close()
        self.nodes.volumes.close()

    # what tests do to it

    def settings(self) -> dict[str, Any]:
        """The project's section for the executor."""
        return {"kubeconfig": str(self.kubeconfig)}

    def fail(self, calls: int, status: int, *, when: str = "any", done: bool = False) -> None:
        """Answer the next calls with an HTTP status; `page`: a later page of a list."""
        self.faults.script += [Fault(when, status, done)] * calls

    def lose(self, attempt_id: str, how: str = "node") -> None:
        """Take the pod of an attempt away: `node`, `preempted`, `evicted`, `drained`, `gone`."""
        with self._lock:
            for pod in self.pods(attempt_id):
                reason, message = _LOSSES.get(how, _LOSSES["node"])
                self.nodes.take_away(pod, reason, message, how)

    def forget(self, attempt_id: str) -> None:
        """Delete the Job of an attempt and its pod behind everybody's back, at once."""
        with self._lock:
            for kind in ("jobs", "pods"):
                for item in self._of(kind, attempt_id):
                    container = self.nodes.container_of(item)
                    if container:
                        container.kill()
                    self.objects.remove(kind, item)

    def expire_token(self) -> None:
        """Refuse the token from now on; who reads the kubeconfig again finds a new one."""
        with self._lock:
            self.token = f"{self.token}-renewed"
            self._write_kubeconfig()

    def jobs(self) -> int:
        """How many Jobs were ever created."""
        return self.created

    def pods(self, attempt_id: str) -> list[dict[str, Any]]:
        """The pods of an attempt."""
        return self._of("pods", attempt_id)

    def _of(self, kind: str, attempt_id: str) -> list[dict[str, Any]]:
        items = self.objects.of(kind)
        return [item for item in items if item["metadata"]["labels"].get(_ATTEMPT) == attempt_id]

    def _write_kubeconfig(self) -> None:
        cluster = {"name": "fake", "cluster": {"server": self.url}}
        user = {"name": "runner", "user": {"token": self.token}}
        about = {"cluster": "fake", "user": "runner", "namespace": self.namespace}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [cluster],
            "users": [user],
            "contexts": [{"name": "fake", "context": about}],
            "current-context": "fake",
        }
        self.kubeconfig.write_text(json.dumps(document), "utf-8")

    def _run_controllers(self) -> None:
        while not self._over.wait(_TICK_S):
            with self._lock:
                self.controller.tick()
                self.nodes.tick()

    # requests

    def answer(
        self, method: str, path: str, authorization: str, body: bytes
    ) -> tuple[int, str, dict[str, str]] | None:
        """Status, body and headers of the answer to a request; none once it is closed."""
        if self._over.is_set():
            return None
        if self.latency_s:
            time.sleep(self.latency_s)
        headers = {"Content-Type": "application/json"}
        with self._lock:
            self.calls.append((method, path))
            self.requests.append(body.decode("utf-8", "replace"))
            try:
                self._authenticate(authorization)
                code, answer = self._served(method, urlsplit(path), body)
            except ApiStatusError as error:
                if error.code == 429:
                    headers["Retry-After"] = "1"
                code, answer = error.code, error.body
            if isinstance(answer, str):
                return code, answer, {"Content-Type": "text/plain"}
            return code, json.dumps(answer), headers

    def _served(self, method: str, url: SplitResult, body: bytes) -> tuple[int, Any]:
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        fault = self.faults.next(method, query)
        if fault and not fault.is_done:
            raise fault.error
        answer = self._route(method, url.path, query, body)
        if fault:
            raise fault.error
        return answer

    def _authenticate(self, authorization: str) -> None:
        if authorization != f"Bearer {self.token}":
            raise ApiStatusError(401, "Unauthorized")

    def _route(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        for verb, pattern, handle in self._routes():
            match = re.fullmatch(pattern, path)
            if verb.split()[0] == method and match:
                names = match.groupdict()
                self._check_query(verb, query)
                return handle(names, query, json.loads(body) if body else None)
        raise ApiStatusError(404, f"the server could not find the requested resource: {path}")

    def _routes(
        self,
    ) -> list[tuple[str, str, Callable[[dict[str, str], dict[str, str], Any], tuple[int, Any]]]]:
        jobs = r"/apis/batch/v1/namespaces/(?P<namespace>[^/]+)/(?P<kind>jobs)"
        core = r"/api/v1/namespaces/(?P<namespace>[^/]+)"
        reviews = r"/apis/authorization\.k8s\.io/v1/selfsubjectaccessreviews"
        return [
            ("POST create", jobs, self._create),
            ("GET list", jobs, self._list),
            ("GET get", rf"{jobs}/(?P<name>[^/]+)", self._get),
            ("DELETE delete", rf"{jobs}/(?P<name>[^/]+)", self._delete_job),
            ("GET list", rf"{core}/(?P<kind>pods|events)", self._list),
            ("DELETE delete", rf"{core}/(?P<kind>pods)/(?P<name>[^/]+)", self._delete_pod),
            ("GET log", rf"{core}/pods/(?P<name>[^/]+)/log", self._log),
            ("GET get", core, self._get_namespace),
            ("POST create", reviews, self._review),
            ("GET get", r"/version/?", lambda *_: (200, {"gitVersion": self.version})),
        ]

    def _check_query(self, verb: str, query: Mapping[str, str]) -> None:
        unknown = set(query) - _QUERIES[verb.split()[1]]
        if unknown:
            raise ApiStatusError(400, f"unknown query parameters: {', '.join(sorted(unknown))}")

    def _allow(self, verb: str, resource: str, group: str, namespace: str) -> None:
        if (verb, resource) not in self.forbidden:
            return
        kind = f"{resource}.{group}" if group else resource
        raise ApiStatusError(
            403,
            f'{kind} is forbidden: User "{self.user}" cannot {verb} resource "{resource}" in API '
            f'group "{group}" in the namespace "{namespace}"',
        )

    def _create(self, names: dict[str, str], query: dict[str, str], body: Any) -> tuple[int, Any]:
        namespace = names["namespace"]
        self._allow("create", "jobs", "batch", namespace)
        if query.get("fieldValidation") != "Strict":
            raise ApiStatusError(400, "this cluster wants fieldValidation=Strict")
        self._require_namespace(namespace)
        job = admit_job(body, namespace)
        used = len(self.objects.of("jobs"))
        if self.most_jobs is not None and used >= self.most_jobs:
            limit = f"count/jobs.batch={self.most_jobs}"
            raise ApiStatusError(
                403,
                f'jobs.batch "{job["metadata"]["name"]}" is forbidden: exceeded quota: blocks, '
                f"requested: count/jobs.batch=1, used: count/jobs.batch={used}, limited: {limit}",
            )
        created = self.objects.add("jobs", job)
        self.created += 1
        return 201, created

    def _require_namespace(self, namespace: str) -> None:
        if namespace != self.namespace:
            raise ApiStatusError(404, f'namespaces "{namespace}" not found')

    def _list(self, names: dict[str, str], query: dict[str, str], _body: Any) -> tuple[int, Any]:
        group = "batch" if names["kind"] == "jobs" else ""
        self._allow("list", names["kind"], group, names["namespace"])
        page = self.objects.page(names["kind"], names["namespace"], query, self.page_size)
        return 200, {"kind": "List", **page}

    def _get(self, names: dict[str, str], _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        self._allow("get", "jobs", "batch", names["namespace"])
        return 200, self.objects.get("jobs", names["namespace"], names["name"])

    def _get_namespace(
        self, names: dict[str, str], _query: dict[str, str], _body: Any
    ) -> tuple[int, Any]:
        self._allow("get", "namespaces", "", names["namespace"])
        self._require_namespace(names["namespace"])
        return 200, {"metadata": {"name": names["namespace"]}}

    def _delete_job(
        self, names: dict[str, str], query: dict[str, str], _body: Any
    ) -> tuple[int, Any]:
        self._allow("delete", "jobs", "batch", names["namespace"])
        job = self.objects.get("jobs", names["namespace"], names["name"])
        # Unlike for other objects, the pods of a batch/v1 Job are left alone if nothing is said.
        policy = query.get("propagationPolicy", "Orphan")
        if policy not in ("Orphan", "Background", "Foreground"):
            raise ApiStatusError(422, f"invalid propagationPolicy {policy}")
        if policy != "Orphan":
            for pod in self.objects.pods_by_owner().get(job["metadata"]["uid"], ()):
                self.nodes.end_pod(pod)
        if policy == "Foreground":
            job["metadata"].setdefault("deletionTimestamp", now_text())
            self.objects.touch(job)
        else:
            self.objects.remove("jobs", job)
        return 200, {"kind": "Status", "status": "Success"}

    def _delete_pod(
        self, names: dict[str, str], query: dict[str, str], _body: Any
    ) -> tuple[int, Any]:
        self._allow("delete", "pods", "", names["namespace"])
        pod = self.objects.get("pods", names["namespace"], names["name"])
        grace = query.get("gracePeriodSeconds")
        self.nodes.end_pod(pod, float(grace) if grace else None)
        return 200, pod

    def _log(self, names: dict[str, str], query: dict[str, str], _body: Any) -> tuple[int, Any]:
        self._allow("get", "pods/log", "", names["namespace"])
        pod = self.objects.get("pods", names["namespace"], names["name"])
        wanted = query.get("container") or pod["spec"]["containers"][0]["name"]
        if wanted not in [container["name"] for container in pod["spec"]["containers"]]:
            raise ApiStatusError(400, f"container {wanted} is not valid for pod {names['name']}")
        container = self.nodes.container_of(pod)
        if container is None:
            message = f'container "{wanted}" in pod "{names["name"]}" is waiting to start'
            raise ApiStatusError(400, message)
        lines = container.output().splitlines()[-int(query.get("tailLines", "1000")) :]
        return 200, "".join(f"{line}\n" for line in lines)[
            -int(query.get("limitBytes", "100000")) :
        ]

    def _review(self, _names: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
        _, faults = checked("V1SelfSubjectAccessReview", body)
        if faults:
            raise ApiStatusError(400, f"strict decoding error: {faults[0].at}")
        asked = body["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        allowed = (asked["verb"], resource) not in self.forbidden
        return 201, {**body, "status": {"allowed": allowed}}
