"""`jupyter blocks export`: write block files, or say how they differ."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from jupyter_blocks.commands.base import Command, add_json, show_warnings
from jupyter_blocks.console import Console, Style
from jupyter_blocks.errors import raise_errors
from jupyter_blocks.export import ExportedFile, ExportResult, export_notebook
from jupyter_blocks.tables import Column, Painted, table

__all__ = ["EXPORT"]

_WORDS = {
    "written": ("written", "green"),
    "unchanged": ("unchanged", "dim"),
    "differs": ("differs", "yellow"),
    "edited": ("edited by hand", "bold red"),
    "removed": ("removed", "yellow"),
}


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "notebook", metavar="NOTEBOOK", help="the notebook: .ipynb, or .py with cells"
    )
    parser.add_argument(
        "--project",
        metavar="DIR",
        help="project to export to (default: the one around the notebook, or its folder)",
    )
    parser.add_argument(
        "--pipeline", metavar="NAME", help="name of the pipeline (default: that of the notebook)"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit with 1 and show a diff if a file is not what the notebook says",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that were edited by hand"
    )
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    result = export_notebook(
        Path(args.notebook), args.project, args.pipeline, force=args.force, check=args.check
    )
    raise_errors(result.problems)
    show_warnings(result.problems, console)
    if console.as_json:
        console.document(_document(result))
    else:
        _show(result, console, check=args.check)
    return 1 if args.check and result.has_drifted else 0


def _document(result: ExportResult) -> dict[str, Any]:
    return {
        "pipeline": result.pipeline,
        "project": str(result.project),
        "files": [
            {"path": file.path, "state": file.state, "diff": file.diff} for file in result.files
        ],
        "problems": [problem.as_json() for problem in result.problems],
    }


def _show(result: ExportResult, console: Console, *, check: bool) -> None:
    for note in result.notes:
        console.note(f"note: cell {note.cell}, line {note.line}: {note.text}")
    if check:
        for file in result.files:
            if file.diff:
                console.result(_painted_diff(file, console.result_style))
    rows = [
        (Painted(_WORDS[file.state][0], _WORDS[file.state][1]), file.path) for file in result.files
    ]
    console.result(table((Column("state"), Column("file")), rows, style=console.result_style))
    console.result()
    if check and result.has_drifted:
        console.result("The files are not what the notebook says. Export it again.")
    elif check:
        console.result("The files are what the notebook says.")
    else:
        written = sum(file.state == "written" for file in result.files)
        console.result(
            f"Pipeline '{result.pipeline}' in {result.project}: "
            f"{written} of {len(result.files)} files written."
        )


def _painted_diff(file: ExportedFile, style: Style) -> str:
    paints = {"+": "green", "-": "red", "@": "cyan"}
    lines = file.diff.rstrip("\n").split("\n")
    return "\n".join(style.paint(line, paints.get(line[:1], "")) for line in lines)


EXPORT = Command(
    about=(
        "Write the blocks of a notebook as files, and the pipeline's metadata.yaml.\n"
        "All or nothing: with a mistake in the notebook, or a file in the way that was edited by "
        "hand, nothing is\nwritten."
    ),
    examples=(
        "export flights.ipynb",
        "export flights.ipynb --check",
        "export notebooks/flights.ipynb --project my_project --pipeline flights",
    ),
    configure=_configure,
    execute=_execute,
    exits="0 on success; 1 if --check found a difference; 2 if the notebook has mistakes.",
)
