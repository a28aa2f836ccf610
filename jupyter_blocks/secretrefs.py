"""References to secrets: where a worker finds a value that is written down nowhere.

- `env:NAME`: a variable of the worker's environment;
- `file:/run/secrets/name`: a file, such as a mounted secret;
- `aws-sm:NAME` or `aws-sm:ARN`, with `#KEY` for a member of a JSON secret: AWS Secrets Manager;
- `gcp-sm:projects/P/secrets/S`, with `/versions/V` for one of its versions: Google Secret Manager;
- `k8s:SECRET/KEY`: a Kubernetes Secret, given by the description of the pod.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.lazy import LazyModule

__all__ = ["SCHEMES", "SecretReference", "parse_reference", "resolve_secrets"]

cloudsecrets = LazyModule("jupyter_blocks.executors.cloudsecrets")


@dataclass(frozen=True)
class SecretReference:
    """Where one secret is."""

    scheme: str
    """One of `SCHEMES`."""
    name: str
    key: str = ""
    """Member of a JSON document, or key of a Kubernetes Secret; empty: the whole value."""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}{'#' + self.key if self.key else ''}"


def parse_reference(text: str) -> SecretReference:
    """The reference that a setting holds; `ExecutorError` for one that makes no sense.

    The text is not repeated in the error: it may be the secret itself, written down by mistake.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in SCHEMES or not rest:
        raise ExecutorError(
            "A setting under 'secrets' is no reference to a secret.",
            hint=f"Write one of {', '.join(f'{name}:...' for name in SCHEMES)}; never the secret "
            "itself.",
        )
    name, _, key = rest.rpartition("/") if scheme == "k8s" else rest.partition("#")
    if not name or (scheme == "k8s" and not key):
        raise ExecutorError(
            f"The reference to a secret '{scheme}:{rest}' is incomplete.",
            hint="Write k8s:SECRET/KEY." if scheme == "k8s" else f"Write {scheme}:NAME.",
        )
    return SecretReference(scheme, name, key)


def resolve_secrets(references: Mapping[str, str]) -> dict[str, str]:
    """Environment variable -> value; `ExecutorError` naming each one that cannot be read."""
    values: dict[str, str] = {}
    failed: list[str] = []
    for variable, text in references.items():
        reference = parse_reference(text)
        try:
            values[variable] = _RESOLVERS[reference.scheme](variable, reference)
        except Exception as error:  # whatever the client of a service raises
            failed.append(f"{variable} ({reference}): {type(error).__name__}: {error}")
    if failed:
        raise ExecutorError(f"Secrets cannot be read: {'; '.join(failed)}.")
    return values


def _from_environment(_variable: str, reference: SecretReference) -> str:
    try:
        return os.environ[reference.name]
    except KeyError:
        raise LookupError("it is not set where the block runs") from None


def _from_file(_variable: str, reference: SecretReference) -> str:
    return Path(reference.name).read_text("utf-8").rstrip("\n")


def _from_pod(variable: str, reference: SecretReference) -> str:
    """The pod's description has put it into the environment."""
    try:
        return os.environ[variable]
    except KeyError:
        message = f"the container was started without it, so it runs no pod that names {reference}"
        raise LookupError(message) from None


def _from_aws(_variable: str, reference: SecretReference) -> str:
    return _member(cloudsecrets.aws_secret(reference.name), reference)


def _from_gcp(_variable: str, reference: SecretReference) -> str:
    return _member(cloudsecrets.gcp_secret(reference.name), reference)


def _member(value: str, reference: SecretReference) -> str:
    if not reference.key:
        return value
    document = json.loads(value)
    if reference.key not in document:
        raise LookupError(f"the secret has no key '{reference.key}'")
    return str(document[reference.key])


_RESOLVERS: Mapping[str, Callable[[str, SecretReference], str]] = {
    "env": _from_environment,
    "file": _from_file,
    "k8s": _from_pod,
    "aws-sm": _from_aws,
    "gcp-sm": _from_gcp,
}
SCHEMES = tuple(_RESOLVERS)
"""Where secrets may be."""
