"""Settings of an executor, read key by key: a section of metadata.yaml, and a block's over it.

Values are taken as a template may have left them: `'2'` is a number. Every mistake is noted, and
`check` tells of all of them at once, in the words of the rest of metadata.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.settings import did_you_mean, shown

__all__ = ["SettingsReader"]

_FLAGS = {"enabled": True, "true": True, "disabled": False, "false": False}
"""Words for yes and no, also as AWS has them."""


class SettingsReader:
    """Reads single values, each of its type; those that are not set are none, or empty.

    What is wrong is read as not set. Call `check` when all is read.
    """

    def __init__(self, executor: str, settings: Mapping[str, Any]) -> None:
        self._executor = executor
        self._given = settings
        self._mistakes: list[tuple[str, str]] = []

    def check(self) -> None:
        """`ExecutorError` names all mistakes that were made, with the first advice there is."""
        if self._mistakes:
            said = "; ".join(words for words, _ in self._mistakes)
            hint = next((hint for _, hint in self._mistakes if hint), "")
            raise ExecutorError(f"Settings of executor '{self._executor}': {said}.", hint=hint)

    def get(self, key: str) -> Any:
        """The value as it stands, or none."""
        return self._given.get(key)

    def text(self, key: str) -> str:
        """One text, or a number as one."""
        value = self._given.get(key)
        if value is None:
            return ""
        if isinstance(value, Mapping | list | tuple | bool):
            self.wrong(key, "a text")
            return ""
        return str(value).strip()

    def choice(self, key: str, words: Collection[str]) -> str:
        """One of some texts."""
        value = self.text(key)
        if value and value not in words:
            self.wrong(key, " or ".join(words))
            return ""
        return value

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self._given.get(key)
        if value is None or isinstance(value, bool):
            return value
        if str(value).lower() not in _FLAGS:
            self.wrong(key, "true or false")
            return None
        return _FLAGS[str(value).lower()]

    def number(self, key: str, *, least: float = 0.0) -> float | None:
        """A number of at least `least`."""
        return self._number(key, least, f"a number of at least {least:g}")

    def whole(self, key: str, *, least: int = 0) -> int | None:
        """A whole number of at least `least`."""
        wanted = f"a whole number of at least {least}"
        number = self._number(key, least, wanted)
        if number is None or number.is_integer():
            return None if number is None else int(number)
        self.wrong(key, wanted)
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or one text with commas."""
        value = self._given.get(key) or ()
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        if not isinstance(value, list | tuple):
            self.wrong(key, "a list of texts")
            return ()
        return tuple(str(item) for item in value)

    def mapping(self, key: str) -> dict[str, Any] | None:
        """A mapping, as the API of the platform has it."""
        value = self._given.get(key)
        if value is None or isinstance(value, Mapping):
            return None if value is None else dict(value)
        self.wrong(key, "a mapping")
        return None

    def mappings(self, key: str) -> tuple[Mapping[str, Any], ...]:
        """A list of mappings, as the API of the platform has them."""
        value = self._given.get(key) or ()
        if isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value):
            return tuple(value)
        self.wrong(key, "a list of mappings")
        return ()

    def pairs(self, key: str) -> dict[str, str]:
        """Texts by name: a mapping, or the list of `key` and `value` that Mage has for tags."""
        value = self._given.get(key) or {}
        if isinstance(value, list) and all(
            isinstance(item, Mapping) and {*item} == {"key", "value"} for item in value
        ):
            value = {item["key"]: item["value"] for item in value}
        if not isinstance(value, Mapping):
            # The value is not shown: it may be a secret.
            words = f"'{key}' must be a mapping of names to texts"
            self.problem(words, "Write a line 'NAME: value' below it for each.")
            return {}
        return {str(name): str(text) for name, text in value.items()}

    def refuse_unknown(self, known: Collection[str]) -> None:
        """A mistake for every key that is not known, with the one that was meant perhaps."""
        for key in self._given:
            if key not in known:
                near = did_you_mean(str(key), known)
                self.problem(f"'{key}' is not known", near or f"Known: {', '.join(sorted(known))}.")

    def wrong(self, key: str, wanted: str, hint: str = "") -> None:
        """A mistake: the value of `key` is not what is wanted."""
        self.problem(f"'{key}' must be {wanted}, not {shown(self._given.get(key))}", hint)

    def problem(self, words: str, hint: str = "") -> None:
        """A mistake, in words that begin with the key."""
        self._mistakes.append((words, hint))

    def _number(self, key: str, least: float, wanted: str) -> float | None:
        value = self._given.get(key)
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not least <= number < math.inf:
            self.wrong(key, wanted)
            return None
        return number
