"""Scope analysis: what one cell of a notebook reads, binds and may change, from its source alone.

Uses the standard `ast` and its own walk in the order of execution. Knows one cell at a time; what
flows between cells is for `notebook` and its callers.
"""

from jupyter_blocks.dataflow.analysis import analyze
from jupyter_blocks.dataflow.flow import (
    CellFlow,
    Definition,
    Expression,
    ImportedName,
    Use,
    is_builtin,
)

__all__ = [
    "CellFlow",
    "Definition",
    "Expression",
    "ImportedName",
    "Use",
    "analyze",
    "is_builtin",
]
