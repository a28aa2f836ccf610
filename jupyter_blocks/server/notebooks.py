"""Export and suggest, for the server: the same as the commands, confined to its root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_blocks.errors import raise_errors
from jupyter_blocks.export import ExportResult, export_notebook
from jupyter_blocks.notebook import parse_notebook
from jupyter_blocks.server.faults import without_root
from jupyter_blocks.server.places import Places
from jupyter_blocks.suggest import suggest_tags
from jupyter_blocks.tags import Role, read_tags

__all__ = ["confined_export", "export", "suggestions"]


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


def suggestions(places: Places, path: Path, data: bytes) -> dict[str, Any]:
    """Tags for the cells of a notebook that have none, as `suggest --json` prints them."""
    notebook = parse_notebook(data, path)
    cells = {cell.number: cell for cell in notebook.code_cells}
    proposals = [
        {
            "cell": proposal.index,
            "id": cells[proposal.index].id,
            "tag": proposal.tag,
            "reason": proposal.reason,
        }
        for proposal in suggest_tags(notebook)
        if proposal.tag and _says_nothing(cells[proposal.index])
    ]
    return {"notebook": places.relative(path), "applied": False, "proposals": proposals}


def _says_nothing(cell: Any) -> bool:
    tags, problems = read_tags(cell.tags, cell.source)
    return tags.role is Role.NONE and not problems
