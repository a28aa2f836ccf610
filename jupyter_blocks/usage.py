"""What an attempt uses of time and memory, and the limit that may be set to the latter."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["Meter", "memory_limit", "resident_mib"]

_MIB = 1 << 20
_STATUS = "/proc/self/status"
_RESET_PEAK = "/proc/self/clear_refs"
_NEGLIGIBLE_KIB = 1024
"""A peak that lies no more above an earlier one is taken for the same."""


class Meter:
    """Measures from its making on: seconds, CPU seconds, peak memory."""

    def __init__(self) -> None:
        _peak.reset()
        self._started = time.perf_counter()
        self._cpu = _cpu_s()

    def read(self) -> dict[str, Any]:
        """`duration_s`, `cpu_s` (child processes included) and `peak_rss_mib` so far."""
        return {
            "duration_s": round(time.perf_counter() - self._started, 6),
            "cpu_s": round(_cpu_s() - self._cpu, 6),
            "peak_rss_mib": round(self.peak_rss_mib(), 1),
        }

    def peak_rss_mib(self) -> float:
        """Most memory the process held at once, in MiB.

        Since the start of the process, where the system cannot measure it anew (not Linux).
        """
        scale = _MIB if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


@contextmanager
def memory_limit(limit_mib: float) -> Iterator[None]:
    """Let the process take `limit_mib` more memory than it has now; 0 sets no limit.

    What exceeds it is a `MemoryError`. Linux only; elsewhere nothing is limited.
    """
    if limit_mib <= 0 or sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _status_kib(b"VmData:") * 1024 + int(limit_mib * _MIB)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def resident_mib() -> float:
    """Memory this process holds now, in MiB; 0 where the system does not say (not Linux)."""
    try:
        return _status_kib(b"VmRSS:") / 1024
    except OSError:
        return 0.0


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class _Peak:
    """The most memory this process held at once, which Linux measures anew when told to.

    That takes longer than many a block, so it is told only where the process has grown since.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._low = 0

    def reset(self) -> None:
        if self._pid == os.getpid() and self._now() - self._low <= _NEGLIGIBLE_KIB:
            return
        with suppress(OSError):
            file = os.open(_RESET_PEAK, os.O_WRONLY)
            try:
                os.write(file, b"5")
            finally:
                os.close(file)
        self._pid, self._low = os.getpid(), self._now()

    def _now(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


_peak = _Peak()


def _status_kib(key: bytes) -> int:
    """One number of the system's account of this process, in KiB."""
    file = os.open(_STATUS, os.O_RDONLY)
    try:
        text = os.read(file, 1 << 16)
    finally:
        os.close(file)
    _, found, rest = text.partition(key)
    return int(rest.split(None, 1)[0]) if found else 0
