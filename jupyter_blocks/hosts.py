"""Executors as the dispatcher sees them: with the calls to each that are under way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_blocks.effects import Fact
from jupyter_blocks.errors import BlocksError
from jupyter_blocks.executors.base import Executor, JobHandle
from jupyter_blocks.lazy import LazyModule

if TYPE_CHECKING:
    from concurrent import futures
    from concurrent.futures import Future, ThreadPoolExecutor
else:
    # It loads `logging`, and executors of this machine need no threads.
    futures = LazyModule("concurrent.futures")

__all__ = ["Finish", "Host", "answer", "nothing", "open_host"]

_QUEUED_CALLS = 3
"""Calls for each thread of an executor that may be waiting or under way."""
_CLEAN_UP_S = 15.0

Finish = Callable[[Callable[[], Any]], list[Fact]]
"""Takes the answer of a call, which raises what the call raised."""


@dataclass
class Host:
    """One executor and the calls to it that are under way.

    An executor whose calls take long gets threads of its own, so that it never holds up the
    others: one, unless it says that it takes several calls at once.
    """

    executor: Executor
    thread: ThreadPoolExecutor | None
    calls_at_once: int = 1
    limit: int | None = None
    """Attempts it may have at once; none: any number."""
    calls: list[tuple[Future[Any], Finish]] = field(default_factory=list)
    observed_at: float = 0.0
    observing: bool = False

    def call(
        self, function: Callable[[], Any], finish: Finish, told: Callable[[], None]
    ) -> list[Fact]:
        """Make a call and tell what came of it; with threads later, after `told` was called."""
        if self.thread is None:
            return finish(function)
        call = self.thread.submit(function)
        self.calls.append((call, finish))
        call.add_done_callback(lambda _call: told())
        return []

    def finished_calls(self) -> list[Fact]:
        """What came of the calls that have ended since the last time."""
        finished = [pair for pair in self.calls if pair[0].done()]
        self.calls = [pair for pair in self.calls if pair not in finished]
        return [fact for call, finish in finished for fact in finish(call.result)]

    def places(self, active: int) -> int | None:
        """How many attempts may be submitted beside the `active` ones; none: any number.

        Where calls take long, few more than there are threads: nothing that is to be stopped has
        to wait behind hundreds of submissions.
        """
        if self.thread is None:
            return self.executor.capacity()
        free = self.calls_at_once * _QUEUED_CALLS - len(self.calls)
        return max(0, free if self.limit is None else min(free, self.limit - active))

    def next_look(self) -> float:
        """Monotonic time from which on a look is worth its price; never while one is made."""
        if self.observing:
            return float("inf")
        return self.observed_at + self.executor.poll_interval_s

    def close(self) -> None:
        """Let the calls end that clean up, but do not wait for long."""
        if self.thread is not None:
            futures.wait([call for call, _ in self.calls], _CLEAN_UP_S)
            self.thread.shutdown(wait=False, cancel_futures=True)


def open_host(executor: Executor) -> Host:
    """An executor that is about to be driven, with threads if its calls take long."""
    if executor.answers_at_once:
        return Host(executor, None)
    calls = getattr(executor, "concurrent_calls", 1)
    threads = futures.ThreadPoolExecutor(calls, thread_name_prefix=executor.name)
    return Host(executor, threads, calls, executor.capacity())


def answer(function: Callable[[], JobHandle]) -> Callable[[], JobHandle]:
    """Call now; what it returned or raised is told later."""
    try:
        handle = function()
    except Exception as error:  # whatever a backend raises
        raised = error

        def fail() -> JobHandle:
            raise raised

        return fail
    return lambda: handle


def nothing(call: Callable[[], Any]) -> list[Fact]:
    """Ignore what a call returned or raised: it can only have been too late."""
    with contextlib.suppress(BlocksError, OSError):
        call()
    return []
