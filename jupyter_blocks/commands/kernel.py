"""`jupyter blocks kernel`: whether kernels load the extension when they start."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from jupyter_blocks.commands.base import Command, add_json
from jupyter_blocks.console import Console
from jupyter_blocks.kernel.profile import config_path, disable, enable, is_enabled

__all__ = ["KERNEL"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("enable", "disable", "status"),
        help="let kernels load the extension, stop it, or say which of both it is",
    )
    parser.add_argument(
        "--profile", metavar="NAME", default="default", help="profile of IPython (default: default)"
    )
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    path = config_path(args.profile)
    changed = False
    if args.action != "status":
        changed = enable(path) if args.action == "enable" else disable(path)
    enabled = is_enabled(path)
    if console.as_json:
        console.document({"enabled": enabled, "changed": changed, "path": str(path)})
        return 0
    word = "load" if enabled else "do not load"
    console.result(f"Kernels {word} the extension when they start ({path}).")
    if changed:
        console.note("It counts for kernels that are started from now on.")
    return 0


KERNEL = Command(
    about=(
        "Let every kernel load the extension when it starts, as `%load_ext jupyter_blocks` does in "
        "one\nnotebook. Adds or removes one entry of `extra_extensions` in the profile of IPython; "
        "all other\nsettings stay as they are."
    ),
    examples=("kernel enable", "kernel status", "kernel disable"),
    configure=_configure,
    execute=_execute,
)
