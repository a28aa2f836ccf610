"""`jupyter blocks check`: the proof that the pipeline computes what the notebook computes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from jupyter_blocks.check import CheckResult, check_notebook
from jupyter_blocks.commands.base import Command, add_json, show_warnings
from jupyter_blocks.console import Console, Style
from jupyter_blocks.tables import Column, Painted, table

__all__ = ["CHECK"]

_GROUPS = (
    ("equal", "✓", "equal", "green"),
    ("different", "✗", "DIFFERENT", "bold red"),
    ("not_comparable", "○", "not comparable", "yellow"),
    ("failed", "✗", "FAILED", "bold red"),
)


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("notebook", metavar="NOTEBOOK", help="the notebook")
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    result = check_notebook(Path(args.notebook), console.note)
    show_warnings(result.warnings, console)
    if result.error:
        console.error(f"The notebook does not run to its end: {result.error}")
        for line in result.log:
            console.note(f"  {line}")
    if console.as_json:
        console.document(result.as_json())
    else:
        console.result(_table(result, console.result_style))
        console.result()
        console.result(_totals(result))
    return 0 if result.ok else 1


def _table(result: CheckResult, style: Style) -> str:
    columns = (Column(""), Column("result"), Column("block"), Column("name"), Column("detail"))
    rows = [
        (Painted(symbol, paint), Painted(word, paint), entry.block, entry.name, entry.detail)
        for group, symbol, word, paint in _GROUPS
        for entry in getattr(result, group)
    ]
    return table(columns, rows, style=style)


def _totals(result: CheckResult) -> str:
    counts = ", ".join(
        f"{len(getattr(result, group))} {word.lower()}"
        for group, _, word, _ in _GROUPS
        if getattr(result, group)
    )
    if not counts:
        return "There is nothing to compare: no block gives a value."
    if result.ok:
        return f"The pipeline computes what the notebook computes: {counts}."
    return f"The pipeline does not compute what the notebook computes: {counts}."


CHECK = Command(
    about=(
        "Run the notebook from top to bottom and the pipeline exported from it, each once, and "
        "compare every\noutput of every block exactly: types, index, order and values. Figures and "
        "models cannot be compared;\nthat is said.\n\n"
        "Nothing is written to the project or its store. What the cells themselves write, such as "
        "the files of\nexporters, is written twice. Sensors are taken as satisfied."
    ),
    examples=("check flights.ipynb", "check flights.ipynb --json"),
    configure=_configure,
    execute=_execute,
    exits="0 all that can be compared is equal; 1 something differs or failed; 2 the notebook has "
    "mistakes.",
)
