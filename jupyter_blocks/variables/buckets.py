"""From a location to a client of its bucket: endpoints, credentials and retries.

What the environment says holds, under the names the vendors' own tools use; options in the URI
come before it. obstore reads `AWS_*` and `GOOGLE_*` itself, so only what it lacks is added here:
profiles of AWS, the emulator of Google Cloud Storage, and plain HTTP for endpoints that ask for it.
"""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

from obstore.store import GCSStore, MemoryStore, S3Store

from jupyter_blocks.errors import VariableError
from jupyter_blocks.variables.locations import Location

__all__ = ["RETRIES", "bucket_client", "endpoint_of"]

RETRIES: dict[str, Any] = {
    "max_retries": 6,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {
        "init_backoff": timedelta(milliseconds=200),
        "max_backoff": timedelta(seconds=10),
        "base": 2,
    },
}
"""How often throttling (429, 503), server errors and broken connections are answered by again."""

_TIMEOUTS = {"connect_timeout": timedelta(seconds=10), "timeout": timedelta(seconds=180)}

# In order: what botocore asks first, what it asks next, and what older tools set.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_S3_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)

_memory: dict[str, MemoryStore] = {}
_memory_lock = threading.Lock()


def bucket_client(location: Location) -> Any:
    """An obstore client of the bucket; nothing is sent yet."""
    if location.scheme == "memory":
        with _memory_lock:
            return _memory.setdefault(location.bucket, MemoryStore())
    return _s3(location) if location.scheme == "s3" else _gcs(location)


def endpoint_of(location: Location) -> str:
    """The service that is asked instead of the vendor's own; empty if none is."""
    endpoint = location.options.get("endpoint", "")
    if not endpoint and location.scheme == "s3":
        endpoint = next(filter(None, map(os.environ.get, _S3_ENDPOINTS)), "") or ""
    if not endpoint and location.scheme == "gs":
        endpoint = os.environ.get("STORAGE_EMULATOR_HOST") or os.environ.get("GOOGLE_BASE_URL", "")
        # The emulator's variable is often a host and a port only, as the client libraries allow:
        # https://cloud.google.com/go/docs/reference/cloud.google.com/go/storage/latest
        if endpoint and "://" not in endpoint:
            endpoint = f"http://{endpoint}"
    return endpoint.rstrip("/")


def _s3(location: Location) -> Any:
    config: Any = {}
    endpoint, region = endpoint_of(location), location.options.get("region")
    if endpoint:
        config["endpoint"] = endpoint
    if region:
        config["region"] = region
    if "path_style" in location.options:
        config["virtual_hosted_style_request"] = not location.flag("path_style", True)
    if location.flag("anonymous", False):
        config["skip_signature"] = True
    provider = None if "skip_signature" in config else _profile()
    return S3Store(
        location.bucket,
        config=config,
        credential_provider=provider,
        client_options=_client(endpoint),
        retry_config=RETRIES,  # type: ignore[arg-type]
    )


def _gcs(location: Location) -> Any:
    config: Any = {}
    endpoint = endpoint_of(location)
    if endpoint:
        config["base_url"] = endpoint
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        config["bearer_token"] = "emulator"  # noqa: S105 - obstore wants one, nobody checks it
    elif location.flag("anonymous", False):
        config["skip_signature"] = True
    return GCSStore(
        location.bucket,
        config=config,
        client_options=_client(endpoint),
        retry_config=RETRIES,  # type: ignore[arg-type]
    )


def _client(endpoint: str) -> Any:
    return {**_TIMEOUTS, "allow_http": endpoint.startswith("http://")}


def _profile() -> Any:
    """Credentials of a profile in `~/.aws`, for which boto3 is asked; none if there is no need."""
    named = os.environ.get("AWS_PROFILE", "")
    if not named:
        if any(os.environ.get(name) for name in _S3_CREDENTIALS):
            return None
        files = ("credentials", "config")
        if not any((Path.home() / ".aws" / name).is_file() for name in files):
            return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider

        return Boto3CredentialProvider()
    except ImportError as error:
        if not named:
            return None
        raise VariableError(
            f"AWS_PROFILE is '{named}', and profiles need the package boto3.",
            hint="Install it: pip install 'jupyter-blocks[aws]'.",
        ) from error
    except Exception as error:
        # botocore raises errors of its own for a profile that is not there, obstore a ValueError
        # for one without credentials.
        if not named:
            return None
        raise VariableError(
            f"The AWS profile '{named}' gives no credentials: {error}",
            hint="Log in (`aws sso login`), or set AWS_PROFILE to another profile.",
        ) from error
