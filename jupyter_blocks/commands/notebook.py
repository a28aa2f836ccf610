"""`jupyter blocks notebook`: from a project back to its notebook, or to one that is made for it."""

from __future__ import annotations

import difflib
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jupyter_blocks.commands.base import Command, add_json, add_target, show_warnings
from jupyter_blocks.console import Console, Style
from jupyter_blocks.errors import UsageError, ValidationError
from jupyter_blocks.export import project_folder
from jupyter_blocks.flowback import FileConflict, FlowBack, flow_back
from jupyter_blocks.notebook import is_percent
from jupyter_blocks.opening import locate_target
from jupyter_blocks.percentedit import percent_text
from jupyter_blocks.project import resolve_target
from jupyter_blocks.unexport import notebook_from_pipeline, settings_left_out
from jupyter_blocks.wording import plural

__all__ = ["NOTEBOOK"]

_PAINTS = {"+": "green", "-": "red", "@": "cyan"}


def _configure(parser: ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="F",
        help="file to write, .ipynb or .py; must not exist yet; '-' for stdout "
        "(default: the notebook the pipeline was exported from)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit with 1 if edited files hold changes that the notebook has not",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="let the files win where notebook and file were both changed",
    )
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    target = resolve_target(args.target, args.pipeline, Path.cwd())
    if target.notebook is not None:
        root = project_folder(target.notebook)
        return _bring_back(target.notebook, root, args.pipeline, args, console)
    project, name = locate_target(args.target, args.pipeline, Path.cwd())
    pipeline = project.pipeline(name)
    if pipeline.notebook and (project.root / pipeline.notebook).is_file():
        return _bring_back(project.root / pipeline.notebook, project.root, name, args, console)
    if not args.output:
        raise UsageError(
            f"Pipeline '{name}' has no notebook yet.",
            hint=f"Name the file to write: '-o {name}.ipynb'.",
        )
    document = notebook_from_pipeline(project, pipeline)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if is_percent(Path(args.output)):
        text = percent_text(document)
    _write_new(args.output, text.encode(), console)
    for what in settings_left_out(pipeline):
        console.warning(f"A notebook has no place for {what}: it stays in {pipeline.path.name}.")
    if args.output != "-":
        count = plural(len(pipeline.blocks), "block")
        console.note(f"Wrote {args.output}: {count} of pipeline '{name}'.")
    return 0


def _write_new(output: str, data: bytes, console: Console) -> None:
    if output == "-":
        console.result(data.decode("utf-8-sig").rstrip("\n"))
        return
    path = Path(output)
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise UsageError(f"'{path}' exists already.", hint="Name another file.") from None
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}.") from error


# from edited files to the notebook


def _bring_back(
    notebook: Path, root: Path, pipeline: str | None, args: Namespace, console: Console
) -> int:
    writes = not (args.check or args.output)
    result = flow_back(notebook, root, pipeline, write=writes, force=args.force)
    if args.output and result.is_ok:
        if Path(args.output).suffix not in (notebook.suffix, ""):
            raise UsageError(
                f"'{args.output}' is another kind of file than {notebook.name}.",
                hint=f"Name a file that ends in {notebook.suffix}.",
            )
        _write_new(args.output, result.data, console)
    if args.json:
        console.document(_document(result))
    else:
        _show(result, args, console)
    if not result.is_ok:
        return 1 if result.conflicts else 2
    return 1 if args.check and result.edited else 0


def _document(result: FlowBack) -> dict[str, Any]:
    return {
        "pipeline": result.pipeline,
        "project": str(result.project),
        "notebook": str(result.notebook),
        "edited": list(result.edited),
        "cells": [vars(cell) for cell in result.cells],
        "settings": [vars(setting) for setting in result.settings],
        "conflicts": [vars(conflict) for conflict in result.conflicts],
        "problems": [problem.as_json() for problem in result.problems],
    }


