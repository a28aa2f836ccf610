"""Settings changed in metadata.yaml by hand -> the metadata, tags and parameters of the notebook.

Finds the cell that has to say it, and what it says then. What no cell can say - another name, a
block that has no cell, what follows from the code - is a problem that names the way out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.binding import BlockDraft, NotebookPipeline
from jupyter_blocks.block import BLOCK_TYPES
from jupyter_blocks.cellsettings import METADATA_KEY
from jupyter_blocks.notebook import Cell, Notebook, is_percent
from jupyter_blocks.settingsdiff import WHOLE_BLOCK, SettingChange
from jupyter_blocks.tags import Role, read_tags

__all__ = ["SettingsBack", "settings_back", "with_parameters"]

_OF_CELLS = {
    "executor_type": "executor",
    "executor_config": "executor_config",
    "retry_config": "retries",
    "timeout": "timeout",
    "jupyter_blocks.timeout": "timeout",
    "jupyter_blocks.poll_interval": "poll_interval",
    "jupyter_blocks.resources": "resources",
    "jupyter_blocks.cache": "cache",
}
_OF_NOTEBOOK = {"executor_type": "executor", "retry_config": "retries", "type": "type"}
_FROM_CODE = ("inputs", "outputs", "parameters", "random_streams", "together")
_PLAIN = str | int | float | bool | None


@dataclass
class SettingsBack:
    """What the notebook has to say, and what it cannot say."""

    cells: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Number of a cell -> keys of its metadata with their new values."""
    notebook: dict[str, Any] | None = None
    """Settings of the notebook; none where they stay."""
    parameters: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Number of a cell with parameters -> names with their new values."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Why a change has no place in the notebook, and what to do."""


def settings_back(
    changes: Iterable[SettingChange], notebook: Notebook, draft: NotebookPipeline
) -> SettingsBack:
    """Where each change goes."""
    return _Placing(notebook, draft).place(list(changes))


