"""The text of one cell as Python, kept from one analysis of a notebook to the next.

A person edits one cell at a time, and the editor asks again: what the text of a cell says by
itself, its statements and its data flow, is worked out once. All notebooks of a process share the
cells that are kept, and so do threads: nothing in them may be changed.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from jupyter_blocks.binding.recent import Recent
from jupyter_blocks.binding.statements import (
    Statement,
    StatementKind,
    classify,
    cut,
    without_annotations,
)
from jupyter_blocks.dataflow import CellFlow, Definition, analyze

__all__ = ["MOST_CHARACTERS", "ParsedCell", "parsed_cell"]

_MAIN_GUARD = re.compile(
    r"""if\s*\(?\s*__name__\s*==\s*(["'])__main__\1\s*\)?\s*:\s*(?P<rest>.*)\Z"""
)
_ALWAYS = 'if True:  # __name__ == "__main__" in the notebook'
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
MOST_CHARACTERS = 300_000
"""Of the text of the cells that are kept; what is worked out of each takes up to 300 bytes."""
_MOST_FLOWS = 16
"""Data flows kept for one cell: it is read with other known functions now and then."""

_FlowKey = tuple[tuple[tuple[int, int], ...], frozenset[Definition], tuple[Definition, ...]]


@dataclass(frozen=True, eq=False)
class ParsedCell:
    """What the text of a cell says, whatever the other cells are."""

    lines: tuple[str, ...] = ()
    """Python text, line by line as in the cell."""
    analyzed: tuple[str, ...] = ()
    """The same without annotations where Python does not evaluate them."""
    statements: tuple[Statement, ...] = ()
    nodes: tuple[ast.stmt, ...] = ()
    """The statements of `analyzed`."""
    _flows: dict[_FlowKey, CellFlow] = field(default_factory=dict, repr=False)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every identifier in the text, and more, as Python spells them."""
        text = "\n".join(self.analyzed)
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
        return frozenset(_IDENTIFIER.findall(text))

    @cached_property
    def makes_annotations_lazy(self) -> bool:
        """Whether it says `from __future__ import annotations`, which holds from then on."""
        return any(
            statement.kind is StatementKind.FUTURE
            and isinstance(statement.node, ast.ImportFrom)
            and any(alias.name == "annotations" for alias in statement.node.names)
            for statement in self.statements
        )

    def flow(
        self,
        known: Mapping[str, Definition],
        without: Sequence[Statement] = (),
        carried: Sequence[Definition] = (),
    ) -> CellFlow:
        """What the cell reads and binds when the statements `without` are cut out.

        `known` and `carried` are those of `dataflow.analyze`.
        """
        words = self.words.union(*(definition.free for definition in carried))
        asked = {
            name: definition
            for name, definition in known.items()
            if name in words or (definition.kind == "class" and _has_method(definition, words))
        }
        places = tuple((statement.first, statement.col) for statement in without)
        key = (places, frozenset(asked.values()), tuple(carried))
        flow = self._flows.get(key)
        if flow is None:
            flow = self._analyzed(asked, without, carried)
            if len(self._flows) >= _MOST_FLOWS:
                self._flows.clear()
            self._flows[key] = flow
        return flow

    def _analyzed(
        self,
        known: Mapping[str, Definition],
        without: Sequence[Statement],
        carried: Sequence[Definition],
    ) -> CellFlow:
        lines = cut(self.analyzed, without) if without else self.analyzed
        source = "\n".join(line or "" for line in lines)
        return analyze(source, known=known, carried=carried, body=self._rest(without))

    def _rest(self, without: Sequence[Statement]) -> list[ast.stmt] | None:
        """The nodes that are left; none where cutting moves them, so that others must be made."""
        gone = {(statement.first, statement.col) for statement in without}
        lines = {line for item in without for line in range(item.first, item.last + 1)}
        rest = []
        for statement, node in zip(self.statements, self.nodes, strict=True):
            if (statement.first, statement.col) not in gone:
                if statement.first in lines or statement.last in lines:
                    return None
                rest.append(node)
        return rest


def _has_method(definition: Definition, words: Collection[str]) -> bool:
    """Whether methods that must be known where they are called may be called there."""
    return any(not methods.isdisjoint(words) for methods in definition.special_methods.values())


def parsed_cell(source: str, *, lazy_annotations: bool) -> ParsedCell:
    """What the text of a cell says; the same object for the same text, while it is kept.

    Raises what `compile` raises where it is not Python.
    """
    key = (source, lazy_annotations)
    found = _KEPT.get(key)
    if found is None:
        found = _parsed(source, lazy_annotations)
        _KEPT.put(key, found, len(source))
    return found


_KEPT: Recent[tuple[str, bool], ParsedCell] = Recent(MOST_CHARACTERS)


def _parsed(source: str, lazy_annotations: bool) -> ParsedCell:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong escape in a string is for Python to report
        lines, tree = _unguarded(source.split("\n"), ast.parse(source))
        # From the text, not from the tree: that takes half the time.
        text = "\n".join(lines)
        compile(text, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        parsed = _of_tree(lines, lines, classify(tree, lines), tree)
        if lazy_annotations or parsed.makes_annotations_lazy:
            analyzed = without_annotations(tree, lines)
            tree = ast.parse("\n".join(analyzed))
            parsed = _of_tree(lines, analyzed, parsed.statements, tree)
    return parsed


def _of_tree(
    lines: Iterable[str],
    analyzed: Iterable[str],
    statements: tuple[Statement, ...],
    tree: ast.Module,
) -> ParsedCell:
    return ParsedCell(tuple(lines), tuple(analyzed), statements, tuple(tree.body))


def _unguarded(lines: list[str], tree: ast.Module) -> tuple[list[str], ast.Module]:
    """`if __name__ == "__main__":` holds in a notebook; a block file is imported."""
    if not any("__main__" in line for line in lines):
        return lines, tree
    for node in tree.body:
        if not isinstance(node, ast.If) or not lines[node.lineno - 1].startswith("if"):
            continue
        if guard := _MAIN_GUARD.match(lines[node.lineno - 1]):
            rest = guard["rest"]
            is_code = rest and not rest.startswith("#")
            lines[node.lineno - 1] = f"if True: {rest}" if is_code else _ALWAYS
    return lines, ast.parse("\n".join(lines))
