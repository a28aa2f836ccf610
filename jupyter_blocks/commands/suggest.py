"""`jupyter blocks suggest`: tags for a notebook that has none, applied on consent."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.commands.base import Command, add_json, show_warnings
from jupyter_blocks.console import Console
from jupyter_blocks.errors import Problem
from jupyter_blocks.export import export_pipeline
from jupyter_blocks.notebook import Cell, Notebook, read_notebook
from jupyter_blocks.notebooktext import replace_file, retagged
from jupyter_blocks.suggest import Proposal, suggest_tags, tagged
from jupyter_blocks.tables import Column, Painted, table
from jupyter_blocks.tags import Role, read_tags
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

    @property
    def tag(self) -> str:
        """The tag to add; empty: none."""
        return self.proposal.tag if self.proposal and not self.own else ""


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
    rows = _rows(notebook)
    tags = {row.cell.number: row.tag for row in rows if row.tag}
    problems = _problems(notebook, rows)
    if args.apply and tags:
        replace_file(path, retagged(path.read_bytes(), path, tags))
    if console.as_json:
        console.document(_document(path, rows, problems, applied=args.apply))
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
    _announce(problems, console)
    return 0


def _problems(notebook: Notebook, rows: Sequence[_Row]) -> tuple[Problem, ...]:
    """What export will say of the notebook once it has the tags."""
    whole = tagged(notebook, [row.proposal for row in rows if row.proposal and row.tag])
    return export_pipeline(analyze_notebook(whole), whole, check=True).problems


def _announce(problems: Sequence[Problem], console: Console) -> None:
    """Say what the tags cannot cure: first why export refuses, then what it warns of."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        console.result()
        console.result("Export will refuse the notebook even with these tags:")
    for problem in errors:
        console.result(f"- {problem}")
    show_warnings(problems, console)


def _rows(notebook: Notebook) -> list[_Row]:
    cells = notebook.code_cells
    by_number = {proposal.index: proposal for proposal in suggest_tags(notebook)}
    return [_Row(cell, _own_words(cell), by_number.get(cell.number)) for cell in cells]


def _own_words(cell: Cell) -> str:
    """What the cell says by its tags or its first line."""
    tags, problems = read_tags(cell.tags, cell.source)
    if tags.role is Role.NONE and not problems:
        return ""
    return tags.word or ", ".join(cell.tags) or "first line"


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
                Painted(row.tag or row.own, "bold" if row.tag else "dim"),
                row.proposal.reason if row.proposal and row.tag else "",
            )
        )
    return table(columns, lines, style=console.result_style)


def _document(
    path: Path, rows: Sequence[_Row], problems: Sequence[Problem], *, applied: bool
) -> dict[str, Any]:
    return {
        "notebook": str(path),
        "applied": applied,
        "proposals": [
            {
                "cell": row.cell.number,
                "id": row.cell.id,
                "tag": row.tag,
                "reason": row.proposal.reason if row.proposal else "",
            }
            for row in rows
            if row.tag
        ],
        "problems": [problem.as_json() for problem in problems],
    }


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
