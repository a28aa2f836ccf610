"""From what differs to what made the difference: the block it began in, the cell, the line.

A difference begins in the first block whose outputs differ while its inputs do not; what differs
after it follows from it. What the notebook itself gives another value each time differs by no fault
of the pipeline, and nothing can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from jupyter_blocks.binding import BlockDraft, NotebookPipeline
from jupyter_blocks.block import Source
from jupyter_blocks.check.inkernel import SHOWN
from jupyter_blocks.check.lines import (
    chances,
    imported_modules,
    left_as_found,
    settings_of,
    shown_line,
    uses_of,
)
from jupyter_blocks.check.notebookrun import Findings, Watch
from jupyter_blocks.check.result import CheckEntry, place_text
from jupyter_blocks.compare import Verdict
from jupyter_blocks.notebook import Notebook

__all__ = ["Causes", "watches"]

Output = tuple[str, str]
"""Block and name."""

_VARIES = "the notebook itself gives another value each time"
_MEMORY = "it is memory that nobody wrote to ({place} asks for it), and holds what was there before"
_CHANCES = {
    "random": "random numbers without a seed ({place} draws)",
    "time": "the time ({place} asks for it)",
    "process": "numbers of the process ({place} asks for them)",
}


def watches(
    draft: NotebookPipeline, verdicts: Mapping[Output, Verdict], run_id: str
) -> list[Watch]:
    """The inputs of the blocks where differences begin: something may change them unseen."""
    different = {output for output, verdict in verdicts.items() if verdict.outcome == "different"}
    blocks = {block.name: block for block in draft.blocks}
    found: dict[Watch, None] = {}
    for block in draft.blocks:
        inputs = _inputs(block, blocks)
        if different.isdisjoint((block.name, name) for name in block.outputs):
            continue
        for source in inputs if different.isdisjoint(map(_output, inputs)) else ():
            first = blocks[source.block].cells[-1]
            found[Watch(block.name, source, first, block.cells[0], run_id)] = None
    return [watch for watch in found if watch.source.output != SHOWN]


def _inputs(block: BlockDraft, blocks: Mapping[str, BlockDraft]) -> list[Source]:
    """The outputs a block is given, one by one."""
    return [
        Source(source.block, name)
        for source in block.inputs.values()
        for name in ([source.output] if source.output else blocks[source.block].outputs)
    ]


def _output(source: Source) -> Output:
    return source.block, source.output


class Causes:
    """Sorts the verdicts of a check and says where differences come from."""

    def __init__(
        self,
        notebook: Notebook,
        draft: NotebookPipeline,
        verdicts: Mapping[Output, Verdict],
        varying: frozenset[Output] = frozenset(),
        again: Findings | None = None,
    ) -> None:
        """`varying` are the outputs that differed between two runs of the notebook; `again` is
        what the second of them found.
        """
        self._cells = {cell.number: cell for cell in notebook.code_cells}
        self._draft = draft
        self._blocks = {block.name: block for block in draft.blocks}
        self._verdicts = verdicts
        self._again = again or Findings()
        self._varying = varying
        self._adrift: set[Output] = set()
        """Outputs that vary, or follow from such."""
        self._different: set[Output] = set()
        self._astray: set[str] = set()
        """Blocks that leave the random streams, for all one knows, where the notebook does not."""

    def entries(self) -> Iterator[tuple[str, CheckEntry]]:
        """Each output with the group it belongs to, in the order of the notebook."""
        for block in self._draft.blocks:
            for name in block.outputs:
                verdict = self._verdicts.get((block.name, name))
                if verdict is None:
                    continue
                if verdict.outcome == "different":
                    yield self._explained(block, name, verdict)
                else:
                    yield verdict.outcome, CheckEntry(block.name, name, verdict.detail)
            if self._leads_astray(block):
                self._astray.add(block.name)

    def _leads_astray(self, block: BlockDraft) -> bool:
        if block.random_streams in self._astray:
            return True
        differs = not self._different.isdisjoint((block.name, name) for name in block.outputs)
        return differs and not self._again.drawing.isdisjoint(block.cells)

    def _explained(self, block: BlockDraft, name: str, verdict: Verdict) -> tuple[str, CheckEntry]:
        inputs = _inputs(block, self._blocks)
        adrift = [source for source in inputs if _output(source) in self._adrift]
        if adrift or (block.name, name) in self._varying:
            self._adrift.add((block.name, name))
            reason = f"it follows from {_named(adrift)}" if adrift else self._chance(block)
            detail = f"{_VARIES}: {reason}" if reason else f"{_VARIES} ({verdict.detail})"
            return "not_comparable", CheckEntry(block.name, name, detail)
        if line := self._left_as_found(block, name):
            self._adrift.add((block.name, name))
            place = place_text(block.cells[-1], line)
            return "not_comparable", CheckEntry(block.name, name, _MEMORY.format(place=place))
        self._different.add((block.name, name))
        before = list(dict.fromkeys(each for each in inputs if _output(each) in self._different))
        before = [each for each in before if _output(each) != (block.name, name)]
        if before:
            detail = f"follows from {_named(before)}: {verdict.detail}"
            follows = tuple(map(str, before))
            return "different", self._entry(block, name, detail, verdict, follows_from=follows)
        if block.random_streams in self._astray and self._again.drawing.intersection(block.cells):
            detail = f"follows from the random numbers of '{block.random_streams}': "
            return "different", self._entry(
                block, name, detail + verdict.detail, verdict, follows_from=(block.random_streams,)
            )
        return "different", self._origin(block, name, verdict)

    def _entry(
        self,
        block: BlockDraft,
        name: str,
        detail: str,
        verdict: Verdict,
        place: tuple[int | None, int | None] = (None, None),
        follows_from: tuple[str, ...] = (),
    ) -> CheckEntry:
        rounding = verdict.is_rounding
        return CheckEntry(block.name, name, detail, *place, follows_from, rounding)

    # where a difference begins

    def _origin(self, block: BlockDraft, name: str, verdict: Verdict) -> CheckEntry:
        change = next((watch for watch in self._again.changes if watch.block == block.name), None)
        if change is not None:
            return self._unseen_change(block, name, verdict, change)
        cell, line = self._setting(block, name, verdict.key)
        detail = f"{place_text(cell, line)}: {verdict.detail}"
        if self._again.drawing.intersection(block.cells):
            detail += "; the block draws random numbers: seed them at the beginning of its cell"
        return self._entry(block, name, detail, verdict, (cell, line))

    def _unseen_change(
        self, block: BlockDraft, name: str, verdict: Verdict, watch: Watch
    ) -> CheckEntry:
        """An input had another value in the notebook by the time the block read it."""
        cell, changed = self._again.changes[watch], watch.source.output
        line = uses_of(self._cells[cell].source, changed)
        owner = next((each.name for each in self._draft.blocks if cell in each.cells), "")
        does = (
            f"of block '{owner}' changes '{changed}' unseen: name it in that cell's setting "
            "'changes'"
            if owner
            else f"changes '{changed}' and is not part of the pipeline"
        )
        detail = f"{place_text(cell, line)} {does}; {verdict.detail}"
        return self._entry(block, name, detail, verdict, (cell, line))

    def _setting(self, block: BlockDraft, name: str, key: str) -> tuple[int, int | None]:
        """Cell and line where a block sets or changes an output, rather the part that differs."""
        if name == SHOWN:
            return block.cells[-1], shown_line(self._cells[block.cells[-1]].source)
        wanted = {name, block.code.function} if name == block.name else {name}
        found = [
            (number, setting)
            for number in block.cells
            for each in sorted(wanted)
            for setting in settings_of(self._cells[number].source, each)
        ]
        fitting = [place for place in found if key and place[1].key == key] or [
            place for place in found if not (key and place[1].key)
        ]
        for number, setting in (fitting or found)[-1:]:
            return number, setting.line
        return block.cells[-1], None

    # chance

    def _left_as_found(self, block: BlockDraft, name: str) -> int | None:
        """The line after which an output is memory that nobody wrote to."""
        source = self._cells[block.cells[-1]].source
        return left_as_found(source, None if name == SHOWN else name, self._modules)

    def _chance(self, block: BlockDraft) -> str:
        """Why the outputs of a block vary, as far as its text and its random streams tell."""
        drawing = self._again.drawing.intersection(block.cells)
        for number in block.cells:
            for chance in chances(self._cells[number].source, self._modules):
                if chance.is_sure or number in drawing:
                    return _CHANCES[chance.what].format(place=place_text(number, chance.line))
        if drawing:
            return _CHANCES["random"].format(place=place_text(min(drawing), None))
        return next(self._chances_of_helpers(), "")

    def _chances_of_helpers(self) -> Iterator[str]:
        """Lines of functions outside of blocks."""
        inside = {number for block in self._draft.blocks for number in block.cells}
        for number, cell in self._cells.items():
            for chance in chances(cell.source, self._modules) if number not in inside else ():
                if chance.is_sure:
                    yield _CHANCES[chance.what].format(place=place_text(number, chance.line))

    @cached_property
    def _modules(self) -> dict[str, str]:
        return imported_modules([cell.source for cell in self._cells.values()])


def _named(sources: list[Source]) -> str:
    return " and ".join(
        f"'{source.block}'"
        if source.output == source.block
        else f"'{source.output}' of '{source.block}'"
        for source in sources[:2]
    )
