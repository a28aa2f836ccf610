"""`jupyter blocks image`: a Dockerfile for running blocks on other machines."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from jupyter_blocks.bundle import left_out
from jupyter_blocks.commands.base import Command, project_of
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError
from jupyter_blocks.image import dockerfile, recipe

__all__ = ["IMAGE"]

_MARK = "# Written by 'jupyter blocks image'"
DEFAULT = "Dockerfile.blocks"


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "pipelines", metavar="PIPELINE", nargs="*", help="only what these need (default: all)"
    )
    parser.add_argument(
        "--project", metavar="DIR", help="project folder (default: the one you are in)"
    )
    parser.add_argument(
        "--output", metavar="FILE", help=f"file to write, - for stdout (default: {DEFAULT})"
    )
    parser.add_argument(
        "--with-code",
        action="store_true",
        help="bake the project's code in, for the setting 'code: image'",
    )
    parser.add_argument(
        "--wheel", metavar="FILE", help="install Jupyter Blocks from this wheel, not from PyPI"
    )


def _execute(args: Namespace, console: Console) -> int:
    project = project_of(args)
    wheel = Path(args.wheel).name if args.wheel else ""
    if args.wheel and not Path(args.wheel).is_file():
        raise UsageError(f"There is no wheel {args.wheel}.")
    names = args.pipelines or project.pipelines()
    image = recipe(project, names, wheel=wheel, with_code=args.with_code)
    if args.output == "-":
        console.result(dockerfile(image).rstrip())
        return 0
    path = Path(args.output) if args.output else project.root / DEFAULT
    command = f"docker build -f {path.name} -t NAME ."
    text = f"{_MARK}; build it in this folder:\n#     {command}\n\n{dockerfile(image)}"
    if path.exists() and not path.read_text("utf-8", "replace").startswith(_MARK):
        raise UsageError(
            f"{path} was not written by this command.", hint="Name another file with --output."
        )
    path.write_text(text, "utf-8")
    ignore = path.with_name(f"{path.name}.dockerignore")
    ignore.write_text(_dockerignore(project.root), "utf-8")
    console.note(f"Wrote {path} and {ignore.name}. Build it: {command}")
    return 0


def _dockerignore(root: Path) -> str:
    """What is no code stays out of the image, as it stays out of the bundle."""
    named = [".*", *left_out(root)]
    anywhere = [name if "/" in name.rstrip("/") else f"**/{name}" for name in named]
    return "\n".join([*anywhere, ""])


IMAGE = Command(
    about=(
        "Write a Dockerfile for running the blocks of a project on other machines.\n"
        "It has the worker and the packages the blocks import, in the versions of this environment."
    ),
    examples=("image", "image flights --output -", "image --with-code"),
    configure=_configure,
    execute=_execute,
    exits="0 on success; 2 if the project cannot be read or the file is somebody else's.",
)
