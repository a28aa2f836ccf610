"""Names of pipelines, runs, blocks and outputs as parts of keys, and back.

Every part is a legal file name on its own and says what it stands for.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, unquote

from jupyter_blocks.errors import VariableError

__all__ = ["key_part", "part_name"]

_PLAIN_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\Z")
_LONGEST_PART = 200


@lru_cache(maxsize=4096)
def key_part(name: str) -> str:
    """`name` as one part of a key: letters, digits and `._-` stay, all else is %-encoded.

    No part begins with a dot, and very long names end in a digest, so each is a legal file name.
    """
    if _PLAIN_PART.match(name):
        return name
    if not name:
        raise VariableError("A pipeline, a run, a block and an output need a name; one is empty.")
    part = quote(name, safe="", errors="surrogatepass").replace("~", "%7E")
    if part[0] == ".":
        part = "%2E" + part[1:]
    if len(part) <= _LONGEST_PART:
        return part
    digest = sha256(part.encode()).hexdigest()[:32]
    return f"{part[: _LONGEST_PART - 40]}~{digest}"


def part_name(part: str) -> str:
    """The name that `key_part` encoded; a shortened one comes back as it is in the key."""
    return part if "~" in part else unquote(part, errors="surrogatepass")
