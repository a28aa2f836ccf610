"""How long blocks wait for a machine, and when it is given up.

The time counts while nothing of the same executor runs: who waits behind the run's own blocks, in
a quota or on a cluster of a fixed size, gets a turn when those have ended.
"""

from __future__ import annotations

import threading
import time

from jupyter_blocks.executors.apicalls import Clock

__all__ = ["START_TIMEOUT_S", "Patience"]

START_TIMEOUT_S = 1800.0


class Patience:
    """The clocks of the blocks that wait. Safe for use by threads."""

    def __init__(self, limit_s: float = START_TIMEOUT_S, clock: Clock = time) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._ran_at = clock.monotonic()

    def something_runs(self) -> None:
        """A block of this executor holds a machine at present."""
        self._ran_at = self._clock.monotonic()

    def forget(self, block: str) -> None:
        """The block does not wait any more."""
        with self._lock:
            self._since.pop(block, None)

    def is_over(self, block: str, *, for_room: bool = True) -> bool:
        """Whether a block that still waits has waited too long, counted from the first question.

        `for_room` says that others have what it waits for; else nothing else counts.
        """
        now = self._clock.monotonic()
        with self._lock:
            since = self._since.setdefault(block, now)
        return now - (max(since, self._ran_at) if for_room else since) >= self.limit_s
