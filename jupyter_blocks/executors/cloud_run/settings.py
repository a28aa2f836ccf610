"""The settings of executor `gcp_cloud_run`: which there are, and what each may say.

They stand in `gcp_cloud_run_config` of the project's metadata.yaml, and in a block's
`executor_config`. The keys that Mage knows mean the same here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.outgoing import COMMON_SETTINGS
from jupyter_blocks.settings import did_you_mean

__all__ = [
    "CONNECTION_KEYS",
    "EGRESS",
    "ENVIRONMENTS",
    "KEYS",
    "Connection",
    "JobSettings",
    "SecretVersion",
    "refuse_unknown",
]

NAME = "gcp_cloud_run"
DEFAULT_REGION = "us-west2"
"""As in Mage."""
_MEMORY = re.compile(r"(\d+)\s*(k|K|Ki|M|Mi|G|Gi)?")
_BYTES = {"k": 10**3, "K": 10**3, "Ki": 2**10, "M": 10**6, "Mi": 2**20, "G": 10**9, "Gi": 2**30}
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/?")

ENVIRONMENTS = {"gen1": "EXECUTION_ENVIRONMENT_GEN1", "gen2": "EXECUTION_ENVIRONMENT_GEN2"}
EGRESS = {"all-traffic": "ALL_TRAFFIC", "private-ranges-only": "PRIVATE_RANGES_ONLY"}
"""Words of the settings, and those of the API."""

CONNECTION_KEYS = ("project_id", "region", "path_to_credentials_json_file", "endpoint")
"""What all blocks of a project share: one connection, to one region."""

KEYS = (
    *CONNECTION_KEYS,
    "annotations",
    "cpu",
    "encryption_key",
    "execution_environment",
    "gpu",
    "gpu_type",
    "gpu_zonal_redundancy",
    "image",
    "labels",
    "launch_stage",
    "memory",
    "network",
    "network_tags",
    "secret_environment",
    "service_account",
    "subnetwork",
    "timeout_s",
    "timeout_seconds",
    "vpc_connector",
    "vpc_egress",
)
"""All keys but those of every remote executor (`outgoing.COMMON_SETTINGS`)."""


@dataclass(frozen=True)
class Connection:
    """Where jobs are made, and as whom."""

    project: str
    """Id of the Google Cloud project."""
    region: str
    credentials_file: str = ""
    """Empty: application default credentials."""
    endpoint: str = ""
    """URL of the API; empty: Google's. Plain HTTP is spoken with this machine only."""

    @property
    def parent(self) -> str:
        """What the names of jobs begin with."""
        return f"projects/{self.project}/locations/{self.region}"

    @classmethod
    def of(
        cls, settings: Mapping[str, Any], environment: Mapping[str, str] = os.environ
    ) -> Connection:
        """Read it; `ExecutorError` names what is missing.

        `GCP_PROJECT_ID` and `GCP_REGION` stand in for missing settings, as with Mage.
        """
        project = _text(settings, "project_id") or environment.get("GCP_PROJECT_ID", "")
        if not project:
            _refuse(
                "no 'project_id' is set",
                "Write the id of your Google Cloud project below 'gcp_cloud_run_config' in "
                "metadata.yaml, or set GCP_PROJECT_ID.",
            )
        region = _text(settings, "region") or environment.get("GCP_REGION", "") or DEFAULT_REGION
        endpoint = _text(settings, "endpoint")
        if endpoint.startswith("http://") and not _LOOPBACK.fullmatch(endpoint):
            _refuse(
                f"'endpoint: {endpoint}' would send your credentials unencrypted",
                "Write https://, or leave it out to use Google's.",
            )
        return cls(project, region, _text(settings, "path_to_credentials_json_file"), endpoint)


@dataclass(frozen=True)
class SecretVersion:
    """A secret of Secret Manager that Cloud Run puts into the environment of the container."""

    secret: str
    """Its id, or `projects/P/secrets/S`."""
    version: str = "latest"


