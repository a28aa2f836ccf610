"""The durable record of runs: SQLite under `.blocks/`, one row per event.

The journal is an index: outputs and their commits live in the variable store, and `repair` can
rebuild what the journal says from there. Writers append whole batches of events in one transaction
(WAL, synchronous FULL), so an event that was acknowledged survives the death of the process.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from jupyter_blocks.errors import ProjectError, RunHeldError, UsageError
from jupyter_blocks.plan import RunPlan
from jupyter_blocks.run import EventKind, RunEvent, RunState, RunStatus

__all__ = ["CELL_RUN", "Journal", "RunRecord"]

CELL_RUN = "cell-"
"""Ids of runs that were a single cell in a kernel begin so; lists of runs leave them out."""

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    pipeline TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at REAL NOT NULL,
    finished_at REAL,
    plan TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE events (
    run_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    ts REAL NOT NULL,
    kind TEXT NOT NULL,
    block TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;
CREATE TABLE commands (run_id TEXT NOT NULL, kind TEXT NOT NULL, ts REAL NOT NULL);
"""


@dataclass(frozen=True)
class RunRecord:
    """One run, as the journal lists it."""

    run_id: str
    pipeline: str
    status: RunStatus
    started_at: float
    """Unix time in seconds."""
    finished_at: float | None
    holder: str = ""
    """Who drives the run now (`pid 4711 on host`); empty: nobody."""


