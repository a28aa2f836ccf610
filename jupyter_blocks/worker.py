"""What runs inside every backend: one task in, one report out; and the command that starts it.

`run_task` gives an attempt its surroundings: a log of its own, isolation from the attempts before
and after it, import path, memory limit. `python -m jupyter_blocks.worker` runs one task document.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyter_blocks.attempt import Attempt, Report, report
from jupyter_blocks.attemptlog import captured
from jupyter_blocks.errors import VariableError
from jupyter_blocks.executors.base import BlockTask, CallMode, Reason
from jupyter_blocks.inputs import Memory
from jupyter_blocks.isolation import isolated
from jupyter_blocks.mageimports import mage_imports
from jupyter_blocks.projectmodules import import_path
from jupyter_blocks.tracebacks import describe
from jupyter_blocks.usage import Meter, memory_limit
from jupyter_blocks.variables.storage import AlreadyExistsError
from jupyter_blocks.variables.store import VariableStore

__all__ = ["EXIT_CODES", "main", "run_task"]

EXIT_CODES: Mapping[str, int] = {
    Reason.NONE: 0,
    Reason.CONDITION_FALSE: 0,
    Reason.SENSOR_WAITING: 0,
    Reason.USER_ERROR: 20,
    Reason.TEST_FAILED: 20,
    Reason.UNSTORABLE: 20,
    Reason.OUT_OF_MEMORY: 20,
    Reason.INPUT_MISSING: 21,
    Reason.CONFIGURATION: 23,
    Reason.CANCELLED: 25,
}
"""Exit code of the command for each reason in a report; 1 for all others."""
_EXIT_WRONG_TASK = 22
_EXIT_TAKEN = 24

_TASK = "JUPYTER_BLOCKS_TASK"
_DIGEST = "JUPYTER_BLOCKS_TASK_SHA256"
_ATTEMPT = "JUPYTER_BLOCKS_ATTEMPT"


def run_task(
    task: BlockTask, *, store: VariableStore | None = None, memory: Memory | None = None
) -> Report:
    """Run one attempt and report it. Never raises for anything user code does.

    The outputs are in the store when this returns, not committed. `memory` holds values that
    earlier attempts of this process left for later ones (`task.keep`); it is added to.

    The report: `status` (`succeeded`, `failed`, `condition_false`, `waiting`, `cancelled`),
    `reason` (a `Reason`), `error` (see `tracebacks.describe`) or None, `manifest` or None,
    `outputs` (name -> `type`, `rows`, `bytes`), `duration_s`, `cpu_s`, `peak_rss_mib`, and `silent`
    where the block wrote nothing to its log.
    """
    meter = Meter()
    try:
        done = _run(task, store or _store(task.variables), memory, meter)
    except KeyboardInterrupt:
        done = report("cancelled", Reason.CANCELLED)
    except Exception as error:
        done = report("failed", Reason.INFRASTRUCTURE, _worker_error(error, task))
    return {**done, **meter.read()}


def _run(task: BlockTask, store: VariableStore, memory: Memory | None, meter: Meter) -> Report:
    is_exported = task.call is CallMode.NAMED
    environment = {"MAGE_RUNTIME__REPO_PATH": task.project}
    arguments = [f"{task.project}/{task.file}"]
    with (
        store.log_file(task.prefix) as log,
        captured(log) as output,
        import_path(task.project, task.working_dir, is_exported=is_exported),
        mage_imports(),
        isolated(task.working_dir, environment, arguments),
        memory_limit(float(task.resources.get("memory_mib") or 0)),
    ):
        done = Attempt(task, store, memory, meter).run()
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

    `JUPYTER_BLOCKS_TASK` is the path or file URI of the task document, `..._TASK_SHA256` its
    digest, `JUPYTER_BLOCKS_ATTEMPT` the attempt id. Exit code 22: the document is not the one that
    was meant; 24: another process has claimed the attempt.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        task = _read_task()
    except (OSError, KeyError, TypeError, ValueError) as error:
        print(f"The task cannot be used: {error}", file=sys.stderr)
        return _EXIT_WRONG_TASK
    store = VariableStore(task.variables)
    claim = json.dumps({"pid": os.getpid(), "host": os.uname().nodename}).encode()
    try:
        store.storage.create(f"{task.prefix}/claim.json", claim)
    except AlreadyExistsError:
        print(f"Attempt {task.attempt_id} has been claimed by another process.", file=sys.stderr)
        return _EXIT_TAKEN
    done = run_task(task, store=store)
    _leave_result(store, task, done)
    return EXIT_CODES.get(done["reason"], 1)


def _read_task() -> BlockTask:
    uri = os.environ[_TASK]
    path = Path(unquote(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)
    data = path.read_bytes()
    if sha256(data).hexdigest() != os.environ[_DIGEST]:
        raise ValueError(f"the sha256 of {path} is not the one that was announced")
    task = BlockTask.from_json(json.loads(data))
    if task.attempt_id != os.environ[_ATTEMPT]:
        raise ValueError(f"it is that of attempt {task.attempt_id}, not {os.environ[_ATTEMPT]}")
    return task


def _leave_result(store: VariableStore, task: BlockTask, done: Report) -> None:
    try:
        store.storage.create(f"{task.prefix}/result.json", json.dumps(done).encode())
    except VariableError as error:
        print(f"The result cannot be stored: {error}", file=sys.stderr)
    if done["error"]:
        print(done["error"]["traceback"], file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
