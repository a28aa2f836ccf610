"""`jupyter blocks suggest`: tags for a notebook that has none, applied on consent."""

from __future__ import annotations

import json
import os
import re
import shutil
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_blocks.commands.base import Command, add_json
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError
from jupyter_blocks.notebook import Cell, Notebook, read_notebook
from jupyter_blocks.suggest import Proposal, SuggestCell, suggest
from jupyter_blocks.tables import Column, Painted, table
from jupyter_blocks.tags import Role, read_tags
from jupyter_blocks.wording import one_line, plural

__all__ = ["SUGGEST", "tagged_text"]

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
    parser.add_argument("notebook", metavar="NOTEBOOK", help="the notebook")
    parser.add_argument(
        "--apply", action="store_true", help="write the tags into the notebook; existing ones stay"
    )
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    path = Path(args.notebook)
    rows = _rows(read_notebook(path))
    tags = {row.cell.number: row.tag for row in rows if row.tag}
    if args.apply and tags:
        _write(path, tags)
    if console.as_json:
        console.document(_document(path, rows, applied=args.apply))
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
    return 0


def _rows(notebook: Notebook) -> list[_Row]:
    cells = notebook.code_cells
    proposals = suggest([SuggestCell(cell.number, cell.source) for cell in cells])
    by_number = {proposal.index: proposal for proposal in proposals}
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


def _document(path: Path, rows: Sequence[_Row], *, applied: bool) -> dict[str, Any]:
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
    }


# writing


def _write(path: Path, tags: Mapping[int, str]) -> None:
    """Put the tags into the file: all or nothing, and nothing else changes."""
    text = tagged_text(path.read_text("utf-8-sig"), tags)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text, "utf-8")
        shutil.copymode(path, draft)
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def tagged_text(text: str, tags: Mapping[int, str]) -> str:
    """The notebook in `text` with one more tag on some cells: number, from 1 -> tag."""
    document = json.loads(text)
    if document.get("nbformat") != 4:
        raise UsageError(
            "The notebook has an old format, in which cells have no tags.",
            hint="Open and save it in JupyterLab first.",
        )
    for number, tag in tags.items():
        metadata = document["cells"][number - 1].setdefault("metadata", {})
        metadata["tags"] = [*metadata.get("tags", ()), tag]
    indent = re.match(r"\s*\{\n( *)", text)
    written = json.dumps(document, indent=len(indent[1]) if indent else 1, ensure_ascii=False)
    return written + ("\n" if text.endswith("\n") else "")


SUGGEST = Command(
    about=(
        "Propose tags for the cells of a notebook: which is a loader, a transformer, an exporter, "
        "and why.\nNothing is changed without --apply; tags that are there stay."
    ),
    examples=("suggest analysis.ipynb", "suggest analysis.ipynb --apply"),
    configure=_configure,
    execute=_execute,
)
