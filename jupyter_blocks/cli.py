"""The command line `jupyter blocks`: finds the command, turns errors into texts and exit codes.

A command's module is imported when the command is used, not before, so that every command starts as
fast as it can.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_blocks._version import __version__
from jupyter_blocks.console import Console
from jupyter_blocks.errors import BlocksError, UsageError, ValidationError

if TYPE_CHECKING:
    from jupyter_blocks.commands.base import Command

__all__ = ["COMMANDS", "CommandEntry", "command_parser", "full_parser", "load_command", "main"]

PROGRAM = "jupyter blocks"
UNEXPECTED_EXIT = 1
INTERRUPTED_EXIT = 130
_ONLY_LOOKS = frozenset({"--help", "-h", "--dry-run"})
"""Options with which a command that runs blocks runs none."""

EXIT_CODES = """\
exit codes:
  0    success
  1    a block or a comparison failed, or something unexpected went wrong
  2    the request or the project is wrong; nothing was run
  75   another process drives the run
  130  interrupted
"""


@dataclass(frozen=True)
class CommandEntry:
    """Where one command lives, and what the list of commands says about it."""

    name: str
    help: str
    target: str
    """`module:attribute` of its `commands.base.Command`."""

    @property
    def runs_blocks(self) -> bool:
        """Whether workers will be wanted, so that starting them early pays."""
        return self.name in ("demo", "run")


COMMANDS: Mapping[str, CommandEntry] = {
    name: CommandEntry(name, text, f"jupyter_blocks.commands.{target}")
    for name, text, target in (
        ("attach", "follow a run that goes on elsewhere", "control:ATTACH"),
        ("cancel", "stop a run that goes on elsewhere", "control:CANCEL"),
        ("check", "prove that the pipeline computes what the notebook computes", "check:CHECK"),
        ("clean", "delete stored outputs of old runs", "clean:CLEAN"),
        ("completion", "print the completion script of a shell", "completion:COMPLETION"),
        ("demo", "create the demo project, run it, show a result", "demo:DEMO"),
        ("executors", "what blocks can run on, and what is missing", "executors:EXECUTORS"),
        ("export", "write the blocks of a notebook as files", "export:EXPORT"),
        ("graph", "show the blocks and what they read", "graph:GRAPH"),
        ("image", "write a Dockerfile for running blocks elsewhere", "image:IMAGE"),
        ("init", "create a project with a notebook that runs offline", "demo:INIT"),
        ("kernel", "let kernels load the extension, or not", "kernel:KERNEL"),
        ("logs", "show what the blocks of a run wrote", "logs:LOGS"),
        ("notebook", "make a notebook from a pipeline", "notebook:NOTEBOOK"),
        ("repair", "rebuild the run journal, verify what is stored", "repair:REPAIR"),
        ("run", "run a notebook or a pipeline", "run:RUN"),
        ("runs", "list the runs of a project", "runs:RUNS"),
        ("show", "show stored outputs", "show:SHOW"),
        ("start", "open a project in JupyterLab", "start:START"),
        ("status", "show where a run is", "runs:STATUS"),
        ("suggest", "propose tags for a notebook", "suggest:SUGGEST"),
    )
}
"""Every command, sorted by name."""


class _Parser(ArgumentParser):
    """A parser whose mistakes are `UsageError`s, so that `--json` can report them."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}.", hint=f"See `{self.prog} --help`.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; answers with the exit code (see `EXIT_CODES`)."""
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    if argv is None:
        gc.disable()  # while modules are imported
    words = list(sys.argv[1:] if argv is None else argv)
    own, rest = _split(words)
    console = Console(as_json="--json" in own)
    try:
        return _run(own, rest, console)
    except BlocksError as error:
        _report(error, console)
        return error.exit_code
    except KeyboardInterrupt:
        console.error("Interrupted.")
        return INTERRUPTED_EXIT
    except Exception as error:
        # Whatever it is, people get a readable text.
        _report_unexpected(error, console)
        return UNEXPECTED_EXIT
    finally:
        console.close()


