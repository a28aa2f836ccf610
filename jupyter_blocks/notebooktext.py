"""Writes into a notebook that people own: tags, metadata or code of single cells, nothing else.

Layout, order of keys, byte order mark and line ends of the file stay as they are, and so does its
format: nbformat 2 to 4, or a percent file.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import shutil
import tokenize
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import UsageError
from jupyter_blocks.jsonedit import replaced
from jupyter_blocks.notebook import is_percent
from jupyter_blocks.percentedit import with_metadata, with_sources, with_tags

__all__ = ["replace_file", "resourced", "retagged", "with_settings"]

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")

_RawCell = Mapping[str, object]
_Place = tuple[str | int, ...]
"""Keys and indexes that lead to a value in the document."""
_Change = Callable[[_RawCell, Any], tuple[tuple[str, ...], object]]
"""From a cell and what is to be written: where in the cell, and the value there."""


def retagged(data: bytes, path: Path, tags: Mapping[int, str]) -> bytes:
    """The file in `data` with one more tag on some cells: number, from 1 -> tag.

    Raises `UsageError` where the format has no room for them.
    """
    if is_percent(path):
        return _in_lines(data, lambda lines: with_tags(lines, tags))
    return _in_cells(data, tags, _tagged)


def resourced(data: bytes, path: Path, sources: Mapping[int, str]) -> bytes:
    """The file in `data` with other code in some cells: number, from 1 -> source.

    Raises `UsageError` where the format is too old.
    """
    if is_percent(path):
        return _in_lines(data, lambda lines: with_sources(lines, sources))
    return _in_cells(data, sources, _with_source)


def with_settings(
    data: bytes,
    path: Path,
    cells: Mapping[int, Mapping[str, object]],
    notebook: Mapping[str, object],
) -> bytes:
    """The file in `data` with other metadata of cells (number, from 1 -> key -> value) or its own.

    Raises `UsageError` where the format is too old, or where a percent file is to have metadata of
    its own.
    """
    if is_percent(path):
        if notebook:
            raise UsageError(f"The metadata of {path.name} is in its header, for people to write.")
        return _in_lines(data, lambda lines: with_metadata(lines, cells))
    for number, values in cells.items():
        for key, value in values.items():
            data = _in_cells(data, {number: value}, partial(_with_value, key))
    text, mark = _decoded(data)
    for key, value in notebook.items():
        place = ("metadata", key) if "metadata" in json.loads(text) else ("metadata",)
        text = replaced(text, place, value if len(place) > 1 else {key: value})
    return mark + text.encode()


def replace_file(path: Path, data: bytes) -> None:
    """Make `data` the content of an existing file: all of it, or nothing.

    A link stays a link, and the mode of the file stays. Raises `UsageError` where that cannot be.
    """
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(data)
        shutil.copymode(target, draft)
        draft.replace(target)
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _in_cells(data: bytes, written: Mapping[int, Any], change: _Change) -> bytes:
    """A notebook file in which the given cells were changed, each by what is `written` for it."""
    text, mark = _decoded(data)
    cells = _cells(text)
    for number, word in written.items():
        start, cell = cells[number - 1]
        place, value = change(cell, word)
        text = replaced(text, (*start, *place), value)
    return mark + text.encode()


def _decoded(data: bytes) -> tuple[str, bytes]:
    """The text of a file, and its byte order mark."""
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    return data[len(mark) :].decode(), mark


def _with_value(key: str, cell: _RawCell, value: object) -> tuple[tuple[str, ...], object]:
    if not isinstance(cell.get("metadata"), dict):
        return ("metadata",), {key: value}
    return ("metadata", key), value


def _tagged(cell: _RawCell, tag: str) -> tuple[tuple[str, ...], object]:
    metadata = cell.get("metadata")
    if not isinstance(metadata, dict):
        return ("metadata",), {"tags": [tag]}
    return ("metadata", "tags"), [*metadata.get("tags", ()), tag]


def _with_source(cell: _RawCell, source: str) -> tuple[tuple[str, ...], object]:
    key = "input" if "input" in cell else "source"
    return (key,), source if isinstance(cell.get(key), str) else _lines(source)


def _lines(source: str) -> list[str]:
    """The text as nbformat writes it: one entry for each line, with its line feed."""
    *lines, last = source.split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def _cells(text: str) -> list[tuple[_Place, _RawCell]]:
    """The cells with their places, those of all worksheets of an old notebook."""
    document = json.loads(text)
    sheets: list[tuple[_Place, Mapping[str, Any]]] = [((), document)]
    if "cells" not in document:
        sheets = [(("worksheets", at), it) for at, it in enumerate(document.get("worksheets", ()))]
    elif document.get("nbformat", 4) < 4:
        raise UsageError(
            "The notebook has an old format, in which cells cannot be changed here.",
            hint="Open and save it in JupyterLab first.",
        )
    return [
        ((*place, "cells", number), cell)
        for place, sheet in sheets
        for number, cell in enumerate(sheet.get("cells", ()))
    ]


def _in_lines(data: bytes, change: Callable[[Sequence[str]], list[str]]) -> bytes:
    """A Python file whose lines were changed; the others keep their line ends."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    found = [match.groups() for match in _LINE.finditer(data.decode(encoding))]
    if found and found[-1] == ("", ""):
        found.pop()
    lines = [line for line, _ in found]
    ends = [end for _, end in found]
    try:
        return "".join(_ended(lines, ends, change(lines))).encode(encoding)
    except ValueError as error:
        raise UsageError(f"The cells cannot be changed: {error}.") from error


def _ended(lines: Sequence[str], ends: Sequence[str], changed: Sequence[str]) -> list[str]:
    """The changed lines with line ends: their own, or for new ones that of most lines."""
    usual = max((end for end in ends if end), key=ends.count, default="\n")
    found: list[str] = []
    matcher = SequenceMatcher(None, lines, changed, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        same = ends[start:end] if kind == "equal" else [usual] * (last - first)
        found += [
            line + (mark or usual) for line, mark in zip(changed[first:last], same, strict=True)
        ]
    if found and ends and not ends[-1]:
        found[-1] = found[-1].rstrip("\r\n")
    return found
