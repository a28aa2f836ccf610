"""What runs inside every backend: one task in, one report out; and the command that starts it.

`run_task` gives an attempt its surroundings: a log of its own, isolation from the attempts before
and after it, import path, memory limit. `python -m jupyter_blocks.worker` runs one task document.
"""

from __future__ import annotations

import json
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jupyter_blocks.attempt import Attempt, Report, report
from jupyter_blocks.attemptlog import captured
from jupyter_blocks.errors import VariableError
from jupyter_blocks.executors.base import BlockTask, CallMode, Reason
from jupyter_blocks.executors.reports import EXIT_CODES, EXIT_TAKEN, EXIT_WRONG_TASK
from jupyter_blocks.inputs import Memory
from jupyter_blocks.isolation import isolated
from jupyter_blocks.lazy import LazyModule
from jupyter_blocks.line import NO_LINE, Line
from jupyter_blocks.mageimports import mage_imports
from jupyter_blocks.projectmodules import import_path
from jupyter_blocks.tracebacks import describe
from jupyter_blocks.usage import Meter, memory_limit
from jupyter_blocks.variables.store import VariableStore

if TYPE_CHECKING:
    from jupyter_blocks import redaction, taskboot
else:
    # For workers on other machines; those of this one start without them.
    redaction = LazyModule("jupyter_blocks.redaction")
    taskboot = LazyModule("jupyter_blocks.taskboot")

__all__ = ["main", "run_task"]


def run_task(
    task: BlockTask,
    *,
    store: VariableStore | None = None,
    memory: Memory | None = None,
    line: Line = NO_LINE,
) -> Report:
    """Run one attempt and report it. Never raises for anything user code does.

    The outputs are in the store when this returns, not committed. `memory` holds values that
    earlier attempts of this process left for later ones (`task.keep`); it is added to.

    The report: `status` (`succeeded`, `failed`, `condition_false`, `waiting`, `cancelled`),
    `reason` (a `Reason`), `error` (see `tracebacks.describe`) or None, `manifest` or None,
    `outputs` (name -> `type`, `rows`, `bytes`), `duration_s`, `cpu_s`, `peak_rss_mib`, and `silent`
    where the block wrote nothing to its log. Where `line` lets it, `seal` is there instead of
    `manifest` and `outputs`: the values are written, and calling it gives the rest of the report.
    """
    meter = Meter()
    return _told(
        task, meter, lambda: _run(task, store or _store(task.variables), memory, meter, line)
    )


def _told(task: BlockTask, meter: Meter, work: Callable[[], Report]) -> Report:
    """The report of some work, whatever it raises, with what it took."""
    try:
        done = work()
    except KeyboardInterrupt:
        done = report("cancelled", Reason.CANCELLED)
    except taskboot.BootError as error:
        said = {"type": "Worker", "message": str(error), "traceback": ""}
        done = report("failed", error.reason, said)
    except Exception as error:  # a full disk, a fault of ours: it has to be told
        done = report("failed", Reason.INFRASTRUCTURE, _worker_error(error, task))
    return {**meter.read(), **done}


def _run(
    task: BlockTask, store: VariableStore, memory: Memory | None, meter: Meter, line: Line
) -> Report:
    is_exported = task.call is CallMode.NAMED
    environment = {"MAGE_RUNTIME__REPO_PATH": task.project}
    arguments = [f"{task.project}/{task.file}"]
    limit_mib = float(task.resources.get("memory_mib") or 0)
    with (
        store.log_file(task.prefix) as log,
        captured(log) as output,
        import_path(task.project, task.working_dir, is_exported=is_exported),
        mage_imports(),
        isolated(task.working_dir, environment, arguments),
        memory_limit(limit_mib) if limit_mib else nullcontext(),
    ):
        done = Attempt(task, store, memory, meter, line).run()
    return {**done, "silent": True} if output.is_empty else done


@lru_cache(maxsize=4)
def _store(root: str) -> VariableStore:
    return VariableStore(root)


def _worker_error(error: Exception, task: BlockTask) -> dict[str, Any]:
    """Something went wrong around the block: a full disk, a missing folder, a fault of ours."""
    described = describe(error, project=task.project)
    described["message"] = f"The worker failed: {described['type']}: {described['message']}"
    described["traceback"] = "".join(traceback.format_exception(error))
    return described


# the command


def main() -> int:
    """Run the task that the environment names; the exit code says how it ended (`EXIT_CODES`).

    `JUPYTER_BLOCKS_TASK` is the URI or path of the task document, `..._TASK_SHA256` its digest,
    `JUPYTER_BLOCKS_ATTEMPT` the attempt id. Exit code 22: the document is not the one that was
    meant; 24: another process has claimed the attempt.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        task = taskboot.read_task()
    except (OSError, KeyError, TypeError, ValueError, VariableError) as error:
        print(f"The task cannot be used: {error}", file=sys.stderr)
        return EXIT_WRONG_TASK
    store = VariableStore(task.variables)
    if not taskboot.claim(store.storage, task.prefix):
        print(f"Attempt {task.attempt_id} has been claimed by another process.", file=sys.stderr)
        return EXIT_TAKEN
    done = _booted(task, store)
    _leave_result(store, task, done)
    return EXIT_CODES.get(done["reason"], 1)


def _booted(task: BlockTask, store: VariableStore) -> Report:
    """Make the task ready for this machine and run it."""

    def work() -> Report:
        with taskboot.prepared(task, store.storage) as ready:
            return run_task(ready, store=store)

    return _told(task, Meter(), work)


def _leave_result(store: VariableStore, task: BlockTask, done: Report) -> None:
    try:
        data = redaction.redacted(json.dumps(done).encode())
        store.storage.create(taskboot.result_key(task.prefix), data)
    except VariableError as error:
        print(f"The result cannot be stored: {error}", file=sys.stderr)
    if done["error"]:
        words = done["error"]["traceback"] or done["error"]["message"]
        print(redaction.redacted(words.encode()).decode(), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
