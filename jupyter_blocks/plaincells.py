"""Exported files -> the plain cells they were made from, where the notebook is gone.

The cells hold the lines of the user; what export has put around them is left out, since it puts it
there again. Cells keep their ids where the files still tell them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jupyter_blocks.block import BLOCK_TYPES
from jupyter_blocks.blockfile import is_intact, parse_header, without_header
from jupyter_blocks.blocktext import (
    IMPORTS,
    BlockText,
    Line,
    Wrapper,
    read_edited,
    read_exported,
)

__all__ = ["PlainCell", "plain_cells"]

_DECORATORS = frozenset(
    ("test", *(name for kind in BLOCK_TYPES.values() for name in (kind.name, kind.tag)))
)


_MADE_UP_IMPORTS = " imports"


@dataclass(frozen=True)
class PlainCell:
    """One cell."""

    name: str
    """A name for it that no other of these cells has."""
    source: str
    block: str = ""
    """Block it belongs to; empty: setup."""
    kind: str = "block"
    """`block`, `test`, `imports` or `functions`."""

    @property
    def id(self) -> str:
        """The id it had; empty where it had none, or that is not known."""
        return "" if self.name[0] in "# " else self.name


def plain_cells(
    blocks: Mapping[str, str],
    outputs: Mapping[str, Sequence[str]],
    helpers: str | None,
    *,
    setup_first: bool = False,
) -> list[PlainCell]:
    """The cells of an exported pipeline: setup first, then each block with its tests.

    `blocks` are the texts of the block files by name, in notebook order, `outputs` the names that
    they give. With `setup_first` imports and options of blocks stand in a cell of their own: a cell
    that also seeds a random stream, say, has become part of a block further down. Raises
    `ValueError` where a file was not exported, or is not Python.
    """
    files = {name: _taken_apart(text, outputs[name]) for name, text in blocks.items()}
    if helpers is not None:
        files[""] = _taken_apart(helpers, ())
    cells = _Cells(setup_first)
    for name, text in files.items():
        for line in text.lines:
            cells.add(name, text, line)
    return list(cells.all(blocks))


class _Cells:
    """Lines gathered from the files, by cell."""

    def __init__(self, setup_first: bool) -> None:
        self.setup_first = setup_first
        self.lines: dict[str, dict[int, Line]] = {}
        self.owners: dict[str, tuple[str, str]] = {}
        """Cell -> block and kind, of those that are not setup."""
        self.shared: dict[str, set[int]] = {}
        """Cell -> its lines that belong to no function of a block: imports, options, helpers."""
        self.ended: dict[str, int] = {}
        """Block -> how many of its cells have ended, as its file says."""

    def add(self, block: str, text: BlockText, line: Line) -> None:
        """Put a line where it was."""
        if line.ends_cell:
            self.ended[block] = self.ended.get(block, 0) + 1
            return
        function = text.wrappers[0].name if text.wrappers else ""
        is_shared = line.region == IMPORTS or bool(function and line.cell and not line.region)
        own = block and not is_shared
        is_test = bool(own and line.region and line.region != function)
        kind = "test" if is_test else "block"
        ref = line.cell or _made_up(kind if own else "", block, line, self.ended.get(block, 0))
        lines = self.lines.setdefault(ref, {})
        if own:
            self.owners.setdefault(ref, (block, kind))
        elif not line.cell and any(line.text == known.text for known in self._imports()):
            return
        lines[line.cell_line or len(lines) + 1] = line
        if is_shared or not block:
            self.shared.setdefault(ref, set()).add(line.cell_line)

    def all(self, blocks: Mapping[str, str]) -> Iterator[PlainCell]:
        """The cells in an order in which the notebook can run."""
        if self.setup_first:
            self._part_setup()
        setup = [ref for ref in self.lines if ref not in self.owners and self.lines[ref]]
        for kind in ("imports", "functions"):
            yield from (
                PlainCell(ref, self._source(ref), "", kind)
                for ref in setup
                if self._setup_kind(ref) == kind
            )
        for block in blocks:
            for kind in ("block", "test"):
                for ref, owner in self.owners.items():
                    if owner == (block, kind):
                        yield PlainCell(ref, self._source(ref), block, kind)
            if all(owner[0] != block for owner in self.owners.values()):
                yield PlainCell(f" {block}", "", block)

    def _part_setup(self) -> None:
        """Take imports and options out of the cells of blocks, into one cell of setup."""
        parted = self.lines.setdefault(_MADE_UP_IMPORTS, {})
        for ref in self.owners:
            for number in sorted(self.shared.get(ref, set()) & set(self.lines[ref])):
                parted[max(parted, default=0) + 1] = self.lines[ref].pop(number)

    def _imports(self) -> Iterator[Line]:
        return (line for lines in self.lines.values() for line in lines.values())

    def _setup_kind(self, ref: str) -> str:
        is_import = all(line.region == IMPORTS for line in self.lines[ref].values())
        return "imports" if is_import else "functions"

    def _source(self, ref: str) -> str:
        """The lines of a cell; one blank line where some are not known any more."""
        found: list[str] = []
        last = 0
        for number, line in sorted(self.lines[ref].items()):
            if found and number > last + 1 and found[-1].strip() and line.text.strip():
                found.append("")
            found.append(line.text)
            last = number
        return "\n".join(found).strip("\n")


def _made_up(kind: str, block: str, line: Line, ended: int) -> str:
    """A name for a cell of which an edited file does not tell the id; no id has a blank."""
    if kind == "block" and ended:
        return f" {kind}_{block} {ended}"
    if kind:
        return f" {kind}_{block}"
    return _MADE_UP_IMPORTS if line.region == IMPORTS else " functions"


def _taken_apart(text: str, outputs: Sequence[str]) -> BlockText:
    header = parse_header(text)
    if header is None:
        raise ValueError("the file was not exported")
    if is_intact(text):
        return read_exported(text)
    wrappers = tuple(_guessed(without_header(text), outputs)) if header.block else ()
    return read_edited(text, BlockText((), "", wrappers, header.pipeline))


def _guessed(code: str, outputs: Sequence[str]) -> Iterator[Wrapper]:
    """The functions of an edited file that export has made; the block's comes first."""
    for node in ast.parse(code).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        names = {ast.unparse(item).rpartition(".")[2] for item in node.decorator_list}
        if not names & _DECORATORS:
            continue
        last = node.body[-1]
        value = ast.unparse(last.value) if isinstance(last, ast.Return) and last.value else ""
        entries = ", ".join(f"'{name}': {name}" for name in outputs)
        if value and value in (f"{{{entries}}}", *(outputs if len(outputs) == 1 else ())):
            yield Wrapper(node.name, outputs=tuple(outputs))
        else:
            yield Wrapper(node.name, returns_last=bool(value))
