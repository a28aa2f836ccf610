"""Settings of a YAML file, read key by key: every wrong type becomes a problem with its line.

One `Section` is one mapping of the file. Readers get the value or the default and carry on, so that
one reading finds every mistake. Which keys there are is the callers' business.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_blocks.block import RetryPolicy
from jupyter_blocks.errors import Problem, Severity
from jupyter_blocks.yamlfile import YamlFile

__all__ = ["Report", "Section", "did_you_mean", "listed", "read_retry", "shown"]

_RETRY_KEYS = ("retries", "delay", "max_delay", "exponential_backoff")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'?` for the known name closest to `name`; empty if none is close."""
    import difflib

    matches = difflib.get_close_matches(name, [str(other) for other in known], n=1, cutoff=0.6)
    return f"Did you mean '{matches[0]}'?" if matches else ""


def listed(names: Iterable[str]) -> str:
    """Up to ten of the names, for people."""
    found = sorted(names)
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return f"{', '.join(found[:10])}{more}" if found else "none"


@dataclass
class Report:
    """Gathers the problems of one YAML file."""

    file: YamlFile
    pipeline: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        at: tuple[str | int, ...] = (),
        block: str | None = None,
        severity: Severity = "error",
    ) -> None:
        """Add a problem at the place of the file that the keys `at` lead to."""
        self.problems.append(
            Problem(
                code,
                message,
                hint,
                severity=severity,
                pipeline=self.pipeline,
                block=block,
                path=self.file.place,
                line=self.file.line(*at),
            )
        )

    @property
    def has_errors(self) -> bool:
        """Whether any of the problems is more than a warning."""
        return any(problem.severity == "error" for problem in self.problems)


@dataclass(frozen=True)
class Section:
    """One mapping of a YAML file. Absent keys and null give the default, without a problem."""

    report: Report
    values: Mapping[Any, Any]
    at: tuple[str | int, ...] = ()
    """Keys that lead to this mapping."""
    block: str | None = None
    """Block the mapping belongs to."""

    def get(self, key: str) -> Any:
        """The value as it stands, or None."""
        return self.values.get(key)

    def text(self, key: str, default: str | None = None) -> str | None:
        """A text; numbers and booleans are not taken for one."""
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return default if value is None else value.strip()
        self.wrong(key, "a text", 'Put it in quotes: "...".')
        return default

    def number(self, key: str, default: float | None = None, *, minimum: float = 0) -> float | None:
        """A number of at least `minimum`."""
        value = self.values.get(key)
        if value is None:
            return default
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and minimum <= value < math.inf:
            return float(value)
        self.wrong(key, f"a number of at least {minimum:g}")
        return default

    def whole(self, key: str, default: int | None = None, *, minimum: int = 0) -> int | None:
        """A whole number of at least `minimum`."""
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and value >= minimum:
            return value
        self.wrong(key, f"a whole number of at least {minimum}")
        return default

    def seconds(self, key: str) -> float | None:
        """A number of seconds above 0; 0 means none, as Mage has it."""
        return self.number(key) or None

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.wrong(key, "true or false")
        return default

    def mapping(self, key: str) -> dict[str, Any]:
        """A mapping with text keys and values that JSON knows; dates become ISO texts."""
        value = self.values.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.wrong(key, "a mapping of keys to values")
            return {}
        return {str(name): self._plain(item, (key, name)) for name, item in value.items()}

    def names(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.values.get(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(item.strip() for item in value)
        self.wrong(key, "a list of names")
        return ()

    def section(self, key: str) -> Section | None:
        """The mapping below `key`; none where there is none."""
        value = self.values.get(key)
        if isinstance(value, Mapping):
            return Section(self.report, value, (*self.at, key), self.block)
        if value is not None:
            self.wrong(key, "a mapping of keys to values")
        return None

    def entries(self, key: str) -> list[Section]:
        """The mappings of the list below `key`."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(key, "a list")
            return []
        found = []
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                found.append(Section(self.report, item, (*self.at, key, index), self.block))
            else:
                self.problem(
                    "wrong-type",
                    f"Entry {index + 1} of '{key}' must be a mapping, not {shown(item)}.",
                    at=(key, index),
                )
        return found

    def refuse_unknown(self, known: Collection[str], what: str) -> None:
        """A problem for every key that is not known."""
        for key in self.values:
            if key not in known:
                hint = did_you_mean(str(key), known) or f"Known: {', '.join(sorted(known))}."
                self.problem("unknown-setting", f"Unknown key '{key}' in {what}.", hint, at=(key,))

    def wrong(self, key: str, wanted: str, hint: str = "") -> None:
        """A problem: the value of `key` is not what is wanted."""
        self.problem(
            "wrong-type",
            f"'{key}'{self._of_block} must be {wanted}, not {shown(self.values.get(key))}.",
            hint,
            at=(key,),
        )

    def problem(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        at: tuple[str | int, ...] = (),
        severity: Severity = "error",
    ) -> None:
        """A problem at `at`, which is relative to this mapping."""
        self.report.add(
            code, message, hint, at=(*self.at, *at), block=self.block, severity=severity
        )

    @property
    def _of_block(self) -> str:
        return f" of block '{self.block}'" if self.block else ""

    def _plain(self, value: Any, at: tuple[str | int, ...]) -> Any:
        """`value` as JSON keeps it; what JSON cannot keep is a problem."""
        if value is None or isinstance(value, (str, int, float)):
            return value
        if len(at) > 60:
            self.problem("wrong-type", f"'{at[0]}' is nested too deeply.", at=at[:1])
            return None
        if isinstance(value, list):
            return [self._plain(item, (*at, index)) for index, item in enumerate(value)]
        if isinstance(value, Mapping):
            return {str(key): self._plain(item, (*at, key)) for key, item in value.items()}
        if isinstance(value, datetime.date):
            return self._date(value, at)
        self.problem(
            "wrong-type",
            f"'{'.'.join(map(str, at))}'{self._of_block} holds {shown(value)}, "
            "which is not plain data.",
            "Use text, numbers, true, false, null, lists or mappings.",
            at=at,
        )
        return None

    def _date(self, value: datetime.date, at: tuple[str | int, ...]) -> str:
        text = value.isoformat()
        self.problem(
            "date-as-text",
            f"'{'.'.join(map(str, at))}'{self._of_block} is a date; "
            f"blocks receive it as the text '{text}'.",
            "Put it in quotes to say so.",
            at=at,
            severity="warning",
        )
        return text


def read_retry(section: Section, base: RetryPolicy | None) -> RetryPolicy | None:
    """The section's `retry_config` merged key by key over `base`; none if neither says anything."""
    retry = section.section("retry_config")
    if retry is None or not retry.values:
        return base
    for key in retry.values:
        if key not in _RETRY_KEYS:
            retry.problem(
                "unknown-setting",
                f"Unknown key '{key}' in retry_config is ignored.",
                did_you_mean(str(key), _RETRY_KEYS) or f"Known: {', '.join(_RETRY_KEYS)}.",
                at=(key,),
                severity="warning",
            )
    start = base or RetryPolicy()
    said: dict[str, Any] = {
        "retries": retry.whole("retries"),
        "delay_s": retry.number("delay"),
        "max_delay_s": retry.number("max_delay"),
        "exponential_backoff": retry.flag("exponential_backoff", start.exponential_backoff),
    }
    return replace(start, **{name: value for name, value in said.items() if value is not None})


def shown(value: Any) -> str:
    """A value in a message: cut where it is long; lists and mappings by their kind only."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    if isinstance(value, bool):
        text = text.lower()
    return text if len(text) <= 60 else f"{text[:57]}..."
