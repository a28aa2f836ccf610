"""Volumes of the fake cluster's pods: what Secrets, ConfigMaps and claims hold, as folders.

What is not executed is refused, so that no test passes for something that was never tried.
https://kubernetes.io/docs/concepts/storage/volumes/
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_blocks.executors.kubernetes.schema import parse_quantity
from jupyter_blocks.testing.containers import Mount

__all__ = ["Volumes", "not_executed"]

_EXECUTED = ("configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret")
_REFUSED_OF_PODS = ("ephemeralContainers", "hostAliases", "initContainers")
_REFUSED_OF_CONTAINERS = (
    *("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"),
    *("volumeDevices", "workingDir"),
)
_DEFAULT_MODE = 0o644


def not_executed(pod: Mapping[str, Any]) -> Iterator[str]:
    """The fields of a pod that this cluster would ignore."""
    yield from (key for key in _REFUSED_OF_PODS if pod.get(key))
    for volume in pod.get("volumes", ()):
        name = volume["name"]
        for key in set(volume) - {"name", *_EXECUTED}:
            yield f"volumes[{name}].{key}"
        empty = volume.get("emptyDir") or {}
        if empty.get("sizeLimit") and empty.get("medium") != "Memory":
            yield f"volumes[{name}].emptyDir.sizeLimit without medium: Memory"
        for source in (volume.get("projected") or {}).get("sources", ()):
            yield from (
                f"volumes[{name}].projected.{key}" for key in set(source) - {"secret", "configMap"}
            )
    for container in pod["containers"]:
        yield from (key for key in _REFUSED_OF_CONTAINERS if container.get(key))
        for mount in container.get("volumeMounts", ()):
            for key in ("subPathExpr", "mountPropagation", "recursiveReadOnly"):
                if mount.get(key):
                    yield f"volumeMounts[{mount['name']}].{key}"
        for variable in container.get("env", ()):
            for key in set(variable.get("valueFrom") or {}) - {"secretKeyRef", "configMapKeyRef"}:
                yield f"env[{variable['name']}].valueFrom.{key}"


@dataclass
class Volumes:
    """What pods can be given. Secrets and ConfigMaps are the same in every namespace."""

    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    """Secret -> key -> value."""
    config_maps: dict[str, dict[str, str]] = field(default_factory=dict)
    claims: dict[str, Path] = field(default_factory=dict)
    """Claim -> the folder that it is bound to."""
    made: list[Path] = field(default_factory=list)

    def unbound(self, pod: Mapping[str, Any]) -> str:
        """A claim that the scheduler waits for; empty if there is none."""
        for volume in pod.get("volumes", ()):
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if name and name not in self.claims:
                return f'persistentvolumeclaim "{name}" not found'
        return ""

    def missing(self, pod: Mapping[str, Any]) -> str:
        """Why a volume cannot be set up, in the kubelet's words; empty if all can."""
        for volume in pod.get("volumes", ()):
            for kind, source in _objects(volume):
                why = self._lacks(kind, source)
                if why:
                    return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
        return ""

    def mounts(self, pod: Mapping[str, Any], container: Mapping[str, Any]) -> list[Mount]:
        """The folders of a container, which are made for it."""
        volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
        folders = {name: self._folder(volume) for name, volume in volumes.items()}
        return [
            _mounted(mount, volumes[mount["name"]], folders[mount["name"]])
            for mount in container.get("volumeMounts", ())
        ]

    def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        """The variables of a container, from everywhere they may come from."""
        found: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            for kind, reference in _references(source, "secretRef", "configMapRef"):
                held = self._of(kind).get(reference["name"], {})
                prefix = source.get("prefix", "")
                found |= {f"{prefix}{key}": value for key, value in held.items()}
        for variable in container.get("env", ()):
            value: str | None = variable.get("value", "")
            source = variable.get("valueFrom") or {}
            for kind, key in _references(source, "secretKeyRef", "configMapKeyRef"):
                value = self._of(kind).get(key["name"], {}).get(key["key"])
            if value is not None:
                found[variable["name"]] = value
        return found

    def lacking(self, container: Mapping[str, Any]) -> str:
        """What the environment of a container needs and is not there, in the kubelet's words."""
        for source in container.get("envFrom", ()):
            for kind, reference in _references(source, "secretRef", "configMapRef"):
                if reference["name"] not in self._of(kind) and not reference.get("optional"):
                    return f'{kind} "{reference["name"]}" not found'
        for variable in container.get("env", ()):
            source = variable.get("valueFrom") or {}
            for kind, key in _references(source, "secretKeyRef", "configMapKeyRef"):
                why = self._lacks_key(kind, key)
                if why:
                    return why
        return ""

    def close(self) -> None:
        """Remove what was made for pods; claims keep what they hold."""
        for folder in self.made:
            shutil.rmtree(folder, ignore_errors=True)

    def _of(self, kind: str) -> Mapping[str, Mapping[str, str]]:
        return self.secrets if kind == "secret" else self.config_maps

    def _lacks_key(self, kind: str, key: Mapping[str, Any]) -> str:
        if key.get("optional"):
            return ""
        if key["name"] not in self._of(kind):
            return f'{kind} "{key["name"]}" not found'
        if key["key"] not in self._of(kind)[key["name"]]:
            return f"couldn't find key {key['key']} in {kind.capitalize()} blocks/{key['name']}"
        return ""

    def _lacks(self, kind: str, source: Mapping[str, Any]) -> str:
        if source.get("optional"):
            return ""
        name = _name(source)
        if name not in self._of(kind):
            return f'{kind} "{name}" not found'
        for item in source.get("items", ()):
            if item["key"] not in self._of(kind)[name]:
                return f"references non-existent {kind} key: {item['key']}"
        return ""

    def _folder(self, volume: Mapping[str, Any]) -> Path:
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim:
            return self.claims[claim]
        folder = Path(tempfile.mkdtemp(prefix="volume-"))
        self.made.append(folder)
        if "emptyDir" in volume or _is_plain(volume):
            folder.chmod(0o777)
        for kind, source in _objects(volume):
            mode = source.get("defaultMode", _DEFAULT_MODE)
            held = self._of(kind).get(_name(source), {})
            items = source.get("items") or [{"key": key, "path": key} for key in held]
            for item in items:
                if item["key"] in held:
                    path = folder / item["path"]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(held[item["key"]], "utf-8")
                    path.chmod(item.get("mode", mode))
        return folder


