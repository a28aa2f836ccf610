"""What a comparison comes to, and the words it is said in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from jupyter_blocks.loading import MODULE_PREFIX
from jupyter_blocks.projectmodules import HELPERS

__all__ = [
    "EQUAL",
    "ROUNDING",
    "Compare",
    "Handler",
    "Outcome",
    "Verdict",
    "differ",
    "is_own",
    "kind_name",
    "not_comparable",
    "parts",
    "relative_difference",
    "short",
    "type_name",
    "with_rounding",
]

Outcome = Literal["equal", "different", "not_comparable"]
Compare = Callable[[Any, Any], "Verdict"]
"""Compares two values found inside of others."""
Handler = Callable[[Any, Any, Compare], "Verdict | None"]
"""Compares two values of one package; none where they are like any other object."""

ROUNDING = 1e-9
"""Numbers that differ by less than this, relative to their size, differ by rounding only."""
_SHOWN = 60
_OWN_PACKAGES = ("__main__", "__mp_main__", HELPERS, MODULE_PREFIX)
"""Where the notebook's own classes and functions live: the notebook, the exported pipeline."""


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to."""

    outcome: Outcome
    detail: str = ""
    """Where and how the values differ, or why they cannot be compared."""
    key: str = ""
    """Outermost column, key or attribute that differs, where it is named by a text."""
    is_rounding: bool = False
    """Whether the values differ by no more than the rounding of numbers."""
    is_part: bool = False
    """Whether it was come to for a part of the values."""

    def within(self, where: str, key: object = None) -> Verdict:
        """The same, said of the whole that this was a part of."""
        if not self.detail:
            return self
        key = key if isinstance(key, str) else self.key
        return replace(self, detail=f"{where}{self.detail}", key=key, is_part=True)

    @property
    def weight(self) -> int:
        """What counts more for the whole: a difference, then rounding, then not to know."""
        return {"equal": 0, "not_comparable": 1, "different": 3}[self.outcome] - self.is_rounding


EQUAL = Verdict("equal")


def differ(notebook: object, pipeline: object) -> Verdict:
    """The verdict on two texts that describe what differs."""
    return Verdict("different", f"{notebook} in the notebook, {pipeline} in the pipeline")


def not_comparable(reason: str) -> Verdict:
    """The verdict where nothing can be said, and why."""
    return Verdict("not_comparable", reason)


def parts(compare: Compare, pairs: Iterable[tuple[str, Any, Any, Any]]) -> Verdict:
    """The weightiest verdict on (where, key, one, other): the first real difference ends it."""
    answer = EQUAL
    for where, key, one, other in pairs:
        verdict = compare(one, other)
        if verdict.weight > answer.weight:
            answer = verdict.within(where, key)
            if answer.weight == 3:
                break
    return answer


def short(value: object) -> str:
    """A value in few words, on one line."""
    try:
        text = " ".join(repr(value).split())
    except Exception as error:  # a class decides what its repr raises
        text = f"<{type_name(value)}: repr raises {type(error).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def is_own(module: str) -> bool:
    """Whether classes and functions of a module are the notebook's own."""
    return module.partition(".")[0] in _OWN_PACKAGES


def kind_name(kind: type) -> str:
    """Module and name of a class; one of the notebook's own is the same wherever it lives."""
    name = kind.__qualname__
    if is_own(kind.__module__):
        return f"<notebook>:{name.rpartition('<locals>.')[2]}"
    return f"{kind.__module__}:{name}"


def type_name(value: object) -> str:
    """Package and name of a value's class, as people say it."""
    kind = type(value)
    name = kind.__qualname__.rpartition("<locals>.")[2]
    plain = kind.__module__ == "builtins" or is_own(kind.__module__)
    return name if plain else f"{kind.__module__.partition('.')[0]}.{name}"


def relative_difference(one: complex, other: complex) -> float:
    """How far two numbers are apart, relative to the larger; infinite where one is not finite."""
    size = max(abs(one), abs(other))
    far = abs(one - other) / size if size else 0.0
    return far if math.isfinite(far) else math.inf


def with_rounding(verdict: Verdict, relative: float, limit: float = ROUNDING) -> Verdict:
    """The verdict on numbers that differ by at most `relative`; it is said if that is rounding."""
    if relative > limit:
        return verdict
    detail = f"{verdict.detail} (only rounding: {relative:.1e} relative)"
    return replace(verdict, detail=detail, is_rounding=True)
