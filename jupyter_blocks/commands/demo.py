"""`jupyter blocks init` and `demo`: a project to begin with."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from jupyter_blocks.commands.base import Command, show_warnings
from jupyter_blocks.commands.running import command_line, drive
from jupyter_blocks.commands.show import show_output
from jupyter_blocks.console import Console
from jupyter_blocks.demo import NOTEBOOK, DemoProject, create_demo
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.opening import Opened, open_target
from jupyter_blocks.variables.store import VariableStore

__all__ = ["DEMO", "INIT"]

DEFAULT_FOLDER = "blocks-demo"
SHOWN_BLOCK, SHOWN_OUTPUT = "delay_by_carrier", "by_carrier"
SHOWN_ROWS = 10


def _configure_init(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a new or an empty folder")


def _execute_init(args: Namespace, console: Console) -> int:
    created = create_demo(Path(args.folder))
    console.result(_created_text(created, args.folder))
    console.result()
    console.result("Next:")
    for line in _next_lines(args.folder):
        console.result(f"  {line}")
    return 0


def _created_text(created: DemoProject, folder: str) -> str:
    data = "all flights of 2013"
    if created.is_sample:
        data = "four days of flights; `pip install 'jupyter-blocks[demo]'` brings the whole year"
    return f"Created {folder} with the notebook {NOTEBOOK} ({data})."


def _next_lines(folder: str) -> list[str]:
    notebook = str(Path(folder) / NOTEBOOK)
    return _aligned(
        (command_line("start", folder), "open it in JupyterLab"),
        (command_line("run", notebook), "run it as a pipeline"),
        (command_line("graph", notebook), "see what reads what"),
    )


def _aligned(*lines: tuple[str, str]) -> list[str]:
    """Command lines, each with a remark behind it."""
    width = max(len(line) for line, _ in lines)
    return [f"{line:<{width}}  # {remark}" for line, remark in lines]


def _configure_demo(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        default=DEFAULT_FOLDER,
        help=f"folder of the demo; created if it is not there (default: {DEFAULT_FOLDER})",
    )


def _execute_demo(args: Namespace, console: Console) -> int:
    style = console.result_style
    notebook = Path(args.folder) / NOTEBOOK
    if notebook.is_file():
        console.result(f"Using {args.folder}.")
    else:
        console.result(_created_text(create_demo(Path(args.folder)), args.folder))
    opened = open_target(str(notebook))
    show_warnings(opened.warnings, console)
    where = f"{opened.project.root.name}/pipelines/{opened.pipeline.name}"
    console.result(f"Exported {NOTEBOOK}: {len(opened.pipeline.blocks)} blocks, {where}.")
    console.result()
    again = command_line("run", str(notebook))
    code = drive(prepare(opened.project, opened.pipeline, RunRequest()), console, again)
    if code:
        return code
    console.result()
    _show_result(opened, console)
    console.result()
    console.result(style.paint("Try:", "bold"))
    for line in _suggestions(args.folder, notebook):
        console.result(f"  {line}")
    return 0


def _show_result(opened: Opened, console: Console) -> None:
    """Preview one table, if the notebook still has it: the demo is there to be changed."""
    store = VariableStore(opened.project.variables_root)
    manifest = store.latest(opened.pipeline.name, SHOWN_BLOCK)
    if manifest is not None and SHOWN_OUTPUT in manifest.outputs:
        show_output(store, manifest, SHOWN_OUTPUT, SHOWN_ROWS, console)


def _suggestions(folder: str, notebook: Path) -> list[str]:
    return _aligned(
        (command_line("start", folder), "the notebook in JupyterLab"),
        (command_line("run", str(notebook), "--param", "month=2", "--changed"), "February"),
        (command_line("show", str(notebook)), "every stored output"),
        (command_line("graph", str(notebook)), "what reads what"),
    )


INIT = Command(
    about=(
        "Create a project with a notebook on real data, the flights that left New York in 2013. "
        "It runs offline."
    ),
    examples=("init my_project",),
    configure=_configure_init,
    execute=_execute_init,
    exits="0 on success; 2 if the folder holds such a project already.",
)

DEMO = Command(
    about=(
        "Create the demo project if it is not there, export its notebook, run it with live "
        "progress, and show\na result."
    ),
    examples=("demo", "demo my_demo"),
    configure=_configure_demo,
    execute=_execute_demo,
    exits="those of `run`.",
)
