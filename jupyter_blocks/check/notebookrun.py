"""One run of the notebook: all code cells from top to bottom, as *Run All Cells* does.

What each block gave is stored at the moment its last cell is done. Cells that are no blocks run as
well, those with the tag `skip` too: whether the pipeline can do without them is what is checked.
But they may fail, since they may hold what only works at somebody's desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.binding import BlockDraft, NotebookPipeline, Style
from jupyter_blocks.block import Source
from jupyter_blocks.check import inkernel
from jupyter_blocks.check.kernel import Kernel, KernelDiedError
from jupyter_blocks.check.result import CheckEntry
from jupyter_blocks.errors import BlocksError
from jupyter_blocks.notebook import Cell, Notebook
from jupyter_blocks.tags import Role, read_tags

__all__ = ["Findings", "NotebookRun", "Watch"]

Output = tuple[str, str]
"""Block and name."""


@dataclass(frozen=True)
class Watch:
    """An input of a block whose value is looked at in the cells between its source and the block.

    Where it changes in between, the pipeline does not know.
    """

    block: str
    """Block that reads it."""
    source: Source
    first: int
    """Number of the last cell of the block it comes from."""
    last: int
    """Number of the first cell of the block that reads it."""
    run_id: str
    """Run in which the value of the source was stored."""


@dataclass
class Findings:
    """What a run of the notebook came to."""

    error: str = ""
    """Why it did not run to its end; empty if it did."""
    log: tuple[str, ...] = ()
    failed: list[CheckEntry] = field(default_factory=list)
    """Outputs that could not be stored."""
    notes: list[str] = field(default_factory=list)
    drawing: set[int] = field(default_factory=set)
    """Numbers of the cells that moved a global random stream; only where that was asked for."""
    changes: dict[Watch, int] = field(default_factory=dict)
    """Watched inputs that changed, with the number of the cell that did it."""


class NotebookRun:
    """Runs the cells of a notebook in a kernel and stores outputs."""

    def __init__(
        self,
        notebook: Notebook,
        draft: NotebookPipeline,
        store: str,
        run_id: str,
        step: Callable[[str], None],
    ) -> None:
        self._notebook = notebook
        self._draft = draft
        self._store = store
        self._run_id = run_id
        self._step = step
        self._blocks: dict[int, list[BlockDraft]] = {}
        for block in draft.blocks:
            self._blocks.setdefault(block.cells[-1], []).append(block)
        self._numbers: dict[str, int] = {}
        """Block -> execution count of its last cell."""
        self._outputs = {block.name: block.outputs for block in draft.blocks}
        self._skipped = {
            cell.number
            for cell in notebook.code_cells
            if read_tags(cell.tags, cell.source)[0].role is Role.SKIP
        }

    def run(
        self,
        kernel: Kernel,
        *,
        only: Iterable[Output] | None = None,
        watches: Sequence[Watch] = (),
    ) -> Findings:
        """Run all cells, or up to the one that fails.

        With `only`, no other outputs are stored, and it is noted which cells draw random numbers.
        """
        found = Findings()
        run = _Cells(kernel, found, set(only) if only is not None else None, watches)
        try:
            found.error = self._run_cells(run)
        except KernelDiedError as error:
            found.error = str(error)
        found.log = kernel.lines
        return found

    def _run_cells(self, run: _Cells) -> str:
        cells = self._notebook.code_cells
        for count, cell in enumerate(cells, start=1):
            self._step(f"cell {count} of {len(cells)}")
            try:
                error = self._run_cell(run, cell)
            except KernelDiedError as died:
                return f"{_place(cell)}: {died}"
            if error:
                return f"{_place(cell)}: {error}"
        return ""

    def _run_cell(self, run: _Cells, cell: Cell) -> str:
        """Run one cell and store the blocks that are done with it; what went wrong, or nothing."""
        before = run.random_state()
        reply = run.kernel.run(cell.source)
        if reply.error and cell.number in self._skipped:
            run.found.notes.append(
                f"Cell {cell.number} has the tag 'skip' and fails: {reply.error}"
            )
        elif reply.error and "raises-exception" not in cell.tags:
            return reply.error
        for block in self._blocks.get(cell.number, ()):
            if error := self._finish(run, block, reply.number):
                return error
        if before != run.random_state():
            run.found.drawing.add(cell.number)
        run.look(cell.number, self._store, self._draft.name)
        return ""

    def _finish(self, run: _Cells, block: BlockDraft, number: int) -> str:
        self._numbers[block.name] = number
        if block.style is Style.DECORATED and block.type.name != "sensor":
            call = inkernel.expression("call_block", **self._call(block))
            if error := run.kernel.run(f"await {call}", counts=False).error:
                return error
        outputs = run.wanted(block)
        if not outputs:
            return ""
        asked: dict[str, Any] = {"block": block.name, "outputs": outputs, "number": number}
        asked["optional"] = self._draft.unread_outputs(block)
        asked |= {"store": self._store, "pipeline": self._draft.name, "run_id": self._run_id}
        for name, reason in run.kernel.ask(inkernel.expression("store_outputs", **asked)):
            run.found.failed.append(CheckEntry(block.name, name, reason))
        return ""

    def _call(self, block: BlockDraft) -> dict[str, Any]:
        inputs = {
            argument: {
                "names": [source.output] if source.output else list(self._outputs[source.block]),
                "number": self._numbers.get(source.block, 0),
            }
            for argument, source in block.inputs.items()
        }
        return {
            "block": block.name,
            "function": block.code.function,
            "inputs": inputs,
            "parameters": list(block.code.arguments),
        }


@dataclass
class _Cells:
    """What goes along through the cells of one run."""

    kernel: Kernel
    found: Findings
    only: set[Output] | None
    watches: Sequence[Watch]

    def wanted(self, block: BlockDraft) -> list[str]:
        """The outputs of a block that have to be stored."""
        if self.only is None:
            return list(block.outputs)
        return [name for name in block.outputs if (block.name, name) in self.only]

    def random_state(self) -> str:
        """Where the global random streams stand, if that is of interest."""
        if self.only is None:
            return ""
        return str(self.kernel.ask(inkernel.expression("random_state")))

    def look(self, cell: int, store: str, pipeline: str) -> None:
        """Note which watched inputs have changed in this cell."""
        for watch in self.watches:
            if watch in self.found.changes or not watch.first < cell < watch.last:
                continue
            place = inkernel.stored_place(
                pipeline, watch.run_id, watch.source.block, watch.source.output
            )
            asked: Mapping[str, Any] = {"store": store, "place": place}
            look = inkernel.expression("changed", **asked, name=watch.source.output)
            if self._answer(look):
                self.found.changes[watch] = cell

    def _answer(self, look: str) -> bool:
        try:
            return bool(self.kernel.ask(look))
        except KernelDiedError:
            raise
        except BlocksError:  # a value that cannot be looked at does not say where it changed
            return False


def _place(cell: Cell) -> str:
    start = cell.first_line
    return f"cell {cell.number} (from line {start} on)" if start else f"cell {cell.number}"
