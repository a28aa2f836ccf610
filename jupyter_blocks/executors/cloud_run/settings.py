"""The settings of executor `gcp_cloud_run`: which there are, and what each may say.

They stand in `gcp_cloud_run_config` of the project's metadata.yaml, and in a block's
`executor_config`. The keys that Mage knows mean the same here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.executors.outgoing import COMMON_SETTINGS
from jupyter_blocks.executors.settingsreader import SettingsReader

__all__ = [
    "CONNECTION_KEYS",
    "EGRESS",
    "ENVIRONMENTS",
    "KEYS",
    "Connection",
    "JobSettings",
    "SecretVersion",
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
        reading = SettingsReader(NAME, settings)
        project = reading.text("project_id") or environment.get("GCP_PROJECT_ID", "")
        if not project:
            reading.problem(
                "no 'project_id' is set",
                "Write the id of your Google Cloud project below 'gcp_cloud_run_config' in "
                "metadata.yaml, or set GCP_PROJECT_ID.",
            )
        region = reading.text("region") or environment.get("GCP_REGION", "") or DEFAULT_REGION
        endpoint = reading.text("endpoint")
        if endpoint.startswith("http://") and not _LOOPBACK.fullmatch(endpoint):
            reading.problem(
                f"'endpoint: {endpoint}' would send your credentials unencrypted",
                "Write https://, or leave it out to use Google's.",
            )
        credentials = reading.text("path_to_credentials_json_file")
        reading.check()
        return cls(project, region, credentials, endpoint)


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
        reading = SettingsReader(NAME, settings)
        reading.refuse_unknown({*KEYS, *COMMON_SETTINGS})
        found = cls._read(reading)
        reading.check()
        return found

    @classmethod
    def _read(cls, reading: SettingsReader) -> JobSettings:
        secrets = reading.pairs("secret_environment")
        return cls(
            image=reading.text("image"),
            cpu=reading.number("cpu", least=0.08),
            memory_mib=_memory_mib(reading),
            gpu=reading.whole("gpu") or 0,
            gpu_type=reading.text("gpu_type"),
            gpu_zonal_redundancy=reading.flag("gpu_zonal_redundancy"),
            service_account=reading.text("service_account"),
            timeout_s=reading.number("timeout_s", least=1)
            or reading.number("timeout_seconds", least=1),
            execution_environment=reading.choice("execution_environment", ENVIRONMENTS),
            vpc_connector=reading.text("vpc_connector"),
            vpc_egress=reading.choice("vpc_egress", EGRESS),
            network=reading.text("network"),
            subnetwork=reading.text("subnetwork"),
            network_tags=reading.texts("network_tags"),
            encryption_key=reading.text("encryption_key"),
            launch_stage=reading.choice("launch_stage", ("ALPHA", "BETA", "GA")),
            labels=reading.pairs("labels"),
            annotations=reading.pairs("annotations"),
            secret_environment={name: _secret(text) for name, text in secrets.items()},
        )


def _secret(text: str) -> SecretVersion:
    if "/versions/" in text:
        secret, _, version = text.partition("/versions/")
    else:
        secret, _, version = text.partition(":")
    return SecretVersion(secret, version or "latest")


def _memory_mib(reading: SettingsReader) -> int | None:
    """`2Gi`, `2048Mi`, or a number of MiB."""
    value = reading.get("memory")
    if value is None:
        return None
    found = _MEMORY.fullmatch(str(value).strip())
    if found is None:
        reading.wrong("memory", "a size such as 2Gi or 2048Mi")
        return None
    number, unit = found.groups()
    return max(1, int(number) * _BYTES[unit or "Mi"] // 2**20)