def _run(words: Sequence[str], rest: Sequence[str], console: Console) -> int:
    name = next((word for word in words if not word.startswith("-")), None)
    if name is None:
        parser = full_parser(())
        parser.parse_args(words)
        console.note(parser.format_help().rstrip())
        return BlocksError.exit_code
    if name not in COMMANDS:
        raise UsageError(f"There is no command '{name}'.", hint=_command_hint(name))
    if COMMANDS[name].runs_blocks and not _ONLY_LOOKS & set(words):
        import_module("jupyter_blocks.executors.starters").warm_up()
    command = load_command(name)
    if not gc.isenabled():
        gc.freeze()  # what has been imported stays: no garbage is ever looked for in there
        gc.enable()
    parser = command_parser(name, command)
    after = words.index(name)
    args = parser.parse_intermixed_args([*words[:after], *words[after + 1 :]])
    args.rest = list(rest)
    return command.execute(args, console)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words before and after the first `--`."""
    at = words.index("--") if "--" in words else len(words)
    return list(words[:at]), list(words[at + 1 :])


def _command_hint(word: str) -> str:
    if word.endswith((".ipynb", ".py")):
        return f"Did you mean `{PROGRAM} run {word}`?"
    from difflib import get_close_matches

    close = get_close_matches(word, COMMANDS, 1)
    return f"Did you mean '{close[0]}'?" if close else f"`{PROGRAM} --help` lists them."


# parsers


def load_command(name: str) -> Command:
    """Import one command."""
    module, _, attribute = COMMANDS[name].target.partition(":")
    command: Command = getattr(import_module(module), attribute)
    return command


def command_parser(name: str, command: Command) -> ArgumentParser:
    """The parser of one command, with its whole help text."""
    parser = _Parser(prog=f"{PROGRAM} {name}", allow_abbrev=False, **_texts(command))
    command.configure(parser)
    return parser


def full_parser(names: Iterable[str] = COMMANDS) -> ArgumentParser:
    """The parser of all commands; only those in `names` have their arguments."""
    parser = _Parser(
        prog=PROGRAM,
        description="Tag the cells of a notebook, and the notebook is a production pipeline.",
        epilog=f"{EXIT_CODES}\n`{PROGRAM} COMMAND --help` says more about a command.",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"jupyter-blocks {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for entry in COMMANDS.values():
        if entry.name not in names:
            commands.add_parser(entry.name, help=entry.help, add_help=False)
            continue
        command = load_command(entry.name)
        own = commands.add_parser(
            entry.name, help=entry.help, allow_abbrev=False, **_texts(command)
        )
        command.configure(own)
    return parser


def _texts(command: Command) -> dict[str, Any]:
    examples = "\n".join(f"  {PROGRAM} {line}" for line in command.examples)
    return {
        "description": command.about,
        "epilog": f"examples:\n{examples}\n\nexit codes:\n  {command.exits}",
        "formatter_class": RawDescriptionHelpFormatter,
    }


def _complete() -> None:
    """Answer the shell's question what could come next, and end."""
    import argcomplete

    words = os.environ.get("COMP_LINE", "").split()
    named = [word for word in words[1:] if word in COMMANDS]
    argcomplete.autocomplete(full_parser(named[:1]))


# errors


def _report(error: BlocksError, console: Console) -> None:
    """One line for each problem on stderr, and the JSON document of an error on stdout."""
    problems = error.problems if isinstance(error, ValidationError) else ()
    for problem in problems:
        say = console.error if problem.severity == "error" else console.warning
        say(str(problem))
    if not problems:
        console.error(str(error))
    if console.as_json:
        document = {
            "type": type(error).__name__,
            "message": str(error),
            "problems": [problem.as_json() for problem in problems],
        }
        console.document({"error": document})


def _report_unexpected(error: Exception, console: Console) -> None:
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    console.error(f"Something unexpected went wrong: {text}")
    if os.environ.get("JUPYTER_BLOCKS_DEBUG"):
        console.note("".join(traceback.format_exception(error)).rstrip())
    else:
        import platform

        versions = f"jupyter-blocks {__version__}, Python {platform.python_version()}"
        console.note(
            "This is a mistake of Jupyter Blocks, not of yours. Set JUPYTER_BLOCKS_DEBUG=1 to see "
            f"where it happened, and report that text ({versions}, {sys.platform})."
        )
    if console.as_json:
        document = {"type": type(error).__name__, "message": str(error), "problems": []}
        console.document({"error": document})


if __name__ == "__main__":
    sys.exit(main())