class _Placing:
    """Places one change after the other."""

    def __init__(self, notebook: Notebook, draft: NotebookPipeline) -> None:
        self.notebook, self.draft = notebook, draft
        self.blocks = {block.name: block for block in draft.blocks}
        self.found = SettingsBack()

    def place(self, changes: list[SettingChange]) -> SettingsBack:
        """Place all of them."""
        for change in changes:
            key = change.key
            if key == WHOLE_BLOCK:
                self._whole(change)
            elif not change.block:
                self._of_pipeline(change)
            elif change.block not in self.blocks:
                self._whole(change)
            elif key == "upstream_blocks":
                self._order(self.blocks[change.block], change)
            elif key in _OF_CELLS:
                self._of_block(self.blocks[change.block], _OF_CELLS[key], change.file)
            else:
                self._refuse_key(change)
        return self.found

    def _refuse(self, why: str, hint: str) -> None:
        self.found.refused.append((why, hint))

    # blocks

    def _metadata(self, cell: Cell) -> Mapping[str, Any]:
        """The metadata of a cell, as it is going to be."""
        return {**cell.metadata, **self.found.cells.get(cell.number, {})}

    def _own(self, cell: Cell) -> dict[str, Any]:
        own = self._metadata(cell).get(METADATA_KEY)
        return dict(own) if isinstance(own, dict) else {}

    def _set(self, cell: Cell, key: str, value: Any) -> None:
        self.found.cells.setdefault(cell.number, {})[key] = value

    def _cells(self, block: BlockDraft) -> list[Cell]:
        return [self.notebook.cells[number - 1] for number in block.cells]

    def _of_block(self, block: BlockDraft, setting: str, value: Any) -> None:
        """A setting, in the cells that have it, else in the first one; none: in no cell."""
        cells = self._cells(block)
        having = [cell for cell in cells if setting in self._own(cell)]
        for cell in having or (cells[:1] if value is not None else []):
            self._set(cell, METADATA_KEY, _with(self._own(cell), setting, value))

    def _order(self, block: BlockDraft, change: SettingChange) -> None:
        """Edges that were added or removed; those there still are, in another order, are none."""
        after = [str(name) for name in change.file or ()]
        for name in after:
            if name in (change.base or change.now or ()):
                continue
            if name not in self.blocks:
                why = f"'{name}', which block '{block.name}' is to run after, is no block of it"
                self._refuse(why, "Correct upstream_blocks.")
            elif name not in block.upstream:
                self._add_edge(block, name)
        for name in change.base or change.now or ():
            if name not in after and name in block.upstream:
                self._remove_edge(block, name)

    def _add_edge(self, block: BlockDraft, name: str) -> None:
        cell = self._cells(block)[0]
        tags = [str(tag) for tag in self._metadata(cell).get("tags") or ()]
        if read_tags(tags, "")[0].role is Role.BLOCK:
            self._set(cell, "tags", [*tags, f"upstream:{name}"])
            return
        own = self._own(cell)
        self._set(cell, METADATA_KEY, {**own, "upstream": [*own.get("upstream", ()), name]})

    def _remove_edge(self, block: BlockDraft, name: str) -> None:
        is_there = False
        for cell in self._cells(block):
            own, tags = self._own(cell), self._metadata(cell).get("tags") or ()
            left = [tag for tag in tags if tag not in (f"upstream:{name}", f"prev:{name}")]
            if len(left) < len(tags):
                self._set(cell, "tags", left)
                is_there = True
            if name in own.get("upstream", ()):
                names = [item for item in own["upstream"] if item != name]
                self._set(cell, METADATA_KEY, {**own, "upstream": names})
                is_there = True
        if not is_there:
            reads = [edge.name for edge in block.edges if edge.definer == name and edge.name]
            what = f"its code takes '{reads[0]}' of it" if reads else "the code needs that order"
            self._refuse(
                f"block '{block.name}' runs after '{name}', since {what}",
                "Put it back into upstream_blocks, or change the code.",
            )

    def _whole(self, change: SettingChange) -> None:
        """A block that is in one of the two only."""
        block = self.blocks.get(change.block)
        if block is not None:
            cells = " and ".join(str(number) for number in block.cells)
            self._refuse(
                f"block '{change.block}' was removed there, and the notebook has it in cell "
                f"{cells}",
                "To remove it, give the cell the tag 'skip'; to rename it, change the name in the "
                "tag. Then overwrite the file with 'jupyter blocks export --force'.",
            )
            return
        kind = BLOCK_TYPES.get(str(change.file), BLOCK_TYPES["custom"])
        self._refuse(
            f"block '{change.block}' was added there, and no cell of the notebook makes it",
            f"Paste the code of {kind.folder}/{change.block}.py into a new cell with the tag "
            f"'{kind.tag}:{change.block}', then overwrite the files with 'jupyter blocks export "
            "--force'.",
        )

    def _refuse_key(self, change: SettingChange) -> None:
        place = f"block '{change.block}'" if change.block else "the pipeline"
        key = change.key.removeprefix("jupyter_blocks.")
        if change.block and key in _FROM_CODE:
            self._refuse(f"'{key}' of {place} follows from the code", "Change the code.")
        elif change.block and key == "type":
            tag = f"{change.file}:{change.block}"
            self._refuse(
                f"the type of {place} is in its tag",
                f"Change the tag of the cell, to '{tag}', then 'jupyter blocks export --force'.",
            )
        else:
            self._refuse(
                f"a notebook has no setting '{key}' for {place}",
                "Take it out again: only a metadata.yaml that is written by hand can have it.",
            )

    # the pipeline

    def _of_pipeline(self, change: SettingChange) -> None:
        kind, _, name = change.key.partition(".")
        if kind == "variables" and name:
            self._parameter(name, change)
        elif change.key not in _OF_NOTEBOOK:
            self._refuse_key(change)
        elif is_percent(self.notebook.path):
            setting = _OF_NOTEBOOK[change.key]
            self._refuse(
                f"'{change.key}' of the pipeline is said in the YAML header of the notebook",
                f"Write '{setting}' there, under 'jupyter: {METADATA_KEY}:', then overwrite the "
                "file with 'jupyter blocks export --force'.",
            )
        else:
            before = self.notebook.metadata.get(METADATA_KEY)
            own = before if self.found.notebook is None else self.found.notebook
            self.found.notebook = _with(own, _OF_NOTEBOOK[change.key], change.file)

    def _parameter(self, name: str, change: SettingChange) -> None:
        cells = [cell for cell in self.notebook.code_cells if _role(cell) is Role.PARAMETERS]
        setting = [cell for cell in cells if _assigned(cell.source, name)]
        if not _is_plain(change.file) or (change.file is None and name in self.draft.parameters):
            self._refuse(
                f"the variable '{name}' cannot be {change.file!r} in a notebook"
                if change.file is not None
                else f"the variable '{name}' was removed there, and the notebook sets it",
                "Change the cell with the tag 'parameters', then 'jupyter blocks export --force'.",
            )
        elif not cells:
            why = f"there is no cell with the tag 'parameters' for the variable '{name}'"
            self._refuse(why, "Add one that sets it.")
        else:
            cell = (setting or cells)[-1]
            self.found.parameters.setdefault(cell.number, {})[name] = change.file


def with_parameters(source: str, values: Mapping[str, Any]) -> str:
    """The source of a cell with other values for some of its names; new names come at the end."""
    for name, value in values.items():
        nodes = _assigned(source, name)
        if not nodes:
            source = f"{source.rstrip()}\n{name} = {value!r}"
            continue
        source = _replaced(source, nodes[-1], repr(value))
    return source


def _replaced(source: str, node: ast.expr, text: str) -> str:
    lines = source.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    start = lines[first].encode()[: node.col_offset].decode()
    end = lines[last].encode()[node.end_col_offset :].decode()
    return "\n".join([*lines[:first], f"{start}{text}{end}", *lines[last + 1 :]])


def _assigned(source: str, name: str) -> list[ast.expr]:
    """The values that top-level statements give to a name."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return []
    return [value for node in body for value in _value_of(node, name)]


def _value_of(node: ast.stmt, name: str) -> Iterator[ast.expr]:
    match node:
        case ast.Assign(targets=targets, value=value):
            found = targets
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            found = [target]
        case _:
            return
    if any(isinstance(item, ast.Name) and item.id == name for item in found):
        yield value


def _with(settings: Any, key: str, value: Any) -> dict[str, Any]:
    """The settings with another value of one key; none: without the key."""
    own = dict(settings) if isinstance(settings, dict) else {}
    if value is None:
        own.pop(key, None)
        return own
    return {**own, key: value}


def _role(cell: Cell) -> Role:
    return read_tags(cell.tags, cell.source)[0].role


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return isinstance(value, _PLAIN)
