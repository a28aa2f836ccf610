"""What the decision about a run is made from, and what it answers: facts and effects.

Values only: `runner.decide` makes effects of facts, `dispatcher` carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from jupyter_blocks.executors.base import InputRef, Observation
from jupyter_blocks.run import RunEvent

__all__ = [
    "Commit",
    "CommitFailed",
    "Committed",
    "Drop",
    "Effect",
    "Fact",
    "HandOver",
    "LookAgain",
    "Record",
    "Stop",
    "Submit",
]

STOP_GRACE_S = 5.0


@dataclass(frozen=True)
class Committed:
    """The outputs of an attempt are published."""

    attempt_id: str
    stored: InputRef | None
    outputs: Mapping[str, Any]
    report: Mapping[str, Any]


@dataclass(frozen=True)
class CommitFailed:
    """An attempt claimed success, but its outputs cannot be published."""

    attempt_id: str
    detail: str


Fact: TypeAlias = Observation | Committed | CommitFailed


@dataclass(frozen=True)
class Record:
    """Apply an event and write it to the journal."""

    event: RunEvent


@dataclass(frozen=True)
class Submit:
    """Start an attempt."""

    block: str
    sequence: int
    attempt: int


@dataclass(frozen=True)
class Commit:
    """Publish the outputs of an attempt that ended well."""

    block: str
    attempt_id: str
    report: Mapping[str, Any]
    ahead: tuple[Submit, ...] = ()
    """Attempts to start once the manifest is known, while it is being published. If that fails,
    those that read the outputs are stopped, and nothing of them is published."""


@dataclass(frozen=True)
class Stop:
    """Stop an attempt, after recording why."""

    block: str
    attempt_id: str
    grace_s: float = STOP_GRACE_S


@dataclass(frozen=True)
class HandOver:
    """Have the worker of a block go on with one that reads its outputs, if it takes any more."""

    block: str
    sequence: int
    attempt: int
    behind: str
    """The block in front."""


@dataclass(frozen=True)
class Drop:
    """Forget that a block was handed over: it never began."""

    block: str
    attempt_id: str


@dataclass(frozen=True)
class LookAgain:
    """Ask executors once more, soon: what one of them said could not be used yet."""


Effect: TypeAlias = Record | Submit | HandOver | Drop | Commit | Stop | LookAgain
