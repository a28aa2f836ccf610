"""Several attempts on one worker, one behind the other: what each of them is told of the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jupyter_blocks.executors.base import BlockTask

__all__ = ["NO_LINE", "DroppedError", "Line"]


class DroppedError(Exception):
    """An attempt in front did not end well, so that this one counts as never begun."""


@dataclass(frozen=True)
class Line:
    """What a worker that is given several attempts at once lets each of them know."""

    settle: Callable[[BlockTask], BlockTask]
    """Waits for the attempts in front, and names their outputs in the task (`InputRef.is_open`).
    Raises `DroppedError`."""
    goes_on: Callable[[], bool]
    """Whether another attempt waits, so that this one may leave what only reads to a thread."""


NO_LINE = Line(lambda task: task, lambda: False)
"""For an attempt that is alone."""
