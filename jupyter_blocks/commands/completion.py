"""`jupyter blocks completion`: the script that lets a shell complete `jupyter-blocks`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from jupyter_blocks.commands.base import Command
from jupyter_blocks.console import Console

__all__ = ["COMPLETION"]

PROGRAM = "jupyter-blocks"
SHELLS = ("bash", "zsh", "fish")


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")


def _execute(args: Namespace, console: Console) -> int:
    from argcomplete.shell_integration import shellcode

    console.result(shellcode([PROGRAM], shell=args.shell).strip())
    return 0


COMPLETION = Command(
    about=(
        "Print the script that lets a shell complete commands, options, pipelines, blocks, runs "
        "and executors.\nIt completes the command `jupyter-blocks`, which is the same as "
        "`jupyter blocks`."
    ),
    examples=(
        "completion bash >> ~/.bashrc",
        "completion zsh >> ~/.zshrc",
        "completion fish > ~/.config/fish/completions/jupyter-blocks.fish",
    ),
    configure=_configure,
    execute=_execute,
)
