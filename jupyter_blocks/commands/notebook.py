"""`jupyter blocks notebook`: a notebook from a pipeline, so that it opens in JupyterLab."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from jupyter_blocks.commands.base import Command, add_target
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError
from jupyter_blocks.opening import locate_target
from jupyter_blocks.project import resolve_target
from jupyter_blocks.unexport import notebook_from_pipeline
from jupyter_blocks.wording import plural

__all__ = ["NOTEBOOK"]


def _configure(parser: ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="F",
        required=True,
        help="file to write; must not exist yet; '-' for stdout",
    )


def _execute(args: Namespace, console: Console) -> int:
    if resolve_target(args.target, args.pipeline, Path.cwd()).notebook is not None:
        raise UsageError(f"{args.target} is a notebook already.", hint="Name a project.")
    project, name = locate_target(args.target, args.pipeline, Path.cwd())
    pipeline = project.pipeline(name)
    document = notebook_from_pipeline(project, pipeline)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if args.output == "-":
        console.result(text.rstrip("\n"))
        return 0
    path = Path(args.output)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"'{path}' exists already.", hint="Name another file.") from None
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}.") from error
    console.note(f"Wrote {path}: {plural(len(pipeline.blocks), 'block')} of pipeline '{name}'.")
    return 0


NOTEBOOK = Command(
    about=(
        "Make a notebook from the pipeline of an existing project, for example one made with Mage: "
        "one cell\nfor each block, with its decorated function."
    ),
    examples=("notebook my_project my_pipeline -o my_pipeline.ipynb",),
    configure=_configure,
    execute=_execute,
    exits="0 on success; 2 if the pipeline is wrong, or the file exists.",
)
