"""A notebook as it lies on disk: its cells with number, id, tags, source and metadata.

Reads nbformat 2 to 4 itself, which is fast, and asks nbformat only for what came before; Python
files with cells are read by `percent`. What the cells mean is said by `tags` and `binding`.
"""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import Problem, UsageError, ValidationError
from jupyter_blocks.percent import PercentText, read_percent

__all__ = ["Cell", "Notebook", "is_percent", "parse_notebook", "read_notebook"]

_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


@dataclass(frozen=True)
class Cell:
    """One cell, code or not."""

    number: int
    """1-based position among all cells of the notebook."""
    kind: str
    """`code`, `markdown` or `raw`."""
    source: str
    """Text with line feeds only, as Python reads it."""
    id: str | None = None
    """Id of the cell; none where the notebook has none, or not one of its own."""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    first_line: int | None = None
    """Line of a Python file on which its text begins; none in a notebook file."""

    @property
    def ref(self) -> str:
        """The cell in a file header: its id, or `#7`."""
        return self.id or f"#{self.number}"


@dataclass(frozen=True)
class Notebook:
    """A notebook that was read; `problems` says what is wrong with single cells."""

    path: Path
    cells: tuple[Cell, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """File name, for messages."""
        return self.path.name

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    def located(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The problems of its cells with their lines in the file, if it is a Python file."""
        starts = {cell.number: cell.first_line for cell in self.cells}
        return tuple(
            replace(problem, file_line=start + (problem.line or 1) - 1)
            if problem.cell and (start := starts.get(problem.cell))
            else problem
            for problem in problems
        )


def is_percent(path: Path) -> bool:
    """Whether the notebook at `path` is a Python file with cells, `# %%`."""
    return path.suffix == ".py"


def read_notebook(path: Path) -> Notebook:
    """Read the notebook at `path`: a notebook file, or a Python file with cells.

    Raises `UsageError` where there is no such file, and `ValidationError` where it is not a
    notebook with a Python kernel.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"There is no notebook '{path}'.", hint="Check the path and the folder you are in."
        ) from None
    except OSError as error:
        raise UsageError(f"The notebook '{path}' cannot be read: {error.strerror}.") from error
    return parse_notebook(data, path)


def parse_notebook(data: bytes, path: Path) -> Notebook:
    """The notebook in `data`, the bytes of the file at `path`; errors as for `read_notebook`."""
    document = _percent(data, path) if is_percent(path) else _upgraded(_json(data, path), path)
    metadata = document.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise _refusal(path, "bad-notebook", "Its 'metadata' is not a mapping.")
    _require_python(metadata, path)
    raw_cells = document["cells"]
    if not isinstance(raw_cells, list):
        raise _refusal(path, "bad-notebook", "Its 'cells' is not a list.")
    shared = _shared_ids(raw_cells)
    problems: list[Problem] = []
    cells = [
        _cell(raw, number, shared, path, problems) for number, raw in enumerate(raw_cells, start=1)
    ]
    notebook = Notebook(path, tuple(cells), metadata)
    return replace(notebook, problems=notebook.located(problems))


def _percent(data: bytes, path: Path) -> dict[str, Any]:
    """A Python file with cells, as the document of a notebook."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise _refusal(path, "not-a-notebook", f"It is not text: {error}.") from error
    try:
        found = read_percent(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    except ValueError as error:
        raise _refusal(path, "bad-notebook", f"{error}.") from error
    if not found.has_markers:
        raise _without_markers(found, path)
    cells = [
        {
            "cell_type": cell.kind,
            "metadata": cell.metadata,
            "source": "\n".join(cell.lines),
            "first_line": cell.first + 1,
        }
        for cell in found.cells
    ]
    return {"cells": cells, "metadata": found.metadata}


def _without_markers(found: PercentText, path: Path) -> ValidationError:
    message = "It has no cells: no line begins with '# %%'."
    hint = "Write '# %%' above each cell."
    jupytext = found.metadata.get("jupytext")
    known = jupytext.get("text_representation") if isinstance(jupytext, dict) else None
    name = known.get("format_name") if isinstance(known, dict) else None
    if name and name != "percent":
        message = f"It is in jupytext's format '{name}', which has no '# %%' above its cells."
        hint = f"Convert it: jupytext --to py:percent {path.name}"
    return _refusal(path, "not-a-notebook", message, hint)


def _json(data: bytes, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _refusal(
            path, "not-a-notebook", f"It is not UTF-8 text (byte {error.start})."
        ) from error
    except json.JSONDecodeError as error:
        raise _refusal(
            path,
            "not-json",
            f"It is not JSON: {error.msg}, column {error.colno}.",
            "If it holds merge conflict markers, resolve them first.",
            line=error.lineno,
        ) from error
    except RecursionError as error:
        raise _refusal(path, "not-json", "Its JSON is nested too deeply.") from error
    if not isinstance(document, dict) or not ({"cells", "worksheets"} & document.keys()):
        raise _refusal(path, "not-a-notebook", "It is JSON, but it has no cells.")
    return document


def _upgraded(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """The document in nbformat 4."""
    major = document.get("nbformat", 4 if "cells" in document else 3)
    if major == 4:
        return document
    if not isinstance(major, int) or not 1 <= major < 4:
        raise _refusal(
            path,
            "unknown-nbformat",
            f"It has the notebook format {major!r}; this version reads 1 to 4.",
            "Update jupyter-blocks.",
        )
    if isinstance(document.get("worksheets"), list):
        return {**document, "cells": list(_from_worksheets(document["worksheets"]))}
    import nbformat

    try:
        return dict(nbformat.convert(nbformat.from_dict(document), 4))
    except Exception as error:
        raise _refusal(
            path,
            "unknown-nbformat",
            f"nbformat cannot upgrade it from version {major}: {error}.",
            "Open and save it in JupyterLab.",
        ) from error


def _from_worksheets(worksheets: list[Any]) -> Iterator[Any]:
    """The cells of versions 2 and 3, where code was `input` and a heading was a kind of cell."""
    for sheet in worksheets:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            kind = cell.get("cell_type") if isinstance(cell, dict) else None
            if kind == "code":
                yield {**cell, "source": cell.get("input", "")}
            elif kind in ("raw", "html"):
                yield {**cell, "cell_type": "raw"}
            elif kind == "heading":
                yield {**cell, "cell_type": "markdown", "source": _heading(cell)}
            else:
                yield {**cell, "cell_type": "markdown"} if isinstance(cell, dict) else cell


def _heading(cell: Mapping[str, Any]) -> str:
    source, level = cell.get("source", ""), cell.get("level", 1)
    text = "".join(source) if isinstance(source, list) else str(source)
    return f"{'#' * (level if isinstance(level, int) else 1)} {text}"


def _require_python(metadata: Mapping[str, Any], path: Path) -> None:
    kernel = metadata.get("kernelspec")
    info = metadata.get("language_info")
    language = kernel.get("language") if isinstance(kernel, dict) else None
    if not language and isinstance(info, dict):
        language = info.get("name")
    if language and str(language).lower() not in {"python", "python3", "ipython"}:
        raise _refusal(
            path,
            "not-python",
            f"Its kernel speaks {language}; blocks are made from Python cells.",
            "Choose a Python kernel.",
        )


def _shared_ids(raw_cells: list[Any]) -> set[str]:
    """Ids that several cells have; they name none of them."""
    ids = Counter(raw.get("id") for raw in raw_cells if isinstance(raw, dict))
    return {str(cell_id) for cell_id, count in ids.items() if count > 1}


def _cell(raw: Any, number: int, shared: set[str], path: Path, problems: list[Problem]) -> Cell:
    if not isinstance(raw, dict):
        raise _refusal(path, "bad-notebook", f"Cell {number} is not a mapping.")
    cell_id = raw.get("id")
    if not (isinstance(cell_id, str) and _CELL_ID.match(cell_id)) or cell_id in shared:
        cell_id = None
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    tags = metadata.get("tags") or []
    if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        problems.append(
            Problem(
                "bad-tags",
                "The 'tags' of the cell are not a list of texts.",
                'Write them as tags=["loader"].'
                if is_percent(path)
                else "Set them again in the property inspector of JupyterLab.",
                notebook=path.name,
                cell=number,
                cell_id=cell_id,
            )
        )
        tags = []
    kind = str(raw.get("cell_type", "code"))
    first_line = raw.get("first_line") if is_percent(path) else None
    return Cell(
        number, kind, _source(raw, number, path), cell_id, tuple(tags), metadata, first_line
    )


def _source(raw: Mapping[str, Any], number: int, path: Path) -> str:
    source = raw.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise _refusal(path, "bad-notebook", f"The source of cell {number} is not text.")
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise _refusal(
            path,
            "bad-notebook",
            f"The source of cell {number} holds half a character (position {error.start}).",
            "Type that character again.",
        ) from error
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _refusal(
    path: Path, code: str, message: str, hint: str = "", line: int | None = None
) -> ValidationError:
    text = f"This is not a notebook that can become a pipeline. {message}"
    return ValidationError([Problem(code, text, hint, notebook=path.name, line=line)])
