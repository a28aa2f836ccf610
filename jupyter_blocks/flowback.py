"""Block files and metadata.yaml edited by hand -> the cells they were made from.

A file whose cells did not change since it was exported gives its changes to them; where both sides
changed, nothing is written and both are shown. Whatever comes out is exported again in memory and
compared with the edited files, so that no line and no setting of them can get lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import BlockDraft, analyze_notebook
from jupyter_blocks.blockfile import is_intact, parse_header, without_header
from jupyter_blocks.blocktext import read_edited, read_exported
from jupyter_blocks.cellchanges import FileChanges, LineChange, changed_source, file_changes
from jupyter_blocks.cellsettings import METADATA_KEY
from jupyter_blocks.errors import Problem, UsageError, raise_errors
from jupyter_blocks.export import export_pipeline, exported_texts, notebook_path
from jupyter_blocks.exportbase import exported_text
from jupyter_blocks.exportplan import ExportedFile, exported_pipelines, signed_yaml_digest
from jupyter_blocks.notebook import parse_notebook, read_notebook
from jupyter_blocks.notebooktext import resourced, with_settings
from jupyter_blocks.pipelinetext import retry_config
from jupyter_blocks.project import find_project
from jupyter_blocks.samecode import same_code, unmerged
from jupyter_blocks.settingsback import SettingsBack, settings_back, with_parameters
from jupyter_blocks.settingsdiff import (
    SettingChange,
    not_taken_over,
    setting_changes,
    yaml_stamp,
)
from jupyter_blocks.tags import DIRECTIVE

__all__ = ["CellChange", "FileConflict", "FlowBack", "SettingBack", "flow_back"]


@dataclass(frozen=True)
class CellChange:
    """A cell that takes over changes."""

    number: int
    before: str
    after: str
    files: tuple[str, ...]
    """Project-relative paths of the files the changes come from."""


@dataclass(frozen=True)
class SettingBack:
    """A setting that the notebook takes over from metadata.yaml."""

    block: str
    """Empty: a setting of the pipeline."""
    key: str
    """As in metadata.yaml; `jupyter_blocks.cache` and `variables.month` with a dot."""
    before: Any
    """None where nothing was said."""
    after: Any


@dataclass(frozen=True)
class FileConflict:
    """Lines that were changed in a file and in its cell."""

    path: str
    cell: int | None
    """Number of the cell; none where it is gone."""
    base: tuple[str, ...] | None
    """The lines as they were exported; none where that is not known any more."""
    notebook: tuple[str, ...]
    file: tuple[str, ...]


@dataclass(frozen=True)
class FlowBack:
    """What came of bringing files back into their notebook."""

    project: Path
    pipeline: str
    notebook: Path
    edited: tuple[str, ...] = ()
    """Project-relative paths of the files that were edited by hand."""
    cells: tuple[CellChange, ...] = ()
    settings: tuple[SettingBack, ...] = ()
    conflicts: tuple[FileConflict, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[ExportedFile, ...] = ()
    """What the export afterwards wrote; empty where nothing was written."""
    data: bytes = b""
    """The notebook with the changes."""

    @property
    def is_ok(self) -> bool:
        """Whether every change found its way into the notebook."""
        return not self.conflicts and all(item.severity != "error" for item in self.problems)


def flow_back(
    path: Path, root: Path, pipeline: str | None = None, *, write: bool = True, force: bool = False
) -> FlowBack:
    """Bring the changes of edited block files and helpers into the notebook at `path`.

    Writes the notebook and exports it, all or nothing; without `write` only says what would be.
    With `force` the files win where both sides changed. Raises `ValidationError` where the notebook
    itself has mistakes.
    """
    return _FlowBack(path, root, pipeline, force=force).run(write=write)


class _FlowBack:
    """One way back."""

    def __init__(self, path: Path, root: Path, pipeline: str | None, *, force: bool) -> None:
        self.path, self.root, self.pipeline, self.force = path, root, pipeline, force
        self.notebook = read_notebook(path)
        self.before = path.read_bytes()
        self.draft = analyze_notebook(self.notebook, pipeline=pipeline)
        raise_errors(self.draft.problems)
        self._take_pipeline(exported_pipelines(root, notebook_path(path, root)))
        self.texts, problems = exported_texts(self.draft, self.notebook, root)
        raise_errors(problems)
        self.edited = dict(self._edited())
        self.metadata = f"pipelines/{self.draft.name}/metadata.yaml"
        self.settings: list[SettingChange] = []
        self.back = SettingsBack()
        self.changes: dict[int, list[tuple[str, LineChange]]] = {}
        self.conflicts: list[FileConflict] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def _take_pipeline(self, exported: list[str]) -> None:
        """Take the pipeline that was exported, whatever name the notebook has for it."""
        if self.pipeline is not None or not exported or self.draft.name in exported:
            return
        if len(exported) > 1:
            raise UsageError(
                f"{self.path.name} was exported as {', '.join(exported)}.",
                hint="Name one of these pipelines.",
            )
        self.pipeline = exported[0]
        self.draft = analyze_notebook(self.notebook, pipeline=self.pipeline)

    def run(self, *, write: bool) -> FlowBack:
        """Do all of it."""
        for path, text in self.edited.items():
            if path == self.metadata:
                self._read_settings(text)
            else:
                self._read(path, text)
        cells = tuple(self._changed_cells())
        data = self.before
        files: tuple[ExportedFile, ...] = ()
        if not (self.conflicts or self.problems) and self.edited:
            data = resourced(self.before, self.path, {cell.number: cell.after for cell in cells})
            data = with_settings(data, self.path, self.back.cells, self._own_settings())
            files = self._exported(data, write=write)
        return FlowBack(
            project=self.root,
            pipeline=self.draft.name,
            notebook=self.path,
            edited=tuple(self.edited),
            cells=cells,
            settings=tuple(
                SettingBack(item.block, item.key, item.now, item.file) for item in self.settings
            ),
            conflicts=tuple(self.conflicts),
            problems=tuple(self.problems),
            notes=tuple(self.notes),
            files=files,
            data=data,
        )

    def _edited(self) -> Iterator[tuple[str, str]]:
        """The files of the pipeline that were edited by hand, with their text."""
        for path, now in self.texts.items():
            file = self.root / path
            if not file.is_file():
                continue
            text = file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
            notebook, is_edited = _stamp(text)
            if notebook and _stem(notebook) == _stem(_stamp(now)[0]) and is_edited:
                yield path, text

    # one file

    def _read(self, path: str, text: str) -> None:
        """Find out what the changes of a file mean for the cells."""
        now = self.texts[path]
        base = self._base(path, text)
        if base is None and same_code(without_header(text), without_header(now)):
            return
        block = self._block(path)
        refs = {cell.number: cell.ref for cell in self.notebook.cells}
        own = [refs[number] for number in block.cells] if block else []
        try:
            found = file_changes(base, text, now, own)
        except SyntaxError as error:
            self._refuse(path, f"it is not valid Python ({error.msg})", error.lineno)
            return
        self._add(path, found, block)

    def _base(self, path: str, text: str) -> str | None:
        """The file as it was exported; the present export where the file is to win."""
        now = self.texts[path]
        digest = _digest(text)
        if self.force or digest == _digest(now):
            return now
        kept = exported_text(self.root / ".blocks", path)
        is_it = kept is not None and not _stamp(kept)[1] and digest in ("", _digest(kept))
        return kept if is_it else None

    # settings

    def _read_settings(self, text: str) -> None:
        """Find out what the changes of metadata.yaml mean for the notebook."""
        base, now = self._base(self.metadata, text), self.texts[self.metadata]
        try:
            changes = setting_changes(base, text, now, self._retry())
        except ValueError as error:
            self._refuse(self.metadata, str(error))
            return
        cells = {block.name: block.cells[0] for block in self.draft.blocks}
        for item in changes:
            if item.is_conflict:
                known = None if base is None else (item.line(item.base),)
                sides = ((item.line(value),) for value in (item.now, item.file))
                number = cells.get(item.block)
                self.conflicts.append(FileConflict(self.metadata, number, known, *sides))
        self.settings = [item for item in changes if not item.is_conflict]
        self.back = settings_back(self.settings, self.notebook, self.draft)
        for why, hint in self.back.refused:
            self._refuse(self.metadata, why, hint=hint)

    def _retry(self) -> Mapping[str, Any]:
        """What the project says about retries, which the pipeline goes on from."""
        project = find_project(self.root)
        return retry_config(project.retry if project else None)

    def _own_settings(self) -> Mapping[str, Any]:
        return {METADATA_KEY: self.back.notebook} if self.back.notebook is not None else {}

    def _block(self, path: str) -> BlockDraft | None:
        header = parse_header(self.texts[path])
        name = header.block if header else ""
        return next((block for block in self.draft.blocks if block.name == name), None)

    def _add(self, path: str, found: FileChanges, block: BlockDraft | None) -> None:
        numbers = {cell.ref: cell.number for cell in self.notebook.cells}
        for item in found.conflicts:
            number = numbers.get(item.cell)
            self.conflicts.append(FileConflict(path, number, item.base, item.notebook, item.file))
        for change in found.changes:
            self._change(path, numbers[change.cell], change)
        if found.new:
            number = block.cells[0] if block else self._helper_cell(path)
            cell = self.notebook.cells[number - 1]
            new = found.new
            if any(not line.text[:1].strip() for line in new):  # a definition
                new = (*new, *[replace(new[-1], text="", in_string=False)] * 2)
            change = LineChange(cell.ref, _top(cell.source), None, new)
            self._change(path, number, change)
        self.notes += [
            f"{path}: '{text.strip()}' stays, since other blocks may need it. If they do not, "
            "delete it in the notebook."
            for text in found.kept
        ]

    def _change(self, path: str, number: int, change: LineChange) -> None:
        self.changes.setdefault(number, []).append((path, change))

    def _helper_cell(self, path: str) -> int:
        """The first cell that the shared module is made from."""
        header = parse_header(self.texts[path])
        refs = {source.cell for source in header.sources} if header else set()
        return next(cell.number for cell in self.notebook.cells if cell.ref in refs)

    def _refuse(self, path: str, why: str, line: int | None = None, hint: str = "") -> None:
        self.problems.append(
            Problem(
                "cannot-flow-back",
                f"The changes of {path} cannot be brought into the notebook: {why}.",
                hint
                or "Make them in the notebook by hand, then overwrite the file with "
                "'jupyter blocks export --force'.",
                pipeline=self.draft.name,
                path=path,
                line=line,
            )
        )

    # the notebook

    def _changed_cells(self) -> Iterator[CellChange]:
        for number in sorted({*self.changes, *self.back.parameters}):
            changes = self.changes.get(number, [])
            parameters = self.back.parameters.get(number, {})
            before = self.notebook.cells[number - 1].source
            paths = tuple(dict.fromkeys(path for path, _ in changes))
            paths += (self.metadata,) if parameters else ()
            try:
                after = changed_source(before, [change for _, change in changes])
                after = with_parameters(after, parameters)
            except ValueError as error:
                self._refuse(" and ".join(paths), f"in cell {number}, {error}")
                continue
            if after != before:
                yield CellChange(number, before, after, paths)

    def _exported(self, data: bytes, *, write: bool) -> tuple[ExportedFile, ...]:
        """Export the changed notebook, if that gives what the edited files say."""
        notebook = parse_notebook(data, self.path)
        draft = analyze_notebook(notebook, pipeline=self.pipeline)
        texts, invalid = exported_texts(draft, notebook, self.root) if draft.is_valid else ({}, [])
        mistakes = [
            problem for problem in (*draft.problems, *invalid) if problem.severity == "error"
        ]
        if mistakes:
            self._refuse(", ".join(self.edited), "with them, the notebook would have mistakes")
            self.problems += mistakes
            return ()
        for path, text in self.edited.items():
            if path == self.metadata:
                for why in not_taken_over(self.settings, text, texts[path], self._retry()):
                    self._refuse(path, why)
            else:
                self._verify(path, text, texts)
        if self.problems:
            return ()
        if write and self.path.read_bytes() != self.before:
            raise UsageError(f"{self.path.name} was changed in the meantime.", hint="Try again.")
        result = export_pipeline(
            draft,
            notebook,
            self.root,
            check=not write,
            taken_over=tuple(self.edited),
            new_notebook=data if data != self.before else None,
        )
        self.problems += [item for item in result.problems if item not in draft.problems]
        return result.files

    def _verify(self, path: str, text: str, texts: Mapping[str, str]) -> None:
        """Whether everything in the edited file is in what is exported now."""
        if path not in texts:
            self._refuse(path, "the notebook would not export such a file any more")
            return
        shared = texts.get(f"helpers/{self.draft.name}.py", "")
        base = read_exported(self._base(path, text) or self.texts[path])
        edited = read_edited(text, base)
        names = [wrapper.name for wrapper in base.wrappers]
        start = text.count("\n") - without_header(text).count("\n")
        lines = without_header(text).split("\n")
        now, merged = (read_exported(code).code for code in (self.texts[path], texts[path]))
        for piece in unmerged(base.code, edited.code, now, merged, without_header(shared), names):
            shown = lines[piece.line - 1].strip() if piece.line <= len(lines) else piece.key
            why = f"no cell can hold '{shown}' there"
            if piece.kind == "generated":
                why = f"'{shown}' is not from a cell: type and name of a block are in its tag, "
                why += "and what it takes and gives follows from the code"
            self._refuse(path, why, piece.line + start)
            return


def _stem(notebook: str) -> str:
    """The name without its suffix: jupytext may keep one notebook in two files."""
    return notebook.rpartition(".")[0]


def _digest(text: str) -> str:
    header = parse_header(text)
    return header.digest if header else yaml_stamp(text)[1]


def _stamp(text: str) -> tuple[str, bool]:
    """The notebook a file was exported from (empty: from none), and whether it was edited since."""
    header = parse_header(text)
    if header is not None:
        return header.notebook, not is_intact(text)
    notebook, digest = yaml_stamp(text)
    return notebook, digest != signed_yaml_digest(text)


def _top(source: str) -> int:
    """Line of a cell after which new code can go: below what must stand first."""
    first = source.split("\n", 1)[0]
    return 1 if DIRECTIVE.match(first) or first.lstrip().startswith("%%") else 0
