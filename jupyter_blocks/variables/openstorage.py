"""From a folder or a URI to the storage that is there.

Object storage is reached through the package obstore, which is imported only for such URIs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from jupyter_blocks.errors import VariableError
from jupyter_blocks.lazy import LazyModule
from jupyter_blocks.variables.locations import Location, is_uri, parse_location
from jupyter_blocks.variables.storage import LocalStorage, Storage

if TYPE_CHECKING:
    from jupyter_blocks.variables import objectstorage
else:
    objectstorage = LazyModule("jupyter_blocks.variables.objectstorage")

__all__ = ["open_storage"]


def open_storage(root: str | os.PathLike[str]) -> Storage:
    """The storage at a folder or a URI (`file:`, `s3:`, `gs:`, `memory:`); it may be empty.

    Raises `VariableError` for other URIs, and where the package for object storage is missing.
    """
    text = os.fspath(root)
    if not is_uri(text):
        return LocalStorage(text)
    parts = urlsplit(text)
    if parts.scheme == "file":
        return LocalStorage(unquote(parts.path))
    location = parse_location(text)
    try:
        return objectstorage.open_location(location)
    except ImportError as error:
        raise VariableError(
            f"Variables at {location} need the package {error.name or 'obstore'}.",
            hint=f"Install it: pip install 'jupyter-blocks[{_extra(location)}]'.",
        ) from error


def _extra(location: Location) -> str:
    return {"s3": "aws", "gs": "gcp"}.get(location.scheme, "remote")
