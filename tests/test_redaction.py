"""Values of secrets are replaced wherever a worker writes."""

from __future__ import annotations

import json

import pytest

from jupyter_blocks import redaction


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No secrets of other tests."""
    monkeypatch.setattr(redaction, "_forms", [])


@pytest.mark.parametrize(
    "secret", ["hunter2", "with \"quotes\" and 'more'", "päss\\wort", "a\tb c"]
)
def test_a_secret_is_hidden_in_every_form(secret: str) -> None:
    """As it is, in JSON, as `repr`, and as `repr` in JSON."""
    redaction.hide([secret])
    for text in (secret, json.dumps(secret), repr(secret), json.dumps({"e": repr(secret)})):
        hidden = redaction.redacted(f"before {text} after".encode()).decode()
        assert "[secret]" in hidden
        assert secret not in hidden
        assert hidden.startswith("before")
        assert hidden.endswith("after")


def test_each_line_of_a_key_is_hidden() -> None:
    """Logs are sent line by line."""
    redaction.hide(["-----BEGIN KEY-----\nMIIabcdef\n-----END KEY-----"])
    assert redaction.redacted(b"MIIabcdef") == b"[secret]"


def test_short_values_are_left_alone() -> None:
    """Otherwise no text would be readable."""
    redaction.hide(["a", "1", ""])
    assert redaction.redacted(b"a1") == b"a1"
