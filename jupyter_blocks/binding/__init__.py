"""From the cells of a notebook to block drafts: what each block needs, gives and is written from.

`analyze_notebook` is the way in; the drafts it gives are values that `codegen` and `export` write.
Runs none of the notebook's code.
"""

from jupyter_blocks.binding.analysis import analyze_notebook
from jupyter_blocks.binding.draft import (
    BlockCode,
    BlockDraft,
    CodePart,
    Edge,
    HelpersDraft,
    ImportLine,
    Note,
    NotebookPipeline,
    Returns,
    Style,
    TestDraft,
)

__all__ = [
    "BlockCode",
    "BlockDraft",
    "CodePart",
    "Edge",
    "HelpersDraft",
    "ImportLine",
    "Note",
    "NotebookPipeline",
    "Returns",
    "Style",
    "TestDraft",
    "analyze_notebook",
]
