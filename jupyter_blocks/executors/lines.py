"""Attempts on one worker, seen from inside: the line it has been given, and what still goes on.

At most two attempts are under way: one computes, and the one in front of it is sealed in a thread -
hashed, described, its manifest written (`variables.unsealed`). Reports leave in the order of the
line. An attempt whose inputs did not come to be is dropped: it counts as never begun.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from jupyter_blocks.executors.base import BlockTask, InputRef
from jupyter_blocks.frozen import changed
from jupyter_blocks.inputs import Memory
from jupyter_blocks.line import DroppedError

__all__ = ["DROPPED", "Sealing", "settled"]

DROPPED: Mapping[str, Any] = {"status": "dropped", "reason": "dropped"}
"""Report of an attempt that counts as never begun."""


def settled(task: BlockTask, memory: Memory, *, may_be_open: bool = False) -> BlockTask:
    """The task with the outputs named that attempts in front of it have stored by now.

    Raises `DroppedError` where one of them left no outputs; with `may_be_open` those are enough
    that are written and not sealed.
    """
    if not any(reference.is_open for reference in task.upstream):
        return task
    upstream, inputs = [], dict(task.fingerprint.get("inputs", {}))
    for reference in task.upstream:
        named = _named(reference, memory, may_be_open=may_be_open)
        if named is not reference:
            inputs[named.block] = named.content
        upstream.append(named)
    return changed(
        task, upstream=tuple(upstream), fingerprint={**task.fingerprint, "inputs": inputs}
    )


def _named(reference: InputRef, memory: Memory, *, may_be_open: bool) -> InputRef:
    if not reference.is_open:
        return reference
    manifest = memory.get((reference.attempt_id, ""))
    if manifest is None or not (manifest.digest or may_be_open):
        raise DroppedError
    return InputRef.to(manifest) if manifest.digest else reference


class Sealing:
    """One attempt that is being sealed in a thread, and reported when it is."""

    def __init__(
        self,
        report: dict[str, Any],
        seal: Callable[[], dict[str, Any]],
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self._tell = tell
        self._began = time.perf_counter()
        # The values that are being sealed belong to the thread alone, and go with it.
        self._thread = threading.Thread(target=self._run, args=(report, seal), name="sealing")
        self._thread.start()

    def wait(self) -> bool:
        """Wait until the attempt has been reported; false for the thread itself, which cannot."""
        if self._thread is threading.current_thread():
            return False
        self._thread.join()
        return True

    def _run(self, report: dict[str, Any], seal: Callable[[], dict[str, Any]]) -> None:
        try:
            done = seal()
        except BaseException as error:
            words = f"The worker failed: {type(error).__name__}: {error}"
            told = {"type": type(error).__name__, "message": words, "traceback": words}
            done = {"status": "failed", "reason": "infrastructure", "error": told}
        report = {**report, **done}
        took_s = time.perf_counter() - self._began
        report["duration_s"] = round(report["duration_s"] + took_s, 6)
        report["cpu_s"] = round(report["cpu_s"] + time.thread_time(), 6)
        with suppress(OSError):  # the dispatcher is gone, and this process will be
            self._tell(report)
