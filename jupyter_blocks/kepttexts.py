"""The texts of block files, kept from one look at a notebook to the next.

Front ends ask after each edit what an export would write, and an edit changes few blocks.
"""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any

from jupyter_blocks.binding import BlockDraft
from jupyter_blocks.binding.recent import Recent
from jupyter_blocks.codegen import block_text

__all__ = ["kept_block_text"]

_MOST_CHARACTERS = 1_000_000
_said = attrgetter(
    *(item.name for item in fields(BlockDraft) if item.name not in ("cells", "edges"))
)
"""What the text is made from, and a little more."""
_KEPT: Recent[tuple[str, ...], tuple[Any, str]] = Recent(_MOST_CHARACTERS)


def kept_block_text(block: BlockDraft, *, pipeline: str, notebook: str) -> str:
    """As `codegen.block_text`: the same draft has the same text."""
    key = pipeline, notebook, block.name
    # Equal values may be written in different ways: 1, True and 1.0.
    said = _said(block), repr(block.code.module_parameters)
    kept = _KEPT.get(key)
    if kept is not None and kept[0] == said:
        return kept[1]
    text = block_text(block, pipeline=pipeline, notebook=notebook)
    _KEPT.put(key, (said, text), len(text))
    return text
