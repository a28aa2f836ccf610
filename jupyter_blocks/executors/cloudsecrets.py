"""Reads single secrets from AWS Secrets Manager and from Google Secret Manager.

Google's is asked by REST with the credentials of the machine, so that no client is needed but
google-auth. https://cloud.google.com/secret-manager/docs/reference/rest
"""

from __future__ import annotations

import base64
import os

__all__ = ["aws_secret", "gcp_secret"]

_GCP = "https://secretmanager.googleapis.com"


def aws_secret(name: str) -> str:
    """The text of a secret, by its name or ARN; the region is the ARN's, else the machine's."""
    import boto3

    region = name.split(":")[3] if name.startswith("arn:") else None
    answer = boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=name)
    text = answer.get("SecretString")
    return str(text) if text is not None else answer["SecretBinary"].decode("utf-8")


def gcp_secret(name: str) -> str:
    """The text of a secret: `projects/P/secrets/S`, its newest version unless one is named."""
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    if "/versions/" not in name:
        name += "/versions/latest"
    endpoint = os.environ.get("SECRET_MANAGER_ENDPOINT", _GCP)
    with AuthorizedSession(credentials) as session:  # type: ignore[no-untyped-call]
        answer = session.get(f"{endpoint}/v1/{name}:access", timeout=30)
        answer.raise_for_status()
        return base64.b64decode(answer.json()["payload"]["data"]).decode("utf-8")
