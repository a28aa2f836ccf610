"""The states of runs, read from the journals of projects as cheaply as they change.

One connection for each journal and one kept state for each run that is looked at: a read costs a
look at the journal's `data_version`, and new events only are applied. Whatever wrote them - this
server, one before it, the command line - a run is found by what the journal says.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import UsageError
from jupyter_blocks.journal import Journal, RunRecord
from jupyter_blocks.run import BlockRun, EventKind, RunState, RunStatus
from jupyter_blocks.server.attempts import Attempts
from jupyter_blocks.server.faults import RequestError
from jupyter_blocks.server.jsontext import dump
from jupyter_blocks.server.masking import secret_mask

__all__ = ["ProjectRuns", "RunStates", "block_document", "record_document"]

_KEPT_RUNS = 16
_KEPT_PROJECTS = 64
_KEPT_ANSWERS = 32
_LONGEST_TRACEBACK = 20_000
_STARTS = (EventKind.RUN_STARTED, EventKind.RUN_RESUMED)


class _Followed:
    """One run: its state, and when each block last changed."""

    def __init__(self, journal: Journal, run_id: str) -> None:
        self.run_id = run_id
        self.version = -1
        self.seq = 0
        self.start = 0
        """Number of the event that began, or last resumed, the run."""
        self.changed: dict[str, int] = {}
        self.state = RunState(journal.plan(run_id))
        self.attempts = Attempts()
        self.entries: dict[str, bytes] = {}
        """Block -> its JSON with its name as the key, as of its last change."""
        self.answers: dict[tuple[str, int], bytes] = {}
        """What was answered since the last change; many clients ask for the same."""

    def update(self, journal: Journal) -> None:
        """Apply what is new in the journal."""
        version = journal.data_version()
        if version == self.version:
            return
        for seq, event in journal.events(self.run_id, self.seq):
            if event.kind in _STARTS and self.seq:
                self._begin_again(journal, seq)
            self.start = self.start or seq
            self.seq = seq
            self.state.apply(event)
            self.attempts.apply(event)
            if event.block:
                self.changed[event.block] = seq
                self.entries.pop(event.block, None)
            self.answers.clear()
        self.version = version

    def _begin_again(self, journal: Journal, seq: int) -> None:
        self.state = RunState(journal.plan(self.run_id))
        self.changed, self.entries, self.start = {}, {}, seq

    def document(self, holder: str, since: int) -> bytes:
        """The run as JSON; only the blocks that changed after event `since`, where it can be."""
        key = (holder, since)
        if key not in self.answers:
            if len(self.answers) >= _KEPT_ANSWERS:
                self.answers.clear()
            self.answers[key] = self._document(holder, since)
        return self.answers[key]

    def _document(self, holder: str, since: int) -> bytes:
        state = self.state
        partial = since >= self.start > 0
        names = [name for name in state.blocks if not partial or self.changed.get(name, 0) > since]
        status = state.status
        if status is RunStatus.RUNNING and not holder:
            status = RunStatus.INTERRUPTED
        mask = secret_mask()
        head = dump(
            {
                "run_id": self.run_id,
                "pipeline": state.plan.pipeline,
                "status": str(status),
                "cancelling": state.cancelling,
                "started_at": state.started_at,
                "finished_at": state.finished_at,
                "holder": holder or None,
                "parameters": mask(dict(state.plan.parameters)),
                "seq": self.seq,
                "partial": partial,
            }
        )
        blocks = b",".join([self.entries.get(name) or self._entry(name, mask) for name in names])
        return head[:-1] + b',"blocks":{' + blocks + b"}}"

    def _entry(self, name: str, mask: Callable[[Any], Any]) -> bytes:
        document = block_document(self.state.blocks[name], mask)
        self.entries[name] = dump(name) + b":" + dump(document)
        return self.entries[name]


def block_document(block: BlockRun, mask: Callable[[Any], Any]) -> dict[str, Any]:
    """One block as `run --json` prints it, with its place in the graph and its times.

    `mask` takes the secrets out of what it says: `masking.secret_mask`.
    """
    document = block.as_json()
    error = document["error"]
    if error and len(str(error.get("traceback") or "")) > _LONGEST_TRACEBACK:
        error["traceback"] = str(error["traceback"])[-_LONGEST_TRACEBACK:]
    return {
        **document,
        "error": mask(error),
        "reason": mask(document["reason"]),
        "type": block.planned.type,
        "upstream": list(block.planned.upstream),
        "attempt_id": block.attempt_id or None,
        "started_at": block.started_at,
        "finished_at": block.finished_at,
        "peak_rss_mib": block.peak_rss_mib,
    }


def record_document(record: RunRecord) -> dict[str, Any]:
    """One run as `runs --json` prints it."""
    return {**vars(record), "status": str(record.status), "holder": record.holder or None}


class ProjectRuns:
    """The runs of one project; safe for use by threads."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.used_at = time.monotonic()
        self._lock = threading.Lock()
        self._journal: Journal | None = None
        self._inode = 0
        self._followed: OrderedDict[str, _Followed] = OrderedDict()

    @contextmanager
    def journal(self) -> Iterator[Journal | None]:
        """The journal, for one thread at a time; none where nothing has been run."""
        with self._lock:
            self.used_at = time.monotonic()
            self._open()
            yield self._journal

    def _open(self) -> None:
        """Open the journal, anew where `repair` has put another in its place."""
        try:
            inode = (self.state_dir / "journal.db").stat().st_ino
        except OSError:
            inode = 0
        if inode != self._inode:
            self._close()
            self._journal = Journal(self.state_dir) if inode else None
            self._inode = inode

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
        self._journal, self._inode = None, 0
        self._followed.clear()

    def close(self) -> None:
        """Close the journal."""
        with self._lock:
            self._close()

    def list(self, pipeline: str | None, limit: int) -> list[RunRecord]:
        """The newest runs first."""
        with self.journal() as journal:
            return journal.runs(pipeline, limit) if journal else []

    def snapshot(self, run_id: str, since: int = -1) -> bytes:
        """The state of a run as JSON; see `_Followed.document`."""
        with self.journal() as journal:
            followed = self.followed(journal, run_id)
            if journal is None or followed.state.status.is_final:
                return followed.document("", since)
            holder = journal.holder(run_id)
            if not holder:
                # It may have ended between the two looks.
                followed.update(journal)
            return followed.document(holder, since)

    def attempts(self, run_id: str, block: str | None = None) -> bytes:
        """The attempts of a run, or of one of its blocks, as JSON."""
        with self.journal() as journal:
            return self.followed(journal, run_id).attempts.document(run_id, block)

    def followed(self, journal: Journal | None, run_id: str) -> _Followed:
        """The kept state of a run, up to date; for those who hold the journal."""
        followed = self._followed.get(run_id)
        if journal is None or (followed is None and not _exists(journal, run_id)):
            raise _unknown(run_id)
        if followed is None:
            followed = self._followed[run_id] = _Followed(journal, run_id)
            while len(self._followed) > _KEPT_RUNS:
                self._followed.popitem(last=False)
        self._followed.move_to_end(run_id)
        followed.update(journal)
        return followed


class RunStates:
    """The runs of all projects that clients have asked for."""

    def __init__(self) -> None:
        self._projects: OrderedDict[Path, ProjectRuns] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, state_dir: Path) -> ProjectRuns:
        """The runs of the project with this state folder."""
        with self._lock:
            if state_dir not in self._projects:
                self._projects[state_dir] = ProjectRuns(state_dir)
            self._projects.move_to_end(state_dir)
            while len(self._projects) > _KEPT_PROJECTS:
                self._projects.popitem(last=False)[1].close()
            return self._projects[state_dir]

    def close(self) -> None:
        """Close every journal."""
        with self._lock:
            for runs in self._projects.values():
                runs.close()
            self._projects.clear()


def _exists(journal: Journal, run_id: str) -> bool:
    try:
        return journal.find(run_id).run_id == run_id
    except UsageError:
        return False
    except sqlite3.Error as error:
        raise RequestError(503, "The journal cannot be read now.", hint="Try again.") from error


def _unknown(run_id: str) -> RequestError:
    return RequestError(404, f"There is no run '{run_id}' in this project.")
