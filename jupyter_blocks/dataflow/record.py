"""What the walk over a cell collects besides names: calls, string literals, imports, definitions.

One record is shared by all scopes of a cell.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from keyword import iskeyword
from typing import Any

from jupyter_blocks.dataflow.flow import Definition, ImportedName
from jupyter_blocks.dataflow.names import FunctionFlow

__all__ = ["CellText", "Record", "code_identifiers", "dotted_name"]

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_LOOKS_LIKE_CODE = re.compile(r"[~@=<>]|\w\(|\b(?:from|join|select)\b", re.IGNORECASE)


@dataclass
class Record:
    """Facts about a cell, in the order in which they were met."""

    calls: dict[str, None] = field(default_factory=dict)
    attribute_calls: dict[tuple[str, int], None] = field(default_factory=dict)
    module_changes: dict[tuple[str, str], None] = field(default_factory=dict)
    soft_reads: dict[str, int] = field(default_factory=dict)
    globals_declared: dict[str, int] = field(default_factory=dict)
    has_await: bool = False
    imports: dict[tuple[str, int], ImportedName] = field(default_factory=dict)
    definitions: dict[str, tuple[Definition, FunctionFlow]] = field(default_factory=dict)
    constants: dict[str, tuple[Any, int]] = field(default_factory=dict)
    may_bind_in_expressions: bool = False
    """Whether the cell holds a `:=` anywhere."""
    lambdas: dict[ast.Lambda, FunctionFlow] = field(default_factory=dict)

    def string(self, text: str, line: int, *, is_code: bool = False) -> None:
        """Note the identifiers of a string literal, if it is code or looks like it."""
        for name in code_identifiers(text, is_code=is_code):
            self.soft_reads.setdefault(name, line)


class CellText:
    """The text of a cell by the positions that `ast` gives."""

    def __init__(self, source: str, start_line: int) -> None:
        self.source = source
        self.start_line = start_line

    @cached_property
    def lines(self) -> list[str]:
        """The lines, cut where Python cuts them, without their ends."""
        return re.split(r"\r\n|\r|\n", self.source)

    def column(self, line: int, offset: int) -> int:
        """Byte offset `offset` of a line as a number of characters."""
        text = self.lines[line - self.start_line]
        return offset if text.isascii() else len(text.encode()[:offset].decode())

    def segment(self, node: ast.stmt) -> str:
        """The text of a statement."""
        first, last = node.lineno, node.end_lineno or node.lineno
        rows = self.lines[first - self.start_line : last - self.start_line + 1]
        rows[-1] = rows[-1][: self.column(last, node.end_col_offset or 0)]
        rows[0] = rows[0][self.column(first, node.col_offset) :]
        return "\n".join(rows)

    def after(self, node: ast.stmt) -> str:
        """The text from the end of a statement on."""
        last = node.end_lineno or node.lineno
        rest = self.lines[last - self.start_line][self.column(last, node.end_col_offset or 0) :]
        return "\n".join((rest, *self.lines[last - self.start_line + 1 :]))


def code_identifiers(text: str, *, is_code: bool = False) -> list[str]:
    """The identifiers in `text` if it is code, or is more than a word and looks like code."""
    if not is_code and (text.isidentifier() or not _LOOKS_LIKE_CODE.search(text)):
        return []
    return [name for name in _IDENTIFIER.findall(text) if not iskeyword(name)]


def dotted_name(node: ast.expr) -> str:
    """`a.b.c` of such an expression; empty if it is something else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join((node.id, *reversed(parts)))
