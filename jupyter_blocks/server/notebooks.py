"""Export and suggest, for the server: the same as the commands, confined to its root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_blocks.errors import raise_errors
from jupyter_blocks.export import ExportResult, export_notebook
from jupyter_blocks.flowback import flow_back
from jupyter_blocks.notebook import parse_notebook
from jupyter_blocks.server.faults import without_root
from jupyter_blocks.server.places import Places
from jupyter_blocks.suggest.outlook import Outlook

__all__ = ["confined_export", "export", "suggestions", "take_back"]


def confined_export(
    places: Places,
    path: Path,
    pipeline: str | None = None,
    *,
    force: bool = False,
    check: bool = False,
) -> ExportResult:
    """Export a notebook once it is known that every file of it lies below the root.

    Raises `ValidationError` with every problem of the notebook.
    """
    root = places.project_of(path)
    result = export_notebook(path, root, pipeline, force=force, check=True)
    raise_errors(result.problems)
    for file in result.files:
        places.check((root / file.path).parent)
    if check:
        return result
    result = export_notebook(path, root, pipeline, force=force)
    raise_errors(result.problems)
    return result


def export(places: Places, body: dict[str, Any]) -> dict[str, Any]:
    """What `export --json` prints."""
    path = places.notebook(body["path"])
    force, check = body.get("force", False), body.get("check", False)
    result = confined_export(places, path, body.get("pipeline"), force=force, check=check)
    document = {
        "pipeline": result.pipeline,
        "project": places.relative(result.project),
        "files": [
            {"path": file.path, "state": file.state, "diff": file.diff} for file in result.files
        ],
        "problems": [problem.as_json() for problem in result.problems],
        "notes": [vars(note) for note in result.notes],
    }
    return {**document, "problems": without_root(document["problems"], places.root)}


def take_back(places: Places, body: dict[str, Any]) -> dict[str, Any]:
    """Bring what was changed in block files into their saved notebook, as the command does.

    With conflicts, or with `check`, nothing is written; `force` lets the files win.
    """
    path = places.notebook(body["path"])
    root, force = places.project_of(path), body.get("force", False)
    result = flow_back(path, root, body.get("pipeline"), write=False, force=force)
    for edited in result.edited:
        places.check(root / edited)
    if result.is_ok and result.edited and not body.get("check", False):
        result = flow_back(path, root, body.get("pipeline"), force=force)
    problems = [problem.as_json() for problem in result.problems]
    return {
        "pipeline": result.pipeline,
        "project": places.relative(result.project),
        "notebook": places.relative(result.notebook),
        "edited": list(result.edited),
        "cells": [{"cell": cell.number, "files": list(cell.files)} for cell in result.cells],
        "settings": [{"block": item.block, "key": item.key} for item in result.settings],
        "conflicts": [
            {
                "path": conflict.path,
                "cell": conflict.cell,
                "base": None if conflict.base is None else list(conflict.base),
                "notebook": list(conflict.notebook),
                "file": list(conflict.file),
            }
            for conflict in result.conflicts
        ],
        "problems": without_root(problems, places.root),
    }


def suggestions(places: Places, path: Path, data: bytes) -> dict[str, Any]:
    """Tags for the cells of a notebook that have none, as `suggest --json` prints them.

    The notebook is the one in `data`, which lies or will lie at `path`.
    """
    notebook = parse_notebook(data, path)
    document = Outlook.of(notebook).as_json(notebook, places.relative(path), applied=False)
    return {**document, "problems": without_root(document["problems"], places.root)}
