"""`jupyter blocks executors`: what blocks can run on, what is missing, how to install it."""

from __future__ import annotations

import secrets
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
from jupyter_blocks.errors import VariableError
from jupyter_blocks.executors.base import ExecutorContext
from jupyter_blocks.executors.jobs import Diagnoses, Finding
from jupyter_blocks.executors.table import (
    ExecutorEntry,
    executor_names,
    find_executor,
    open_executor,
)
from jupyter_blocks.project import Project, find_project, open_project
from jupyter_blocks.tables import Column, Painted, table
from jupyter_blocks.variables.locations import is_uri
from jupyter_blocks.variables.openstorage import open_storage
from jupyter_blocks.variables.storage import AlreadyExistsError

__all__ = ["EXECUTORS"]


def _configure(parser: ArgumentParser) -> None:
    kind = parser.add_argument(
        "type", metavar="TYPE", nargs="?", help="only this executor (default: all)"
    )
    complete(kind, executor_completer)
    parser.add_argument(
        "--check",
        action="store_true",
        help="try each with the project's settings: credentials, permissions, image, variables",
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
        findings = _findings(found, console)
        if findings:
            console.result(f"\n{findings}")
    return 1 if any(entry["state"] == "failed" for entry in found) else 0


def _document(entry: ExecutorEntry, project: Project | None, *, check: bool) -> dict[str, Any]:
    missing = [name for name in entry.requires if not _is_importable(name)]
    state = "missing" if missing else "available"
    detail = f"needs {', '.join(missing)}: {entry.install}" if missing else ""
    findings: list[Finding] = []
    if check and not missing:
        detail, findings = _try(entry.name, project)
        state = "works" if not detail and all(it.is_good for it in findings) else "failed"
    return {
        "name": entry.name,
        "state": state,
        "about": entry.about,
        "settings": entry.settings_key or None,
        "source": entry.source,
        "detail": detail,
        "findings": [vars(finding) for finding in findings],
    }


def _is_importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _try(name: str, project: Project | None) -> tuple[str, list[Finding]]:
    """Open an executor and let it look around; what went wrong, or nothing, and what it found."""
    settings = project.executor_settings(name) if project else {}
    root = project.root if project else Path.cwd()
    found: list[Finding] = []
    try:
        executor = open_executor(name, ExecutorContext(str(root), settings))
        try:
            if executor.outlives_dispatcher and project is not None:
                is_mounted = bool(settings.get("shared_variables"))
                found.append(_store_finding(project, is_mounted=is_mounted))
            if isinstance(executor, Diagnoses):
                found += executor.diagnose()
        finally:
            executor.close()
    except Exception as error:  # an executor of others may raise anything
        return str(error) or type(error).__name__, found
    return "", found


def _store_finding(project: Project, *, is_mounted: bool) -> Finding:
    """Whether the variables can be written and read from here."""
    root = project.variables_root
    if not is_uri(root) and is_mounted:
        said = f"{root} is said to be mounted in the containers; that is not looked at"
        return Finding("variables", is_good=True, detail=said)
    if not is_uri(root):
        return Finding(
            "variables",
            is_good=False,
            detail="they are in a folder of this machine",
            hint="Set 'remote_variables_dir: s3://bucket/prefix' (or gs://) in metadata.yaml.",
        )
    storage = open_storage(root)
    key = f"checks/{secrets.token_hex(8)}"
    try:
        storage.create(key, b"?")
        try:
            storage.create(key, b"!")
        except AlreadyExistsError:
            storage.delete(key)
            return Finding("variables", is_good=True, detail=f"{root} can be written and read")
        storage.delete(key)
    except VariableError as error:
        return Finding("variables", is_good=False, detail=str(error), hint=error.hint)
    return Finding(
        "variables",
        is_good=False,
        detail=f"{root} lets two writers create one object, so outputs could be published twice",
        hint="Use a service that keeps to If-None-Match, such as S3 or Google Cloud Storage.",
    )


def _findings(found: list[dict[str, Any]], console: Console) -> str:
    """What was looked at, a line each, and what to do."""
    columns = Column("executor"), Column("looked at"), Column("state"), Column("detail")
    rows = [
        (
            entry["name"],
            finding["what"],
            Painted("good", "green") if finding["is_good"] else Painted("bad", "bold red"),
            ". ".join(text for text in (finding["detail"], finding["hint"]) if text),
        )
        for entry in found
        for finding in entry["findings"]
    ]
    return table(columns, rows, style=console.result_style) if rows else ""


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