def _show(result: FlowBack, args: Namespace, console: Console) -> None:
    name = result.notebook.name
    for conflict in result.conflicts:
        console.result("\n".join(_conflict_lines(conflict, name)))
        console.result()
    if result.conflicts:
        console.error(_about_conflicts(result))
    if any(problem.severity == "error" for problem in result.problems):
        raise ValidationError(result.problems)
    if result.conflicts or args.output == "-":
        return
    show_warnings(result.problems, console)
    for note in result.notes:
        console.note(f"note: {note}")
    _show_changes(result, console.result_style, console)
    console.result(_summary(result, args))


def _summary(result: FlowBack, args: Namespace) -> str:
    name = result.notebook.name
    if not result.edited:
        return f"No file was edited by hand: {name} has it all."
    files = plural(len(result.edited), "edited file")
    cells = plural(len(result.cells), "cell")
    if result.settings:
        cells += f" and {plural(len(result.settings), 'setting')}"
    if args.check:
        return f"{files}, {cells} to change. To do it: jupyter blocks notebook {args.target}"
    if args.output:
        return f"Wrote {args.output}: {name} with the changes of {files} in {cells}."
    text = f"Brought {files} back into {cells} of {name}, and exported it."
    is_changed = result.cells or result.settings
    return f"{text}\nIf it is open in JupyterLab, reload it there." if is_changed else text


def _about_conflicts(result: FlowBack) -> str:
    paths = ", ".join(dict.fromkeys(conflict.path for conflict in result.conflicts))
    return (
        f"{result.notebook.name} and {paths} were both changed, in the same places. Nothing was "
        "written. Take over by hand what you need of one side into the other; then let the "
        "notebook win with 'jupyter blocks export --force', or the files with 'jupyter blocks "
        "notebook --force'."
    )


def _conflict_lines(conflict: FileConflict, notebook: str) -> Iterator[str]:
    """Both sides and what they come from, between the marks that git uses."""
    cell = f"cell {conflict.cell}" if conflict.cell else "no cell any more"
    yield f"<<<<<<< {notebook}, {cell}"
    yield from conflict.notebook
    if conflict.base is not None:
        yield "||||||| as exported"
        yield from conflict.base
    else:
        yield "||||||| (how it was exported is not known here)"
    yield "======="
    yield from conflict.file
    yield f">>>>>>> {conflict.path}"


def _show_changes(result: FlowBack, style: Style, console: Console) -> None:
    for cell in result.cells:
        old, new = (_lines(text) for text in (cell.before, cell.after))
        files = ", ".join(cell.files)
        place = f"{result.notebook.name}, cell {cell.number}"
        for line in difflib.unified_diff(old, new, place, files, lineterm="", n=2):
            console.result(style.paint(line, _PAINTS.get(line[:1], "")))
        console.result()
    for item in result.settings:
        where = f"block '{item.block}'" if item.block else "the pipeline"
        console.result(f"{item.key} of {where}: {_said(item.before)} -> {_said(item.after)}")
    if result.settings:
        console.result()


def _said(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _lines(text: str) -> Sequence[str]:
    return text.split("\n")


NOTEBOOK = Command(
    about=(
        "From a project back to its notebook.\n"
        "Where the pipeline was exported from a notebook, block files and metadata.yaml that were "
        "edited by hand give\ntheir changes to the cells they came from, and the notebook is "
        "exported again: all or nothing. If cell and\nfile were both changed, nothing is written "
        "and both are shown.\n"
        "Where there is no notebook, one is made, for example for a project made with Mage: one "
        "cell for each block."
    ),
    examples=(
        "notebook flights.ipynb",
        "notebook flights.ipynb --check",
        "notebook my_project my_pipeline -o my_pipeline.ipynb",
    ),
    configure=_configure,
    execute=_execute,
    exits="0 on success; 1 on a conflict, or if --check found changes; 2 if the pipeline is wrong, "
    "a change has\n  no place in the notebook, or the file exists.",
)
