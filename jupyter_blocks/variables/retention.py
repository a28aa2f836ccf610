"""Who uses the space of a store, and which runs may go.

Whole runs are deleted, oldest first, by age, number and bytes; never one whose values are some
block's latest, or are used by a run that stays.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.errors import BlocksError, VariableError
from jupyter_blocks.variables.integrity import follow, pointers
from jupyter_blocks.variables.keys import part_name
from jupyter_blocks.variables.manifest import Pointer
from jupyter_blocks.variables.storage import Storage

__all__ = ["CleanReport", "Limits", "RunUsage", "Usage", "clean", "usage"]

_FILE_OF_OUTPUT = re.compile(r"(~[0-9a-f]{1,12})?\.[^.]*\Z")
"""What the name of a file has more than the name of its output (`formats.Sink`)."""

Run = tuple[str, str]
"""Pipeline and run id."""


@dataclass(frozen=True)
class RunUsage:
    """What one run keeps in the store."""

    pipeline: str
    run_id: str
    bytes: int
    modified_at: float
    """When it last stored something; Unix seconds."""
    blocks: Mapping[str, int] = field(default_factory=dict)
    """Block -> bytes."""
    outputs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Block -> output -> bytes of its files; small values lie in a manifest and have none."""
    prefix: str = ""

    @property
    def run(self) -> Run:
        """Pipeline and run id."""
        return self.pipeline, self.run_id

    def as_json(self) -> dict[str, Any]:
        """The usage as a JSON document."""
        return {
            "pipeline": self.pipeline,
            "run_id": self.run_id,
            "bytes": self.bytes,
            "modified_at": self.modified_at,
            "blocks": dict(self.blocks),
            "outputs": {block: dict(sizes) for block, sizes in self.outputs.items()},
        }


@dataclass(frozen=True)
class Usage:
    """What a store holds; the newest run first."""

    runs: tuple[RunUsage, ...]

    @property
    def bytes(self) -> int:
        """Bytes of all runs."""
        return sum(run.bytes for run in self.runs)

    @property
    def pipelines(self) -> dict[str, int]:
        """Pipeline -> bytes of its runs."""
        totals: dict[str, int] = defaultdict(int)
        for run in self.runs:
            totals[run.pipeline] += run.bytes
        return dict(sorted(totals.items()))

    def as_json(self) -> dict[str, Any]:
        """The usage as a JSON document."""
        return {
            "bytes": self.bytes,
            "pipelines": self.pipelines,
            "runs": [run.as_json() for run in self.runs],
        }


@dataclass(frozen=True)
class Limits:
    """What may stay. A limit that is None does not limit."""

    older_than_s: float | None = None
    """Runs that stored nothing for so many seconds may go."""
    keep_runs: int | None = None
    """So many runs of each pipeline stay, the newest."""
    max_bytes: int | None = None
    """The oldest runs may go until all together are no larger."""


@dataclass(frozen=True)
class CleanReport:
    """What was deleted, or would be; and what stays."""

    deleted: tuple[RunUsage, ...]
    kept: tuple[RunUsage, ...]
    dry_run: bool

    @property
    def bytes(self) -> int:
        """Bytes that are free now, or would be."""
        return sum(run.bytes for run in self.deleted)

    def as_json(self) -> dict[str, Any]:
        """The report as a JSON document."""
        return {
            "dry_run": self.dry_run,
            "bytes": self.bytes,
            "deleted": [run.as_json() for run in self.deleted],
            "kept": [run.as_json() for run in self.kept],
        }


def usage(storage: Storage) -> Usage:
    """How many bytes each run, block and output takes. Logs and failed attempts count, too."""
    outputs: dict[tuple[str, str], dict[str, dict[str, int]]] = defaultdict(dict)
    blocks: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    modified: dict[tuple[str, str], float] = defaultdict(float)
    for entry in storage.entries("pipelines"):
        parts = entry.key.split("/")
        if len(parts) > 4 and parts[2] == "runs":
            run = parts[1], parts[3]
            # Documents about the whole run belong to no block.
            block = part_name(parts[4]) if len(parts) > 5 else ""
            blocks[run][block] += entry.size
            modified[run] = max(modified[run], entry.modified_at)
            if len(parts) == 8 and parts[6] == "out":
                sizes = outputs[run].setdefault(block, {})
                output = part_name(_FILE_OF_OUTPUT.sub("", parts[7]))
                sizes[output] = sizes.get(output, 0) + entry.size
    runs = [
        RunUsage(
            pipeline=part_name(pipeline),
            run_id=part_name(run_id),
            bytes=sum(sizes.values()),
            modified_at=modified[pipeline, run_id],
            blocks={block: size for block, size in sorted(sizes.items()) if block},
            outputs={
                block: dict(sorted(sizes.items()))
                for block, sizes in sorted(outputs[pipeline, run_id].items())
            },
            prefix=f"pipelines/{pipeline}/runs/{run_id}",
        )
        for (pipeline, run_id), sizes in blocks.items()
    ]
    # Clocks of file systems are coarse; ids decide between runs of one tick.
    return Usage(tuple(sorted(runs, key=lambda run: (run.modified_at, run.run_id), reverse=True)))


