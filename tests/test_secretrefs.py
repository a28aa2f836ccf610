"""References to secrets, and where each leads."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.secretrefs import SecretReference, parse_reference, resolve_secrets
from jupyter_blocks.testing.loopback import LoopbackHandler, LoopbackServer
from tests.motoserver import moto_server


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("env:VAULT", SecretReference("env", "VAULT")),
        ("file:/run/secrets/a", SecretReference("file", "/run/secrets/a")),
        ("k8s:database/password", SecretReference("k8s", "database", "password")),
        ("aws-sm:prod/db#password", SecretReference("aws-sm", "prod/db", "password")),
        (
            "aws-sm:arn:aws:secretsmanager:eu-west-1:1:secret:db",
            SecretReference("aws-sm", "arn:aws:secretsmanager:eu-west-1:1:secret:db"),
        ),
        ("gcp-sm:projects/p/secrets/s", SecretReference("gcp-sm", "projects/p/secrets/s")),
    ],
)
def test_references_are_read(text: str, reference: SecretReference) -> None:
    """A scheme, a name, and where it matters a key."""
    assert parse_reference(text) == reference


@pytest.mark.parametrize("text", ["hunter2", "https://x", "env:", ":x", "k8s:only-a-name", ""])
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    """It may be the secret itself."""
    with pytest.raises(ExecutorError) as raised:
        parse_reference(text)
    assert "hunter2" not in str(raised.value)


def test_secrets_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, from a mounted file, from what the pod was given."""
    (tmp_path / "mounted").write_text("two\n", "utf-8")
    monkeypatch.setenv("VAULT", "one")
    monkeypatch.setenv("THIRD", "three")
    references = {"FIRST": "env:VAULT", "SECOND": f"file:{tmp_path}/mounted", "THIRD": "k8s:s/k"}
    assert resolve_secrets(references) == {"FIRST": "one", "SECOND": "two", "THIRD": "three"}


def test_all_that_cannot_be_read_are_named() -> None:
    """At once, with the reference and never with a value."""
    references = {"A": "env:NOT_SET_ANYWHERE", "B": "file:/not/there", "C": "k8s:db/password"}
    with pytest.raises(ExecutorError) as raised:
        resolve_secrets(references)
    text = str(raised.value)
    assert "A (env:NOT_SET_ANYWHERE): LookupError: it is not set where the block runs" in text
    assert "B (file:/not/there): FileNotFoundError" in text
    assert "C (k8s:db#password): LookupError" in text


def test_aws_secrets_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole secrets, and members of those that are JSON."""
    import boto3

    with moto_server() as url:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("secretsmanager")
        client.create_secret(Name="plain", SecretString="whole")
        arn = client.create_secret(Name="db", SecretString='{"password": "p", "port": 5432}')["ARN"]
        assert resolve_secrets(
            {"A": "aws-sm:plain", "B": "aws-sm:db#password", "C": f"aws-sm:{arn}#port"}
        ) == {"A": "whole", "B": "p", "C": "5432"}
        with pytest.raises(ExecutorError, match="no key 'user'"):
            resolve_secrets({"A": "aws-sm:db#user"})


@pytest.fixture
def secret_manager() -> Iterator[str]:
    """Google's service with one secret that needs a token; its URL."""

    class Handler(LoopbackHandler):
        def do_GET(self) -> None:
            is_known = self.path == "/v1/projects/p/secrets/s/versions/latest:access"
            is_allowed = self.headers["Authorization"] == "Bearer a-token"
            if not (is_known and is_allowed):
                self.reply(403)
                return
            data = base64.b64encode(b'{"key": "v"}').decode()
            self.reply(200, json.dumps({"payload": {"data": data}}).encode())

    with LoopbackServer(Handler) as server:
        yield server.url


def test_google_secret_manager(secret_manager: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest version, with the machine's own credentials."""
    import google.auth
    from google.oauth2.credentials import Credentials

    monkeypatch.setattr(google.auth, "default", lambda **_: (Credentials("a-token"), "p"))
    monkeypatch.setenv("SECRET_MANAGER_ENDPOINT", secret_manager)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert resolve_secrets({"A": "gcp-sm:projects/p/secrets/s#key"}) == {"A": "v"}
    with pytest.raises(ExecutorError, match="403"):
        resolve_secrets({"A": "gcp-sm:projects/p/secrets/other"})
