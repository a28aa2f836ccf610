"""Keeps secrets of the server's environment out of answers: parameters, errors, logs.

What a project takes from the environment may turn up in what it says. The values of variables whose
names tell that they are secret are replaced wherever a text holds them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

__all__ = ["mask_secrets", "secret_mask"]

_NAMES = re.compile(
    r"PASS(WORD|WD|PHRASE)|SECRET|TOKEN|CREDENTIAL|(API|ACCESS|PRIVATE|ACCOUNT)_?KEY", re.IGNORECASE
)
_SHORTEST = 8
"""Shorter values are words, too: to replace them would spoil what is no secret."""
_MASK = "***"


def mask_secrets(value: Any) -> Any:
    """The same JSON, its texts without the secrets of the environment; keys stay."""
    return secret_mask()(value)


def secret_mask() -> Callable[[Any], Any]:
    """`mask_secrets` for many values: the environment, as it is now, is looked through once."""
    found = (text.strip() for name, text in os.environ.items() if _NAMES.search(name))
    pattern = _pattern(frozenset(text for text in found if len(text) >= _SHORTEST))
    return lambda value: value if pattern is None else _masked(value, pattern)


@lru_cache(maxsize=4)
def _pattern(values: frozenset[str]) -> re.Pattern[str] | None:
    if not values:
        return None
    return re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))))


def _masked(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(_MASK, value)
    if isinstance(value, dict):
        return {key: _masked(item, pattern) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item, pattern) for item in value]
    return value
