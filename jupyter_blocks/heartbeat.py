"""A worker's sign of life in the store: a number that grows, and the memory it uses.

Readers judge by whether the number still grows on their own clock, so clocks need not agree.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.usage import resident_mib
from jupyter_blocks.variables.storage import Storage

__all__ = ["beating", "heartbeat_key", "last_heartbeat"]


def heartbeat_key(prefix: str) -> str:
    """Key of the sign of life of the attempt `prefix`."""
    return f"{prefix}/heartbeat.json"


@contextmanager
def beating(storage: Storage, prefix: str, interval_s: float) -> Iterator[None]:
    """Give a sign of life at once and every `interval_s` seconds during the `with` block."""
    over = threading.Event()

    def beat() -> None:
        number, peak_mib = 0, 0.0
        while True:
            number += 1
            rss_mib = resident_mib()
            peak_mib = max(peak_mib, rss_mib)
            document = {
                "seq": number,
                "rss_mib": round(rss_mib, 1),
                "peak_rss_mib": round(peak_mib, 1),
            }
            # One that does not arrive is followed by the next.
            with suppress(VariableError, OSError):
                storage.replace(heartbeat_key(prefix), json.dumps(document).encode())
            if over.wait(interval_s):
                return

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(interval_s)


def last_heartbeat(storage: Storage, prefix: str) -> Mapping[str, Any] | None:
    """`seq`, `rss_mib` and `peak_rss_mib` of the last sign of life; none if there was none."""
    try:
        document = json.loads(storage.read(heartbeat_key(prefix)))
    except (VariableNotFoundError, ValueError):
        return None
    return document if isinstance(document, dict) else None