class Journal:
    """The journal of one project, in its state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._locks = state_dir / "runs"
        self.path = state_dir / "journal.db"
        self._locks.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise ProjectError(
                f"The run journal {self.path.name} in {state_dir} cannot be used: {error}.",
                hint="`jupyter blocks repair` rebuilds it from the stored outputs.",
            ) from error

    def _prepare(self) -> None:
        """Make the open database ours; it is closed where that cannot be."""
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._migrate()
        except (ProjectError, sqlite3.DatabaseError):
            self._db.close()
            raise

    def _migrate(self) -> None:
        version = self._version()
        if version > SCHEMA_VERSION:
            raise ProjectError(
                f"The run journal {self.path} was written by a newer version (format {version}; "
                f"this one reads {SCHEMA_VERSION}).",
                hint="Update jupyter-blocks.",
            )
        if version == SCHEMA_VERSION:
            return
        with self._transaction():
            if self._version() == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # writing: only the dispatcher of the run does

    def start(self, plan: RunPlan, events: Sequence[RunEvent]) -> None:
        """Record a new run, or the new plan of a resumed one, with its first events."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, NULL, ?) ON CONFLICT (run_id) DO UPDATE "
                "SET status = excluded.status, finished_at = NULL, plan = excluded.plan",
                (plan.run_id, plan.pipeline, str(RunStatus.RUNNING), events[0].ts, plan.text),
            )
            self._db.execute("DELETE FROM commands WHERE run_id = ?", (plan.run_id,))
            self._insert(plan.run_id, events)

    def append(self, run_id: str, events: Sequence[RunEvent]) -> None:
        """Add events, all or none, durably."""
        with self._transaction():
            self._insert(run_id, events)

    def _insert(self, run_id: str, events: Sequence[RunEvent]) -> None:
        query = "SELECT COALESCE(MAX(seq), 0) FROM events WHERE run_id = ?"
        last = self._db.execute(query, (run_id,)).fetchone()[0]
        self._db.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (run_id, seq, e.ts, e.kind, e.block, e.attempt_id, json.dumps(e.data))
                for seq, e in enumerate(events, last + 1)
            ],
        )
        for event in events:
            if event.kind is EventKind.RUN_FINISHED:
                self._db.execute(
                    "UPDATE runs SET status = ?, finished_at = ? WHERE run_id = ?",
                    (event.data["status"], event.ts, run_id),
                )

    # reading

    def runs(
        self, pipeline: str | None = None, limit: int = 50, *, cells: bool = False
    ) -> list[RunRecord]:
        """The newest runs first; with `cells` also single cells that ran in a kernel."""
        rows = self._db.execute(
            "SELECT run_id, pipeline, status, started_at, finished_at FROM runs "
            "WHERE (?1 IS NULL OR pipeline = ?1) AND (?5 OR substr(run_id, 1, ?3) <> ?4) "
            "ORDER BY started_at DESC, run_id DESC LIMIT ?2",
            (pipeline, limit, len(CELL_RUN), CELL_RUN, cells),
        )
        return [self._record(row) for row in rows.fetchall()]

    def find(self, text: str, pipeline: str | None = None) -> RunRecord:
        """The run called `text`: `last`, an id, or the only id that begins with it."""
        if text == "last":
            newest = self.runs(pipeline, 1)
            if not newest:
                raise UsageError("There are no runs yet.", pipeline=pipeline)
            return newest[0]
        rows = self._db.execute(
            "SELECT run_id, pipeline, status, started_at, finished_at FROM runs "
            "WHERE substr(run_id, 1, ?1) = ?2",
            (len(text), text),
        ).fetchall()
        exact = [row for row in rows if row[0] == text]
        if len(exact or rows) == 1:
            return self._record((exact or rows)[0])
        if rows:
            names = ", ".join(sorted(row[0] for row in rows)[:5])
            raise UsageError(f"'{text}' is the beginning of several runs: {names}.")
        raise UsageError(
            f"There is no run '{text}' in this project.", hint="`jupyter blocks runs` lists them."
        )

    def _record(self, row: Sequence[Any]) -> RunRecord:
        run_id, pipeline, status, started_at, finished_at = row
        state = RunStatus(status)
        holder = "" if state.is_final else self.holder(run_id)
        if state is RunStatus.RUNNING and not holder:
            state = RunStatus.INTERRUPTED
        return RunRecord(run_id, pipeline, state, started_at, finished_at, holder)

    def plan(self, run_id: str) -> RunPlan:
        """The newest plan of a run."""
        row = self._db.execute("SELECT plan FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise UsageError(f"There is no run '{run_id}' in this project.")
        return RunPlan.from_json(json.loads(row[0]))

    def events(self, run_id: str, after: int = 0) -> list[tuple[int, RunEvent]]:
        """Events of a run with their numbers, those after number `after` only."""
        rows = self._db.execute(
            "SELECT seq, kind, ts, block, attempt_id, data FROM events "
            "WHERE run_id = ? AND seq > ? ORDER BY seq",
            (run_id, after),
        )
        return [
            (seq, RunEvent(EventKind(kind), ts, block, attempt_id, json.loads(data)))
            for seq, kind, ts, block, attempt_id, data in rows
        ]

    def state(self, run_id: str) -> RunState:
        """The state of a run since it was last started or resumed."""
        events = [event for _, event in self.events(run_id)]
        starts = [i for i, event in enumerate(events) if event.kind in _STARTS]
        state = RunState.replay(self.plan(run_id), events[starts[-1] if starts else 0 :])
        if state.status is RunStatus.RUNNING and not self.holder(run_id):
            state.status = RunStatus.INTERRUPTED
        return state

    def starts(self, run_id: str) -> int:
        """How often a run was started or resumed."""
        return sum(1 for _, event in self.events(run_id) if event.kind in _STARTS)

    # commands to a running dispatcher

    def request(self, run_id: str, kind: str) -> None:
        """Leave a command, such as `cancel`, for the dispatcher of a run."""
        with self._transaction():
            self._db.execute("INSERT INTO commands VALUES (?, ?, ?)", (run_id, kind, time.time()))

    def requests(self, run_id: str) -> list[str]:
        """Commands left for the dispatcher of a run."""
        rows = self._db.execute("SELECT kind FROM commands WHERE run_id = ?", (run_id,))
        return [kind for (kind,) in rows]

    def data_version(self) -> int:
        """A number that changes when another process has written to the journal."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    # who drives a run

    @contextmanager
    def hold(self, run_id: str) -> Iterator[None]:
        """Be the only dispatcher of a run; the system lets go when the process ends, however.

        Raises `RunHeldError` naming the process that holds it.
        """
        path = self._locks / f"{run_id}.lock"
        with _locked(path) as lock:
            if lock is None:
                raise RunHeldError(
                    f"Run {run_id} is driven by another process ({_read_holder(path)}).",
                    hint=f"`jupyter blocks attach {run_id}` follows it, "
                    f"`jupyter blocks cancel {run_id}` stops it.",
                )
            lock.truncate(0)
            lock.write(json.dumps({"pid": os.getpid(), "host": os.uname().nodename}))
            lock.flush()
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def holder(self, run_id: str) -> str:
        """Who holds the run now; empty when nobody does."""
        path = self._locks / f"{run_id}.lock"
        try:
            with path.open(encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return ""
        except OSError:
            return _read_holder(path)
        return ""


_STARTS = (EventKind.RUN_STARTED, EventKind.RUN_RESUMED)


@contextmanager
def _locked(path: Path, tries: int = 5) -> Iterator[IO[str] | None]:
    """Open and lock a file; none when another process keeps it locked.

    A look by `holder` locks for an instant, hence the tries; the holder removes the file when it is
    done, hence the check that the locked file is still the one at `path`.
    """
    for _ in range(tries):
        with path.open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                time.sleep(0.02)
                continue
            if path.exists() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                yield lock
                return
    yield None


def _read_holder(path: Path) -> str:
    try:
        data = json.loads(path.read_text("utf-8"))
        return f"pid {data['pid']} on {data['host']}"
    except (OSError, ValueError, KeyError):
        return "unknown process"
