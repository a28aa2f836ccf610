"""Logs of attempts and of the processes that drive runs, by byte range, while they grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_blocks.project import Project
from jupyter_blocks.runlog import log_of, parse_line
from jupyter_blocks.server.detached import dispatch_log
from jupyter_blocks.server.faults import RequestError
from jupyter_blocks.server.masking import mask_secrets
from jupyter_blocks.server.places import Places
from jupyter_blocks.server.remotelogs import RemoteLogs
from jupyter_blocks.server.runstates import ProjectRuns

__all__ = ["attempt_log", "read_tail", "run_log"]

_LONGEST_LINE = 1 << 20


def attempt_log(
    places: Places,
    remote: RemoteLogs,
    project: Project,
    runs: ProjectRuns,
    run_id: str,
    asked: dict[str, Any],
) -> dict[str, Any]:
    """A piece of the log of an attempt: the one asked for, else the last one of the block."""
    with runs.journal() as journal:
        run = runs.followed(journal, run_id)
        tried, pipeline = run.attempts.of(asked["block"]), run.state.plan.pipeline
    wish = asked.get("attempt_id")
    chosen = [item for item in tried if wish in (None, item["attempt_id"])]
    if not chosen:
        raise RequestError(404, f"Block '{asked['block']}' has no such attempt in run '{run_id}'.")
    last = chosen[-1]
    store = places.store(project)
    log = log_of(store, pipeline, run_id, asked["block"], last["attempt_id"])
    offset, ended = asked["offset"], last["finished_at"] is not None
    if isinstance(log, Path):
        _confine(log, Path(project.variables_root))
        tail = read_tail(log, offset, asked["limit"], ended=ended)
    else:
        data = remote.read(log, offset, is_over=ended)
        tail = _remote_tail(data, offset, asked["limit"], ended=ended)
    return {"block": asked["block"], "attempt_id": last["attempt_id"], **tail}


def run_log(
    project: Project, runs: ProjectRuns, run_id: str, asked: dict[str, Any]
) -> dict[str, Any]:
    """A piece of what the process that drives a run has written."""
    with runs.journal() as journal:
        state = runs.followed(journal, run_id).state
    path = dispatch_log(project, run_id)
    _confine(path, project.root)
    tail = read_tail(path, asked["offset"], asked["limit"], ended=state.status.is_final)
    return {"block": None, "attempt_id": None, **tail}


def _confine(path: Path, folder: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise RequestError(403, "The log lies outside its project.")


def read_tail(path: Path, offset: int, limit: int, *, ended: bool = False) -> dict[str, Any]:
    """Whole lines of a log from byte `offset` on, about `limit` bytes of them.

    `next_offset` is where to go on. A last line without an end is given when the log has `ended`.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(min(offset, size))
            data = file.read(limit)
            if b"\n" not in data and len(data) == limit:
                data += file.readline(_LONGEST_LINE)
    except FileNotFoundError:
        size, data = 0, b""
    return _tail(data, min(offset, size), size, ended=ended)


def _remote_tail(data: bytes, offset: int, limit: int, *, ended: bool) -> dict[str, Any]:
    """The same of a log whose length is not known: it has ended where nothing more comes."""
    piece = data[:limit]
    if b"\n" not in piece:
        piece = data[: data.find(b"\n") + 1] or data
    if not ended and b"\n" not in piece and len(piece) <= _LONGEST_LINE:
        piece = b""
    return _tail(piece, offset, offset + len(data) + (len(data) > 0), ended=ended)


def _tail(data: bytes, offset: int, size: int, *, ended: bool) -> dict[str, Any]:
    """The lines in `data`, which lies at byte `offset` of `size` bytes."""
    at_end = offset + len(data) >= size
    whole = data.rfind(b"\n") + 1
    if (not at_end and whole == 0) or (at_end and ended) or len(data) - whole > _LONGEST_LINE:
        whole = len(data)
    lines = data[:whole].split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    return {
        "offset": offset,
        "next_offset": offset + whole,
        "bytes": size,
        "ended": ended and offset + whole >= size,
        "lines": mask_secrets([_line(line) for line in lines]),
    }


def _line(line: bytes) -> dict[str, Any]:
    """What was written at once: `text` may hold half a line, or several."""
    record = parse_line(line)
    text = record.text if record.ts is not None else f"{record.text}\n"
    return {"text": text, "stream": record.stream, "ts": record.ts}
