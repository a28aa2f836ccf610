"""What goes wrong with a request, as the JSON a client gets: `message`, `hint`, `problems`.

Nothing of the server's own leaves with it: folders are named from the server's root on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_blocks.errors import (
    BlocksError,
    CorruptVariableError,
    RunHeldError,
    ValidationError,
    VariableNotFoundError,
)
from jupyter_blocks.server.masking import mask_secrets

__all__ = ["RequestError", "fault_document", "status_of", "without_root"]

_MOST_PROBLEMS = 200

_STATUSES: tuple[tuple[type[BlocksError], int], ...] = (
    (VariableNotFoundError, 404),
    (CorruptVariableError, 409),
    (RunHeldError, 409),
    (ValidationError, 422),
)


class RequestError(BlocksError):
    """A request that is refused, with the HTTP status that says how."""

    def __init__(self, status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


def status_of(error: BlocksError) -> int:
    """The HTTP status of an error: 400 where nothing more fitting is known."""
    if isinstance(error, RequestError):
        return error.status
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)


def fault_document(error: BlocksError, root: Path | None = None) -> dict[str, Any]:
    """An error as the JSON of an answer."""
    message = str(error)
    if error.hint:
        message = message.removesuffix(error.hint).rstrip()
    document: dict[str, Any] = {"message": message, "hint": error.hint}
    if isinstance(error, ValidationError):
        document["problems"] = [item.as_json() for item in error.problems[:_MOST_PROBLEMS]]
    document = mask_secrets(document)
    return document if root is None else without_root(document, root)


def without_root(value: Any, root: Path) -> Any:
    """The same JSON with paths below `root` relative to it."""
    if isinstance(value, str):
        return (
            value.replace(f"{root}/", "").replace(str(root), ".") if len(root.parts) > 1 else value
        )
    if isinstance(value, dict):
        return {key: without_root(item, root) for key, item in value.items()}
    return [without_root(item, root) for item in value] if isinstance(value, list) else value
