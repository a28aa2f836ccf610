"""`jupyter blocks start`: JupyterLab on a project, with its notebook open."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from importlib.util import find_spec
from pathlib import Path

from jupyter_blocks.commands.base import Command
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError
from jupyter_blocks.project import find_project

__all__ = ["START", "lab_command"]


def _configure(parser: ArgumentParser) -> None:
    parser.usage = "%(prog)s [DIR] [-- LAB OPTIONS]"
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default=".", help="project folder (default: this one)"
    )


def _execute(args: Namespace, console: Console) -> int:
    folder = Path(args.folder)
    if not folder.is_dir():
        raise UsageError(f"There is no folder '{args.folder}'.")
    if find_spec("jupyterlab") is None:
        raise UsageError(
            "JupyterLab is not installed here.", hint="Install it with `pip install jupyterlab`."
        )
    if args.folder == "." and (project := find_project(folder)) is not None:
        folder = project.root
    command = lab_command(folder.resolve(), args.rest)
    console.note(f"Starting JupyterLab in {folder} ...")
    console.close()
    os.execv(command[0], command)  # noqa: S606 - the interpreter that runs this


def lab_command(folder: Path, options: list[str]) -> list[str]:
    """The words that start JupyterLab in a folder, on its only or first notebook."""
    notebooks = sorted(path.name for path in folder.glob("*.ipynb"))
    target = str(folder / notebooks[0]) if notebooks else str(folder)
    root = f"--ServerApp.root_dir={folder}"
    return [sys.executable, "-m", "jupyterlab", target, root, *options]


START = Command(
    about=(
        "Open a project in JupyterLab, with its only or first notebook. What follows `--` goes to "
        "JupyterLab."
    ),
    examples=("start", "start my_project", "start my_project -- --no-browser --port 8899"),
    configure=_configure,
    execute=_execute,
    exits="2 if there is no such folder; else those of JupyterLab.",
)
