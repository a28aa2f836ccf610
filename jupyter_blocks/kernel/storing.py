"""Stores what cells gave, in a thread, so that nobody waits for it.

What the next cell could change in place is written before it may run; tables that are copied on
write are shared meanwhile. Nothing is ever copied to be stored.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jupyter_blocks.binding import Style
from jupyter_blocks.errors import BlocksError, ValidationError
from jupyter_blocks.executors.base import attempt_id
from jupyter_blocks.iterators import iterators, used_up
from jupyter_blocks.journal import CELL_RUN, Journal
from jupyter_blocks.kernel.view import View
from jupyter_blocks.launch import new_run_id
from jupyter_blocks.plan import Action, PlannedBlock, RunPlan
from jupyter_blocks.planner import reference
from jupyter_blocks.run import EventKind, RunEvent, RunState
from jupyter_blocks.variables.formats import share, shareable
from jupyter_blocks.variables.manifest import Manifest

__all__ = ["EXECUTOR", "NOT_STORED", "StoredCell", "Storer"]

EXECUTOR = "kernel"
"""What the journal calls the place where cells run."""
_LEFT_ALONE = (
    "a generator or another iterator, and storing it would use it up before the cells below "
    "read it. Runs of the pipeline store it part by part. To have it in the next kernel as well, "
    "set it to what it yields, such as `list(...)`."
)
NOT_STORED = "not what the block stored"
"""Stands for the content of an input that was changed since; it equals no content."""


@dataclass
class StoredCell:
    """The outputs of one block that ran in this kernel, on their way to the store."""

    view: View
    block: str
    outputs: Mapping[str, Any]
    parameters: Mapping[str, Any]
    upstream: Mapping[str, StoredCell | Manifest | None]
    """What each upstream block had stored when the cell ran."""
    changed: frozenset[str]
    """Upstream blocks whose values were not those they stored."""
    started_at: float
    random_streams: Mapping[str, Any] | None = None
    run_id: str = field(default_factory=lambda: CELL_RUN + new_run_id(time.time()))
    manifest: Manifest | None = None
    """Set when it is stored."""
    error: str = ""
    abandoned: bool = False
    """Set if a value may have been changed while it was written."""
    written: threading.Event = field(default_factory=threading.Event)
    """Set when nothing the next cell does can be seen in what is stored."""
    done: threading.Event = field(default_factory=threading.Event)


class _Watched(dict[str, Any]):
    """Outputs that tell when the last one that could be changed has been written."""

    def __init__(self, values: Mapping[str, Any], written: threading.Event) -> None:
        super().__init__({n: share(v) if shareable(v) else v for n, v in values.items()})
        unsafe = [name for name, value in values.items() if not shareable(value)]
        self._last = unsafe[-1] if unsafe else None
        self._written = written
        if not unsafe:
            written.set()

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]  # one pass is enough
        for name in list(self):
            yield name, self[name]
            if name == self._last:
                self._written.set()


class Storer:
    """Stores one cell after the other."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[StoredCell | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._open: list[StoredCell] = []

    def add(self, cell: StoredCell) -> None:
        """Store a cell's outputs soon."""
        cell.outputs = _Watched(cell.outputs, cell.written)
        self._open = [each for each in self._open if not each.done.is_set()]
        self._open.append(cell)
        self._queue.put(cell)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="blocks-store", daemon=True)
            self._thread.start()

    def settle(self) -> None:
        """Wait until nothing that is being written can be changed.

        Ctrl-C ends the waiting: what was not written by then is not stored.
        """
        try:
            for cell in self._open:
                cell.written.wait()
        except KeyboardInterrupt:
            for cell in self._open:
                cell.abandoned = not cell.written.is_set()

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until everything is stored."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        for cell in list(self._open):
            cell.done.wait(None if until is None else max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (cell := self._queue.get()) is not None:
            try:
                _store(cell)
            except ValidationError as error:
                problem = next(iter(error.problems), None)
                cell.error = f"Block '{cell.block}', as the notebook has mistakes: {problem}"
            except BlocksError as error:
                cell.error = str(error)
            except BaseException as error:  # such as a panic of a library; the thread goes on
                cell.error = f"Nothing of block '{cell.block}' was stored: {error!r}."
            finally:
                cell.outputs = {}
                cell.written.set()
                cell.done.set()


def _store(cell: StoredCell) -> None:
    view = cell.view
    pipeline, block = view.pipeline.name, view.pipeline.block(cell.block)
    attempt = attempt_id(view.project.project_id, cell.run_id, cell.block, 1)
    stored = {name: _manifest(each) for name, each in cell.upstream.items()}
    inputs = {name: manifest.content for name, manifest in stored.items() if manifest}
    inputs |= dict.fromkeys(cell.changed, NOT_STORED)
    references = [reference(manifest) for manifest in stored.values() if manifest]
    fingerprint = view.fingerprints(cell.parameters).of(block)
    unread, names = view.pipeline.unread_outputs(block), tuple[str, ...]()
    values = {name: cell.outputs[name] for name in cell.outputs}  # `items` tells who watches
    left_alone = iterators(values)
    if view.draft.block(cell.block).style is Style.DECORATED:
        # What a function gives is only shown; what a cell sets, later cells go on with.
        names, left_alone = used_up(values, unread, view.pipeline.shared_outputs(block)), ()
    del values  # they are let go as they are stored
    manifest = view.store.write(
        view.store.prefix(pipeline, cell.run_id, cell.block, attempt),
        cell.outputs,
        {
            "pipeline": pipeline,
            "run_id": cell.run_id,
            "block": cell.block,
            "attempt_id": attempt,
            "fingerprint": {**fingerprint, "inputs": inputs},
            "inputs": [vars(each) for each in references],
            "random_streams": cell.random_streams,
            "together": view.draft.block(cell.block).together,
            # A run does the block again where a block reads what is not stored.
            "optional": tuple(cell.outputs),
            "used_up": names,
        },
    )
    if cell.abandoned:
        cell.error = f"Block '{cell.block}' was not stored: it was interrupted."
        return
    view.store.commit(manifest)
    cell.manifest = manifest
    cell.error = " ".join(_not_stored(cell.block, manifest, left_alone))
    _record(cell, manifest, fingerprint)


def _not_stored(block: str, manifest: Manifest, left_alone: Collection[str]) -> Iterator[str]:
    """What is to be said of the outputs that are not in the store."""
    missing = {name: each for name, each in manifest.outputs.items() if each.why_not_stored}
    if names := [f"'{name}'" for name in missing if name in left_alone]:
        yield f"Block '{block}': output {', '.join(names)}: {_LEFT_ALONE}"
    for name, output in missing.items():
        if name not in left_alone:
            yield f"Block '{block}': output '{name}': {output.why_not_stored}"


def _manifest(stored: StoredCell | Manifest | None) -> Manifest | None:
    return stored.manifest if isinstance(stored, StoredCell) else stored


def _record(cell: StoredCell, manifest: Manifest, fingerprint: Mapping[str, Any]) -> None:
    """Tell the journal, which lists it as a run of one block."""
    block = cell.view.pipeline.block(cell.block)
    planned = PlannedBlock(
        name=block.name,
        type=block.type.name,
        action=Action.RUN,
        reason="its cell ran",
        executor=EXECUTOR,
        executor_reason="its cell ran in a notebook",
        fingerprint=fingerprint,
    )
    plan = RunPlan(
        cell.run_id,
        manifest.pipeline,
        (planned,),
        cell.parameters,
        execution_date=datetime.fromtimestamp(cell.started_at, UTC).isoformat(),
        working_dir=str(cell.view.notebook.path.parent),
    )
    events = _events(cell, manifest)
    store, run_id = cell.view.store, plan.run_id
    store.record_run(plan.pipeline, run_id, "plan", plan.as_json())
    store.record_run(plan.pipeline, run_id, "result", RunState.replay(plan, events).as_json())
    with Journal(cell.view.project.state_dir) as journal:
        journal.start(plan, events)


def _events(cell: StoredCell, manifest: Manifest) -> list[RunEvent]:
    name, attempt, now = cell.block, manifest.attempt_id, time.time()
    data = {"sequence": 1, "attempt": 1}
    done = {"duration_s": now - cell.started_at}
    ended = {
        "status": "SUCCEEDED",
        "outputs": manifest.summary(),
        "stored": vars(reference(manifest)),
    }
    return [
        RunEvent(EventKind.RUN_STARTED, cell.started_at),
        RunEvent(EventKind.SUBMITTING, cell.started_at, name, attempt, data),
        RunEvent(EventKind.ATTEMPT_FINISHED, now, name, attempt, done),
        RunEvent(EventKind.BLOCK_FINISHED, now, name, attempt, ended),
        RunEvent(EventKind.RUN_FINISHED, now, data={"status": "SUCCEEDED"}),
    ]