@dataclass(frozen=True)
class JobSettings:
    """What the settings say about the job of a block. None and empty: Cloud Run's default."""

    image: str = ""
    cpu: float | None = None
    memory_mib: int | None = None
    gpu: int = 0
    gpu_type: str = ""
    gpu_zonal_redundancy: bool | None = None
    service_account: str = ""
    timeout_s: float | None = None
    execution_environment: str = ""
    """`gen1` or `gen2`."""
    vpc_connector: str = ""
    vpc_egress: str = ""
    """`all-traffic` or `private-ranges-only`."""
    network: str = ""
    subnetwork: str = ""
    network_tags: tuple[str, ...] = ()
    encryption_key: str = ""
    launch_stage: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    secret_environment: Mapping[str, SecretVersion] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> JobSettings:
        """Read them; `ExecutorError` for unknown keys and values that make no sense."""
        refuse_unknown(settings)
        tags = settings.get("network_tags") or ()
        return cls(
            image=_text(settings, "image"),
            cpu=_number(settings, "cpu", least=0.08),
            memory_mib=_memory_mib(settings),
            gpu=int(_number(settings, "gpu", least=0) or 0),
            gpu_type=_text(settings, "gpu_type"),
            gpu_zonal_redundancy=_flag(settings, "gpu_zonal_redundancy"),
            service_account=_text(settings, "service_account"),
            timeout_s=_number(settings, "timeout_s", least=1)
            or _number(settings, "timeout_seconds", least=1),
            execution_environment=_choice(settings, "execution_environment", ENVIRONMENTS),
            vpc_connector=_text(settings, "vpc_connector"),
            vpc_egress=_choice(settings, "vpc_egress", EGRESS),
            network=_text(settings, "network"),
            subnetwork=_text(settings, "subnetwork"),
            network_tags=(tags,) if isinstance(tags, str) else tuple(str(tag) for tag in tags),
            encryption_key=_text(settings, "encryption_key"),
            launch_stage=_choice(settings, "launch_stage", ("ALPHA", "BETA", "GA")),
            labels=_mapping(settings, "labels", str),
            annotations=_mapping(settings, "annotations", str),
            secret_environment=_mapping(settings, "secret_environment", _secret),
        )


def refuse_unknown(settings: Mapping[str, Any]) -> None:
    """`ExecutorError` for a key that means nothing, with the one that was meant perhaps."""
    known = (*KEYS, *COMMON_SETTINGS)
    for key in settings:
        if key not in known:
            near = did_you_mean(str(key), known)
            _refuse(f"'{key}' is no setting of it", near or f"It knows {', '.join(sorted(known))}.")


def _secret(value: Any) -> SecretVersion:
    text = str(value)
    if "/versions/" in text:
        secret, _, version = text.partition("/versions/")
    else:
        secret, _, version = text.partition(":")
    return SecretVersion(secret, version or "latest")


def _memory_mib(settings: Mapping[str, Any]) -> int | None:
    """`2Gi`, `2048Mi`, or a number of MiB."""
    value = settings.get("memory")
    if value is None:
        return None
    found = _MEMORY.fullmatch(str(value).strip())
    if found is None or isinstance(value, bool):
        _refuse(f"'memory: {value}' is no size", "Write it as 2Gi or 2048Mi.")
    number, unit = found.groups()
    return max(1, int(number) * _BYTES[unit or "Mi"] // 2**20)


def _number(settings: Mapping[str, Any], key: str, *, least: float) -> float | None:
    value = settings.get(key)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or number < least:
        _refuse(f"'{key}: {value}' makes no sense", f"Write a number of at least {least:g}.")
    return number


def _flag(settings: Mapping[str, Any], key: str) -> bool | None:
    value = settings.get(key)
    if value is not None and not isinstance(value, bool):
        _refuse(f"'{key}: {value}' makes no sense", "Write true or false.")
    return value


def _choice(settings: Mapping[str, Any], key: str, choices: Iterable[str]) -> str:
    value = _text(settings, key)
    if value and value not in choices:
        _refuse(f"'{key}: {value}' makes no sense", f"Write {' or '.join(choices)}.")
    return value


def _text(settings: Mapping[str, Any], key: str) -> str:
    value = settings.get(key)
    if isinstance(value, Mapping | list):
        _refuse(f"'{key}' holds more than a single value", "Write one text.")
    return "" if value is None else str(value).strip()


def _mapping(
    settings: Mapping[str, Any], key: str, convert: Callable[[Any], Any]
) -> dict[str, Any]:
    value = settings.get(key) or {}
    if not isinstance(value, Mapping):
        _refuse(f"'{key}' is no mapping", "Write a line 'NAME: value' below it for each.")
    return {str(name): convert(entry) for name, entry in value.items()}


def _refuse(what: str, hint: str) -> NoReturn:
    raise ExecutorError(f"Executor '{NAME}': {what}.", hint=hint)
