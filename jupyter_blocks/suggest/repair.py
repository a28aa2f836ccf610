"""Proposals for a whole notebook, mended until export takes them.

A proposal is made cell by cell; whether its cuts are possible is known only when the notebook is
analysed with the proposed tags. What the analysis then finds wrong becomes hints for the next
proposal: cells that have to run together, cells that cannot be setup, cells that are needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.errors import Problem
from jupyter_blocks.notebook import Cell, Notebook
from jupyter_blocks.suggest.draft import Hints, Proposal, SuggestCell
from jupyter_blocks.suggest.proposals import Proposer
from jupyter_blocks.tags import Role, read_tags

__all__ = ["suggest_tags", "tagged"]

_MOST_ROUNDS = 12

_SETUP_MISTAKES = frozenset(
    (
        *("conflicting-imports", "constant-parameter", "helper-reads-data", "nested-function"),
        *("redefined-helper", "setup-reads-data", "shared-state", "split-block", "varying-setup"),
    )
)
"""What is wrong with a setup cell that would do as part of a block."""

_OF_SKIPPED = frozenset(("changed-by-untagged", "left-out-name", "random-left-out"))
"""What is wrong where a cell is missing from the pipeline."""

_WARNINGS = frozenset(("alias", "constant-parameter"))
"""Warnings that say that a value may differ: a better proposal does without."""

_TOGETHER = {
    "alias": "cells {first} and {last} share an object that is changed",
    "maybe-unbound": "cell {first} may leave a name unset",
    "nested-function": "cells {first} and {last} share a function that needs data",
    "option-reads-data": "the option that cell {first} sets needs data",
}
"""Problem -> why the cells it names have to be one block."""

_NAME = re.compile(r"'(\w+)'")
_CELL = re.compile(r"\b[Cc]ells? (\d+)(?:(?:,| and) (\d+))*")


def suggest_tags(notebook: Notebook) -> list[Proposal]:
    """A tag for each code cell that needs one; tags that are there are kept.

    The index of a proposal is the number of the cell. What cannot be mended is left for export to
    explain.
    """
    proposer = Proposer(_cells(notebook))
    best = attempt = _Attempt.of(notebook, proposer, Hints())
    for _round in range(_MOST_ROUNDS):
        hints = _more_hints(attempt, proposer)
        if hints == attempt.hints:
            break
        attempt = _Attempt.of(notebook, proposer, hints)
        best = min(best, attempt, key=lambda item: item.score)
    return best.proposals


@dataclass(frozen=True)
class _Attempt:
    """A proposal, and what is wrong with it."""

    hints: Hints
    proposals: list[Proposal]
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, notebook: Notebook, proposer: Proposer, hints: Hints) -> _Attempt:
        """The proposal for `hints`."""
        proposals = proposer.propose(hints)
        problems = analyze_notebook(tagged(notebook, proposals)).problems
        return cls(
            hints,
            proposals,
            tuple(item for item in problems if item.severity == "error" or item.code in _WARNINGS),
        )

    @property
    def score(self) -> tuple[int, int]:
        """How bad it is: errors, then warnings."""
        errors = sum(item.severity == "error" for item in self.problems)
        return errors, len(self.problems) - errors


def tagged(notebook: Notebook, proposals: Iterable[Proposal]) -> Notebook:
    """The notebook with the proposed tags."""
    tags = {proposal.index: proposal.tag for proposal in proposals}

    def with_tag(cell: Cell) -> Cell:
        tag = tags.get(cell.number)
        return replace(cell, tags=(*cell.tags, tag)) if tag else cell

    return replace(notebook, cells=tuple(with_tag(cell) for cell in notebook.cells))


def _more_hints(attempt: _Attempt, proposer: Proposer) -> Hints:
    """The hints that the problems of an attempt give, beside those it had."""
    hints = attempt.hints
    tags = {proposal.index: proposal.tag for proposal in attempt.proposals}
    setup = {index for index, tag in tags.items() if tag in ("imports", "functions", "parameters")}
    skipped = {index for index, tag in tags.items() if tag == "skip"}
    tests = {index for index, tag in tags.items() if tag.startswith("test:")}
    no_setup, kept, glued = set(hints.no_setup), set(hints.kept), dict(hints.glued)
    constants, no_tests = set(hints.constants), set(hints.no_tests)
    for problem in attempt.problems:
        cells = _cells_of(problem)
        if problem.severity == "error" and problem.cell in tests:
            no_tests.add(problem.cell)
        elif problem.code == "depends-on-parameter":
            constants |= set(_NAME.findall(problem.message)[:1])
        elif problem.code in _SETUP_MISTAKES and (mistaken := setup.intersection(cells)):
            no_setup |= mistaken
        elif problem.code in _OF_SKIPPED and (missing := skipped.intersection(cells)):
            kept |= missing
        elif problem.code == "maybe-unbound" and cells:
            readers = proposer.readers(_NAME.findall(problem.message)[1:2], cells[-1])
            last = min(readers, default=0)
            glued |= {number: _why(problem, cells) for number in tags if cells[0] < number <= last}
        elif len(cells) > 1:
            both = (number for number in tags if cells[0] < number <= cells[-1])
            glued |= dict.fromkeys(both, _why(problem, cells))
    return replace(
        hints,
        no_setup=frozenset(no_setup),
        constants=frozenset(constants),
        kept=frozenset(kept),
        no_tests=frozenset(no_tests),
        glued=glued,
    )


def _why(problem: Problem, cells: Sequence[int]) -> str:
    """Why the cells from the first to the last one have to be one block, behind a colon."""
    if problem.code not in _TOGETHER:
        return ""
    return f": {_TOGETHER[problem.code].format(first=cells[0], last=cells[-1])}"


def _cells_of(problem: Problem) -> list[int]:
    """Numbers of the cells that a problem names, in order."""
    found = {problem.cell} if problem.cell else set()
    for match in _CELL.finditer(f"{problem.message} {problem.hint}"):
        found |= {int(number) for number in re.findall(r"\d+", match[0])}
    return sorted(found)


def _cells(notebook: Notebook) -> Sequence[SuggestCell]:
    """The code cells with the headings they stand under."""
    headings: list[tuple[int, str]] = []
    whole = _whole_title(notebook)
    cells = []
    for cell in notebook.cells:
        if cell.kind == "markdown":
            for level, title in _headings(cell.source):
                headings = [item for item in headings if item[0] < level]
                headings.append((level, title))
        elif cell.kind == "code":
            tags, problems = read_tags(cell.tags, cell.source)
            if problems and tags.role is Role.NONE:
                tags = replace(tags, role=Role.SKIP)  # for its author to correct
            titles = tuple(title for level, title in headings if level != whole)
            may_raise = "raises-exception" in cell.tags
            cells.append(SuggestCell(cell.number, cell.source, titles, tags, may_raise))
    return cells


def _whole_title(notebook: Notebook) -> int:
    """Level of the one heading that is the title of the whole notebook; 0: there is none."""
    texts = [cell for cell in notebook.cells if cell.kind == "markdown"]
    levels = [level for cell in texts for level, _title in _headings(cell.source)]
    return min(levels) if levels and levels.count(min(levels)) == 1 else 0


def _headings(source: str) -> list[tuple[int, str]]:
    """Levels and titles of the headings in a text cell."""
    found = []
    is_code = False
    for line in source.splitlines():
        is_code ^= line.lstrip().startswith("```")
        match = re.match(r" {0,3}(#{1,6})\s+(.*?)[\s#]*\Z", line)
        if match and not is_code:
            found.append((len(match[1]), match[2]))
    return found