def _is_plain(volume: Mapping[str, Any]) -> bool:
    """Whether nothing is said of a volume: it is an empty folder then."""
    return not any(volume.get(kind) is not None for kind in _EXECUTED)


def _objects(volume: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The Secrets and ConfigMaps that a volume is made of."""
    projected = (volume.get("projected") or {}).get("sources", ())
    for source in (volume, *projected):
        for key, kind in (("secret", "secret"), ("configMap", "configmap")):
            if source.get(key):
                yield kind, source[key]


def _name(source: Mapping[str, Any]) -> str:
    return str(source.get("secretName") or source.get("name") or "")


def _references(
    source: Mapping[str, Any], secret: str, config_map: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, kind in ((secret, "secret"), (config_map, "configmap")):
        if source.get(key):
            yield kind, source[key]


def _mounted(mount: Mapping[str, Any], volume: Mapping[str, Any], folder: Path) -> Mount:
    empty = volume.get("emptyDir") or {}
    size = 0
    if empty.get("medium") == "Memory":
        size = int(parse_quantity(empty.get("sizeLimit", "64Mi")))
    claim = volume.get("persistentVolumeClaim") or {}
    is_object = any(True for _ in _objects(volume))
    source = folder / mount.get("subPath", "")
    if not is_object and not size:
        source.mkdir(parents=True, exist_ok=True)  # as the kubelet does for a sub-path
    read_only = bool(mount.get("readOnly") or claim.get("readOnly") or is_object)
    return Mount(str(source), mount["mountPath"], read_only=read_only, size=size)
