"""The calls to a cluster that the executor needs: plain JSON in and out, each with a timeout.

Where this runs in a pod and no kubeconfig is asked for, its service account is used, and else the
kubeconfig that `kubectl` uses.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

__all__ = ["ClusterClient", "is_in_cluster"]

_TIMEOUT_S = (10.0, 60.0)
"""For connecting, and for an answer."""
_PAGE = 500
_RESTARTS = 5
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def is_in_cluster(settings: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the service account of this pod is what the cluster is asked with."""
    asked = settings.get("kubeconfig") or settings.get("context") or environment.get("KUBECONFIG")
    return "KUBERNETES_SERVICE_HOST" in environment and not asked


class ClusterClient:
    """One cluster, as one user sees it. Connects at the first call; safe for use by threads."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._kubeconfig = str(settings.get("kubeconfig") or "") or None
        self._context = str(settings.get("context") or "") or None
        self._is_in_cluster = is_in_cluster(settings)
        self._lock = threading.Lock()
        self._api: client.ApiClient | None = None

    def renew(self) -> None:
        """Read the credentials again before the next call."""
        with self._lock:
            self._api = None

    def default_namespace(self) -> str:
        """The namespace of the connection: that of this pod, or of the context."""
        if self._is_in_cluster:
            file = _ACCOUNT / "namespace"
            return file.read_text("utf-8").strip() if file.exists() else "default"
        contexts, active = config.list_kube_config_contexts(self._file())
        if self._context:
            active = next((item for item in contexts if item["name"] == self._context), active)
        return str(active["context"].get("namespace") or "default")

    def create_job(self, namespace: str, job: Mapping[str, Any]) -> dict[str, Any]:
        """Create a Job; unknown fields are an error."""
        return self._json(
            self._batch().create_namespaced_job, namespace, job, field_validation="Strict"
        )

    def read_job(self, namespace: str, name: str) -> dict[str, Any]:
        """Read one Job."""
        return self._json(self._batch().read_namespaced_job, name, namespace)

    def delete_job(self, namespace: str, name: str, propagation: str) -> None:
        """Delete a Job and its pod; `propagation` says whether the Job waits for the pod."""
        self._json(
            self._batch().delete_namespaced_job, name, namespace, propagation_policy=propagation
        )

    def delete_pod(self, namespace: str, name: str, grace_s: int) -> None:
        """End a pod with `grace_s` seconds to end by itself."""
        self._json(
            self._core().delete_namespaced_pod, name, namespace, grace_period_seconds=grace_s
        )

    def jobs(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        """All Jobs with some labels."""
        found, _ = self._all(self._batch().list_namespaced_job, namespace, label_selector=selector)
        return found

    def pods(self, namespace: str, selector: str) -> tuple[list[dict[str, Any]], datetime]:
        """All pods with some labels, and the cluster's time."""
        return self._all(self._core().list_namespaced_pod, namespace, label_selector=selector)

    def warnings(self, namespace: str) -> list[dict[str, Any]]:
        """All events of a namespace that tell of trouble."""
        found, _ = self._all(
            self._core().list_namespaced_event, namespace, field_selector="type=Warning"
        )
        return found

    def pod_log(self, namespace: str, name: str, container: str, lines: int) -> str:
        """The end of what a container wrote."""
        response = self._core().read_namespaced_pod_log(
            name,
            namespace,
            container=container,
            tail_lines=lines,
            limit_bytes=lines * 1000,
            _preload_content=False,
            _request_timeout=_TIMEOUT_S,
        )
        return str(response.data.decode("utf-8", "replace"))

    def version(self) -> str:
        """Version of the cluster, such as `v1.34.2`."""
        api = client.VersionApi(self._connected())
        return str(self._json(api.get_code)["gitVersion"])

    def has_namespace(self, name: str) -> bool | None:
        """Whether a namespace exists; none if that may not be asked."""
        try:
            self._json(self._core().read_namespace, name)
        except ApiException as error:
            if error.status not in (403, 404):
                raise
            return None if error.status == 403 else False
        return True

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether the cluster lets this user do something (`SelfSubjectAccessReview`)."""
        resource, _, subresource = resource.partition("/")
        attributes = {
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "namespace": namespace,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: text for key, text in attributes.items() if text}},
        }
        api = client.AuthorizationV1Api(self._connected())
        answer = self._json(api.create_self_subject_access_review, review)
        return bool(answer["status"]["allowed"])

    def _all(
        self, call: Callable[..., Any], namespace: str, **selectors: str
    ) -> tuple[list[dict[str, Any]], datetime]:
        """All pages of a list; from the start again where a page has expired (410)."""
        for restart in range(_RESTARTS):
            try:
                return self._pages(call, namespace, **selectors)
            except ApiException as error:
                if error.status != 410 or restart == _RESTARTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _pages(
        self, call: Callable[..., Any], namespace: str, **selectors: str
    ) -> tuple[list[dict[str, Any]], datetime]:
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            response = self._call(call, namespace, limit=_PAGE, **selectors, **more)
            page = json.loads(response.data)
            found += page["items"]
            token = page["metadata"].get("continue")
            if not token:
                return found, _time_of(response)
            more = {"_continue": token}

    def _json(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._call(call, *arguments, **options).data)
        return answer

    def _call(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        # The model classes are slow for a thousand pods, and hide fields they do not know.
        return call(*arguments, **options, _preload_content=False, _request_timeout=_TIMEOUT_S)

    def _batch(self) -> client.BatchV1Api:
        return client.BatchV1Api(self._connected())

    def _core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self._connected())

    def _connected(self) -> client.ApiClient:
        with self._lock:
            if self._api is None:
                self._api = client.ApiClient(self._configuration())
            return self._api

    def _configuration(self) -> client.Configuration:
        configuration = client.Configuration()
        if self._is_in_cluster:
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(
                self._file(), context=self._context, client_configuration=configuration
            )
        # Calls are repeated by `apicalls`, which knows how often.
        configuration.retries = False
        return configuration

    def _file(self) -> str | None:
        return str(Path(self._kubeconfig).expanduser()) if self._kubeconfig else None


def _time_of(response: Any) -> datetime:
    """The cluster's time, so that a wrong clock here changes no verdict."""
    said = response.headers.get("Date")
    return parsedate_to_datetime(said) if said else datetime.now(UTC)
