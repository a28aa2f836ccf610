"""What `suggest` says of a notebook: the tags it would add, and what export makes of them.

The command line and the server answer with the same document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.errors import BlocksError, Problem
from jupyter_blocks.export import export_pipeline
from jupyter_blocks.notebook import Cell, Notebook
from jupyter_blocks.suggest.draft import Proposal
from jupyter_blocks.suggest.repair import suggest_tags, tagged
from jupyter_blocks.tags import Role, read_tags

__all__ = ["Outlook", "own_words"]


@dataclass(frozen=True)
class Outlook:
    """Tags for the cells that have none, and what export will say once the cells have them."""

    proposals: tuple[Proposal, ...]
    problems: tuple[Problem, ...]
    """Errors: export refuses even so; warnings: it does not."""

    @classmethod
    def of(cls, notebook: Notebook) -> Outlook:
        """Look ahead; nothing is written."""
        speaking = {cell.number for cell in notebook.code_cells if own_words(cell)}
        found = [item for item in suggest_tags(notebook) if item.index not in speaking]
        proposals = tuple(item for item in found if item.tag)
        return cls(proposals, tuple(_problems(tagged(notebook, proposals))))

    def as_json(self, notebook: Notebook, name: str, *, applied: bool) -> dict[str, Any]:
        """The document that `suggest --json` prints; `name` is what the notebook is called."""
        cells = {cell.number: cell for cell in notebook.code_cells}
        return {
            "notebook": name,
            "applied": applied,
            "proposals": [
                {
                    "cell": proposal.index,
                    "id": cells[proposal.index].id,
                    "tag": proposal.tag,
                    "reason": proposal.reason,
                }
                for proposal in self.proposals
            ],
            "problems": [problem.as_json() for problem in self.problems],
        }


def own_words(cell: Cell) -> str:
    """What a cell says by its own tags or its first line; empty: nothing of ours."""
    tags, problems = read_tags(cell.tags, cell.source)
    if tags.role is Role.NONE and not problems:
        return ""
    return tags.word or ", ".join(cell.tags) or "first line"


def _problems(notebook: Notebook) -> Sequence[Problem]:
    """What export says of a tagged notebook; without its project, where that cannot be read."""
    draft = analyze_notebook(notebook)
    try:
        return export_pipeline(draft, notebook, check=True).problems
    except (BlocksError, OSError):
        return draft.problems
