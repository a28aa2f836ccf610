"""What the fake cluster's API server keeps: objects, versions, selectors, pages, and its checks.

Requests are checked as a real server checks them with `fieldValidation=Strict`: unknown fields,
names, labels, quantities, references within a pod. Sources:
https://kubernetes.io/docs/reference/using-api/api-concepts/ and
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jupyter_blocks.executors.kubernetes.schema import checked, parse_quantity
from jupyter_blocks.testing.fake_kubernetes_volumes import not_executed

__all__ = ["ApiStatusError", "Objects", "admit_job", "matches", "now_text"]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\Z")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z")
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "AlreadyExists",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class ApiStatusError(Exception):
    """An answer that is a `Status` object."""

    def __init__(self, code: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "apiVersion": "v1",
            "kind": "Status",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": _REASONS.get(code, "Unknown"),
            "details": details,
            "code": code,
        }


def now_text() -> str:
    """The time as Kubernetes writes it: whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Objects:
    """All objects, by kind, namespace and name."""

    items: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    version: int = 1000
    oldest: int = 0
    """Pages of lists that began before this version have expired."""

    def add(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        """Keep a new object; 409 if there is one of its name."""
        metadata = item["metadata"]
        key = kind, metadata["namespace"], metadata["name"]
        if key in self.items:
            group = ".batch" if kind == "jobs" else ""
            message = f'{kind}{group} "{metadata["name"]}" already exists'
            if self.items[key]["metadata"].get("deletionTimestamp"):
                message = f"object is being deleted: {message}"
            raise ApiStatusError(409, message, name=metadata["name"], kind=kind)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = now_text()
        self.items[key] = item
        self.touch(item)
        return item

    def touch(self, item: dict[str, Any]) -> None:
        """Give an object that has changed a new version."""
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        """One object; 404 if it is not there."""
        try:
            return self.items[kind, namespace, name]
        except KeyError:
            group = ".batch" if kind == "jobs" else ""
            message = f'{kind}{group} "{name}" not found'
            raise ApiStatusError(404, message, name=name, kind=kind) from None

    def remove(self, kind: str, item: Mapping[str, Any]) -> None:
        """Forget an object."""
        metadata = item["metadata"]
        self.items.pop((kind, metadata["namespace"], metadata["name"]), None)
        self.version += 1

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind."""
        return [item for key, item in self.items.items() if key[0] == kind]

    def warn(self, item: Mapping[str, Any], kind: str, reason: str, message: str) -> None:
        """Keep an event about trouble with an object."""
        metadata = item["metadata"]
        key = "events", metadata["namespace"], f"{metadata['name']}.{reason.lower()}"
        event = {
            "metadata": {"name": key[2], "namespace": key[1]},
            "type": "Warning",
            "reason": reason,
            "message": message,
            "lastTimestamp": now_text(),
            "involvedObject": {"kind": kind, "name": metadata["name"], "uid": metadata["uid"]},
        }
        if key not in self.items:
            self.add("events", event)

    def pods_by_owner(self) -> dict[str, list[dict[str, Any]]]:
        """All pods by the uid of the Job that owns them."""
        found: dict[str, list[dict[str, Any]]] = {}
        for pod in self.of("pods"):
            for owner in pod["metadata"].get("ownerReferences", ()):
                found.setdefault(owner["uid"], []).append(pod)
        return found

    def page(
        self, kind: str, namespace: str, query: Mapping[str, str], most: int
    ) -> dict[str, Any]:
        """One page of a list; 410 where the list it goes on with is too old."""
        after, began = _position(query.get("continue", ""))
        if began is not None and began < self.oldest:
            raise ApiStatusError(
                410, "The provided continue parameter is too old to display a consistent list."
            )
        limit = min(int(query.get("limit") or most), most)
        names = sorted(
            key[2]
            for key, item in self.items.items()
            if key[:2] == (kind, namespace)
            and matches(item["metadata"].get("labels", {}), query.get("labelSelector", ""))
            and _has_fields(item, query.get("fieldSelector", ""))
        )
        names = [name for name in names if name > after]
        metadata: dict[str, Any] = {"resourceVersion": str(began or self.version)}
        if len(names) > limit:
            position = json.dumps([names[limit - 1], began or self.version])
            metadata["continue"] = base64.urlsafe_b64encode(position.encode()).decode()
            metadata["remainingItemCount"] = len(names) - limit
        found = [self.items[kind, namespace, name] for name in names[:limit]]
        return {"metadata": metadata, "items": found}


def _position(token: str) -> tuple[str, int | None]:
    if not token:
        return "", None
    after, began = json.loads(base64.urlsafe_b64decode(token))
    return str(after), int(began)


def matches(labels: Mapping[str, str], selector: str) -> bool:
    """Whether labels fulfil a selector with `=`, `!=` and `in (...)`."""
    for term in re.split(r",(?![^(]*\))", selector):
        if not term.strip():
            continue
        if found := re.fullmatch(r"\s*(\S+) in \(([^)]*)\)\s*", term):
            if labels.get(found[1]) not in found[2].split(","):
                return False
        elif found := re.fullmatch(r"\s*([^=!\s]+)\s*(!?)==?\s*(\S*)\s*", term):
            if (labels.get(found[1]) == found[3]) is bool(found[2]):
                return False
        else:
            raise ApiStatusError(400, f"unable to parse requirement: {term}")
    return True


def _has_fields(item: Mapping[str, Any], selector: str) -> bool:
    for term in filter(None, selector.split(",")):
        path, _, wanted = term.partition("=")
        value: Any = item
        for part in path.split("."):
            value = value.get(part, {}) if isinstance(value, Mapping) else {}
        if value != wanted:
            return False
    return True


def admit_job(job: Any, namespace: str) -> dict[str, Any]:
    """A Job as the server keeps it; 400 for unknown fields, 422 for wrong values."""
    read, faults = checked("V1Job", job)
    unknown = [fault for fault in faults if fault.is_unknown_field]
    if unknown:
        fields = ", ".join(f'unknown field "{fault.at}"' for fault in unknown)
        raise ApiStatusError(
            400,
            f'Job in version "v1" cannot be handled as a Job: strict decoding error: {fields}',
        )
    wrong = [(fault.at, fault.message) for fault in faults]
    if not wrong:
        wrong = list(_wrong_values(read, namespace))
    if wrong:
        name = (job.get("metadata") or {}).get("name", "")
        causes = [
            {"reason": "FieldValueInvalid", "field": at, "message": message}
            for at, message in wrong
        ]
        said = ", ".join(f"{at}: Invalid value: {message}" for at, message in wrong)
        raise ApiStatusError(
            422, f'Job.batch "{name}" is invalid: {said}', name=name, causes=causes
        )
    ignored = list(not_executed(read["spec"]["template"]["spec"]))
    if ignored:
        raise ApiStatusError(400, f"this cluster is a fake, and does not do {', '.join(ignored)}")
    admitted: dict[str, Any] = json.loads(json.dumps(read))
    admitted["metadata"]["namespace"] = namespace
    admitted["status"] = {}
    return admitted


def _wrong_values(job: Mapping[str, Any], namespace: str) -> Iterator[tuple[str, str]]:
    metadata, spec = job["metadata"], job["spec"]
    name = metadata.get("name", "")
    if not _NAME.match(name) or len(name) > 63:
        yield "metadata.name", "a lowercase RFC 1123 label of at most 63 characters"
    if metadata.get("namespace", namespace) != namespace:
        yield "metadata.namespace", "does not match the namespace of the request"
    if (job.get("apiVersion"), job.get("kind")) != ("batch/v1", "Job"):
        yield "kind", "must be a batch/v1 Job"
    template = spec["template"]
    for place, owner in (("metadata", metadata), ("spec.template.metadata", template["metadata"])):
        yield from _wrong_labels(f"{place}.labels", owner.get("labels", {}))
        notes = owner.get("annotations", {})
        if sum(len(key) + len(value) for key, value in notes.items()) > 256 * 1024:
            yield f"{place}.annotations", "must have at most 262144 bytes"
    if template["spec"].get("restartPolicy") not in ("Never", "OnFailure"):
        yield "spec.template.spec.restartPolicy", 'supported values: "OnFailure", "Never"'
    if "podFailurePolicy" in spec and template["spec"].get("restartPolicy") != "Never":
        yield "spec.podFailurePolicy", "only with restartPolicy Never"
    for key in ("backoffLimit", "ttlSecondsAfterFinished", "activeDeadlineSeconds"):
        if spec.get(key, 0) < 0:
            yield f"spec.{key}", "must be greater than or equal to 0"
    yield from _wrong_pod("spec.template.spec", template["spec"])


def _wrong_labels(at: str, labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in labels.items():
        prefix, _, name = key.rpartition("/")
        good_prefix = not prefix or (_NAME.match(prefix) and len(prefix) <= 253)
        if not good_prefix or not name or not _LABEL.match(name) or len(name) > 63:
            yield at, f"a qualified name, not {key!r}"
        if not _LABEL.match(value) or len(value) > 63:
            yield at, f"a valid label of at most 63 characters, not {value!r}"


def _wrong_pod(at: str, pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    volumes = {volume["name"] for volume in pod.get("volumes", ())}
    if not pod["containers"]:
        yield f"{at}.containers", "required"
    for index, container in enumerate(pod["containers"]):
        place = f"{at}.containers[{index}]"
        if not container.get("image"):
            yield f"{place}.image", "required"
        if not _NAME.match(container["name"]) or len(container["name"]) > 63:
            yield f"{place}.name", "a lowercase RFC 1123 label"
        if container.get("imagePullPolicy", "Always") not in ("Always", "IfNotPresent", "Never"):
            yield f"{place}.imagePullPolicy", 'supported values: "Always", "IfNotPresent", "Never"'
        for variable in container.get("env", ()):
            if not _VARIABLE.match(variable["name"]):
                yield f"{place}.env", f"a valid environment variable name, not {variable['name']}"
            if "value" in variable and variable.get("valueFrom"):
                yield f"{place}.env", "may not be specified when `value` is not empty"
        for mount in container.get("volumeMounts", ()):
            if mount["name"] not in volumes:
                yield f"{place}.volumeMounts", f'not found: "{mount["name"]}"'
        yield from _wrong_resources(f"{place}.resources", container.get("resources", {}))


def _wrong_resources(at: str, resources: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    amounts: dict[tuple[str, str], float] = {}
    for kind in ("limits", "requests"):
        for name, value in resources.get(kind, {}).items():
            try:
                amounts[kind, name] = parse_quantity(value)
            except ValueError:
                yield (
                    f"{at}.{kind}[{name}]",
                    f"quantities must match the regular expression: {value}",
                )
    for (kind, name), amount in amounts.items():
        if kind == "requests" and amount > amounts.get(("limits", name), amount):
            yield f"{at}.requests", f"must be less than or equal to {name} limit"
