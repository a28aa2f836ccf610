"""Write docs/commands.md from the commands themselves.

`--check` writes nothing and fails if the page is not what the commands say; the tests call it.
"""

from __future__ import annotations

import sys
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from jupyter_blocks.cli import COMMANDS, command_parser, load_command

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"

HEAD = """\
# Commands

`jupyter blocks COMMAND` and `jupyter-blocks COMMAND` are the same. `--help` says what is on this
page.

- `TARGET` is a notebook, a project folder, or the name of a pipeline of the project you are in. A
  project folder with several pipelines is followed by the name of one.
- `RUN` is the id of a run, the beginning of one, or `last`.
- `--json` prints one document on standard output ([their shapes](running.md#json-documents)).
  Everything that is not the result goes to standard error.

| exit code | meaning |
|---|---|
| 0 | success |
| 1 | a block or a comparison failed |
| 2 | the request or the project is wrong; nothing was run |
| 75 | another process drives the run |
| 130 | interrupted |

This page is written by `scripts/write_commands.py` from the commands themselves.
"""


def main() -> int:
    """Write the page, or with `--check` compare it; answers with the exit code."""
    text = "\n".join([HEAD, *(section(name) for name in COMMANDS)])
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        print("docs/commands.md is out of date: run scripts/write_commands.py", file=sys.stderr)
        return 1
    return 0


def section(name: str) -> str:
    """The section of one command: usage, what it does, arguments, examples, exit codes."""
    command = load_command(name)
    parser = command_parser(name, command)
    actions = [item for item in parser._actions if item.help != SUPPRESS and item.dest != "help"]
    examples = "\n".join(f"$ jupyter blocks {line}" for line in command.examples)
    return "\n".join(
        [
            f"## jupyter blocks {name}\n",
            f"    {usage(parser, actions)}\n",
            *paragraphs(command.about),
            *table(actions),
            f"```console\n{examples}\n```\n",
            f"Exit codes: {' '.join(command.exits.split())}\n",
        ]
    )


def usage(parser: ArgumentParser, actions: list[Action]) -> str:
    """The line that says how the command is written."""
    if parser.usage:
        return parser.usage.replace("%(prog)s", parser.prog)
    positional = [item for item in actions if not item.option_strings]
    required = [item for item in actions if item.option_strings and item.required]
    has_options = len(actions) > len(positional) + len(required)
    words = [parser.prog, *(placed(item) for item in positional), *map(spelled, required)]
    return " ".join([*words, "[OPTIONS]"] if has_options else words)


def placed(action: Action) -> str:
    """A positional argument, in brackets if it may be left out."""
    name = str(action.metavar or action.dest)
    return f"[{name}]" if action.nargs in {"?", "*"} else name


def spelled(action: Action) -> str:
    """An option with its value."""
    words = ", ".join(action.option_strings)
    if action.nargs == 0:
        return words
    return f"{words} [{action.metavar}]" if action.nargs == "?" else f"{words} {action.metavar}"


def paragraphs(about: str) -> Iterator[str]:
    """The text of a command, its lines joined."""
    for paragraph in about.split("\n\n"):
        yield f"{' '.join(paragraph.split())}\n"


def table(actions: list[Action]) -> Iterator[str]:
    """Arguments and options with what they mean."""
    if not actions:
        return
    yield "| argument | meaning |\n|---|---|"
    for action in actions:
        name = spelled(action) if action.option_strings else str(action.metavar or action.dest)
        yield f"| `{name}` | {str(action.help).replace('|', '&#124;')} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
