"""Calls to a platform: how often, how long, and which of them again."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from jupyter_blocks.executors.apicalls import ApiCalls, ApiError, Rate
from jupyter_blocks.executors.jobs import ApiFailure, FailureKind


@dataclass
class Clock:
    """A clock that sleeping moves."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class TroubleError(Exception):
    def __init__(self, kind: FailureKind, retry_after_s: float | None = None) -> None:
        super().__init__(kind)
        self.failure_kind = kind
        self.retry_after_s = retry_after_s


class Platform:
    """Answers with the troubles it was given, then with `done`."""

    def __init__(self, *troubles: TroubleError) -> None:
        self.troubles = list(troubles)
        self.calls = 0
        self.renewed = 0
        self.clock = Clock()
        self.rate = Rate(10.0, self.clock)
        self.api = ApiCalls(self.rate, self.failure, self.renew, self.clock)

    def failure(self, error: Exception) -> ApiFailure:
        assert isinstance(error, TroubleError)
        return ApiFailure(error.failure_kind, str(error), error.retry_after_s)

    def renew(self) -> None:
        self.renewed += 1

    def call(self) -> str:
        self.calls += 1
        if self.troubles:
            raise self.troubles.pop(0)
        return "done"


@pytest.mark.parametrize("kind", [FailureKind.THROTTLED, FailureKind.UNAVAILABLE])
def test_passing_failures_are_tried_again(kind: FailureKind) -> None:
    """With pauses that grow."""
    platform = Platform(*[TroubleError(kind)] * 4)
    assert platform.api(platform.call, 300) == "done"
    assert platform.calls == 5
    assert sum(platform.clock.slept) >= 4 * 0.5


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.INVALID,
        FailureKind.PERMISSION,
        FailureKind.NOT_FOUND,
        FailureKind.NO_CAPACITY,
    ],
)
def test_lasting_failures_are_told_at_once(kind: FailureKind) -> None:
    """Asking again changes nothing, or nothing soon: then the run waits, and says so."""
    platform = Platform(TroubleError(kind))
    with pytest.raises(ApiError) as raised:
        platform.api(platform.call, 300)
    assert raised.value.failure.kind is kind
    assert platform.calls == 1


def test_credentials_are_renewed_once() -> None:
    """A token that has expired is no reason to stop; one that is refused again is."""
    platform = Platform(TroubleError(FailureKind.CREDENTIALS))
    assert platform.api(platform.call, 300) == "done"
    platform = Platform(*[TroubleError(FailureKind.CREDENTIALS)] * 2)
    with pytest.raises(ApiError):
        platform.api(platform.call, 300)
    assert (platform.renewed, platform.calls) == (1, 2)


def test_it_gives_up_in_time() -> None:
    """With the last failure, and not later than it was told."""
    platform = Platform(*[TroubleError(FailureKind.UNAVAILABLE)] * 1000)
    with pytest.raises(ApiError):
        platform.api(platform.call, 60)
    assert platform.clock.now <= 1060
    assert platform.calls > 3


def test_the_platform_says_how_long_to_wait() -> None:
    """`Retry-After` is kept to."""
    platform = Platform(TroubleError(FailureKind.THROTTLED, retry_after_s=7.0))
    platform.api(platform.call, 300)
    assert platform.clock.now - 1000 >= 7.0


def test_throttling_halves_the_rate_and_success_restores_it() -> None:
    """Nobody else has to complain."""
    platform = Platform(*[TroubleError(FailureKind.THROTTLED)] * 2)
    platform.api(platform.call, 300)
    assert platform.rate.per_s == pytest.approx(2.5 * 1.02)
    for _ in range(200):
        platform.api(platform.call, 300)
    assert platform.rate.per_s == 10.0


def test_calls_keep_to_the_rate() -> None:
    """A hundred calls at ten a second take ten seconds, also after nobody called for a while."""
    platform = Platform()
    platform.clock.sleep(60)
    for _ in range(100):
        platform.api(platform.call, 300)
    assert 9.6 <= platform.clock.now - 1060 <= 10.0


def test_closing_ends_the_waiting() -> None:
    """What is tried again is not tried for ever."""
    platform = Platform(*[TroubleError(FailureKind.UNAVAILABLE)] * 10)
    platform.api.close()
    with pytest.raises(ApiError):
        platform.api(platform.call, 300)
    assert platform.calls == 1
