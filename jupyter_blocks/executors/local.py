"""`local_python`: blocks run in warm worker processes on this machine.

A crash, a lack of memory or a timeout of one block takes no other block with it. Attempts end with
their dispatcher; an attempt cut off in this way is run again on resume.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import Problem
from jupyter_blocks.executors.base import (
    BlockTask,
    ExecutorContext,
    JobHandle,
    Observation,
    Phase,
    Reason,
)
from jupyter_blocks.executors.pool import Ended, WorkerPool
from jupyter_blocks.executors.reports import observed_end

__all__ = ["LocalExecutor", "available_cores", "gpu_count", "total_memory_mib"]

_CRASH_HINTS: Mapping[int, str] = {
    signal.SIGSEGV: "native code of a library failed; the log shows where",
    signal.SIGBUS: "native code of a library failed; the log shows where",
    signal.SIGABRT: "native code of a library gave up; the log shows where",
    signal.SIGKILL: "somebody killed it; a machine short of memory does that too",
}


class LocalExecutor:
    """Runs attempts in worker processes of this machine."""

    name = "local_python"
    poll_interval_s = 1.0
    outlives_dispatcher = False
    answers_at_once = True

    def __init__(self, context: ExecutorContext) -> None:
        self._size = context.max_workers or available_cores()
        self._pool = WorkerPool(self._size, context.preload, context.notify)
        self._observed: dict[str, Observation] = {}
        self._oom_kills = _oom_kills()

    def check(self, task: BlockTask) -> list[Problem]:
        """Whether the wished memory and GPUs make sense on this machine."""
        memory_mib, gpus = task.resources.get("memory_mib") or 0, task.resources.get("gpu") or 0
        place: dict[str, Any] = {"severity": "warning", "pipeline": task.pipeline}
        place["block"] = task.block
        asks = f"Block '{task.block}' asks for"
        problems = []
        if memory_mib > (total := total_memory_mib()):
            told = f"{asks} {memory_mib:g} MiB of memory; this machine has {total:.0f} MiB."
            problems.append(Problem("too-much-memory", told, "It may be killed.", **place))
        if gpus and gpus > (there := gpu_count()):
            told = f"{asks} {gpus} GPU{'s' * (gpus > 1)}; this machine has {there or 'none'}."
            hint = (
                "It runs without; an executor with GPUs, such as k8s, is chosen by 'executor_type' "
                "or --executor."
            )
            problems.append(Problem("too-many-gpus", told, hint, **place))
        return problems

    def job_request(self, task: BlockTask) -> Mapping[str, Any]:
        """The task itself: it goes to the worker as it is."""
        return task.as_json()

    def capacity(self) -> int | None:
        """How many workers are free."""
        return self._size - self._pool.busy

    def submit(self, task: BlockTask) -> JobHandle:
        """Hand the task to a worker."""
        handle = JobHandle(self.name, task.attempt_id)
        if not self._knows(task.attempt_id):
            inputs = frozenset(reference.attempt_id for reference in task.upstream)
            self._pool.run(task.as_json(), inputs)
        return handle

    def hand_over(self, task: BlockTask, behind: str) -> JobHandle | None:
        """Have the worker of the attempt `behind` go on with a task that reads its outputs."""
        taken = self._pool.hand_over(task.as_json(), behind)
        return JobHandle(self.name, task.attempt_id) if taken else None

    def find(self, attempt_ids: Sequence[str]) -> list[JobHandle]:
        """Only attempts of this very process: the others ended with their dispatcher."""
        return [
            JobHandle(self.name, attempt_id)
            for attempt_id in attempt_ids
            if self._knows(attempt_id)
        ]

    def observe(self, handles: Sequence[JobHandle]) -> list[Observation]:
        """What is known of each attempt."""
        for ended in self._pool.collect():
            self._observed[ended.attempt_id] = self._judge(ended)
        waiting = self._pool.waiting()
        return [self._observation(handle.attempt_id, waiting) for handle in handles]

    def cancel(self, handle: JobHandle, grace_s: float) -> None:
        """Interrupt the block, and kill its worker if it does not end in time."""
        self._pool.stop(handle.attempt_id, grace_s)

    def logs(self, handle: JobHandle, cursor: str) -> tuple[list[str], str]:
        """Nothing: workers write their logs straight to the store."""
        del handle
        return [], cursor

    def release(self, handle: JobHandle) -> None:
        """Forget the attempt and let go of its outputs in memory."""
        self._observed.pop(handle.attempt_id, None)
        self._pool.drop(handle.attempt_id)

    def close(self) -> None:
        """End all workers; what still runs is cut off."""
        self._pool.close()

    def _knows(self, attempt_id: str) -> bool:
        return attempt_id in self._observed or self._pool.has(attempt_id)

    def _observation(self, attempt_id: str, waiting: frozenset[str]) -> Observation:
        if attempt_id in self._observed:
            return self._observed[attempt_id]
        if attempt_id in waiting:
            return _pending(attempt_id)
        pid = self._pool.pid(attempt_id)
        return Observation(attempt_id, Phase.RUNNING, node=f"pid {pid}" if pid else "")

    def _judge(self, ended: Ended) -> Observation:
        node = f"pid {ended.pid}" if ended.pid else ""
        if ended.reason is Reason.INFRASTRUCTURE:
            detail = "its worker process ended before its outputs were stored"
            return Observation(ended.attempt_id, Phase.LOST, ended.reason, detail, node=node)
        if ended.reason is Reason.DROPPED:
            return Observation(ended.attempt_id, Phase.CANCELLED, ended.reason, node=node)
        if ended.report is None:
            reason, detail = self._why_dead(ended)
            return Observation(ended.attempt_id, Phase.FAILED, reason, detail, node=node)
        return observed_end(ended.attempt_id, ended.report, node)

    def _why_dead(self, ended: Ended) -> tuple[Reason, str]:
        code = ended.exit_code
        if code is None:
            return Reason.CRASHED, "its worker process ended without a word"
        if code >= 0:
            return Reason.CRASHED, f"the block ended its process with exit code {code}"
        kills = _oom_kills()
        if -code == signal.SIGKILL and kills > self._oom_kills:
            self._oom_kills = kills
            memory = f"{total_memory_mib():.0f} MiB"
            return Reason.OUT_OF_MEMORY, f"killed by the system, which ran out of memory ({memory})"
        name = signal.Signals(-code).name
        hint = _CRASH_HINTS.get(-code, "see the log")
        return Reason.CRASHED, f"its worker process was ended by {name}: {hint}"


@lru_cache(maxsize=256)
def _pending(attempt_id: str) -> Observation:
    return Observation(attempt_id, Phase.PENDING)


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpu_count(root: Path = Path("/")) -> int:
    """GPUs of NVIDIA and AMD that the drivers of this machine show (Linux; else 0)."""
    nvidia = len([*(root / "dev").glob("nvidia[0-9]*")])
    nodes = (root / "sys/class/kfd/kfd/topology/nodes").glob("*/gpu_id")
    with suppress(OSError):
        return nvidia + sum(node.read_text("ascii").strip() not in ("", "0") for node in nodes)
    return nvidia


def total_memory_mib() -> float:
    """Memory of the machine, in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20


def _oom_kills() -> int:
    """How many processes the kernel has killed for lack of memory so far (Linux; else 0)."""
    try:
        lines = Path("/proc/vmstat").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
