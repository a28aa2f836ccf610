"""The answer of the analysis: the pipeline a notebook describes, before anything is written.

Values only. Everything the generated files need is in here, so that `codegen` is a pure function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from jupyter_blocks.block import Binding, BlockType, Source
from jupyter_blocks.cellsettings import CellSettings, NotebookSettings
from jupyter_blocks.dataflow import Expression
from jupyter_blocks.errors import Problem

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
]


class Style(StrEnum):
    """How the cells of a block are written."""

    PLAIN = "plain"
    """Ordinary code; it becomes the body of a function."""
    DECORATED = "decorated"
    """One decorated function; it is exported as it is."""


class Returns(StrEnum):
    """How the function of a plain block ends."""

    NOTHING = "nothing"
    EXPRESSION = "expression"
    """The last expression becomes the return value."""
    NAMES = "names"
    """A return of the outputs is added."""


@dataclass(frozen=True)
class Edge:
    """Why one block needs another: a name, where it is read and where it was set."""

    name: str
    """Name that is read; empty for an edge that is only an order."""
    reader: str
    reader_cell: int
    reader_line: int
    definer: str
    definer_cell: int
    kind: str
    """What the reader does with it: `read`, `rebind`, `change`; without a name `order`, `file` (the
    same file, read or written) or `random` (the same random streams)."""
    soft: bool = False
    """Whether the name was only found in a string, such as a query."""


@dataclass(frozen=True)
class ImportLine:
    """One import statement of the notebook, as written."""

    text: str
    names: tuple[str, ...]
    cell: str
    """Reference of the cell, for the file header."""
    number: int
    """Number of the cell."""
    line: int
    blank_lines: int = 0
    """Blank lines between it and an import right above it in the cell."""
    is_future: bool = False


@dataclass(frozen=True)
class CodePart:
    """Lines of one cell that are kept: line k of the cell is `lines[k - 1]`; None: left out."""

    cell: str
    lines: tuple[str | None, ...]
    ends_figures: bool = False
    """Whether figures of pyplot end after it, as those of a notebook's cell do."""


@dataclass(frozen=True)
class TestDraft:
    """A cell of assertions on the outputs of a block."""

    __test__ = False  # its name looks like a test case to pytest

    name: str
    part: CodePart
    kept_globals: tuple[str, ...] = ()
    """Module names that the code also binds, so that they have to come in as defaults."""


@dataclass(frozen=True)
class BlockCode:
    """What the file of a block is written from."""

    function: str
    """Name of the function."""
    parts: tuple[CodePart, ...] = ()
    imports: tuple[ImportLine, ...] = ()
    helpers: tuple[str, ...] = ()
    """Names to import from the helpers."""
    loads_settings: bool = False
    """Whether the helpers module must be imported even if no name of it is used."""
    options: tuple[CodePart, ...] = ()
    """Statements of earlier cells that set options of libraries."""
    arguments: tuple[str, ...] = ()
    """Parameters of the pipeline in the signature."""
    kept_globals: tuple[str, ...] = ()
    """Module names that the body also binds, so that they have to come in as defaults."""
    module_parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters the code reads as globals of the module."""
    returns: Returns = Returns.NOTHING
    last_expression: Expression | None = None
    """Place, in the last part, of the expression that becomes the return value."""
    is_async: bool = False
    decorators: tuple[str, ...] = ()
    """Names to import from `jupyter_blocks.decorators`."""
    tests: tuple[TestDraft, ...] = ()
    shows: bool = False
    """Whether `display`, which a notebook has by itself, must be imported."""
    keeps_figures: bool = False
    """Whether figures of pyplot stay open where cells of the notebook end."""


@dataclass(frozen=True)
class BlockDraft:
    """One block of the pipeline, as the notebook describes it."""

    name: str
    type: BlockType
    style: Style
    cells: tuple[int, ...]
    """Numbers of its cells."""
    inputs: Mapping[str, Source]
    """Argument -> where its value comes from, in the order of the signature."""
    parameters: tuple[str, ...]
    """Pipeline parameters it uses, itself or through helpers."""
    outputs: tuple[str, ...]
    upstream: tuple[str, ...]
    """Blocks it needs: those data comes from, then those that only have to run before."""
    random_streams: str | None
    """Block whose random streams it goes on with; see `block.Binding`."""
    settings: CellSettings
    edges: tuple[Edge, ...]
    code: BlockCode
    together: tuple[str, ...] = ()
    """Outputs that may share objects; see `block.Binding`."""

    @property
    def binding(self) -> Binding:
        """How the exported block is called."""
        return Binding(
            self.inputs, self.parameters, self.outputs, self.random_streams, self.together
        )


@dataclass(frozen=True)
class HelpersDraft:
    """The module all blocks of a pipeline share."""

    imports: tuple[ImportLine, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters its functions read, with their defaults."""
    parts: tuple[CodePart, ...] = ()
    shows: bool = False
    """Whether `display` must be imported."""


@dataclass(frozen=True)
class Note:
    """Something that was done to a cell and is no mistake, such as dropping `%matplotlib`."""

    cell: int
    line: int
    text: str


@dataclass(frozen=True)
class NotebookPipeline:
    """The pipeline a notebook describes, and everything that is wrong with it."""

    name: str
    path: Path
    """The notebook."""
    settings: NotebookSettings
    blocks: tuple[BlockDraft, ...] = ()
    """In notebook order. Not to be exported where a problem is an error."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Names and default values of the pipeline's variables."""
    helpers: HelpersDraft | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)

    def unread_outputs(self, block: BlockDraft) -> list[str]:
        """Outputs of a block that no other block is given."""
        sources = [source for other in self.blocks for source in other.inputs.values()]
        read = {source.output for source in sources if source.block == block.name}
        return [] if "" in read else [name for name in block.outputs if name not in read]

    def block(self, name: str) -> BlockDraft:
        """The block called `name`; `KeyError` if there is none."""
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)
