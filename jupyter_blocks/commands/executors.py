"""`jupyter blocks executors`: what blocks can run on, what is missing, how to install it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jupyter_blocks.commands.base import (
    Command,
    add_json,
    add_project,
    complete,
    executor_completer,
)
from jupyter_blocks.console import Console
from jupyter_blocks.executors.base import ExecutorContext
from jupyter_blocks.executors.table import (
    ExecutorEntry,
    executor_names,
    find_executor,
    open_executor,
)
from jupyter_blocks.project import Project, find_project, open_project
from jupyter_blocks.tables import Column, Painted, table

__all__ = ["EXECUTORS"]


def _configure(parser: ArgumentParser) -> None:
    kind = parser.add_argument(
        "type", metavar="TYPE", nargs="?", help="only this executor (default: all)"
    )
    complete(kind, executor_completer)
    parser.add_argument(
        "--check", action="store_true", help="open each executor with the project's settings"
    )
    add_project(parser)
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    names = [args.type] if args.type else executor_names()
    entries = [find_executor(name) for name in names]
    project = open_project(args.project) if args.project else find_project(Path.cwd())
    found = [_document(entry, project, check=args.check) for entry in entries]
    if console.as_json:
        console.document({"executors": found})
    else:
        console.result(_table(found, console))
    return 1 if any(entry["state"] == "failed" for entry in found) else 0


def _document(entry: ExecutorEntry, project: Project | None, *, check: bool) -> dict[str, Any]:
    missing = [name for name in entry.requires if not _is_importable(name)]
    state = "missing" if missing else "available"
    detail = f"needs {', '.join(missing)}: {entry.install}" if missing else ""
    if check and not missing:
        detail = _try(entry.name, project)
        state = "failed" if detail else "works"
    return {
        "name": entry.name,
        "state": state,
        "about": entry.about,
        "settings": entry.settings_key or None,
        "source": entry.source,
        "detail": detail,
    }


def _is_importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _try(name: str, project: Project | None) -> str:
    """Open and close an executor; what went wrong, or nothing."""
    settings = project.executor_settings(name) if project else {}
    root = project.root if project else Path.cwd()
    try:
        open_executor(name, ExecutorContext(str(root), settings)).close()
    except Exception as error:  # an executor of others may raise anything
        return str(error) or type(error).__name__
    return ""


def _table(found: list[dict[str, Any]], console: Console) -> str:
    paints = {"available": "green", "works": "green", "missing": "yellow", "failed": "bold red"}
    columns = (
        Column("executor"),
        Column("state"),
        Column("runs blocks on"),
        Column("from"),
        Column("detail"),
    )
    rows = [
        (
            entry["name"],
            Painted(entry["state"], paints[entry["state"]]),
            entry["about"],
            Painted(entry["source"], "dim"),
            entry["detail"],
        )
        for entry in found
    ]
    return table(columns, rows, style=console.result_style)


EXECUTORS = Command(
    about="Show what blocks can run on: what is available, what is missing and how to install it.",
    examples=("executors", "executors local_python --check", "executors --json"),
    configure=_configure,
    execute=_execute,
    exits="0 on success; 1 if --check found one that does not work; 2 for an unknown executor.",
)
