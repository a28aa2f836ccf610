"""`jupyter blocks clean`: what may go, what went, what stays."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from jupyter_blocks.commands.base import Command, add_json, add_project, project_of
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError
from jupyter_blocks.journal import Journal
from jupyter_blocks.tables import Column, table
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import bytes_text, local_time, plural

__all__ = ["CLEAN", "parse_age", "parse_size"]

_AGE_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZE_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_ALL = 10**9


def parse_age(text: str) -> float:
    """Seconds in `90s`, `30m`, `12h`, `30d`, `4w`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip().lower())
    if match is None:
        raise ArgumentTypeError(f"{text!r} is not an age; write it like 12h, 30d or 4w")
    return float(match[1]) * _AGE_UNITS[match[2]]


def parse_size(text: str) -> int:
    """Bytes in `500MB`, `10GB`, `1.5 TB`; powers of 1000."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if match is None:
        raise ArgumentTypeError(f"{text!r} is not a size; write it like 500MB or 10GB")
    return int(float(match[1]) * _SIZE_UNITS[match[2]])


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--older-than",
        metavar="AGE",
        type=parse_age,
        help="runs of before AGE may go: 12h, 30d, 4w",
    )
    parser.add_argument(
        "--keep", metavar="N", type=int, help="keep the newest N runs of each pipeline"
    )
    parser.add_argument(
        "--max-size",
        metavar="SIZE",
        type=parse_size,
        help="the oldest runs may go until all take no more than SIZE: 500MB, 10GB",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would go; delete nothing")
    add_project(parser)
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    if args.older_than is None and args.keep is None and args.max_size is None:
        raise UsageError(
            "Say what may go.", hint="Use --older-than 30d, --keep 10 or --max-size 10GB."
        )
    project = project_of(args)
    with Journal(project.state_dir) as journal:
        active = [record.run_id for record in journal.runs(limit=_ALL) if record.holder]
    store = VariableStore(project.variables_root)
    report = store.clean(args.older_than, args.keep, args.max_size, args.dry_run, active)
    if console.as_json:
        console.document(report.as_json())
        return 0
    if report.deleted:
        columns = (
            Column("run"),
            Column("pipeline"),
            Column("last stored"),
            Column("size", right=True),
        )
        rows = [
            (run.run_id, run.pipeline, local_time(run.modified_at), bytes_text(run.bytes))
            for run in report.deleted
        ]
        console.result(f"{table(columns, rows, style=console.result_style)}\n")
    verb = "Would delete" if report.dry_run else "Deleted"
    runs = plural(len(report.deleted), "run")
    kept = bytes_text(sum(run.bytes for run in report.kept))
    console.result(
        f"{verb} {runs}, {bytes_text(report.bytes)}; kept {len(report.kept)}, {kept}. "
        "The latest outputs of each block always stay."
    )
    return 0


CLEAN = Command(
    about=(
        "Delete the stored outputs and logs of old runs. What a block gave last always stays, and "
        "so does what a\nrun that goes on uses. A run goes if it is over any of the limits."
    ),
    examples=("clean --older-than 30d --dry-run", "clean --keep 10", "clean --max-size 10GB"),
    configure=_configure,
    execute=_execute,
)