def clean(
    storage: Storage, limits: Limits, *, dry_run: bool = False, active_runs: Collection[str] = ()
) -> CleanReport:
    """Delete the runs that are over one of the limits; with `dry_run` only say which.

    A run stays, whatever its age and size, while a block's latest outputs are in it, while a run
    that stays uses its values, and while its id is in `active_runs`.
    """
    runs = usage(storage).runs
    latest, uses = _read_uses(storage, runs)
    pinned = latest | {run.run for run in runs if run.run_id in active_runs}
    doomed = _spared(_over_age_and_count(runs, limits) - pinned, runs, uses)
    doomed = _over_bytes(runs, limits.max_bytes, doomed, pinned, uses)
    deleted = tuple(run for run in runs if run.run in doomed)
    if not dry_run:
        for run in deleted:
            _delete(storage, run)
    return CleanReport(deleted, tuple(run for run in runs if run.run not in doomed), dry_run)


def _over_age_and_count(runs: Iterable[RunUsage], limits: Limits) -> set[Run]:
    doomed: set[Run] = set()
    seen: dict[str, int] = defaultdict(int)
    now = time.time()
    for run in runs:
        is_old = limits.older_than_s is not None and now - run.modified_at > limits.older_than_s
        is_surplus = limits.keep_runs is not None and seen[run.pipeline] >= limits.keep_runs
        seen[run.pipeline] += 1
        if is_old or is_surplus:
            doomed.add(run.run)
    return doomed


def _over_bytes(
    runs: Sequence[RunUsage],
    max_bytes: int | None,
    doomed: set[Run],
    pinned: set[Run],
    uses: Mapping[Run, set[Run]],
) -> set[Run]:
    """`doomed`, with more runs, the oldest first, until the rest fits into `max_bytes`."""
    total = sum(run.bytes for run in runs if run.run not in doomed)
    progress = max_bytes is not None
    while progress:
        # Again from the start: a run may go once the runs that used its values are gone.
        progress = False
        for run in reversed(runs):
            if max_bytes is None or total <= max_bytes:
                return doomed
            if run.run in pinned | doomed:
                continue
            if run.run in _spared(doomed | {run.run}, runs, uses):
                doomed, total, progress = doomed | {run.run}, total - run.bytes, True
    return doomed


def _spared(doomed: set[Run], runs: Iterable[RunUsage], uses: Mapping[Run, set[Run]]) -> set[Run]:
    """`doomed` without the runs whose values are used by runs that stay."""
    doomed = set(doomed)
    staying = [run.run for run in runs if run.run not in doomed]
    while staying:
        needed = uses.get(staying.pop(), set()) & doomed
        doomed -= needed
        staying.extend(needed)
    return doomed


def _read_uses(storage: Storage, runs: Iterable[RunUsage]) -> tuple[set[Run], dict[Run, set[Run]]]:
    """The runs that hold some block's latest outputs, and for each run those it uses values of."""
    latest: set[Run] = set()
    uses = {run.run: _named_in_plan(storage, run) for run in runs}
    for entry, pointer in pointers(storage):
        if pointer is None:
            continue
        parts = entry.key.split("/")
        if parts[2] == "latest":
            latest.add((pointer.pipeline, pointer.run_id))
        else:
            user = pointer.pipeline, part_name(parts[3])
            uses.setdefault(user, set()).update(_used_by(storage, pointer))
    return latest, uses


def _named_in_plan(storage: Storage, run: RunUsage) -> set[Run]:
    """The runs that the plan of a run takes stored values from."""
    try:
        plan = json.loads(storage.read(f"{run.prefix}/plan.json"))
    except (VariableError, ValueError):
        return set()
    return {(run.pipeline, run_id) for run_id in _run_ids(plan)}


def _used_by(storage: Storage, pointer: Pointer) -> set[Run]:
    """The runs that a committed block took its inputs from, as its manifest says."""
    runs = {(pointer.pipeline, pointer.run_id)}
    try:
        manifest = follow(storage, pointer)
    except BlocksError:
        return runs
    return runs | {(pointer.pipeline, run_id) for run_id in _run_ids(list(manifest.inputs))}


def _run_ids(document: Any) -> Iterator[str]:
    """Every `run_id` in a JSON document."""
    pending = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            run_id = node.get("run_id")
            if isinstance(run_id, str) and run_id:
                yield run_id
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)


def _delete(storage: Storage, run: RunUsage) -> None:
    """Commits first: what is left if this is cut off is no longer a result."""
    for block in storage.folders(run.prefix):
        storage.delete(f"{run.prefix}/{block}/commit.json")
    storage.delete(run.prefix)
