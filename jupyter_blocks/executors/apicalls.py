"""Calls to the API of a platform: at a bearable rate, and again where that makes sense.

One bucket of tokens for all calls of an executor. Throttling halves the rate, and every call that
succeeds raises it a little, up to what the backend allows.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.jobs import ApiFailure, FailureKind

__all__ = ["ApiCalls", "ApiError", "Clock", "Rate"]

Result = TypeVar("Result")

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_BURST_S = 0.2
_AGAIN = frozenset({FailureKind.THROTTLED, FailureKind.UNAVAILABLE})


class ApiError(ExecutorError):
    """A call failed for good; `failure` says why."""

    def __init__(self, failure: ApiFailure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class Clock(Protocol):
    """The time, for tests that do not want to wait."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Rate:
    """A bucket of tokens, one for each call, that fills at a rate which adapts."""

    def __init__(self, most_per_s: float, clock: Clock = time) -> None:
        self._most = most_per_s
        self._least = min(0.2, most_per_s)
        self._per_s = most_per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._next_at = clock.monotonic()
        """When the next call may be made; calls that had to wait have their place before it."""

    @property
    def per_s(self) -> float:
        """Calls per second at present."""
        return self._per_s

    def wait(self) -> None:
        """Take a token, waiting for it in turn."""
        with self._lock:
            now = self._clock.monotonic()
            # A little of what was not used before may be used at once; no burst comes of it.
            at = max(self._next_at, now - _BURST_S)
            self._next_at = at + 1.0 / self._per_s
            pause_s = at - now
        if pause_s > 0:
            self._clock.sleep(pause_s)

    def succeeded(self) -> None:
        """The platform did not complain."""
        with self._lock:
            self._per_s = min(self._most, self._per_s * 1.02)

    def throttled(self, pause_s: float) -> None:
        """The platform complained: nobody calls for a while, and then less often."""
        with self._lock:
            self._per_s = max(self._least, self._per_s / 2)
            self._next_at = max(self._next_at, self._clock.monotonic() + pause_s)


class ApiCalls:
    """Makes calls for one executor; safe for use by threads."""

    def __init__(
        self,
        rate: Rate,
        failure: Callable[[Exception], ApiFailure],
        renew: Callable[[], None],
        clock: Clock = time,
    ) -> None:
        self._rate = rate
        self._failure = failure
        self._renew = renew
        self._clock = clock
        self._closed = threading.Event()

    def close(self) -> None:
        """Let calls that wait for another try give up."""
        self._closed.set()

    def __call__(self, call: Callable[[], Result], give_up_s: float) -> Result:
        """Make a call, again after passing failures for `give_up_s` seconds.

        Raises `ApiError` with the last failure.
        """
        ends_at = self._clock.monotonic() + give_up_s
        pause_s = _FIRST_PAUSE_S
        renewed = False
        while True:
            self._rate.wait()
            try:
                result = call()
            except Exception as error:  # whatever an SDK raises
                failure = error.failure if isinstance(error, ApiError) else self._failure(error)
                if failure.kind is FailureKind.CREDENTIALS and not renewed:
                    renewed = True
                    self._renew()
                    continue
                pause_s = self._pause(failure, pause_s)
                over = self._clock.monotonic() + pause_s > ends_at or self._closed.is_set()
                if failure.kind not in _AGAIN or over:
                    raise ApiError(failure) from error
                self._clock.sleep(pause_s)
            else:
                self._rate.succeeded()
                return result

    def _pause(self, failure: ApiFailure, last_s: float) -> float:
        """Seconds until the next try: longer each time, never the same for two callers."""
        drawn_s = random.uniform(_FIRST_PAUSE_S, last_s * 3)  # noqa: S311 - not a secret
        pause_s = min(_LONGEST_PAUSE_S, failure.retry_after_s or drawn_s)
        if failure.kind is FailureKind.THROTTLED:
            self._rate.throttled(pause_s)
        return pause_s
