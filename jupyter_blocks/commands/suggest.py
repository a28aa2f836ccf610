"""`jupyter blocks suggest`: tags for a notebook that has none, applied on consent."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_blocks.commands.base import Command, add_json, show_warnings
from jupyter_blocks.console import Console
from jupyter_blocks.errors import Problem
from jupyter_blocks.notebook import Cell, Notebook, read_notebook
from jupyter_blocks.notebooktext import replace_file, retagged
from jupyter_blocks.suggest import Proposal
from jupyter_blocks.suggest.outlook import Outlook, own_words
from jupyter_blocks.tables import Column, Painted, table
from jupyter_blocks.wording import one_line, plural

__all__ = ["SUGGEST"]

_SHOWN_SOURCE = 48


@dataclass(frozen=True)
class _Row:
    """One code cell with what it says and what is proposed."""

    cell: Cell
    own: str
    """What its tags or its first line say already; empty: nothing of ours."""
    proposal: Proposal | None
    """The tag to add, and why."""


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "notebook", metavar="NOTEBOOK", help="the notebook: .ipynb, or .py with cells"
    )
    parser.add_argument(
        "--apply", action="store_true", help="write the tags into the notebook; existing ones stay"
    )
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    path = Path(args.notebook)
    notebook = read_notebook(path)
    outlook = Outlook.of(notebook)
    rows = _rows(notebook, outlook)
    tags = {proposal.index: proposal.tag for proposal in outlook.proposals}
    if args.apply and tags:
        replace_file(path, retagged(path.read_bytes(), path, tags))
    if console.as_json:
        console.document(outlook.as_json(notebook, str(path), applied=args.apply))
        return 0
    if not rows:
        console.result(f"{path.name} has no code cells.")
        return 0
    console.result(_table(rows, console))
    console.result()
    if not tags:
        console.result("There is nothing to add: every cell that needs a tag has one.")
    elif args.apply:
        console.result(f"Added {plural(len(tags), 'tag')} to {path.name}.")
        console.result("If it is open in JupyterLab, reload it there.")
    else:
        console.result(f"To add them: jupyter blocks suggest {args.notebook} --apply")
    _announce(outlook.problems, console)
    return 0


def _announce(problems: Sequence[Problem], console: Console) -> None:
    """Say what the tags cannot cure: first why export refuses, then what it warns of."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        console.result()
        console.result("Export will refuse the notebook even with these tags:")
    for problem in errors:
        console.result(f"- {problem}")
    show_warnings(problems, console)


def _rows(notebook: Notebook, outlook: Outlook) -> list[_Row]:
    by_number = {proposal.index: proposal for proposal in outlook.proposals}
    return [_Row(cell, own_words(cell), by_number.get(cell.number)) for cell in notebook.code_cells]


def _table(rows: Sequence[_Row], console: Console) -> str:
    columns = (
        Column("cell", right=True),
        Column("code", shrink=True),
        Column("tag"),
        Column("why", shrink=True),
    )
    lines = []
    for row in rows:
        source = next((line for line in row.cell.source.splitlines() if line.strip()), "")
        lines.append(
            (
                str(row.cell.number),
                Painted(one_line(source, _SHOWN_SOURCE), "dim"),
                Painted(row.proposal.tag, "bold") if row.proposal else Painted(row.own, "dim"),
                row.proposal.reason if row.proposal else "",
            )
        )
    return table(columns, lines, style=console.result_style)


SUGGEST = Command(
    about=(
        "Propose tags for the cells of a notebook: which is a loader, a transformer, an exporter, "
        "and why.\nNothing is changed without --apply; tags that are there stay. Where export will "
        "refuse the notebook\nall the same, that is said with the reason."
    ),
    examples=("suggest analysis.ipynb", "suggest analysis.ipynb --apply"),
    configure=_configure,
    execute=_execute,
)
