"""The attempts of a run, put together from its events as they come.

A run view asks for them each time something changes: what was said of attempts before is kept, and
so is its JSON, so that a look costs what is new, however long the run is.
"""

from __future__ import annotations

from typing import Any

from jupyter_blocks.run import EventKind, RunEvent
from jupyter_blocks.server.jsontext import dump

__all__ = ["Attempts"]


class Attempts:
    """The attempts of one run, also those before it was resumed."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {}
        """Id -> attempt, in the order in which they began."""
        self._by_block: dict[str, dict[str, None]] = {}
        """Block -> ids of its attempts."""
        self._texts: dict[str, bytes] = {}
        """Id -> JSON of the attempt, as of its last change."""

    def apply(self, event: RunEvent) -> None:
        """Take up the next event of the run."""
        attempt_id = event.attempt_id
        if event.kind is EventKind.SUBMITTING:
            self._by_block.setdefault(event.block, {})[attempt_id] = None
            self._found[attempt_id] = {
                "block": event.block,
                "attempt_id": attempt_id,
                "attempt": event.data["attempt"],
                "started_at": event.ts,
                "running_at": None,
                "finished_at": None,
                "phase": None,
            }
        elif (attempt := self._found.get(attempt_id)) is None:
            return
        elif event.kind is EventKind.RUNNING:
            attempt["running_at"] = event.ts
        elif event.kind is EventKind.ATTEMPT_FINISHED:
            attempt["finished_at"], attempt["phase"] = event.ts, event.data["phase"]
            if worked_s := event.data.get("duration_s"):
                # The worker's own clock knows better than who looked at it now and then.
                attempt["running_at"] = max(attempt["started_at"], event.ts - worked_s)
        self._texts.pop(attempt_id, None)

    def of(self, block: str) -> list[dict[str, Any]]:
        """The attempts of one block, in the order in which they began."""
        return [dict(self._found[attempt_id]) for attempt_id in self._by_block.get(block, ())]

    def document(self, run_id: str, block: str | None = None) -> bytes:
        """The attempts of the run, or of one of its blocks, as JSON."""
        ids = self._found if block is None else self._by_block.get(block, {})
        texts = b",".join(map(self._text, ids))
        return dump({"run_id": run_id})[:-1] + b',"attempts":[' + texts + b"]}"

    def _text(self, attempt_id: str) -> bytes:
        if attempt_id not in self._texts:
            self._texts[attempt_id] = dump(self._found[attempt_id])
        return self._texts[attempt_id]
