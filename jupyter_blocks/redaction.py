"""Keeps the values of secrets out of what a worker writes down: logs, errors, reports."""

from __future__ import annotations

import json
from collections.abc import Iterable

__all__ = ["HIDDEN", "hide", "redacted"]

HIDDEN = "[secret]"
_SHORTEST = 4
"""Characters; a shorter secret would be found in any text."""
_forms: list[bytes] = []


def hide(secrets: Iterable[str]) -> None:
    """From now on, these values are secrets of this process."""
    for secret in secrets:
        for line in {secret, *secret.splitlines()}:
            if len(line.strip()) >= _SHORTEST:
                _forms.extend(form for form in _written(line.strip()) if form not in _forms)
    _forms.sort(key=len, reverse=True)


def redacted(data: bytes) -> bytes:
    """The same text with every secret replaced, also where JSON has escaped it."""
    for form in _forms:
        data = data.replace(form, HIDDEN.encode())
    return data


def _written(secret: str) -> set[bytes]:
    """How a secret may look in a text: as it is, in JSON, and in the `repr` of a string."""
    quoted = json.dumps(secret)[1:-1]
    return {
        text.encode()
        for text in (
            secret,
            quoted,
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
            json.dumps(repr(secret)[1:-1])[1:-1],
        )
    }
