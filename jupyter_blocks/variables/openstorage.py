"""From a folder or a URI to the storage that is there.

Object storage is reached through the package obstore, which is imported only for such URIs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from jupyter_blocks.errors import VariableError
from jupyter_blocks.lazy import LazyModule
from jupyter_blocks.variables.locations import Location, is_uri, parse_location
from jupyter_blocks.variables.storage import LocalStorage, Storage

if TYPE_CHECKING:
    from jupyter_blocks.variables import objectstorage
else:
    objectstorage = LazyModule("jupyter_blocks.variables.objectstorage")

__all__ = ["object_uri", "open_storage", "split_object"]


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


def object_uri(root: str, key: str) -> str:
    """The URI of one object of the store at `root`, for `split_object` on any machine."""
    if not is_uri(root):
        return f"file://{quote(os.path.join(os.path.abspath(root), key))}"  # noqa: PTH118, PTH100
    base, mark, options = root.partition("?")
    return f"{base.rstrip('/')}/{quote(key)}{mark}{options}"


def split_object(uri: str) -> tuple[str, str]:
    """The widest store that an object is in, for `open_storage`, and its key there.

    Objects of one bucket have the same store, so that one connection serves them all.
    """
    base, mark, options = uri.partition("?")
    scheme, _, rest = base.partition("://")
    if scheme == "file":
        return "/", unquote(rest).lstrip("/")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}{mark}{options}", unquote(key)


def _extra(location: Location) -> str:
    return {"s3": "aws", "gs": "gcp"}.get(location.scheme, "remote")
