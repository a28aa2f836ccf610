"""JSON as it leaves the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["dump"]

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
"""`json.dumps` would make one for each of the thousand blocks of a run."""


def dump(document: Any, root: Path | None = None) -> bytes:
    """JSON that is harmless inside HTML, too; never NaN, which browsers cannot read.

    Paths below `root` come out relative to it, wherever a text names them.
    """
    text = _ENCODER.encode(document)
    if root is not None and len(root.parts) > 1:
        folder = json.dumps(str(root), ensure_ascii=False)[1:-1]
        text = text.replace(f"{folder}/", "").replace(folder, ".")
    return text.replace("</", "<\\/").encode("utf-8", "replace")
