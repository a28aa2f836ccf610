"""What happens a little later in a fake cloud, as it does in a real one."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

__all__ = ["Timeline"]


class Timeline:
    """Runs functions later, in order, on one thread."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def after(self, delay_s: float, function: Callable[[], None]) -> None:
        """Run a function in so many seconds, unless all is over by then."""
        with self._changed:
            due = (time.monotonic() + delay_s, next(self._numbers), function)
            heapq.heappush(self._due, due)
            self._changed.notify()

    def close(self) -> None:
        """Run nothing any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._is_over and (not self._due or self._due[0][0] > time.monotonic()):
                    wait_s = self._due[0][0] - time.monotonic() if self._due else None
                    self._changed.wait(wait_s)
                if self._is_over:
                    return
                function = heapq.heappop(self._due)[2]
            function()
