"""What a client says about the cell it wants to run: id, tags, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["CellRequest", "read_request"]

_VS_CODE = "vscode-notebook-cell:"


@dataclass(frozen=True)
class CellRequest:
    """One execute request."""

    source: str
    cell_id: str | None = None
    tags: tuple[str, ...] | None = None
    """None where the client says nothing of tags, so that the saved notebook decides."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()
    """Cells the user has deleted since the notebook was saved."""

    @property
    def has_foreign_id(self) -> bool:
        """Whether the id of the cell is one of the editor's own, which no file holds."""
        return str(self.cell_id).startswith(_VS_CODE)

    @property
    def notebook(self) -> str:
        """File of the notebook, where the id of the cell says it; else empty."""
        return unquote(urlsplit(str(self.cell_id)).path) if self.has_foreign_id else ""

    @property
    def is_live(self) -> bool:
        """Whether the client told the present tags of the cell."""
        return self.tags is not None


def read_request(shell: Any, source: str, cell_id: str | None = None) -> CellRequest:
    """What the request that runs now says; works with ipykernel 6 and 7, and without a kernel."""
    metadata = _metadata(shell)
    cell_id = metadata.get("cellId") or cell_id
    if not isinstance(cell_id, str):
        cell_id = None
    deleted = metadata.get("deletedCells")
    tags = metadata.get("tags")
    if not isinstance(tags, list):
        # JupyterLab always names the deleted cells; a cell without tags has no 'tags' then.
        tags = [] if isinstance(deleted, list) else None
    return CellRequest(
        source,
        cell_id,
        None if tags is None else tuple(str(tag) for tag in tags),
        metadata,
        frozenset(map(str, deleted)) if isinstance(deleted, list) else frozenset(),
    )


def _metadata(shell: Any) -> Mapping[str, Any]:
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return {}
    try:
        parent = kernel.get_parent("shell")
    except (AttributeError, LookupError, TypeError):
        return {}
    metadata = (parent or {}).get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
