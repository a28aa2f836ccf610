"""JSON as it leaves the server."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["dump"]


def dump(document: Any) -> bytes:
    """JSON that is harmless inside HTML, too; never NaN, which browsers cannot read."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("</", "<\\/").encode("utf-8", "replace")
